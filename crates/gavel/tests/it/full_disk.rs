//! A store that cannot write: leads are refused before any buyer hears of them, operators are told why,
//! and it heals once there is room.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use sim::buyers::{Buyer, Buyers, Options};

use crate::process::{Gavel, call, request};

const MARKET: &str = include_str!("../../../../config/demo/market.toml");
const NATIVE: (&str, &str) = ("authorization", "Bearer demo-native");
const ANYONE: (&str, &str) = ("accept", "*/*");

/// A lead with enough in it to fill a small disk soon.
fn lead(number: usize) -> Value {
    json!({
        "product": "personal-loan-es",
        "attributes": { "country": "ES", "age": 40, "monthly_income": 2500, "amount": 5000 },
        "contact": { "email": format!("full-{number}@example.org"), "extra": { "padding": "x".repeat(20_000) } },
        "consent": { "entries": [{ "type": "terms", "accepted": true }, { "type": "privacy_policy", "accepted": true }] },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_leads_before_any_ping_and_heals() {
    let dir = tempfile::tempdir().unwrap();
    let buyer: Buyer = "*:bid=20.00".parse().unwrap();
    let buyers =
        Buyers::start("127.0.0.1:0".parse().unwrap(), [buyer], Options::default()).await.unwrap();
    let market = MARKET.replace("127.0.0.1:9900", &buyers.addr().to_string());
    let gavel = Gavel::start_with_file_limit(dir.path(), &market, 2 << 20);
    let ready = || call(gavel.ops, request("GET", "/readyz", ANYONE, &Value::Null));

    let mut sold = Vec::new();
    let mut refused = None;
    for number in 0..2_000 {
        let (status, answer) =
            call(gavel.public, request("POST", "/v1/leads", NATIVE, &lead(number))).await;
        match status {
            200 => sold.push(answer),
            503 => {
                refused = Some(answer);
                break;
            }
            other => panic!("{other}: {answer}"),
        }
    }
    let refused = refused.expect("the disk never filled");
    assert_eq!(refused["code"], "storage_unavailable", "{refused}");
    assert!(sold.len() > 10, "only {} leads fitted", sold.len());

    let pings = buyers.pings();
    let (status, _) = call(gavel.public, request("POST", "/v1/leads", NATIVE, &lead(9_999))).await;
    assert_eq!((status, buyers.pings()), (503, pings), "refused before any ping");
    let (status, why) = ready().await;
    assert_eq!(status, 503);
    assert!(why.as_str().unwrap().contains("ledger"), "{why}");

    gavel.lift_file_limit();
    for _ in 0..200 {
        if ready().await.0 == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (status, answer) =
        call(gavel.public, request("POST", "/v1/leads", NATIVE, &lead(9_999))).await;
    assert_eq!((status, &answer["status"]), (200, &json!("distributed")), "{answer}");
    for answer in &sold {
        let path = format!("/v1/leads/{}", answer["lead_id"].as_str().unwrap());
        let found = call(gavel.public, request("GET", &path, NATIVE, &Value::Null)).await;
        assert_eq!(found, (200, answer.clone()), "what was acknowledged is there");
    }
    assert!(gavel.terminate().success());
}

#[test]
fn a_data_directory_that_cannot_be_used_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let config = "[public]\nlisten = \"127.0.0.1:0\"\n[ops]\nlisten = \"127.0.0.1:0\"\n[delivery]\nplain_http = true\nallow = [{ network = \"127.0.0.0/8\" }]\n[data]\ndir = \"data\"\n[market]\nfiles = [\"m.toml\"]\n";
    std::fs::write(at("gavel.toml"), config).unwrap();
    std::fs::write(at("m.toml"), MARKET.replace("suppress = [\"do-not-contact\"]", "")).unwrap();
    std::fs::create_dir(at("data")).unwrap();
    std::fs::write(at("data/ledger.db"), "this is no database, and never was one").unwrap();
    let serve = || {
        let output = Command::new(env!("CARGO_BIN_EXE_gavel"))
            .args(["serve", "--config", &at("gavel.toml")])
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, err) = serve();
    assert_eq!(code, Some(1));
    assert!(err.contains("database"), "{err}");

    std::fs::write(at("data/root.key"), "nonsense").unwrap();
    let (code, err) = serve();
    assert_eq!(code, Some(1));
    assert!(err.contains("root.key"), "{err}");
}
