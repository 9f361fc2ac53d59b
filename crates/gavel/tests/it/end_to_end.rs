//! A lead from a publisher's socket to a buyer's and back, through the real binary.

use std::process::Command;

use serde_json::{Value, json};
use sim::buyers::{Buyer, Buyers, Handle, Options};

use crate::process::{Gavel, call, request};

const MARKET: &str = include_str!("../../../../config/demo/market.toml");
const LEADHUB_KEY: (&str, &str) = ("apikey", "demo-leadhub");
const NATIVE_KEY: (&str, &str) = ("authorization", "Bearer demo-native");

async fn buyers(specs: &[&str]) -> (Handle, String) {
    let buyers: Vec<Buyer> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    let handle =
        Buyers::start("127.0.0.1:0".parse().unwrap(), buyers, Options::default()).await.unwrap();
    let market = MARKET.replace("127.0.0.1:9900", &handle.addr().to_string());
    (handle, market)
}

fn with_email(mut lead: Value, email: &str) -> Value {
    lead["customer"]["contact"]["email"]["address"] = json!(email);
    lead
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leadhub_lead_is_sold_to_the_best_bid() {
    let dir = tempfile::tempdir().unwrap();
    let (buyers, market) =
        buyers(&["nova-es-prime:bid=30.00", "orion-es-wide:bid=20.00", "*:bids=0"]).await;
    let gavel = Gavel::start(dir.path(), &market);
    let lead = sim::samples::leadhub();

    let (status, answer) =
        call(gavel.public, request("POST", "/api/v1/lead", LEADHUB_KEY, &lead)).await;
    assert_eq!((status, &answer["status"]), (200, &json!("distributed")), "{answer}");
    assert!(answer["redirect_url"].as_str().unwrap().starts_with("https://"), "{answer}");
    assert_eq!(answer["rejection_reason"], Value::Null);

    let posts = buyers.posts();
    assert_eq!(posts.len(), 1, "one post, to the best bid");
    assert_eq!((posts[0].buyer.as_str(), posts[0].bid.as_str()), ("nova-es-prime", "30.00"));
    assert_eq!(json!(posts[0].lead_id), answer["lead_id"]);
    for ping in buyers.ping_bodies() {
        let body = String::from_utf8(ping.body.to_vec()).unwrap();
        assert!(
            !body.contains("lucia") && !body.contains("Ferrer") && !body.contains("611222333"),
            "{body}"
        );
        assert!(
            body.contains("p-es-1") && !body.contains("leadhub-demo"),
            "the alias is shown: {body}"
        );
    }

    let wrong_key = request("POST", "/api/v1/lead", ("apikey", "nope"), &lead);
    assert_eq!(call(gavel.public, wrong_key).await.0, 401);
    let mut suppressed = with_email(lead.clone(), "suppressed@example.org");
    suppressed["customer"]["contact"]["phone"]["number"] = json!("644999888");
    let suppressed = request("POST", "/api/v1/lead", ("apikey", "demo-leadhub"), &suppressed);
    let (_, answer) = call(gavel.public, suppressed).await;
    assert_eq!(answer["rejection_reason"], "blacklisted", "listed in national form: {answer}");
    let mut without_consent = with_email(lead.clone(), "other@example.org");
    without_consent["consents"]["entries"].as_array_mut().unwrap().truncate(1);
    let (status, answer) =
        call(gavel.public, request("POST", "/api/v1/lead", LEADHUB_KEY, &without_consent)).await;
    assert_eq!(
        (status, &answer["rejection_reason"]),
        (200, &json!("consents_missing")),
        "{answer}"
    );
    assert_eq!(answer["lead_id"], Value::Null);

    assert!(gavel.terminate().success(), "a drain exits with 0");
    buyers.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_native_lead_is_found_again_after_a_crash_and_by_its_own_publisher_only() {
    let dir = tempfile::tempdir().unwrap();
    let (_buyers, market) = buyers(&["*:bid=20.00"]).await;
    let gavel = Gavel::start(dir.path(), &market);
    let lead = json!({
        "product": "personal-loan-es", "external_id": "aff-1", "tags": { "click": "abc" },
        "attributes": { "country": "ES", "age": 40, "monthly_income": 2500, "amount": 5000 },
        "contact": { "first_name": "Ana", "email": "ana@example.org" },
        "consent": { "entries": [{ "type": "terms", "accepted": true }, { "type": "privacy_policy", "accepted": true }] },
    });
    let (status, answer) =
        call(gavel.public, request("POST", "/v1/leads", NATIVE_KEY, &lead)).await;
    assert_eq!(
        (status, &answer["status"], &answer["final"]),
        (200, &json!("distributed"), &json!(true)),
        "{answer}"
    );
    assert_eq!(
        (&answer["payout"], &answer["currency"], &answer["payout_basis"]),
        (&json!("16.00"), &json!("EUR"), &json!("sale"))
    );
    gavel.kill();

    let gavel = Gavel::start(dir.path(), &market);
    let path = format!("/v1/leads/{}", answer["lead_id"].as_str().unwrap());
    let (status, found) = call(gavel.public, request("GET", &path, NATIVE_KEY, &Value::Null)).await;
    assert_eq!((status, &found), (200, &answer), "the answer survives a crash");
    let why = request("GET", &format!("{path}/decisions"), NATIVE_KEY, &Value::Null);
    let (status, why) = call(gavel.public, why).await;
    let rows = why["decisions"].as_array().unwrap();
    assert_eq!((status, &why["outcome"]), (200, &json!("sold")), "{why}");
    assert_eq!(
        rows.iter().filter(|row| row["code"] == 0 && row["payout"] == "16.00").count(),
        1,
        "{why}"
    );
    assert!(!why.to_string().contains("nova") && !why.to_string().contains("20.00"), "{why}");
    let foreign = request("GET", &path, ("authorization", "Bearer demo-leadhub"), &Value::Null);
    assert_eq!(call(gavel.public, foreign).await.0, 401);
    let (_, metrics) =
        call(gavel.ops, request("GET", "/metrics", ("accept", "*/*"), &Value::Null)).await;
    assert!(metrics.as_str().unwrap().contains("gavel_build_info"), "{metrics}");
    assert_eq!(
        call(gavel.ops, request("GET", "/readyz", ("accept", "*/*"), &Value::Null)).await.0,
        200
    );
    assert_eq!(
        call(gavel.ops, request("GET", "/livez", ("accept", "*/*"), &Value::Null)).await.0,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn buyers_that_are_down_or_talk_garbage_leave_the_lead_new() {
    let dir = tempfile::tempdir().unwrap();
    let (_buyers, market) = buyers(&["*:fault=garbage"]).await;
    let gavel = Gavel::start(dir.path(), &market);
    let lead = sim::samples::leadhub();
    let (status, answer) =
        call(gavel.public, request("POST", "/api/v1/lead", LEADHUB_KEY, &lead)).await;
    assert_eq!((status, &answer["status"]), (200, &json!("new")), "{answer}");
    assert!(answer["lead_id"].is_string() && answer["redirect_url"].is_null(), "{answer}");
}

/// What the binary prints and how it exits.
fn gavel(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_gavel")).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_demo_prints_its_table_and_exits_with_0() {
    let (code, out, err) = gavel(&["demo", "--leads", "60", "--rate", "60"]);
    assert_eq!(code, Some(0), "{err}");
    for expected in ["rejected by reason", "top buyers", "where the time went"] {
        assert!(out.contains(expected), "{expected} is missing:\n{out}");
    }
    for door in
        ["leadhub", "bright_horizons", "pingtree", "brainysoft", "native ", "native ping/post"]
    {
        let row =
            out.lines().find(|line| line.starts_with(door)).unwrap_or_else(|| panic!("{door}"));
        let numbers: Vec<u32> =
            row.split_whitespace().filter_map(|cell| cell.parse().ok()).take(5).collect();
        let [leads, distributed, new, rejected, errors] = numbers[..] else { panic!("{row}") };
        assert_eq!((leads, errors), (10, 0), "{out}");
        assert_eq!(distributed + new + rejected, leads, "{row}");
        assert!(distributed > 0, "{row}");
    }
    let samples: Vec<(&str, Value)> = out
        .lines()
        .skip_while(|line| !line.contains("own samples"))
        .skip(1)
        .filter_map(|line| {
            let (name, answer) = line.split_once('{')?;
            Some((name.trim(), serde_json::from_str(&format!("{{{answer}")).unwrap()))
        })
        .collect();
    for (at, (name, pointer, told)) in [
        ("leadhub", "/status", "distributed"),
        ("bright_horizons", "/disposition", "SOLD"),
        ("pingtree", "/data/distribution_status", "sold"),
        ("brainysoft", "/status", "ok"),
        ("its statuses", "/data/2/status", "APPROVED"),
        ("native", "/status", "distributed"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(samples[at].0, name);
        assert_eq!(samples[at].1.pointer(pointer), Some(&json!(told)), "{out}");
    }
}

#[test]
fn what_cannot_be_used_is_refused_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (bad, busy) = (at("bad.toml"), at("busy.toml"));
    std::fs::write(
        &bad,
        MARKET
            .replace("lte = 65", "lte = \"old\"")
            .replace("currency = \"EUR\"", "currency = \"eur\""),
    )
    .unwrap();
    let line = 1 + MARKET.lines().position(|line| line == "currency = \"EUR\"").unwrap();
    let (code, _, err) = gavel(&["check", &bad]);
    assert_eq!(code, Some(2));
    assert!(
        err.contains(&format!(
            "bad.toml:{line}:12: products.personal-loan-es.currency must be an ISO 4217 code"
        )),
        "{err}"
    );
    std::fs::write(&bad, MARKET.replace("lte = 65", "lte = \"old\"")).unwrap();
    let (code, _, err) = gavel(&["check", &bad]);
    assert_eq!(code, Some(2));
    assert!(
        err.contains("bad.toml:")
            && err.contains("buyers.nova.campaigns.es-prime.filter.age.lte must be"),
        "{err}"
    );

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = |dir: &str, listen: &str| {
        format!(
            "[public]\nlisten = \"{listen}\"\n[ops]\nlisten = \"127.0.0.1:0\"\n[delivery]\nplain_http = true\nallow = [{{ network = \"127.0.0.0/8\" }}]\n[data]\ndir = \"{dir}\"\n[market]\nfiles = [\"m.toml\"]\n"
        )
    };
    std::fs::write(at("m.toml"), MARKET).unwrap();
    std::fs::write(&busy, config("data", &taken.local_addr().unwrap().to_string())).unwrap();
    let (code, _, err) = gavel(&["serve", "--config", &busy]);
    assert_eq!(code, Some(1));
    assert!(err.contains("cannot listen on 127.0.0.1:") && err.contains("(publishers)"), "{err}");

    std::fs::write(at("file"), "").unwrap();
    std::fs::write(&busy, config("file/data", "127.0.0.1:0")).unwrap();
    let (code, _, err) = gavel(&["serve", "--config", &busy]);
    assert_eq!(code, Some(1));
    assert!(err.contains("data directory") && err.contains("file/data"), "{err}");

    let (code, out, _) = gavel(&["check", &at("m.toml")]);
    let is_publisher = |line: &&str| line.starts_with("[publishers.");
    let own = |line: &&str| line.matches('.').count() == 1;
    let publishers = MARKET.lines().filter(is_publisher).filter(own).count();
    let expected = format!("ok: {publishers} publisher(s)");
    assert_eq!((code, out.contains(&expected)), (Some(0), true), "{out}");
    assert_eq!(gavel(&["serve", "--config", &at("none.toml")]).0, Some(1));
}
