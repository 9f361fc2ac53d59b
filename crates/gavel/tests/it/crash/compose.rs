//! An engine made of the product's own parts, with a tripwire in its wire to buyers and in its ledger.

use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use engine::{BreakerRules, Engine, Parts, Reserves, Snapshot, Suppressions};
use fanout::{Buyers, HttpBuyers, Ping, Post, PostReply, StatusQuery};
use jiff::Timestamp;
use lead::{Bid, CampaignKey, Clock, LeadId, NoBid};
use ledger::{
    Claimant, Digest, Entry, KeptMarket, LeadRecord, Ledger, OpenIntent, Options, PostRow, Receipt,
    Recovery, Refused, RootKey, SourceQuery, SqliteLedger, StoredRequest, Write,
};
use market::Sources;

use crate::local_buyers;

/// An engine that may stop dead.
pub(crate) type Rig = Engine<Wire, Store>;

/// Where the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing of the lead is stored.
    BeforeFirstCommit,
    /// Its first commit is under way.
    AmidFirstCommit,
    /// Its first commit has returned.
    AfterFirstCommit,
    /// The intent is durable, and nothing of the post has left.
    BeforePost,
    /// The buyer has the post, and its reply has not been read.
    AmidPost,
    /// The reply has been read, and nothing of it is stored.
    AfterReply,
    /// The outcome's commit is under way.
    AmidOutcome,
    /// The outcome is durable, and the publisher has no answer.
    AfterOutcome,
}

impl Step {
    pub(crate) const ALL: [Self; 8] = [
        Self::BeforeFirstCommit,
        Self::AmidFirstCommit,
        Self::AfterFirstCommit,
        Self::BeforePost,
        Self::AmidPost,
        Self::AfterReply,
        Self::AmidOutcome,
        Self::AfterOutcome,
    ];

    pub(crate) fn name(self) -> String {
        format!("{self:?}")
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }
}

/// Ends the process at the n-th passage of a step, once it is armed.
#[derive(Debug)]
pub(crate) struct Trip {
    step: Step,
    at: u64,
    passages: AtomicU64,
    armed: AtomicBool,
    /// Where the buyers write down what reached them.
    journal: PathBuf,
}

impl Trip {
    pub(crate) fn new(step: Step, at: u64, journal: PathBuf) -> Arc<Self> {
        let (passages, armed) = (AtomicU64::new(0), AtomicBool::new(false));
        Arc::new(Self { step, at, passages, armed, journal })
    }

    /// From now on passages count.
    pub(crate) fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    /// Whether this passage of `step` is the last one, or a later one.
    fn is_due(&self, step: Step) -> bool {
        self.step == step
            && self.armed.load(Ordering::SeqCst)
            && self.passages.fetch_add(1, Ordering::SeqCst) + 1 >= self.at
    }

    fn pass(&self, step: Step) {
        if self.is_due(step) {
            std::process::abort();
        }
    }

    /// Until the buyer has written down that it has the lead.
    async fn reached(&self, post: &Post<'_>) {
        let file = self.journal.join(format!("{}.jsonl", post.campaign.key.campaign));
        let lead = post.lead.to_string();
        while !std::fs::read_to_string(&file).is_ok_and(|text| text.contains(&lead)) {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }
}

/// The wire to buyers.
#[derive(Debug)]
pub(crate) struct Wire {
    inner: HttpBuyers,
    trip: Option<Arc<Trip>>,
}

impl Buyers for Wire {
    async fn ping(&self, ping: &Ping<'_>) -> Result<Bid, NoBid> {
        self.inner.ping(ping).await
    }

    async fn post(&self, post: &Post<'_>) -> PostReply {
        let Some(trip) = &self.trip else { return self.inner.post(post).await };
        trip.pass(Step::BeforePost);
        let reply = if trip.is_due(Step::AmidPost) {
            tokio::select! {
                // The reply was faster: another passage it is.
                reply = self.inner.post(post) => reply,
                () = trip.reached(post) => std::process::abort(),
            }
        } else {
            self.inner.post(post).await
        };
        trip.pass(Step::AfterReply);
        reply
    }

    async fn status(&self, query: &StatusQuery<'_>) -> PostReply {
        self.inner.status(query).await
    }
}

/// The store of record.
#[derive(Debug)]
pub(crate) struct Store {
    inner: SqliteLedger,
    trip: Option<Arc<Trip>>,
}

impl Ledger for Store {
    async fn commit(&self, write: Write) -> Result<Receipt, Refused> {
        let Some(trip) = &self.trip else { return self.inner.commit(write).await };
        let first = write.created.is_some();
        let outcome = !first && write.entries.iter().any(|entry| matches!(entry, Entry::Posted(_)));
        if first {
            trip.pass(Step::BeforeFirstCommit);
        }
        let amid = first && trip.is_due(Step::AmidFirstCommit)
            || outcome && trip.is_due(Step::AmidOutcome);
        let mut commit = pin!(self.inner.commit(write));
        let receipt = poll_fn(|context| {
            let polled = commit.as_mut().poll(context);
            if amid && polled.is_pending() {
                // It is queued. The writer is let go on for a while, another one each time.
                std::thread::sleep(Duration::from_micros(trip.at % 8 * 250));
                std::process::abort();
            }
            polled
        })
        .await;
        if first {
            trip.pass(Step::AfterFirstCommit);
        } else if outcome {
            trip.pass(Step::AfterOutcome);
        }
        receipt
    }

    async fn lead(&self, id: LeadId) -> Result<Option<LeadRecord>, Refused> {
        self.inner.lead(id).await
    }

    async fn source_leads(&self, query: SourceQuery) -> Result<Vec<LeadRecord>, Refused> {
        self.inner.source_leads(query).await
    }

    async fn numbered(&self, sequence: lead::Sequence) -> Result<Option<LeadId>, Refused> {
        self.inner.numbered(sequence).await
    }

    async fn claimants(&self, keys: &[Digest]) -> Result<Vec<Claimant>, Refused> {
        self.inner.claimants(keys).await
    }

    async fn request(&self, key: Digest) -> Result<Option<StoredRequest>, Refused> {
        self.inner.request(key).await
    }

    async fn newest_market(&self) -> Result<Option<KeptMarket>, Refused> {
        self.inner.newest_market().await
    }

    async fn market(&self, version: u64) -> Result<Option<String>, Refused> {
        self.inner.market(version).await
    }

    async fn keep_market(&self, market: KeptMarket) -> Result<(), Refused> {
        self.inner.keep_market(market).await
    }

    fn digest(&self, domain: &'static str, parts: &[&[u8]]) -> Digest {
        self.inner.digest(domain, parts)
    }

    fn trouble(&self) -> Option<String> {
        self.inner.trouble()
    }
}

impl Recovery for Store {
    async fn open_intents(&self) -> Result<Vec<OpenIntent>, Refused> {
        self.inner.open_intents().await
    }

    async fn leads_unsettled(&self) -> Result<Vec<LeadId>, Refused> {
        self.inner.leads_unsettled().await
    }

    fn visit_posts(&self, visit: &(dyn Fn(Vec<PostRow>) + Sync)) -> Result<(), Refused> {
        self.inner.visit_posts(visit)
    }

    fn visit_pings(
        &self,
        since: Timestamp,
        visit: &mut dyn FnMut(&CampaignKey, Timestamp),
    ) -> Result<(), Refused> {
        self.inner.visit_pings(since, visit)
    }
}

/// The system's time.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this engine runs in real time")]
    fn timestamp(&self) -> Timestamp {
        Timestamp::now()
    }

    fn instant(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

/// Opens the ledger in `dir`, settles what a crash left open, and is ready for leads.
pub(crate) async fn open(dir: &Path, trip: Option<Arc<Trip>>) -> Rig {
    let text = std::fs::read_to_string(dir.join("market.toml")).unwrap();
    let sources = Sources::parse([("market.toml".to_owned(), text)]).unwrap();
    let snapshot = Snapshot::compile(sources.market().unwrap(), 1).unwrap();
    let options = Options::new(dir.join("data"), RootKey::from_bytes([7; 32]));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let wire = local_buyers(&clock);
    let rig = Engine::new(Parts {
        snapshot,
        buyers: Wire { inner: wire, trip: trip.clone() },
        ledger: Store { inner: SqliteLedger::open(options).unwrap(), trip },
        clock,
        entropy: Arc::new(|bytes: &mut [u8]| getrandom::fill(bytes).unwrap()),
        reserves: Reserves::default(),
        in_flight_max: 1000,
        suppressions: Suppressions::default(),
        leads_per_ip_minute: u32::MAX,
        fraud: engine::FraudRules::default(),
        breakers: BreakerRules::default(),
    });
    rig.recover().await.unwrap();
    rig
}
