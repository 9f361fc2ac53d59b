//! `gavel sim buyers` as operators use it: faults by name, and the check of an endpoint.

use std::process::Output;

use sim::buyers::{Buyer, Buyers, FAULTS, Handle, Options};

async fn gavel(arguments: Vec<String>) -> (Output, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gavel"));
    command.args(["sim", "buyers"]).args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, text)
}

fn check_of(buyers: &Handle, name: &str) -> Vec<String> {
    let (ping, post, status) =
        (buyers.ping_url(name), buyers.post_url(name), buyers.status_url(name));
    ["--check", &ping, "--post", &post, "--status", &status].map(str::to_owned).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_prints_a_line_each_and_fails_only_if_one_is_wrong() {
    let specs = ["sound", "torn:fault=cut-on-post", "shy:bids=0,accepts=0"];
    let buyers: Vec<Buyer> = specs.into_iter().map(|spec| spec.parse().unwrap()).collect();
    let at = "127.0.0.1:0".parse().unwrap();
    let buyers = Buyers::start(at, buyers, Options::default()).await.unwrap();
    for (name, code, line) in [
        ("sound", 0, "ok           post    same key, same answer"),
        ("torn", 1, "wrong        post    answers with a verdict"),
        ("shy", 0, "not checked  post    same key, same answer"),
    ] {
        let (output, text) = gavel(check_of(&buyers, name)).await;
        assert_eq!(output.status.code(), Some(code), "{name}:\n{text}");
        assert!(text.contains(line), "{name}:\n{text}");
        assert_eq!(text.contains("wrong  "), code == 1, "{name}:\n{text}");
    }
    // Twice with other consumers each time: nobody comes back.
    assert_eq!(gavel(check_of(&buyers, "sound")).await.0.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_wrong_is_refused_and_help_lists_every_fault() {
    for arguments in [
        vec!["--check", "nova"],
        vec!["--check", "http://127.0.0.1:1/ping", "--header", "no colon"],
        vec!["--post", "http://127.0.0.1:1/post"],
        vec!["--fault", "sulk"],
        vec!["--faults", "10", "--buyer", "nova:bids"],
    ] {
        let given = arguments.iter().map(|it| (*it).to_owned()).collect();
        let (output, _) = gavel(given).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    }
    let (output, text) = gavel(vec!["--help".to_owned()]).await;
    assert!(output.status.success());
    for known in FAULTS {
        let line =
            text.lines().find(|line| line.trim_start().starts_with(&format!("{} ", known.name)));
        assert!(line.is_some_and(|line| line.contains(known.about)), "{}:\n{text}", known.name);
    }
}
