//! Pings and their posts, reposts and rehearsals through the real binary: what is promised is kept, once.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};
use sim::buyers::{Buyer, Buyers, Handle, Options};

use crate::process::{Gavel, call, request};

const NATIVE: (&str, &str) = ("authorization", "Bearer demo-native");
const RIVAL: (&str, &str) = ("authorization", "Bearer rival-native");
const OPERATOR: (&str, &str) = ("authorization", "Bearer demo-operator");

/// Simulated buyers of the names before the colons, and a market in which each has one campaign.
async fn town(specs: &[&str], product: &str, campaign: &str) -> (Handle, String) {
    let buyers: Vec<Buyer> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    let handle =
        Buyers::start("127.0.0.1:0".parse().unwrap(), buyers, Options::default()).await.unwrap();
    let mut text = format!(
        r#"
        [publishers.demo]
        name = "Demo"
        doors.native.keys = ["demo-native"]
        [publishers.rival]
        name = "Rival"
        doors.native.keys = ["rival-native"]
        [products.loan]
        name = "Loan"
        vertical = "loans"
        country = "ES"
        currency = "EUR"
        timezone = "Europe/Madrid"
        budget_ms = 5000
        duplicates = {{ keys = ["email", "phone"] }}
        suppress = ["do-not-contact"]
        tiers = [{{ mode = "auction" }}]
        {product}
        "#
    );
    for name in specs.iter().filter_map(|spec| spec.split(':').next()) {
        let (ping, post) = (handle.ping_url(name), handle.post_url(name));
        text.push_str(&format!(
            r#"
            [buyers.{name}]
            name = "{name}"
            allowed_hosts = ["127.0.0.1"]
            [buyers.{name}.campaigns.main]
            product = "loan"
            filter = {{}}
            price = {{ bid = {{ min = "1.00", max = "60.00" }} }}
            delivery.ping.url = "{ping}"
            delivery.post = {{ url = "{post}", timeout_ms = 1000 }}
            {campaign}
            "#
        ));
    }
    (handle, text)
}

fn lead(email: &str) -> Value {
    json!({ "product": "loan", "attributes": {}, "contact": { "first_name": "Ana", "email": email } })
}

async fn ping(gavel: &Gavel, more: Value) -> Value {
    let mut body = json!({ "product": "loan", "attributes": {} });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (status, answer) = call(gavel.public, request("POST", "/v1/ping", NATIVE, &body)).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn accepted(gavel: &Gavel) -> Value {
    let answer = ping(gavel, json!({})).await;
    assert_eq!(answer["status"], "accepted", "{answer}");
    answer
}

fn post(ping: &Value, email: &str, key: Option<&str>) -> Request<Full<Bytes>> {
    let mut body = lead(email);
    body["ping_id"] = ping["ping_id"].clone();
    let mut request = request("POST", "/v1/post", NATIVE, &body);
    if let Some(key) = key {
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    }
    request
}

async fn sell(gavel: &Gavel, lead: &Value) -> Value {
    let (status, answer) = call(gavel.public, request("POST", "/v1/leads", NATIVE, lead)).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn metric(gavel: &Gavel, name: &str) -> f64 {
    let get = request("GET", "/metrics", ("accept", "*/*"), &Value::Null);
    let (_, text) = call(gavel.ops, get).await;
    let line = text.as_str().unwrap().lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name}")).trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ambiguous_post_under_a_promise_is_held_with_its_cap() {
    let dir = tempfile::tempdir().unwrap();
    let cap = "caps = [{ per = \"total\", leads = 1 }]";
    let (buyers, market) = town(&["nova:bid=20.00,fault=no-verdict-on-post"], "", cap).await;
    let gavel = Gavel::start(dir.path(), &market);
    let promise = accepted(&gavel).await;
    let (status, answer) = call(gavel.public, post(&promise, "ana@example.org", None)).await;
    assert_eq!((status, &answer["status"], &answer["final"]), (200, &json!("new"), &json!(false)));
    assert_eq!(ping(&gavel, json!({})).await["status"], "rejected", "the cap stays taken");
    let (_, queue) =
        call(gavel.management, request("GET", "/v1/review", OPERATOR, &Value::Null)).await;
    assert!(queue.to_string().contains(answer["lead_id"].as_str().unwrap()), "{queue}");
    assert_eq!(buyers.posts().len(), 1);
    gavel.kill();
    let gavel = Gavel::start(dir.path(), &market);
    assert_eq!(ping(&gavel, json!({})).await["status"], "rejected", "also after a crash");
    let (status, answer) = call(gavel.public, post(&promise, "eva@example.org", None)).await;
    assert_eq!((status, &answer["code"]), (409, &json!("ping_unknown")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_posts_key_gets_its_answer_again() {
    let dir = tempfile::tempdir().unwrap();
    let (buyers, market) = town(&["nova:bid=20.00"], "", "").await;
    let gavel = Gavel::start(dir.path(), &market);
    let promise = accepted(&gavel).await;
    let first = call(gavel.public, post(&promise, "ana@example.org", Some("k"))).await;
    assert_eq!((first.0, &first.1["payout"]), (200, &promise["payout"]), "{}", first.1);
    assert_eq!(call(gavel.public, post(&promise, "ana@example.org", Some("k"))).await, first);
    let other = call(gavel.public, post(&promise, "eva@example.org", Some("k"))).await;
    assert_eq!((other.0, &other.1["code"]), (422, &json!("idempotency_key_reused")));
    gavel.kill();
    let gavel = Gavel::start(dir.path(), &market);
    assert_eq!(call(gavel.public, post(&promise, "ana@example.org", Some("k"))).await, first);
    assert_eq!(buyers.posts().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_of_one_ping_at_once_sell_once() {
    let dir = tempfile::tempdir().unwrap();
    let (buyers, market) = town(&["nova:bid=20.00,latency=30ms"], "", "").await;
    let gavel = Gavel::start(dir.path(), &market);
    let promise = accepted(&gavel).await;
    assert_eq!(metric(&gavel, "gavel_pings_open ").await, 1.0);
    let post = |n: usize| {
        let post = post(&promise, &format!("c{n}@example.org"), None);
        tokio::spawn(call(gavel.public, post))
    };
    let posts: Vec<_> = (0..20).map(post).collect();
    let mut sold = 0;
    for answer in posts {
        match answer.await.unwrap() {
            (200, answer) => {
                assert_eq!(answer["payout"], promise["payout"], "{answer}");
                sold += 1;
            }
            (409, answer) => assert_eq!(answer["code"], "ping_used"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((sold, buyers.posts().len()), (1, 1));
    assert_eq!(metric(&gavel, "gavel_pings_open ").await, 0.0);
    assert_eq!(metric(&gavel, "gavel_pings_reserved_total ").await, 1.0);
    assert_eq!(metric(&gavel, "gavel_pings_posted_total ").await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_ping_held_is_free_when_its_time_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let cap = "caps = [{ per = \"total\", leads = 1 }]";
    let (buyers, market) = town(&["nova:bid=20.00"], "ping_ttl = \"2s\"", cap).await;
    let gavel = Gavel::start(dir.path(), &market);
    let promise = accepted(&gavel).await;
    assert_eq!(sell(&gavel, &lead("first@example.org")).await["status"], "new", "it is taken");
    let mut tries = 0;
    while metric(&gavel, "gavel_pings_open ").await > 0.0 {
        tries += 1;
        assert!(tries < 1_000, "it never ends");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(metric(&gavel, "gavel_pings_expired_total ").await, 1.0);
    let (status, answer) = call(gavel.public, post(&promise, "ana@example.org", None)).await;
    assert_eq!((status, &answer["code"]), (409, &json!("ping_expired")));
    let sold = sell(&gavel, &lead("second@example.org")).await;
    assert_eq!(sold["status"], "distributed", "{sold}");
    assert_eq!(buyers.posts().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_lead_under_a_promise_is_sold_slot_by_slot() {
    let dir = tempfile::tempdir().unwrap();
    let specs = ["nova:bid=20.00", "orion:bid=20.00", "vega:bid=20.00"];
    let (buyers, market) = town(&specs, "slots = 2", "sells = \"shared\"").await;
    let gavel = Gavel::start(dir.path(), &market);
    let promise = accepted(&gavel).await;
    let (status, answer) = call(gavel.public, post(&promise, "ana@example.org", None)).await;
    assert_eq!((status, &answer["status"]), (200, &json!("distributed")), "{answer}");
    let sales = answer["sales"].as_array().unwrap();
    assert_eq!(sales.len(), 2, "{answer}");
    assert_eq!(sales[0]["payout"], promise["payout"]);
    assert_eq!(buyers.posts().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_by_hashes_ends_where_its_lead_would() {
    let dir = tempfile::tempdir().unwrap();
    let (buyers, market) = town(&["nova:bid=20.00"], "", "").await;
    let gavel = Gavel::start(dir.path(), &market);
    let mut ana = lead("Ana@Example.org");
    ana["contact"]["phone"] = json!("600 111 222");
    assert_eq!(sell(&gavel, &ana).await["status"], "distributed");
    let asked = buyers.pings();
    for (hashes, reason) in [
        (json!({ "email": sha256("ana@example.org") }), "customer_already_exists"),
        (json!({ "phone": sha256("+34600111222") }), "duplicate_submission"),
        (json!({ "email": sha256("blocked@example.org") }), "blacklisted"),
    ] {
        let answer = ping(&gavel, json!({ "hashes": hashes })).await;
        assert_eq!((&answer["status"], &answer["reason"]), (&json!("rejected"), &json!(reason)));
    }
    assert_eq!(buyers.pings(), asked, "no buyer heard of them");
    let other = json!({ "hashes": { "email": sha256("eva@example.org") } });
    assert_eq!(ping(&gavel, other).await["status"], "accepted");
}

/// SHA-256 in hexadecimal digits, as a publisher makes it.
fn sha256(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repost_opens_its_lead_until_that_is_withdrawn() {
    let dir = tempfile::tempdir().unwrap();
    let (buyers, market) = town(&["nova:bid=20.00", "orion:bid=10.00"], "", "").await;
    let gavel = Gavel::start(dir.path(), &market);
    let asking = |email: &str, least: &str| {
        let mut lead = lead(email);
        (lead["external_id"], lead["min_payout"]) = (json!(email), json!(least));
        lead
    };
    let first = sell(&gavel, &asking("ana@example.org", "50.00")).await;
    assert_eq!((&first["status"], &first["final"]), (&json!("new"), &json!(true)));
    gavel.kill();
    let gavel = Gavel::start(dir.path(), &market);
    let second = sell(&gavel, &asking("ana@example.org", "5.00")).await;
    assert_eq!((&second["status"], &second["lead_id"]), (&json!("distributed"), &first["lead_id"]));
    assert_eq!(buyers.posts().len(), 1);

    let other = sell(&gavel, &asking("eva@example.org", "50.00")).await;
    let path = format!("/v1/leads/{}/withdraw", other["lead_id"].as_str().unwrap());
    let withdraw = |key| call(gavel.public, request("POST", &path, key, &Value::Null));
    assert_eq!(withdraw(RIVAL).await.0, 404);
    assert_eq!(withdraw(NATIVE).await, (200, other.clone()));
    assert_eq!(withdraw(NATIVE).await, (200, other));
    let sold = format!("/v1/leads/{}/withdraw", first["lead_id"].as_str().unwrap());
    let (status, told) = call(gavel.public, request("POST", &sold, NATIVE, &Value::Null)).await;
    assert_eq!((status, &told["code"]), (409, &json!("not_unsold")));
    gavel.kill();
    let gavel = Gavel::start(dir.path(), &market);
    let again = sell(&gavel, &asking("eva@example.org", "5.00")).await;
    assert_eq!(again["rejection_reason"], "customer_already_exists", "withdrawn for good");
    assert_eq!(buyers.posts().len(), 1);
    assert!(gavel.terminate().success());
    let verify = std::process::Command::new(env!("CARGO_BIN_EXE_gavel"))
        .args(["verify", "--data"])
        .arg(dir.path().join("data"))
        .output()
        .unwrap();
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsed_sale_looks_like_one_and_counts_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let cap = "caps = [{ per = \"total\", leads = 1 }]";
    let (buyers, market) = town(&["nova:bid=20.00"], "", cap).await;
    let gavel = Gavel::start(dir.path(), &market);
    let mut test = lead("ana@example.org");
    test["test"] = json!({ "outcome": "sold" });
    let rehearsed = sell(&gavel, &test).await;
    assert_eq!((buyers.pings(), buyers.posts().len()), (0, 0));
    let real = sell(&gavel, &lead("ana@example.org")).await;
    let members =
        |answer: &Value| -> Vec<String> { answer.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(members(&rehearsed), members(&real));
    for answer in [&rehearsed, &real] {
        assert_eq!(answer["status"], "distributed", "{answer}");
        assert!(answer["payout"].is_string() && answer["lead_id"].is_string(), "{answer}");
    }
    let path = format!("/v1/leads/{}", rehearsed["lead_id"].as_str().unwrap());
    let (_, found) = call(gavel.public, request("GET", &path, NATIVE, &Value::Null)).await;
    assert_eq!(found, rehearsed);
    let mut live = request("POST", "/v1/leads", NATIVE, &lead("eva@example.org"));
    live.headers_mut().insert("gavel-test-outcome", "sold".parse().unwrap());
    let (status, told) = call(gavel.public, live).await;
    assert_eq!((status, &told["code"]), (400, &json!("bad_request")), "{told}");
}
