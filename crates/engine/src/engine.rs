//! The engine's outside: takes submissions, runs each journey as a tracked task, looks leads up, swaps
//! the market. Holds no step of the journey itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use lead::{Answer, Clock, LeadId, PublisherId, Submission};
use ledger::{Ledger, Refused};
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use crate::metrics::{Ending, Metrics};
use crate::{Reserves, Snapshot, journey};

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
}

/// Sells leads. Cheap to clone.
pub struct Engine<B: Send + Sync + 'static, L: Ledger>(Arc<Inner<B, L>>);

pub(crate) struct Inner<B: Send + Sync + 'static, L: Ledger> {
    pub(crate) snapshot: ArcSwap<Snapshot>,
    pub(crate) buyers: B,
    pub(crate) ledger: L,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Entropy,
    pub(crate) reserves: Reserves,
    pub(crate) metrics: Metrics,
    in_flight: Arc<tokio::sync::Semaphore>,
    tasks: TaskTracker,
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
        Self(Arc::new(Inner {
            snapshot: ArcSwap::from_pointee(parts.snapshot),
            buyers: parts.buyers,
            ledger: parts.ledger,
            clock: parts.clock,
            entropy: parts.entropy,
            reserves: parts.reserves,
            metrics: Metrics::new(),
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
        self.0.snapshot.store(Arc::new(snapshot));
    }

    /// Sells a lead, or says why not. The journey goes on if the caller stops waiting.
    ///
    /// # Errors
    /// The lead was not taken.
    pub async fn distribute(&self, arrival: Arrival) -> Result<Answer, Refusal> {
        let inner = &self.0;
        if let Some(trouble) = inner.ledger.trouble() {
            inner.metrics.lead(arrival.submission.door, Ending::Refused);
            return Err(Refusal::Ledger(Refused::Unavailable(trouble)));
        }
        let Ok(permit) = Arc::clone(&inner.in_flight).try_acquire_owned() else {
            inner.metrics.lead(arrival.submission.door, Ending::Refused);
            return Err(Refusal::Busy);
        };
        let (waiter, answer) = oneshot::channel();
        let task = Arc::clone(inner);
        inner.tasks.spawn(async move {
            task.metrics.in_flight.increment(1);
            journey::run(Arc::clone(&task), arrival, waiter).await;
            task.metrics.in_flight.decrement(1);
            drop(permit);
        });
        answer
            .await
            .unwrap_or(Err(Refusal::Bug("a journey ended without an answer")))
    }

    /// How a lead of `publisher`'s stands; `None` for any other.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn find(
        &self,
        publisher: &PublisherId,
        id: LeadId,
    ) -> Result<Option<Answer>, Refused> {
        let Some(record) = self.0.ledger.lead(id).await? else {
            return Ok(None);
        };
        let Some(submission) = record
            .submission
            .as_ref()
            .filter(|s| s.publisher == *publisher)
        else {
            return Ok(None);
        };
        let snapshot = self.snapshot();
        let currency = snapshot
            .market
            .products
            .get(&submission.product)
            .map(|product| product.currency);
        Ok(Some(journey::answer_of(&record, submission, currency)))
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
