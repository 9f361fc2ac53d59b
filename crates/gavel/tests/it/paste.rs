//! Every line that `demo --stay` prints is pasted into one shell and answers what it should.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

/// A part of each line, in their order; the status that stands behind its answer; a word of the answer.
const EXPECTED: &[(&str, &str, &str)] = &[
    ("ME=$(date", "", ""),
    ("/api/v1/lead'", "200", r#""status":"distributed""#),
    ("/post/debt/sub10k/'", "200", r#""disposition":"SOLD""#),
    ("/ping/debt/sub10k/'", "200", r#""passed":1"#),
    (r#"-d '{"address"#, "201", r#""distribution_status":"sold""#),
    ("-d 'first_name=Dana&last_name=form", "201", r#""lead_status":"accept""#),
    ("?first_name=Dana&last_name=query", "201", r#""lead_status":"accept""#),
    ("/us-loans/create'", "200", r#""success":true"#),
    ("/api/lead/fetch/", "200", r#""transaction_id":"json-"#),
    ("/us-loans/fetch?", "200", r#""status":"sold""#),
    ("ID=$(curl", "200", r#""status":"ok""#),
    ("/bs-core/main/leads/'$ID''", "200", r#""currentStatus":"APPROVED""#),
    ("/check'", "200", r#""status":"ok""#),
    ("/statuses'", "200", r#""status":"APPROVED""#),
    ("/find/'$ID'", "200", r#""currentStatus":"APPROVED""#),
    ("TOKEN=$(curl", "200", "bsauth: brainysoft-demo~"),
    ("bsauth: $TOKEN", "200", r#""currentStatus":"APPROVED""#),
    ("LEAD=$(curl", "200", r#""status":"distributed""#),
    ("demo-native", "200", r#""status":"distributed""#),
    ("/decisions", "200", r#""outcome":"sold""#),
    ("PING=$(curl", "200", r#""status":"accepted""#),
    ("/v1/post", "200", r#""status":"distributed""#),
    ("/v1/leads/'$LEAD''", "200", r#""disposition":"sold""#),
    ("demo-operator", "200", r#""outcome":"sold""#),
    ("demo-nova", "200", r#""campaign":"es-prime""#),
    ("-X PUT", "201", r#""state":"live""#),
    ("/v1/explain", "200", r#""campaign":"es-modest""#),
    ("demo-nova", "200", r#""campaign":"es-modest""#),
    ("/v1/buyers/nova/campaigns'", "200", "es-modest"),
    ("-X DELETE", "204", ""),
    ("/v1/review'", "200", ""),
    ("/metrics", "", r#"gavel_leads_total{"#),
];

/// Killed when dropped.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A demo that stays, and its lines of shell.
fn demo() -> (Demo, Vec<String>) {
    let anywhere = "127.0.0.1:0";
    let mut demo = Command::new(env!("CARGO_BIN_EXE_gavel"))
        .args(["demo", "--stay", "--leads", "6", "--public", anywhere])
        .args(["--management", anywhere, "--ops", anywhere])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(demo.stdout.take().unwrap());
    let mut lines = Vec::new();
    for line in out.lines().map(Result::unwrap).skip_while(|line| !line.starts_with("Serving.")) {
        lines.extend(line.strip_prefix("  ").map(str::to_owned));
        if line.contains("/metrics |") {
            break;
        }
    }
    (Demo(demo), lines)
}

/// What a shell prints for each of the lines.
fn pasted(lines: &[String]) -> Vec<String> {
    let mut script = "exec 2>&1\n".to_owned();
    for line in lines {
        script.extend(["echo '== next'\n", line, "\n"]);
    }
    let mut shell =
        Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = shell.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(script.as_bytes()).unwrap());
    let output = shell.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split("== next\n").skip(1).map(str::to_owned).collect()
}

#[test]
fn every_line_that_the_demo_prints_works_when_pasted_and_again_for_another_person() {
    let (_demo, lines) = demo();
    assert_eq!(lines.len(), EXPECTED.len(), "{lines:#?}");
    for round in 0..2 {
        let answers = pasted(&lines);
        for ((line, answer), (part, status, word)) in lines.iter().zip(&answers).zip(EXPECTED) {
            // The campaign is gone again, so that every round creates it.
            assert!(line.contains(part), "{part} is not in {line}");
            let told = answer.trim_end();
            assert!(told.ends_with(status), "round {round}, {status}: {line}\n{answer}");
            assert!(told.contains(word), "round {round}, {word}: {line}\n{answer}");
        }
        assert_eq!(answers.len(), lines.len());
    }
}
