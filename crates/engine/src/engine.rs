//! The engine's outside: takes submissions, runs each journey as a tracked task, swaps the market. Holds no step of the journey itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use lead::{Answer, CampaignKey, Clock, Deadline, Hashes, LeadId, PingId, Quote, Submission};
use ledger::{Ledger, Refused, Write};
use market::Product;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use crate::budget::Budget;
use crate::delivery::Delivery;
use crate::form::Form;
use crate::fraud::{Fraud, FraudRules};
use crate::holds::{Hold, Holds};
use crate::identity::Identities;
use crate::journey::Waiter;
use crate::late;
use crate::lines::Lines;
use crate::markets::OldMarkets;
use crate::metrics::{Ending, Metrics};
use crate::pace::Paces;
use crate::promise::{PingFault, Promises};
use crate::register::Register;
use crate::repeats::{Entry, Repeats, Request, Ticket, Waited};
use crate::reserve::Reservations;
use crate::review::{self, ReviewRefusal, Verdict};
use crate::shares::Shares;
use crate::suppress::Suppressions;
use crate::{BreakerReport, BreakerRules, Reserves, Snapshot, journey, quote, repeats, standing};

/// How often holds are looked through for those that are over.
const HOLDS_LOOK: Duration = Duration::from_secs(1);

/// Fills a buffer with unguessable bytes.
pub type Entropy = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What an engine is made of.
pub struct Parts<B, L> {
    /// The compiled market.
    pub snapshot: Snapshot,
    /// The wire.
    pub buyers: B,
    /// The store.
    pub ledger: L,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For ids.
    pub entropy: Entropy,
    /// What is kept back of budgets.
    pub reserves: Reserves,
    /// Most journeys at once.
    pub in_flight_max: usize,
    /// Consumers who must not be sold.
    pub suppressions: Suppressions,
    /// Leads from one address in a minute, past which it is suspected.
    pub leads_per_ip_minute: u32,
    /// What else makes a lead suspicious.
    pub fraud: FraudRules,
    /// When campaigns that do not answer are left alone.
    pub breakers: BreakerRules,
}

/// Sells leads. Cheap to clone.
pub struct Engine<B: Send + Sync + 'static, L: Ledger>(pub(crate) Arc<Inner<B, L>>);

pub(crate) struct Inner<B: Send + Sync + 'static, L: Ledger> {
    pub(crate) snapshot: ArcSwap<Snapshot>,
    pub(crate) buyers: B,
    pub(crate) ledger: L,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Entropy,
    pub(crate) reserves: Reserves,
    pub(crate) metrics: Metrics,
    pub(crate) identities: Arc<Identities>,
    pub(crate) reservations: Reservations,
    pub(crate) holds: Holds,
    /// Held by whoever settles a held post.
    pub(crate) reviewing: tokio::sync::Mutex<()>,
    pub(crate) shares: Shares,
    pub(crate) form: Form,
    pub(crate) suppressions: Suppressions,
    pub(crate) fraud: Fraud,
    pub(crate) paces: Paces,
    pub(crate) lines: Lines,
    pub(crate) late_reads: Arc<tokio::sync::Semaphore>,
    pub(crate) old_markets: OldMarkets,
    /// Held by whoever changes the market.
    pub(crate) register: tokio::sync::Mutex<Register>,
    pub(crate) promises: Arc<Promises>,
    repeats: Arc<Repeats>,
    in_flight: Arc<tokio::sync::Semaphore>,
    pub(crate) tasks: TaskTracker,
}

impl<B: Send + Sync + 'static, L: Ledger> Inner<B, L> {
    /// The time of a lead of `product` that came at `received`; `asked` is the publisher's own, shorter one.
    pub(crate) fn budget(
        &self,
        product: &Product,
        received: Instant,
        asked: Option<Duration>,
    ) -> Budget {
        let whole = asked.unwrap_or(product.budget).min(product.budget);
        Budget::new(received, whole, self.reserves, self.paces.commit_wait(received))
    }
}

/// A submission and the moment it came.
#[derive(Debug)]
pub struct Arrival {
    /// What was posted.
    pub submission: Submission,
    /// When its request header was complete, on the wall.
    pub at: Timestamp,
    /// The same moment, for deadlines.
    pub instant: Instant,
    /// A publisher's own, shorter budget.
    pub budget: Option<Duration>,
    /// The publisher's Idempotency-Key.
    pub key: Option<String>,
    /// The accepted ping whose post this is.
    pub ping: Option<PingId>,
    /// A digest of the request's body.
    pub body: [u8; 32],
}

/// Why a lead was not taken at all. Nothing of it is stored and no buyer heard of it, except where a
/// post may already have left: then the ledger holds its intent.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The product is not in the market, or not active.
    #[error("the product is not in the market")]
    NoProduct,
    /// Too many journeys are under way.
    #[error("too many leads are in flight")]
    Busy,
    /// An identical request, or a lead of the same consumer, did not end in time.
    #[error("the same lead is still in flight")]
    InFlight,
    /// The Idempotency-Key belongs to another body.
    #[error("the idempotency key was used with another body")]
    KeyReused,
    /// The ping that the post names promises nothing.
    #[error("the ping is not open")]
    NoPing(PingFault),
    /// The ledger cannot take it.
    #[error(transparent)]
    Ledger(Refused),
    /// An invariant of our own is broken.
    #[error("internal error: {0}")]
    Bug(&'static str),
}

impl<B: fanout::Buyers, L: Ledger> Engine<B, L> {
    /// An engine over `parts`.
    #[must_use]
    pub fn new(parts: Parts<B, L>) -> Self {
        let metrics = Metrics::new();
        metrics.market_version(parts.snapshot.version);
        Self(Arc::new(Inner {
            snapshot: ArcSwap::from_pointee(parts.snapshot),
            buyers: parts.buyers,
            ledger: parts.ledger,
            clock: parts.clock,
            entropy: parts.entropy,
            reserves: parts.reserves,
            metrics,
            identities: Arc::default(),
            reservations: Reservations::default(),
            holds: Holds::default(),
            reviewing: tokio::sync::Mutex::default(),
            shares: Shares::default(),
            form: Form::default(),
            suppressions: parts.suppressions,
            fraud: Fraud::new(parts.leads_per_ip_minute, parts.fraud),
            paces: Paces::default(),
            lines: Lines::new(parts.breakers),
            late_reads: Arc::new(tokio::sync::Semaphore::new(late::AT_ONCE)),
            old_markets: OldMarkets::default(),
            register: tokio::sync::Mutex::default(),
            promises: Arc::default(),
            repeats: Arc::default(),
            in_flight: Arc::new(tokio::sync::Semaphore::new(parts.in_flight_max)),
            tasks: TaskTracker::new(),
        }))
    }

    /// The market that new journeys use.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.0.snapshot.load_full()
    }

    /// Lets new journeys use another market.
    pub fn swap(&self, snapshot: Snapshot) {
        self.0.put_in_force(snapshot, true);
    }

    /// Sells a lead, or says why not; a repeat of a request gets the first one's answer. The journey
    /// goes on if the caller stops waiting.
    ///
    /// # Errors
    /// The lead was not taken, or is not settled yet.
    pub async fn distribute(&self, arrival: Arrival) -> Result<Delivery, Refusal> {
        let inner = &self.0;
        let request = self.request(&arrival);
        let until = Deadline::after(arrival.instant, self.patience(&arrival));
        loop {
            match inner.repeats.enter(&request, inner.clock.instant()) {
                Entry::OtherBody => return Err(Refusal::KeyReused),
                Entry::Replay(answer) => return Ok(self.deliver(&request)(answer)),
                Entry::First(ticket) => return self.first(arrival, request, ticket).await,
                Entry::Twin(outcome) => match repeats::wait(outcome, until).await {
                    Waited::Answer(answer) => return Ok(Delivery::plain(answer)),
                    Waited::TooLong => return Err(Refusal::InFlight),
                    Waited::Gone => {}
                },
            }
        }
    }

    /// Asks what a lead without its consumer would bring, and reserves it; nobody is asked for a
    /// consumer whose `hashes` make the lead a repeat. Nothing is stored. It goes on if the caller stops waiting.
    ///
    /// # Errors
    /// The ping was not taken.
    pub async fn ping(&self, arrival: Arrival, hashes: Hashes) -> Result<Quote, Refusal> {
        let inner = &self.0;
        if let Some(trouble) = inner.ledger.trouble() {
            return Err(Refusal::Ledger(Refused::Unavailable(trouble)));
        }
        let permit = Arc::clone(&inner.in_flight).try_acquire_owned();
        let permit = permit.map_err(|_| Refusal::Busy)?;
        let quote = Box::pin(quote::quote(Arc::clone(inner), arrival, hashes));
        let task = inner.tasks.spawn(async move {
            let quote = quote.await;
            drop(permit);
            quote
        });
        task.await.unwrap_or(Err(Refusal::Bug("a ping ended without an answer")))
    }

    /// Runs a request that is not under way, unless the ledger knows its answer.
    async fn first(
        &self,
        arrival: Arrival,
        request: Request,
        ticket: Ticket,
    ) -> Result<Delivery, Refusal> {
        if request.keyed
            && let Some(stored) =
                self.0.ledger.request(request.key).await.map_err(Refusal::Ledger)?
            && stored.binds(arrival.at)
        {
            let same = stored.body == request.body;
            let answer = if same {
                self.replay(stored.lead).await?
            } else {
                return Err(Refusal::KeyReused);
            };
            ticket.finish(&answer);
            return Ok(Delivery::plain(answer));
        }
        self.start(arrival, request, ticket).await
    }

    async fn start(
        &self,
        arrival: Arrival,
        request: Request,
        ticket: Ticket,
    ) -> Result<Delivery, Refusal> {
        let inner = &self.0;
        let refuse = |refusal| {
            inner.metrics.lead(arrival.submission.door, Ending::Refused);
            Err(refusal)
        };
        if let Some(trouble) = inner.ledger.trouble() {
            return refuse(Refusal::Ledger(Refused::Unavailable(trouble)));
        }
        let Ok(permit) = Arc::clone(&inner.in_flight).try_acquire_owned() else {
            return refuse(Refusal::Busy);
        };
        let (sender, answer) = oneshot::channel();
        let waiter = Waiter::new(sender, ticket, self.deliver(&request));
        let task = Arc::clone(inner);
        let counted = InFlight::new(&task);
        // Some kilobytes, which a spawn would move ten times.
        let journey = Box::pin(journey::run(task, arrival, request, waiter));
        inner.tasks.spawn(async move {
            journey.await;
            drop((counted, permit));
        });
        answer.await.unwrap_or(Err(Refusal::Bug("a journey ended without an answer")))
    }

    /// Which request an arrival is.
    fn request(&self, arrival: &Arrival) -> Request {
        let submission = &arrival.submission;
        let publisher = submission.publisher.as_str().as_bytes();
        let door = submission.door.name().as_bytes();
        let digest = |domain, what: &[u8]| self.0.ledger.digest(domain, &[publisher, door, what]);
        // What a header asks of a test lead is part of what is asked.
        let mut whole = arrival.body.to_vec();
        whole.extend(
            submission.requested.map(|outcome| outcome.to_string()).unwrap_or_default().bytes(),
        );
        let body = digest("body", &whole);
        match &arrival.key {
            Some(key) => Request { key: digest("request", key.as_bytes()), body, keyed: true },
            None => Request { key: body, body, keyed: false },
        }
    }

    /// How long a repeat waits for the first: as long as the first may take.
    fn patience(&self, arrival: &Arrival) -> Duration {
        let snapshot = self.0.snapshot.load();
        let product = snapshot.market.products.get(&arrival.submission.product);
        let whole = product.map_or(Duration::ZERO, |product| product.budget);
        arrival.budget.unwrap_or(whole).min(whole)
    }

    /// Wraps answers to a request. A keyed one is found again in the ledger; another is kept in memory
    /// until it has arrived.
    fn deliver(&self, request: &Request) -> impl Fn(Answer) -> Delivery + Send + Sync + 'static {
        let (repeats, clock) = (Arc::clone(&self.0.repeats), Arc::clone(&self.0.clock));
        let (key, keyed) = (request.key, request.keyed);
        move |answer| match keyed {
            true => Delivery::plain(answer),
            false => Delivery::kept(answer, Arc::clone(&repeats), Arc::clone(&clock), key),
        }
    }

    /// The first answer to the request that brought a lead. A crash may have come before there was
    /// one: then this is it, and is made durable first.
    async fn replay(&self, lead: LeadId) -> Result<Answer, Refusal> {
        let ledger = &self.0.ledger;
        let record = ledger.lead(lead).await.map_err(Refusal::Ledger)?;
        let record = record.ok_or(Refusal::Bug("a request names no lead"))?;
        let currency = self.currency(&record);
        if let Some(answer) = standing::first(&record, currency) {
            return Ok(answer);
        }
        let answer = standing::now(&record, currency);
        let answered = standing::answered(&answer.status, answer.is_final);
        let entries = vec![ledger::Entry::Answered(answered)];
        ledger.commit(Write { lead, created: None, entries }).await.map_err(Refusal::Ledger)?;
        Ok(answer)
    }

    /// Says what became of a post whose answer is unknown: its sale stands or is given back, and its
    /// lead ends if nothing else of it is unknown.
    ///
    /// # Errors
    /// No such post waits, or the ledger cannot take it; nothing is changed then.
    pub async fn review(
        &self,
        lead: LeadId,
        campaign: &CampaignKey,
        verdict: Verdict,
    ) -> Result<(), ReviewRefusal> {
        review::review(&self.0, (lead, campaign), verdict).await
    }

    /// Settles posts that nobody resolved in their product's `hold_for`, for as long as it is polled.
    pub async fn keep_holds(&self) {
        loop {
            tokio::time::sleep(HOLDS_LOOK).await;
            review::expire(&self.0).await;
        }
    }

    /// How the breakers of every campaign that was asked stand, by campaign.
    #[must_use]
    pub fn breakers(&self) -> Vec<BreakerReport> {
        self.0.lines.report(self.0.clock.instant())
    }

    /// Why new leads are refused, if they are.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.0.ledger.trouble()
    }

    /// Whether no further journey would be started now.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.0.in_flight.available_permits() == 0
    }

    /// Waits until no journey is under way. Call once no more submissions come.
    pub async fn drain(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// The ledger, for those who wire and test.
    #[must_use]
    pub fn ledger(&self) -> &L {
        &self.0.ledger
    }
}

impl<B: Send + Sync + 'static, L: Ledger> Inner<B, L> {
    /// From now on somebody has to say what became of a post.
    pub(crate) fn hold(&self, hold: Hold) {
        let product = self.snapshot.load().market.products.get(&hold.product).map(|p| p.hold_for);
        self.holds.add(hold, product.unwrap_or(Product::HOLD_FOR));
        self.metrics.held(self.holds.count());
    }

    /// Lets new journeys use another market. What counts for a campaign goes on under its key; of
    /// campaigns that are no more, only what caps and money need is kept.
    pub(crate) fn put_in_force(&self, snapshot: Snapshot, forget: bool) {
        let market = Arc::clone(&snapshot.market);
        self.metrics.market_version(snapshot.version);
        self.snapshot.store(Arc::new(snapshot));
        if forget {
            self.shares.keep(|key| market.campaigns.contains_key(key));
            self.form.keep(|key| market.campaigns.contains_key(key));
            self.lines.keep(|key| market.campaigns.contains_key(key));
        }
    }
}

/// A journey under way, counted until it ends in whatever way.
struct InFlight(metrics::Gauge);

impl InFlight {
    fn new<B: Send + Sync + 'static, L: Ledger>(inner: &Inner<B, L>) -> Self {
        inner.metrics.in_flight.increment(1);
        Self(inner.metrics.in_flight.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

impl<B: Send + Sync + 'static, L: Ledger> Clone for Engine<B, L> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B: Send + Sync + 'static, L: Ledger> std::fmt::Debug for Engine<B, L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("market_version", &self.0.snapshot.load().version)
            .finish_non_exhaustive()
    }
}

impl<B, L> std::fmt::Debug for Parts<B, L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts")
    }
}
