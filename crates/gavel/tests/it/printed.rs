//! What `gavel spec` prints for the publishers of the demo's market: every sample request is pasted into a
//! shell and does what it is there for.

use std::process::Command;

use sim::buyers::{Buyer, Buyers, Options};

use crate::process::Gavel;

const MARKET: &str = include_str!("../../../../config/demo/market.toml");

/// Each publisher with what stands for its secrets, and of each of its samples, in their order, a part of the
/// command and a word of the answer. `LEAD-ID` is the id that the first answer tells.
type Printed = (&'static str, &'static [(&'static str, &'static str)], Samples);
type Samples = &'static [(&'static str, &'static str)];

const PRINTED: [Printed; 5] = [
    (
        "leadhub-demo",
        &[("YOUR-KEY", "demo-leadhub")],
        &[("/api/v1/lead'", r#""status":"distributed""#)],
    ),
    (
        "bright-horizons-demo",
        &[("YOUR-KEY", "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz")],
        &[
            ("/post/debt/sub10k/'", r#""disposition":"SOLD""#),
            ("/ping/debt/sub10k/'", r#""passed":1"#),
        ],
    ),
    (
        "pingtree-demo",
        &[("YOUR-KEY", "demo-pingtree")],
        &[
            ("/api/lead/create/", r#""distribution_status":"sold""#),
            // The same consumer once more.
            ("?first_name=", r#""lead_status":"duplicate""#),
            ("/api/lead/fetch/", r#""distribution_status":"sold""#),
            ("/us-loans/create'", r#""reason":"duplicate""#),
            ("/us-loans/fetch?", r#""status":"sold""#),
        ],
    ),
    (
        "brainysoft-demo",
        &[
            ("YOUR-KEY", "demo-brainysoft"),
            ("YOUR-CUSTOMER-KEY", "demo"),
            ("YOUR-USER", "demo"),
            ("YOUR-PASSWORD", "demo-brainysoft-password"),
        ],
        &[
            ("/bs-core/main/leads'", r#""status":"ok""#),
            ("/bs-core/main/leads/", r#""currentStatus":"APPROVED""#),
            ("/check'", r#""status":"ok""#),
            ("/statuses'", r#""status":"APPROVED""#),
            ("/find/", r#""currentStatus":"APPROVED""#),
            ("/login'", r#""status":"ok""#),
        ],
    ),
    (
        "demo",
        &[("YOUR-KEY", "demo-native")],
        &[
            // For each product a lead, a ping, and the post of a ping that there is not.
            ("debt-sub10k-us", r#""final":"#),
            ("/v1/ping'", r#""status":"accepted""#),
            ("/v1/post'", r#""code":"ping_unknown""#),
            ("personal-loan-es", r#""status":"distributed""#),
            ("/v1/ping'", r#""status":"accepted""#),
            ("/v1/post'", r#""code":"ping_unknown""#),
            ("personal-loan-us", r#""status":"distributed""#),
            ("/v1/ping'", r#""status":"accepted""#),
            ("/v1/post'", r#""code":"ping_unknown""#),
            ("short-loan-ru", r#""final":"#),
            ("/v1/ping'", r#""status":"accepted""#),
            ("/v1/post'", r#""code":"ping_unknown""#),
            ("/v1/leads/", r#""final":true"#),
            ("/decisions'", r#""decisions":"#),
        ],
    ),
];

/// What `gavel spec` prints and how it exits.
fn spec(more: &[&str]) -> (Option<i32>, String, String) {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/demo/gavel.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gavel"));
    let output = command.args(["spec", "--config", config]).args(more).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// What a shell prints.
fn pasted(command: &str) -> String {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The id in an answer to a lead, in whatever door's words.
fn id(answer: &str) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_str(answer).ok()?;
    let number = answer["data"].as_i64().map(|number| number.to_string());
    number.or_else(|| answer["lead_id"].as_str().map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_of_every_printed_specification_works_when_pasted() {
    let specs: Vec<Buyer> = vec!["*:bids=1000".parse().unwrap()];
    let buyers =
        Buyers::start("127.0.0.1:0".parse().unwrap(), specs, Options::default()).await.unwrap();
    let market = MARKET.replace("127.0.0.1:9900", &buyers.addr().to_string());
    for (publisher, secrets, expected) in PRINTED {
        // The samples are about one consumer.
        let dir = tempfile::tempdir().unwrap();
        let gavel = Gavel::start(dir.path(), &market);
        let url = format!("http://{}", gavel.public);
        let (code, page, err) = spec(&["--publisher", publisher, "--url", &url]);
        assert_eq!(code, Some(0), "{err}");
        let operator = "authorization: Bearer demo-operator";
        let at = format!("http://{}/v1/publishers/{publisher}/spec", gavel.management);
        let served = pasted(&format!("curl -s '{at}?url={url}' -H '{operator}'"));
        assert_eq!(served.trim_end(), page.trim_end(), "operators are served the same page");
        let own = |secret: &&str| secret.contains("demo-") || secret.contains("zzz");
        let secret =
            secrets.iter().map(|(_, secret)| *secret).find(|it| own(it) && page.contains(it));
        assert_eq!(secret, None, "a key is shown");
        let blocks = page.split("```\n").filter(|block| block.starts_with("curl "));
        let samples: Vec<&str> = blocks.collect();
        assert_eq!(samples.len(), expected.len(), "{samples:#?}");
        let mut first: Option<String> = None;
        for (sample, (part, word)) in samples.into_iter().zip(expected) {
            assert!(sample.contains(part), "{part} is not in {sample}");
            let mut command = sample.to_owned();
            for (stands, secret) in secrets {
                command = command.replace(stands, secret);
            }
            if let Some(id) = &first {
                command = command.replace("LEAD-ID", id);
            }
            let answer = pasted(&command);
            assert!(answer.contains(word), "{publisher}, {word}: {command}\n{answer}");
            first = first.or_else(|| id(&answer));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_served_to_operators_only() {
    let dir = tempfile::tempdir().unwrap();
    let gavel = Gavel::start(dir.path(), MARKET);
    let at = format!("http://{}/v1/publishers", gavel.management);
    let ask = |path: &str, key: &str| {
        let said = "-w ' %{http_code} %{content_type}'";
        pasted(&format!("curl -s {said} '{at}/{path}' -H 'authorization: Bearer {key}'"))
    };
    let page = ask("demo/spec?format=html", "demo-operator");
    assert!(page.starts_with("<!doctype html>") && page.contains("https://YOUR-HOST/v1/leads"));
    assert!(page.ends_with(" 200 text/html; charset=utf-8"), "{page}");
    for (path, key, status) in [
        ("nobody/spec", "demo-operator", " 404 "),
        ("demo/spec", "demo-nova", " 404 "),
        ("demo/spec", "nobody", " 401 "),
    ] {
        let told = ask(path, key);
        assert!(told.contains(status), "{path} {key}: {told}");
    }
}

#[test]
fn a_page_is_html_if_asked_and_an_unknown_publisher_is_told_who_is_known() {
    let (code, page, _) = spec(&["--publisher", "leadhub-demo", "--html"]);
    assert_eq!(code, Some(0));
    assert!(
        page.starts_with("<!doctype html>") && page.contains("http://127.0.0.1:8080/api/v1/lead")
    );
    let (code, _, err) = spec(&["--publisher", "nobody"]);
    assert_eq!((code, err.contains(", bright-horizons-demo, ")), (Some(2), true), "{err}");
}
