//! An engine whose buyers are never asked, on a ledger in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use document::Node;
use engine::{
    Author, BreakerRules, Denied, Done, Engine, Expect, Order, Parts, Question, Reserves, Snapshot,
    Suppressions, Wish,
};
use fanout::{Buyers, Ping, Post, PostReply, StatusQuery};
use jiff::Timestamp;
use lead::{Attributes, Bid, CampaignKey, Clock, Code, NoBid, PostClass, Standard};
use ledger::MemoryLedger;
use market::to_json;

pub(crate) const MARKET: &str = r#"
[publishers.shop]
name = "Shop"
doors.native.keys = ["key-shop"]
[products.loan]
name = "Loan"
vertical = "loans"
country = "ES"
currency = "EUR"
timezone = "Europe/Madrid"
budget_ms = 2000
tiers = [{ mode = "auction" }]
[products.card]
name = "Card"
vertical = "cards"
country = "ES"
currency = "EUR"
timezone = "Europe/Madrid"
budget_ms = 2000
tiers = [{ mode = "auction" }]
[buyers.nova]
name = "Nova"
allowed_hosts = ["127.0.0.1"]
"#;

#[derive(Debug)]
pub(crate) struct Nobody;

impl Buyers for Nobody {
    async fn ping(&self, _: &Ping<'_>) -> Result<Bid, NoBid> {
        Err(NoBid::new(Code::NoBid))
    }

    async fn post(&self, _: &Post<'_>) -> PostReply {
        PostReply::bare(PostClass::NotSent, Code::Connect)
    }

    async fn status(&self, _: &StatusQuery<'_>) -> PostReply {
        PostReply::bare(PostClass::Unknown, Code::Unknown)
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

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) engine: Engine<Nobody, MemoryLedger>,
}

impl World {
    pub(crate) async fn start() -> Self {
        let (ledger, source) = (MemoryLedger::new(), engine::source(&[MARKET.to_owned()]));
        let version = engine::version_of(&ledger, &source).await.unwrap();
        let engine = Engine::new(Parts {
            snapshot: Snapshot::read(&source, version).unwrap(),
            buyers: Nobody,
            ledger,
            clock: Arc::new(StillClock),
            entropy: Arc::new(|bytes| bytes.fill(7)),
            reserves: Reserves::default(),
            in_flight_max: 16,
            suppressions: Suppressions::default(),
            fraud: engine::FraudRules::default(),
            leads_per_ip_minute: u32::MAX,
            breakers: BreakerRules::default(),
        });
        Self { engine }
    }

    pub(crate) async fn change(
        &self,
        name: &str,
        wish: Wish,
        expect: Expect,
    ) -> Result<Done, Denied> {
        let author = Author { name: "operator ada".to_owned(), is_operator: true };
        self.engine.change(Order { key: key(name), wish, author, expect }).await
    }
}

pub(crate) fn key(name: &str) -> CampaignKey {
    CampaignKey { buyer: "nova".parse().unwrap(), campaign: name.parse().unwrap() }
}

pub(crate) fn object(json: &str) -> Node<'static> {
    document::parse_json(&mut json.to_owned().into_bytes()).unwrap().into_owned()
}

/// What a market is to leads: every campaign's object and status, the order of the trees, and who wants
/// and may have a lead of each age.
#[derive(Debug, PartialEq)]
pub(crate) struct Facts {
    objects: BTreeMap<String, String>,
    answers: Vec<(&'static str, u8, Vec<String>)>,
}

pub(crate) fn facts(engine: &Engine<Nobody, MemoryLedger>, snapshot: &Snapshot) -> Facts {
    let campaigns = snapshot.market.campaigns.iter();
    let objects =
        campaigns.map(|(key, it)| (key.to_string(), to_json(&it.written).to_string())).collect();
    let mut answers = Vec::new();
    for product in ["loan", "card"] {
        for age in 17..25u8 {
            let mut attributes = Attributes::new();
            attributes.set_number(Standard::Age, i64::from(age));
            let product_id = product.parse().unwrap();
            let question =
                Question { product: product_id, attributes, publisher: None, buyer: None };
            let prospects = engine.suppose(snapshot, question).unwrap();
            let prospects = prospects.iter().map(|it| {
                format!("{} {} {} {}", it.campaign, it.matched, it.eligible, it.failed.len())
            });
            answers.push((product, age, prospects.collect()));
        }
    }
    Facts { objects, answers }
}
