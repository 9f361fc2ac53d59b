//! An engine behind the API, whose buyers bid as told and answer posts as told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use bytes::Bytes;
use engine::{Arrival, Engine, Parts, Reserves, Snapshot, Suppressions};
use fanout::{Buyers, Ping, Post, PostReply, StatusQuery};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use ingress::Stop;
use jiff::Timestamp;
use lead::{
    Attributes, Bid, Clock, Code, Consent, Contact, Door, LeadId, Money, NoBid, PostClass,
    Standard, Submission,
};
use ledger::{KeptMarket, Ledger, MemoryLedger};
use management::{Management, Operator};
use market::KeyDigest;
use serde_json::Value;
use tokio::net::TcpStream;

pub(crate) const MARKET: &str = include_str!("market.toml");

/// What only a winner may know.
pub(crate) const EMAIL: &str = "ana@example.org";

/// Says what the buyer of every campaign does; nobody may hear of anything else.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script(Arc<BTreeMap<&'static str, (&'static str, &'static str)>>);

impl Buyers for Script {
    async fn ping(&self, ping: &Ping<'_>) -> Result<Bid, NoBid> {
        let (bid, _) = self.of(&ping.campaign.key);
        let amount = bid.parse().map_err(|_| NoBid::new(Code::NoBid))?;
        Ok(Bid { price: Money { amount, currency: ping.currency }, reference: None })
    }

    async fn post(&self, post: &Post<'_>) -> PostReply {
        match self.of(&post.campaign.key).1 {
            "accepted" => PostReply {
                reference: Some("ref-7".to_owned()),
                ..PostReply::bare(PostClass::Accepted, Code::Sold)
            },
            "rejected" => PostReply {
                reason: Some("no thanks".to_owned()),
                ..PostReply::bare(PostClass::Rejected, Code::PostRejected)
            },
            _ => PostReply::bare(PostClass::Unknown, Code::Unknown),
        }
    }

    async fn status(&self, _: &StatusQuery<'_>) -> PostReply {
        PostReply::bare(PostClass::Unknown, Code::Unknown)
    }
}

impl Script {
    fn of(&self, key: &lead::CampaignKey) -> (&'static str, &'static str) {
        *self.0.get(key.to_string().as_str()).expect("nobody else is asked")
    }
}

struct StillClock;

impl Clock for StillClock {
    fn timestamp(&self) -> Timestamp {
        "2026-03-02T09:00:00Z".parse().unwrap()
    }

    fn instant(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

/// The API on a port of its own.
pub(crate) struct World {
    pub(crate) engine: Engine<Script, MemoryLedger>,
    at: SocketAddr,
    stop: Stop,
}

impl World {
    /// With what each campaign bids and answers to a post.
    pub(crate) async fn start(script: &[(&'static str, &'static str, &'static str)]) -> Self {
        let ledger = MemoryLedger::new();
        let source = engine::source(&[MARKET.to_owned()]);
        let market = KeptMarket { version: 1, source: source.clone() };
        ledger.keep_market(market).await.unwrap();
        let script = script.iter().map(|(key, bid, answer)| (*key, (*bid, *answer)));
        let byte = AtomicU8::new(1);
        let engine = Engine::new(Parts {
            snapshot: Snapshot::read(&source, 1).unwrap(),
            buyers: Script(Arc::new(script.collect())),
            ledger,
            clock: Arc::new(StillClock),
            entropy: Arc::new(move |bytes| bytes.fill(byte.fetch_add(1, Ordering::Relaxed))),
            reserves: Reserves::default(),
            in_flight_max: 16,
            suppressions: Suppressions::default(),
            leads_per_ip_minute: u32::MAX,
            fraud: engine::FraudRules::default(),
            breakers: engine::BreakerRules::default(),
        });
        let operator = |name: &str, key: &str| Operator {
            name: name.to_owned(),
            keys: vec![KeyDigest::of(key)],
        };
        let operators = [("ada", "key-ada"), ("bob", "key-bob"), ("eve", "key-both")];
        let operators = operators.map(|(name, key)| operator(name, key)).to_vec();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (at, stop) = (listener.local_addr().unwrap(), Stop::new());
        tokio::spawn(Management::new(engine.clone(), operators).run(listener, stop.clone()));
        Self { engine, at, stop }
    }

    /// Sells a lead of Girona, aged 37 and born on a day that pings do not show.
    pub(crate) async fn sell(&self, number: u8) -> LeadId {
        let mut attributes = Attributes::new();
        attributes.set_text(Standard::Region, "Girona");
        attributes.set_number(Standard::MonthlyIncome, 2_500);
        let submission = Submission {
            door: Door::Native,
            publisher: "shop".parse().unwrap(),
            product: "loan".parse().unwrap(),
            sub_id: None,
            external_id: Some("aff-123".to_owned()),
            min_payout: None,
            tags: BTreeMap::new(),
            source_url: None,
            user_agent: None,
            attributes,
            contact: Contact {
                email: Some(EMAIL.to_owned()),
                // No phone has it, which is a sign of fraud.
                phone: Some("600".to_owned()),
                birth_date: "1988-05-10".parse().ok(),
                ..Contact::default()
            },
            consent: Consent::default(),
            test: false,
            requested: None,
        };
        let (at, instant) = (StillClock.timestamp(), StillClock.instant());
        let body = [number; 32];
        let arrival =
            Arrival { submission, at, instant, budget: None, key: None, ping: None, body };
        let delivery = self.engine.distribute(arrival).await.unwrap();
        let lead = delivery.answer.lead.unwrap().0;
        delivery.arrived();
        lead
    }

    /// One request: status and body.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        key: &str,
        body: &str,
    ) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "gavel.test")
            .header("authorization", format!("Bearer {key}"))
            .body(Full::new(Bytes::from(body.to_owned())))
            .unwrap();
        self.send(request).await
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> (u16, Value) {
        self.call("GET", path, key, "").await
    }

    /// One request under conditions: status, ETag, state and body.
    pub(crate) async fn ask(
        &self,
        (method, path, key): (&str, &str, &str),
        (condition, tag): (&str, &str),
        body: &str,
    ) -> (u16, [String; 2], Value) {
        let mut request = Request::builder().method(method).uri(path).header("host", "gavel.test");
        request = request.header("authorization", format!("Bearer {key}"));
        if !condition.is_empty() {
            request = request.header(condition, tag);
        }
        self.exchange(request.body(Full::new(Bytes::from(body.to_owned()))).unwrap()).await
    }

    /// Any request.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> (u16, Value) {
        let (status, _, body) = self.exchange(request).await;
        (status, body)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> (u16, [String; 2], Value) {
        let stream = TcpStream::connect(self.at).await.unwrap();
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.unwrap();
        let task = tokio::spawn(connection);
        let reply = sender.send_request(request).await.unwrap();
        let status = reply.status().as_u16();
        let header = |name: &str| {
            let value = reply.headers().get(name).map(|value| value.to_str().unwrap());
            value.unwrap_or_default().to_owned()
        };
        let (kind, headers) = (header("content-type"), [header("etag"), header("gavel-state")]);
        let expected = match status {
            204 => "",
            ..400 => "application/json",
            _ => "application/problem+json",
        };
        assert_eq!(kind, expected);
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        task.abort();
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(!text.contains(EMAIL), "contact data: {text}");
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
        (status, headers, body)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.stop();
    }
}
