//! Repeats through the real binary: the same key, the same consumer, a publisher that hung up, a crash.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};
use sim::buyers::{Buyer, Buyers, Handle, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::{Gavel, call, request};

const MARKET: &str = include_str!("../../../../config/demo/market.toml");
const NATIVE: (&str, &str) = ("authorization", "Bearer demo-native");

async fn buyers(spec: &str) -> (Handle, String) {
    let buyer: Buyer = spec.parse().unwrap();
    let handle =
        Buyers::start("127.0.0.1:0".parse().unwrap(), [buyer], Options::default()).await.unwrap();
    let market = MARKET.replace("127.0.0.1:9900", &handle.addr().to_string());
    (handle, market)
}

fn lead(email: &str) -> Value {
    json!({
        "product": "personal-loan-es",
        "attributes": { "country": "ES", "age": 40, "monthly_income": 2500, "amount": 5000 },
        "contact": { "first_name": "Ana", "email": email },
        "consent": { "entries": [{ "type": "terms", "accepted": true }, { "type": "privacy_policy", "accepted": true }] },
    })
}

fn post(key: Option<&str>, lead: &Value) -> Request<Full<Bytes>> {
    let mut request = request("POST", "/v1/leads", NATIVE, lead);
    if let Some(key) = key {
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    }
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_gets_the_first_answer_again_even_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let (buyers, market) = buyers("*:bid=20.00").await;
    let gavel = Gavel::start(dir.path(), &market);
    let ana = lead("ana@example.org");
    let first = call(gavel.public, post(Some("k-1"), &ana)).await;
    assert_eq!((first.0, &first.1["status"]), (200, &json!("distributed")), "{}", first.1);
    assert_eq!(call(gavel.public, post(Some("\"k-1\""), &ana)).await, first);
    let other_body = call(gavel.public, post(Some("k-1"), &lead("bea@example.org"))).await;
    assert_eq!((other_body.0, &other_body.1["code"]), (422, &json!("idempotency_key_reused")));
    let repeat = call(gavel.public, post(Some("k-2"), &ana)).await;
    assert_eq!(
        repeat.1["rejection_reason"], "customer_already_exists",
        "another key, the same customer"
    );
    assert_eq!(repeat.1["lead_id"], Value::Null);
    gavel.kill();

    let gavel = Gavel::start(dir.path(), &market);
    assert_eq!(call(gavel.public, post(Some("k-1"), &ana)).await, first);
    let other_body = call(gavel.public, post(Some("k-1"), &lead("bea@example.org"))).await;
    assert_eq!(other_body.0, 422);
    let repeat = call(gavel.public, post(None, &ana)).await;
    assert_eq!(repeat.1["rejection_reason"], "customer_already_exists", "claims outlive a crash");
    assert_eq!(buyers.posts().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn twins_in_flight_share_one_journey_and_one_answer() {
    let dir = tempfile::tempdir().unwrap();
    let (buyers, market) = buyers("*:latency=200ms,bid=20.00").await;
    let gavel = Gavel::start(dir.path(), &market);
    for key in [Some("k"), None] {
        let lead = lead(if key.is_some() { "keyed@example.org" } else { "bare@example.org" });
        let posts = buyers.posts().len();
        let twins: Vec<_> =
            (0..20).map(|_| tokio::spawn(call(gavel.public, post(key, &lead)))).collect();
        let mut answers = Vec::new();
        for twin in twins {
            answers.push(twin.await.unwrap());
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        assert_eq!(answers[0].1["status"], "distributed", "{}", answers[0].1);
        assert_eq!(buyers.posts().len(), posts + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_hung_up_gets_its_answer_on_the_next_try() {
    let dir = tempfile::tempdir().unwrap();
    let (buyers, market) = buyers("*:latency=150ms,bid=20.00").await;
    let gavel = Gavel::start(dir.path(), &market);
    let body = lead("gone@example.org").to_string();
    let mut stream = TcpStream::connect(gavel.public).await.unwrap();
    let head = format!(
        "POST /v1/leads HTTP/1.1\r\nhost: gavel.test\r\nauthorization: Bearer demo-native\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    // Only once a buyer has been asked is the lead under way.
    while buyers.pings() == 0 {
        tokio::task::yield_now().await;
    }
    drop(stream);
    let (status, answer) = call(gavel.public, post(None, &lead("gone@example.org"))).await;
    assert_eq!((status, &answer["status"]), (200, &json!("distributed")), "{answer}");
    assert_eq!(buyers.posts().len(), 1);
    let again = call(gavel.public, post(None, &lead("gone@example.org"))).await;
    assert_eq!(again, (200, answer), "whatever was heard of it, the same answer stands");
    assert_eq!(buyers.posts().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_has_its_answer_posts_a_duplicate_whatever_becomes_of_the_connection() {
    let dir = tempfile::tempdir().unwrap();
    let (buyers, market) = buyers("*:bid=20.00").await;
    let gavel = Gavel::start(dir.path(), &market);
    let duplicate = "customer_already_exists";
    let body = lead("idle@example.org").to_string();
    let mut idle = TcpStream::connect(gavel.public).await.unwrap();
    let head = format!(
        "POST /v1/leads HTTP/1.1\r\nhost: gavel.test\r\nauthorization: Bearer demo-native\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    idle.write_all((head + &body).as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        let mut more = [0; 4_096];
        let count = idle.read(&mut more).await.unwrap();
        answer.extend_from_slice(&more[..count]);
    }
    assert!(String::from_utf8(answer).unwrap().contains("distributed"));
    let (_, again) = call(gavel.public, post(None, &lead("idle@example.org"))).await;
    assert_eq!(again["rejection_reason"], duplicate, "while its connection is idle: {again}");
    drop(idle);
    let (_, again) = call(gavel.public, post(None, &lead("idle@example.org"))).await;
    assert_eq!(again["rejection_reason"], duplicate, "and once it is closed: {again}");
    for number in 0..20 {
        let lead = lead(&format!("quick{number}@example.org"));
        let (_, first) = call(gavel.public, post(None, &lead)).await;
        let (_, again) = call(gavel.public, post(None, &lead)).await;
        assert_eq!(first["status"], "distributed", "{first}");
        assert_eq!(again["rejection_reason"], duplicate, "a connection each: {again}");
    }
    assert_eq!(buyers.posts().len(), 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_lead_that_outlasts_it_is_told_of_the_duplicate() {
    let dir = tempfile::tempdir().unwrap();
    let (_buyers, market) = buyers("*:bid=20.00,fault=hang-on-post,faults=1000").await;
    let market = market.replace("timeout_ms = 3000", "timeout_ms = 9000");
    let gavel = Gavel::start(dir.path(), &market);
    let mut lead = lead("slow@example.org");
    let (_, first) = call(gavel.public, post(None, &lead)).await;
    assert_eq!((&first["status"], &first["final"]), (&json!("new"), &json!(false)), "{first}");
    // Its post is still out when the second has waited for as long as it may.
    lead["attributes"]["amount"] = 6_000.into();
    let (status, second) = call(gavel.public, post(None, &lead)).await;
    assert_eq!(
        (status, &second["rejection_reason"]),
        (200, &json!("customer_already_exists")),
        "{second}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reason_for_rejection_is_reachable() {
    let dir = tempfile::tempdir().unwrap();
    let (_buyers, market) = buyers("*:bid=20.00").await;
    let market = market.replacen(
        r#"duplicates = { keys = ["email"] }"#,
        r#"duplicates = { keys = ["email", "phone"] }"#,
        1,
    );
    let gavel = Gavel::start(dir.path(), &market);
    let with = |pointer: &str, value: Value| {
        let mut lead = lead("x@example.org");
        lead["attributes"]["term_months"] = json!(24);
        lead["contact"]["phone"] = json!("+34600111222");
        *lead.pointer_mut(pointer).unwrap() = value;
        lead
    };
    let sold =
        call(gavel.public, post(None, &with("/contact/email", json!("first@example.org")))).await;
    assert_eq!(sold.1["status"], "distributed", "{}", sold.1);
    for (lead, reason, stored) in [
        (with("/product", json!("no-such-product")), "invalid_product", false),
        (with("/consent/entries/0/accepted", json!(false)), "consents_missing", false),
        (with("/contact/email", json!("Blocked@Example.org")), "blacklisted", false),
        (
            with("/contact", json!({ "email": "y@example.org", "extra": { "honeypot": "x" } })),
            "fraud_suspected",
            false,
        ),
        (with("/attributes/age", json!(17)), "age_restriction", true),
        (with("/attributes/monthly_income", json!(599)), "income_insufficient", true),
        (with("/attributes/country", json!("PT")), "geographic_restriction", true),
        (with("/contact/email", json!("FIRST@example.org")), "customer_already_exists", false),
        (with("/contact/email", json!("second@example.org")), "duplicate_submission", false),
        (with("/attributes/term_months", json!(600)), "eligibility_failed", true),
    ] {
        let (status, answer) = call(gavel.public, post(None, &lead)).await;
        assert_eq!((status, &answer["rejection_reason"]), (200, &json!(reason)), "{answer}");
        assert_eq!(answer["lead_id"].is_string(), stored, "{reason}");
    }
}
