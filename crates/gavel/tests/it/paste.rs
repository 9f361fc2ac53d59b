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
    ("/bs-core/main/leads/'${ID:", "200", r#""currentStatus":"APPROVED""#),
    ("/check'", "200", r#""status":"ok""#),
    ("/statuses'", "200", r#""status":"APPROVED""#),
    ("/find/'${ID:", "200", r#""currentStatus":"APPROVED""#),
    ("bsauth: $TOKEN", "200", r#""currentStatus":"APPROVED""#),
    ("LEAD=$(curl", "200", r#""status":"distributed""#),
    ("demo-native", "200", r#""status":"distributed""#),
    ("/decisions", "200", r#""outcome":"sold""#),
    ("/v1/post", "200", r#""status":"distributed""#),
    ("/v1/leads/'${LEAD:", "200", r#""disposition":"sold""#),
    ("demo-operator", "200", r#""outcome":"sold""#),
    ("demo-nova", "200", r#""campaign":"es-prime""#),
    ("-X PUT", "201", r#""state":"live""#),
    ("/v1/explain", "200", r#""campaign":"es-modest""#),
    ("demo-nova", "200", r#""campaign":"es-modest""#),
    ("/v1/buyers/nova/campaigns'", "200", "es-modest"),
    ("-X DELETE", "204", ""),
    ("/v1/publishers/pingtree-demo/spec", "200", "# Posting leads: "),
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
    let mut shell = Command::new("sh");
    let shell = shell.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = shell.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(script.as_bytes()).unwrap());
    let output = shell.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split("== next\n").skip(1).map(str::to_owned).collect()
}

fn check(lines: &[String], answers: &[String], how: &str) {
    assert_eq!((lines.len(), answers.len()), (EXPECTED.len(), EXPECTED.len()), "{lines:#?}");
    for ((line, answer), (part, status, word)) in lines.iter().zip(answers).zip(EXPECTED) {
        assert!(line.contains(part), "{part} is not in {line}");
        assert!(answer.trim_end().ends_with(status), "{how}, {status}: {line}\n{answer}");
        assert!(answer.contains(word), "{how}, {word}: {line}\n{answer}");
    }
}

#[test]
fn every_line_that_the_demo_prints_works_when_pasted() {
    let (_demo, lines) = demo();
    check(&lines, &pasted(&lines), "in one shell");
    check(&lines, &pasted(&lines), "again, about somebody else");
    let alone: Vec<String> =
        lines.iter().flat_map(|line| pasted(std::slice::from_ref(line))).collect();
    check(&lines, &alone, "each in a shell of its own");
}
