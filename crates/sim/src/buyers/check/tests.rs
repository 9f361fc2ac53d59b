//! Sound buyers pass, and of each bad one the line is named that it gets wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;
use crate::buyers::{Behaviour, Buyer, Buyers, FAULTS, Fault, Kind, Options, Phase, Stage};

const ANY_PORT: &str = "127.0.0.1:0";

async fn start(buyers: impl IntoIterator<Item = Buyer>) -> crate::buyers::Handle {
    Buyers::start(ANY_PORT.parse().unwrap(), buyers, Options::default()).await.unwrap()
}

fn plan(buyers: &crate::buyers::Handle, name: &str) -> Plan {
    Plan {
        post: Some(buyers.post_url(name)),
        status: Some(buyers.status_url(name)),
        authorities: buyers.authority().unwrap_or_default().into_bytes(),
        requires_redirect: true,
        ..Plan::new(buyers.ping_url(name), 7)
    }
}

fn wrong(findings: &[Finding]) -> Vec<String> {
    let wrong = findings.iter().filter(|finding| finding.is_wrong());
    wrong.map(|finding| format!("{} {}", finding.call, finding.check)).collect()
}

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

#[tokio::test]
async fn sound_buyers_pass_every_check() {
    let specs = [
        "nova:bid=5.00..30.00",
        // Bids and buys sometimes, bills less, over https.
        "picky:bid=5.00..30.00,bids=700,accepts=700,cut=1.00,fault=tls-expired,faults=0",
    ];
    let buyers = start(specs.map(|spec| spec.parse().unwrap())).await;
    for name in ["nova", "picky"] {
        let findings = run(&plan(&buyers, name)).await.unwrap();
        assert_eq!(wrong(&findings), Vec::<String>::new(), "{}", lines(&findings));
        let skipped = findings.iter().filter(|it| matches!(it.outcome, Outcome::NotChecked(_)));
        let skipped: Vec<_> = skipped.map(|finding| finding.check).collect();
        assert!(
            skipped.is_empty() || name == "picky" && skipped == ["a test is no sale"],
            "{name}: {}",
            lines(&findings)
        );
        let distinct: BTreeSet<_> = findings.iter().map(|it| (it.call, it.check)).collect();
        assert_eq!(distinct.len(), findings.len(), "one line a check");
    }
    assert!(buyers.pings_to("nova") > 5);
}

/// The line that names a fault.
fn line(kind: Kind, of: Stage) -> &'static str {
    match kind {
        Kind::Dns | Kind::Refused | Kind::FullBacklog => "connects",
        kind if kind.phase() == Phase::Handshake => "connects",
        Kind::Unaccepted
        | Kind::HangAtAccept
        | Kind::Hang
        | Kind::Late
        | Kind::HangInHead
        | Kind::HangAfterHead
        | Kind::Drip
        | Kind::LongLength => "answers in time",
        Kind::Endless | Kind::Huge => "answers are short",
        Kind::TwoAnswers | Kind::AnswerThenReset => "keeps connections",
        Kind::PriceNegative | Kind::PriceText | Kind::PriceHuge if of == Stage::Ping => "prices",
        Kind::PriceNegative | Kind::PriceText | Kind::PriceHuge => "price of a sale",
        Kind::NoRedirect | Kind::HttpRedirect => "redirect of a sale",
        _ if of == Stage::Ping => "answers bid or no-bid",
        _ => "answers with a verdict",
    }
}

/// Every fault of the table on one kind of call, checked all at once.
async fn name_the_fault(of: Stage) {
    let known = FAULTS.iter().filter(|known| known.calls == Stage::Both || known.calls == of);
    let known: Vec<_> = known.collect();
    let buyer = |kind, name| Buyer::new(name, Behaviour::new().fault(Fault { kind, calls: of }));
    let buyers = start(known.iter().map(|known| buyer(known.kind, known.name))).await;
    let mut running = JoinSet::new();
    for known in known {
        let plan = Plan {
            ping_timeout: Duration::from_millis(800),
            post_timeout: Duration::from_millis(800),
            ..plan(&buyers, known.name)
        };
        running.spawn(async move { (known, run(&plan).await.unwrap()) });
    }
    let call = if of == Stage::Ping { "ping" } else { "post" };
    for (known, findings) in running.join_all().await {
        let wrong = wrong(&findings);
        let first = wrong.first().map(String::as_str).unwrap_or_default();
        let expected = format!("{call} {}", line(known.kind, of));
        // Where a reset strikes is a matter of microseconds.
        let is_reset = matches!(known.kind, Kind::ResetAtAccept | Kind::AnswerThenReset);
        assert!(
            first == expected || is_reset && first.starts_with(call),
            "{}: {expected} is first:\n{}",
            known.name,
            lines(&findings)
        );
        let other = if of == Stage::Ping { "post" } else { "ping" };
        assert!(
            wrong.iter().all(|line| !line.starts_with(other)),
            "{}: {call}s only:\n{}",
            known.name,
            lines(&findings)
        );
    }
}

#[tokio::test]
async fn each_fault_of_pings_is_named() {
    name_the_fault(Stage::Ping).await;
}

#[tokio::test]
async fn each_fault_of_posts_is_named() {
    name_the_fault(Stage::Post).await;
}

/// A buyer of the contract's letter, but for one flaw.
struct Flawed {
    flaw: &'static str,
    /// Each lead's key and reference.
    sold: Mutex<BTreeMap<String, (String, String)>>,
    consumers: Mutex<BTreeSet<String>>,
}

impl Flawed {
    fn has(&self, flaw: &str) -> bool {
        self.flaw == flaw
    }

    fn ping(&self, body: &Value) -> (u16, Value) {
        let refusal = (422, json!({ "error": "no" }));
        if self.has("wants contact data") && body["contact"]["email"].is_null()
            || self.has("refuses attributes")
                && !body["attributes"]["gavel_check_unknown"].is_null()
            || self.has("refuses test pings") && body["test"] == true
        {
            return refusal;
        }
        (200, json!({ "status": "bid", "price": 12.5, "ping_id": "b" }))
    }

    fn post(&self, key: &str, body: &Value) -> (u16, Value) {
        let (mut sold, mut consumers) = (self.sold.lock().unwrap(), self.consumers.lock().unwrap());
        let lead = body["lead_id"].as_str().unwrap_or_default().to_owned();
        let email = body["contact"]["email"].as_str().unwrap_or_default().to_owned();
        if body["test"] == true && !self.has("counts tests") {
            return (200, json!({ "status": "accepted", "reference": "test" }));
        }
        if let Some((first, reference)) = sold.get(&lead) {
            let reference = match self.has("sells twice under one key") {
                true => format!("{reference}-again"),
                false => reference.clone(),
            };
            let again = json!({ "status": "accepted", "reference": reference });
            let is_same = first == key || self.has("sells again under another key");
            return (200, if is_same { again } else { json!({ "status": "duplicate" }) });
        }
        if !consumers.insert(email) {
            return (200, json!({ "status": "duplicate" }));
        }
        let reference = format!("r{}", sold.len());
        sold.insert(lead, (key.to_owned(), reference.clone()));
        (200, json!({ "status": "accepted", "reference": reference }))
    }

    fn status(&self, body: &Value) -> (u16, Value) {
        let lead = body["lead_id"].as_str().unwrap_or_default();
        let known = self.sold.lock().unwrap().contains_key(lead);
        let says = match self.flaw {
            "forgets its sales" => "unknown",
            "claims every lead" => "accepted",
            _ if known => "accepted",
            _ => "unknown",
        };
        (200, json!({ "status": says }))
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let key = request.headers().get("idempotency-key").cloned();
        let key = key.map(|key| key.to_str().unwrap().to_owned()).unwrap_or_default();
        let most = if self.has("reads everything") { 8 << 20 } else { 64 << 10 };
        let read = Limited::new(request.into_body(), most).collect().await.map(|it| it.to_bytes());
        let body: Option<Value> = match &read {
            Ok(_) if self.has("reads anything") => Some(json!({ "lead_id": "x" })),
            Ok(body) => serde_json::from_slice(body).ok(),
            Err(_) => None,
        };
        let is_call = |body: &Value| {
            let is = |member: &str| !body[member].is_null();
            is("ping_id") || is("lead_id") || self.has("reads everything")
        };
        let (status, says) = match body.filter(is_call) {
            None => (400, json!({ "error": "no call" })),
            Some(body) if path == "/ping" => self.ping(&body),
            Some(body) if path == "/post" => self.post(&key, &body),
            Some(body) => self.status(&body),
        };
        let mut response = Response::new(Full::from(says.to_string()));
        *response.status_mut() = status.try_into().unwrap();
        if self.has("closes every connection") {
            response.headers_mut().insert("connection", "close".parse().unwrap());
        }
        response
    }
}

async fn flawed(flaw: &'static str) -> SocketAddr {
    let listener = TcpListener::bind(ANY_PORT).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let buyer = Arc::new(Flawed { flaw, sold: Mutex::default(), consumers: Mutex::default() });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let buyer = Arc::clone(&buyer);
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let buyer = Arc::clone(&buyer);
                    async move { Ok::<_, std::convert::Infallible>(buyer.answer(request).await) }
                });
                drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
            });
        }
    });
    addr
}

#[tokio::test]
async fn each_flaw_is_named() {
    let cases: [(&str, &[&str]); 12] = [
        ("none", &[]),
        ("wants contact data", &["ping answers bid or no-bid", "ping needs no contact data"]),
        ("refuses attributes", &["ping tolerates an attribute"]),
        ("refuses test pings", &["ping answers a test"]),
        ("sells twice under one key", &["post same key, same answer"]),
        ("sells again under another key", &["post other key, no second sale"]),
        ("counts tests", &["post a test is no sale"]),
        ("forgets its sales", &["status knows what it bought"]),
        ("claims every lead", &["status knows what it never saw"]),
        ("closes every connection", &["ping keeps connections", "post keeps connections"]),
        ("reads anything", &["ping refuses what is not JSON", "ping refuses what says nothing"]),
        ("reads everything", &["ping refuses what says nothing", "ping refuses 2 MiB"]),
    ];
    for (flaw, expected) in cases {
        let addr = flawed(flaw).await;
        let plan = Plan {
            post: Some(format!("http://{addr}/post")),
            status: Some(format!("http://{addr}/status")),
            ..Plan::new(format!("http://{addr}/ping"), 7)
        };
        let findings = run(&plan).await.unwrap();
        let wrong = wrong(&findings);
        for line in expected {
            assert!(wrong.iter().any(|it| it == line), "{flaw}:\n{}", lines(&findings));
        }
        let is_exact = !flaw.starts_with("reads ") && !flaw.starts_with("wants ");
        assert!(!is_exact || wrong.len() == expected.len(), "{flaw}:\n{}", lines(&findings));
    }
}

#[tokio::test]
async fn without_addresses_nothing_is_said() {
    let addr = flawed("none").await;
    let findings = run(&Plan::new(format!("http://{addr}/ping"), 7)).await.unwrap();
    assert!(wrong(&findings).is_empty(), "{}", lines(&findings));
    let last = findings.last().unwrap();
    assert_eq!((last.call, last.check), ("post", "everything"));
    assert!(last.to_string().starts_with("not checked  post"), "{last}");
}

#[tokio::test]
async fn what_cannot_be_called_is_refused() {
    for url in ["", "nova", "ftp://x/ping", "https:///ping", "127.0.0.1/ping", "http://"] {
        assert!(run(&Plan::new(url, 7)).await.is_err(), "{url}");
    }
    let mut plan = Plan::new("http://127.0.0.1:1/ping", 7);
    plan.headers = vec![("x key".to_owned(), "v".to_owned())];
    let error = run(&plan).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "the header \"x key\" cannot be used: expected a header's name and printable text"
    );
}
