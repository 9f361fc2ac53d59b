//! An engine of the product's own parts, and leads for it: each of another consumer.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use engine::{Arrival, BreakerRules, Engine, Parts, Reserves, Snapshot, Suppressions};
use fanout::HttpBuyers;
use jiff::Timestamp;
use lead::{Clock, Contact, Door, LeadId, Submission};
use ledger::{Options, RootKey, SqliteLedger};
use market::Sources;

use crate::local_buyers;

pub(crate) type Rig = Engine<HttpBuyers, SqliteLedger>;

/// The system's time.
#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this engine runs in real time")]
    fn timestamp(&self) -> Timestamp {
        Timestamp::now()
    }

    fn instant(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

/// The key of every ledger here.
pub(crate) fn root_key() -> RootKey {
    RootKey::from_bytes([9; 32])
}

/// An engine over `market` with its ledger in `dir`.
pub(crate) fn open(dir: &Path, market: String) -> Rig {
    let sources = Sources::parse([("market.toml".to_owned(), market)]).unwrap();
    let snapshot = Snapshot::compile(sources.market().unwrap(), 1).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Engine::new(Parts {
        snapshot,
        buyers: local_buyers(&clock),
        ledger: SqliteLedger::open(Options::new(dir, root_key())).unwrap(),
        clock,
        entropy: Arc::new(|bytes: &mut [u8]| getrandom::fill(bytes).unwrap()),
        reserves: Reserves::default(),
        in_flight_max: 10_000,
        suppressions: Suppressions::default(),
        leads_per_ip_minute: u32::MAX,
        fraud: engine::FraudRules::default(),
        breakers: BreakerRules { simulate: true, ..BreakerRules::default() },
    })
}

/// Sells the `number`-th lead, of `product`, and says which it became.
pub(crate) async fn sell(rig: &Rig, product: &str, number: usize) -> LeadId {
    let email = format!("consumer{number}@{product}.example");
    let submission = Submission {
        door: Door::Native,
        publisher: "demo".parse().unwrap(),
        product: product.parse().unwrap(),
        sub_id: None,
        external_id: None,
        min_payout: None,
        tags: Default::default(),
        source_url: None,
        user_agent: None,
        attributes: Default::default(),
        contact: Contact { email: Some(email), ..Contact::default() },
        consent: Default::default(),
        test: false,
        requested: None,
    };
    let mut body = [0; 32];
    getrandom::fill(&mut body).unwrap();
    let clock = SystemClock;
    let arrival = Arrival {
        submission,
        at: clock.timestamp(),
        instant: clock.instant(),
        budget: None,
        ping: None,
        key: None,
        body,
    };
    let delivery = rig.distribute(arrival).await.unwrap();
    let (lead, _) = delivery.answer.lead.unwrap();
    delivery.arrived();
    lead
}
