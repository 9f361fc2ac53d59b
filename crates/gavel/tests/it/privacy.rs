//! Contact data at scale: leads with a marker in every contact field, through every door of the real
//! binary, to simulated buyers. No marker may turn up in a ping, a log line, a metric, an answer or, in
//! the clear, in the data directory.
//!
//! `GAVEL_PRIVACY_LEADS=100000` runs it longer.

mod doors;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use sim::buyers::{Buyer, Buyers, Options};
use sim::publishers::{Load, Reply, post, run};

use crate::process::{Gavel, call, request};
use doors::{BORN, DOORS, EVERY, MARKERS};

const MARKET: &str = include_str!("../../../../config/demo/market.toml");

/// Leads, unless the environment says otherwise.
const LEADS: u64 = 2_000;

/// Leads a second.
const RATE: u32 = 150;

/// Longest run; what has not left by then fails the test.
const RUN_MAX: Duration = Duration::from_secs(1_800);

#[tokio::test(flavor = "multi_thread")]
async fn contact_data_reaches_posts_and_nothing_else() {
    let leads = leads();
    let dir = tempfile::tempdir().unwrap();
    let options = Options { keep_pings: usize::MAX, ..Options::default() };
    let buyer: Buyer = "*:latency=1..5ms,bid=20.00..60.00".parse().unwrap();
    let buyers = Buyers::start("127.0.0.1:0".parse().unwrap(), [buyer], options).await.unwrap();
    let market = MARKET.replace("127.0.0.1:9900", &buyers.addr().to_string());
    // How fast this machine is shall not decide who is heard.
    let market = market.replace("timeout_ms = 400", "timeout_ms = 1500");
    let market = market.replace("time_limit_ms = 800", "time_limit_ms = 1800");
    // All of them have one phone.
    let market = market.replace(r#"keys = ["phone", "email"]"#, r#"keys = ["email"]"#);
    let gavel = Gavel::start_kept(dir.path(), &market);

    let (replies, report) = publish(&gavel, leads).await;
    let asked = ask_again(&gavel, &replies).await;
    let metrics = request("GET", "/metrics", ("accept", "*/*"), &Value::Null);
    let (_, metrics) = call(gavel.ops, metrics).await;
    let live = files(&dir.path().join("data"));
    let ended = tokio::task::block_in_place(|| gavel.terminate());
    assert!(ended.success(), "{ended}");

    // Each place must have something to say, or it would prove nothing by its silence.
    let words = ["\"distributed\"", "\"SOLD\"", "\"sold\""];
    let told = |(_, _, body): &&(_, _, String)| words.iter().any(|word| body.contains(word));
    let sold = replies.iter().filter(told).count();
    let pings = buyers.ping_bodies();
    assert!(sold as u64 > leads / 4, "only {sold} of {leads} leads were sold: {report}");
    assert!(buyers.posts().len() >= sold && pings.len() >= sold, "{} pings", pings.len());
    for product in ["personal-loan-es", "debt-sub10k-us", "personal-loan-us", "short-loan-ru"] {
        let is_of = |body: &[u8]| String::from_utf8_lossy(body).contains(product);
        assert!(pings.iter().any(|ping| is_of(&ping.body)), "nobody was pinged for {product}");
    }
    for ping in &pings {
        clean("a ping", &ping.body);
    }
    for (door, status, body) in &replies {
        clean(&format!("an answer of {door} with status {status}"), body.as_bytes());
    }
    for (is_operator, body) in &asked {
        // An operator is shown attributes, and a birth date is one.
        let shown = |marker: &&str| !*is_operator || *marker != BORN;
        let told: Vec<_> = found(body.as_bytes()).into_iter().filter(shown).collect();
        assert!(told.is_empty(), "what was said of a lead later holds {told:?}");
    }
    clean("the metrics", metrics.to_string().as_bytes());
    let said = files(dir.path());
    assert!(said["stdout"].iter().filter(|byte| **byte == b'\n').count() >= sold, "a line a lead");
    let stored: usize = live.values().map(Vec::len).sum();
    assert!(stored as u64 > leads * 100, "only {stored} bytes are stored");
    for (name, bytes) in live.iter().chain(&said).chain(&files(&dir.path().join("data"))) {
        clean(name, bytes);
    }
    buyers.stop().await;
}

#[expect(clippy::disallowed_methods, reason = "a longer run is asked for by its caller")]
fn leads() -> u64 {
    let given = std::env::var("GAVEL_PRIVACY_LEADS").ok();
    given.map_or(LEADS, |text| text.parse().unwrap())
}

/// What came of leads posted at every door in turn: door, status and body of each; and in sum.
async fn publish(gavel: &Gavel, leads: u64) -> (Vec<(&'static str, u16, String)>, String) {
    let door = |number: u64| &DOORS[usize::try_from(number).unwrap() % DOORS.len()];
    let replies: Arc<Mutex<Vec<Reply>>> = Arc::default();
    let seen = Arc::clone(&replies);
    let load = Load::new(gavel.public, RATE, leads, move |number| {
        let door = door(number);
        post(door.path, &[door.key], &door.body(number))
    });
    let load = load.timeout(Duration::from_secs(20)).limit(RUN_MAX);
    let report = run(load.on_reply(move |reply| seen.lock().unwrap().push(reply))).await.unwrap();
    assert_eq!(report.unsent, 0, "the machine is too slow for {leads} leads");
    let replies = std::mem::take(&mut *replies.lock().unwrap());
    for wanted in DOORS {
        let (status, says) = wanted.refused;
        let of = |spoilt| {
            let own = |reply: &&Reply| door(reply.index).name == wanted.name;
            let own =
                replies.iter().filter(own).filter(move |it| wanted.is_spoilt(it.index) == spoilt);
            own.map(|it| it.status == status && String::from_utf8_lossy(&it.body).contains(says))
        };
        assert!(
            of(true).count() > 0 && of(true).all(|refused| refused),
            "{} took one",
            wanted.name
        );
        assert!(
            of(false).count() > 0 && of(false).all(|refused| !refused),
            "{} refused",
            wanted.name
        );
    }
    let shown = |reply: Reply| {
        let body = String::from_utf8_lossy(&reply.body).into_owned();
        (door(reply.index).name, reply.status, body)
    };
    (replies.into_iter().map(shown).collect(), format!("{:?}", report.outcomes))
}

/// What publisher and operator are told of a few leads afterwards, and whether it was the operator.
async fn ask_again(gavel: &Gavel, replies: &[(&'static str, u16, String)]) -> Vec<(bool, String)> {
    let ids = replies.iter().filter(|(door, _, _)| *door == "native");
    let ids = ids.filter_map(|(_, _, body)| {
        let answer: Value = serde_json::from_str(body).ok()?;
        answer["lead_id"].as_str().map(str::to_owned)
    });
    let publisher = ("authorization", "Bearer demo-native");
    let operator = ("authorization", "Bearer demo-operator");
    let mut said = Vec::new();
    for id in ids.take(20) {
        for (at, key, path) in [
            (gavel.public, publisher, format!("/v1/leads/{id}")),
            (gavel.public, publisher, format!("/v1/leads/{id}/decisions")),
            (gavel.management, operator, format!("/v1/leads/{id}")),
            (gavel.management, operator, format!("/v1/leads/{id}/decisions")),
        ] {
            let (status, body) = call(at, request("GET", &path, key, &Value::Null)).await;
            assert_eq!(status, 200, "{path}: {body}");
            said.push((at == gavel.management, body.to_string()));
        }
    }
    assert!(!said.is_empty());
    said
}

/// The files directly in a folder, by name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let plain = entries.filter(|entry| entry.file_type().unwrap().is_file());
    plain
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// The markers that bytes hold, in any case.
fn found(bytes: &[u8]) -> Vec<&'static str> {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    MARKERS.iter().copied().filter(|marker| text.contains(*marker)).collect()
}

fn clean(place: &str, bytes: &[u8]) {
    let found = found(bytes);
    assert!(found.is_empty(), "{place} holds {found:?}");
}

#[test]
fn every_body_holds_every_marker() {
    for door in DOORS {
        for number in 0..EVERY {
            let body = door.body(number).to_string().to_ascii_lowercase();
            let missing: Vec<_> = door.carries.iter().filter(|one| !body.contains(**one)).collect();
            // A spoilt lead may lack what stood in the field that it is spoilt in.
            assert!(missing.len() <= usize::from(door.is_spoilt(number)), "{missing:?}: {body}");
            assert!(!found(body.to_ascii_uppercase().as_bytes()).is_empty());
        }
    }
}
