//! Buyers asked over a real connection.

mod connections;
mod every_fault;
mod faults;
mod journal;

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use hyper::Request;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::*;
use crate::publishers::connection::Connection;

const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
const LONG: Duration = Duration::from_secs(10);

async fn start(specs: &[&str], options: Options) -> Handle {
    let buyers: Vec<Buyer> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    Buyers::start(ANY_PORT, buyers, options).await.unwrap()
}

/// Status and body, or why there is none.
async fn call(
    buyers: &Handle,
    path: &str,
    key: Option<&str>,
    body: impl Into<Bytes>,
) -> Result<(u16, Bytes), &'static str> {
    let mut request = Request::post(path);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let mut connection = Connection::new(buyers.addr());
    let exchange = connection.exchange(request.body(body.into()).unwrap());
    timeout(LONG, exchange).await.unwrap()
}

async fn json_of(buyers: &Handle, path: &str, body: Value) -> Value {
    let (status, body) = call(buyers, path, None, body.to_string()).await.unwrap();
    assert_eq!(status, 200);
    serde_json::from_slice(&body).unwrap()
}

fn ping(id: &str) -> Value {
    json!({
        "ping_id": id, "product": "personal-loan-es", "test": false, "timeout_ms": 400,
        "attributes": { "age": 38 },
    })
}

fn posted(lead: &str) -> Value {
    json!({ "lead_id": lead, "ping_id": "p", "bid": "12.50", "contact": { "first_name": "Ana" } })
}

#[tokio::test]
async fn a_ping_is_answered_with_a_bid_or_a_reason() {
    let buyers = start(&["nova-es-prime:bid=12.50", "shy:bids=0"], Options::default()).await;
    let bid = json_of(&buyers, "/nova-es-prime/ping", ping("p1")).await;
    assert_eq!((&bid["status"], &bid["price"]), (&json!("bid"), &json!("12.50")));
    assert_ne!(bid["ping_id"], "p1");
    assert_eq!(bid["ping_id"].as_str().unwrap().len(), 16);
    let no_bid = json_of(&buyers, "/shy/ping", ping("p1")).await;
    assert_eq!(no_bid, json!({ "status": "no_bid", "reason": "not interested" }));
    assert_eq!((buyers.pings(), buyers.pings_to("shy"), buyers.pings_to("nobody")), (2, 1, 0));
    let kept = buyers.ping_bodies();
    assert_eq!(kept[1].buyer, "shy");
    assert_eq!(kept[1].body, ping("p1").to_string());
}

#[tokio::test]
async fn a_post_is_accepted_with_a_redirect_or_rejected() {
    let buyers = start(&["nova", "strict:accepts=0", "cutter:cut=2.00"], Options::default()).await;
    let accepted = json_of(&buyers, "/nova/post", posted("l1")).await;
    let reference = accepted["reference"].as_str().unwrap();
    let redirect = format!("https://nova.example/apply?ref={reference}");
    assert_eq!(
        (&accepted["status"], &accepted["redirect_url"]),
        (&json!("accepted"), &json!(redirect))
    );
    assert_eq!(accepted.get("price"), None);
    let rejected = json_of(&buyers, "/strict/post", posted("l1")).await;
    assert_eq!(rejected, json!({ "status": "rejected", "reason": "not taken" }));
    assert_eq!(json_of(&buyers, "/cutter/post", posted("l1")).await["price"], "10.50");
    let verdicts: Vec<_> =
        buyers.posts().into_iter().map(|post| (post.answered, post.bought)).collect();
    let expected = [("accepted", true), ("rejected", false), ("accepted", true)];
    assert_eq!(verdicts, expected.map(|(answered, bought)| (answered.to_owned(), bought)));
}

#[tokio::test]
async fn a_bought_lead_is_accepted_again_under_its_key_and_a_duplicate_under_another() {
    let buyers = start(&["nova"], Options::default()).await;
    let cases = [
        (Some("\"a\""), "accepted"),
        (Some("\"a\""), "accepted"),
        (Some("\"b\""), "duplicate"),
        (None, "duplicate"),
    ];
    let mut references = Vec::new();
    for (key, status) in cases {
        let (_, body) = call(&buyers, "/nova/post", key, posted("l1").to_string()).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["status"], status, "{key:?}");
        references.push(body["reference"].clone());
    }
    assert_eq!(references[0], references[1]);
    assert_eq!(buyers.posts()[0].idempotency_key.as_deref(), Some("a"));
}

#[tokio::test]
async fn what_is_no_call_is_refused() {
    let options = Options { max_body: 1000, ..Options::default() };
    let buyers = start(&["nova"], options).await;
    let cases = [
        ("/nobody/ping", ping("p").to_string(), 404),
        ("/nova", ping("p").to_string(), 404),
        ("/nova/sell", ping("p").to_string(), 404),
        ("/nova/ping", "{".to_owned(), 400),
        ("/nova/ping", "{}".to_owned(), 400),
        ("/nova/post", "[1]".to_owned(), 400),
        ("/nova/ping", "x".repeat(1001), 413),
    ];
    for (path, body, status) in cases {
        assert_eq!(call(&buyers, path, None, body).await.unwrap().0, status, "{path}");
    }
    let request = Request::get("/nova/ping").body(Bytes::new()).unwrap();
    assert_eq!(Connection::new(buyers.addr()).exchange(request).await.unwrap().0, 405);
    assert_eq!(buyers.posts()[0].answered, "status-400");
}

#[tokio::test]
async fn any_slug_is_a_buyer_where_one_stands_for_all() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { journal: Some(dir.path().to_owned()), ..Options::default() };
    let buyers = start(&["*:bid=3", "nova:bid=4"], options).await;
    assert_eq!(json_of(&buyers, "/somebody/ping", ping("p")).await["price"], "3.00");
    assert_eq!(json_of(&buyers, "/nova/ping", ping("p")).await["price"], "4.00");
    for path in ["/../ping", "/..%2fx/ping", "/UPPER/ping", "//ping"] {
        assert_eq!(
            call(&buyers, path, None, ping("p").to_string()).await.unwrap().0,
            404,
            "{path}"
        );
    }
    let mut files: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["nova.jsonl", "somebody.jsonl"]);
}

#[tokio::test]
async fn bad_and_repeated_names_do_not_start() {
    for names in [["a", "a"], ["a", "B"], ["*", "*"], ["../a", "b"]] {
        let buyers = names.map(|name| Buyer::new(name, Behaviour::new()));
        let error = Buyers::start(ANY_PORT, buyers, Options::default()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{names:?}");
    }
}

#[tokio::test]
async fn answers_take_their_latency() {
    let buyers = start(&["slow:latency=30..40ms"], Options::default()).await;
    let began = Instant::now();
    json_of(&buyers, "/slow/ping", ping("p")).await;
    assert!(began.elapsed() >= Duration::from_millis(30));
}

/// Every answer of a seed to 200 pings and posts, sent by `workers` at a time.
async fn answers(seed: u64, workers: usize) -> Vec<(String, Value)> {
    let spec = "nova:latency=0..3ms,bid=5.00..30.00,bids=600,accepts=500";
    let buyers = Arc::new(start(&[spec], Options { seed, ..Options::default() }).await);
    let mut running = JoinSet::new();
    for worker in 0..workers {
        let buyers = Arc::clone(&buyers);
        running.spawn(async move {
            let mut answers = Vec::new();
            for id in (worker..200).step_by(workers).map(|id| id.to_string()) {
                answers
                    .push((format!("ping {id}"), json_of(&buyers, "/nova/ping", ping(&id)).await));
                answers.push((
                    format!("post {id}"),
                    json_of(&buyers, "/nova/post", posted(&id)).await,
                ));
            }
            answers
        });
    }
    let mut all: Vec<_> = running.join_all().await.into_iter().flatten().collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

#[tokio::test]
async fn concurrency_changes_no_answer() {
    let alone = answers(7, 1).await;
    assert_eq!(alone, answers(7, 16).await);
    assert_ne!(alone, answers(8, 16).await);
    let count = |status: &str| alone.iter().filter(|(_, body)| body["status"] == status).count();
    assert!((90..=150).contains(&count("bid")), "{}", count("bid"));
    assert!((70..=130).contains(&count("accepted")), "{}", count("accepted"));
}
