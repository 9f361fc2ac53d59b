//! What accepted pings were promised, until their post comes or their time is over. In memory only: a
//! restart makes open pings unknown, and the caps that it rebuilds from the ledger never knew them, so
//! nothing leaks. Must never sell anything, read a clock, or hold contact data.

mod counts;
mod room;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use lead::{Money, PingAttributes, PingId, ProductId, PublisherId, Submission};
use ledger::Decision;

use crate::Snapshot;
use crate::auction::Offer;
use crate::subject::Lead;
use counts::Counts;

pub(crate) use counts::describe;
pub(crate) use room::{Room, Rooms};

/// Most open pings; past it, further ones are rejected.
const OPEN_MAX: usize = 10_000;

/// Most ended pings that are told from unknown ones; the oldest give way.
const ENDED_MAX: usize = 10_000;

/// One accepted ping.
pub(crate) struct Promise {
    pub(crate) publisher: PublisherId,
    pub(crate) product: ProductId,
    /// Least payout that the ping asked for.
    pub(crate) min_payout: Option<Money>,
    /// The market that it was made in: its post goes on there.
    pub(crate) snapshot: Arc<Snapshot>,
    /// What is promised; nothing where the publisher asked for this outcome of a test.
    pub(crate) quoted: Option<Quoted>,
}

/// What an accepted ping is promised.
pub(crate) struct Quoted {
    pub(crate) test: bool,
    /// What its bids were made for.
    pub(crate) shown: PingAttributes,
    /// The tier of its offers, counted from 1.
    pub(crate) tier: u8,
    /// A row for every campaign that wanted it.
    pub(crate) decisions: Vec<Decision>,
    /// What was promised.
    pub(crate) offer: Offer,
    /// The tier's other offers that pay the publisher at least that.
    pub(crate) others: Vec<Offer>,
    /// What is reserved for it.
    pub(crate) room: Room,
    /// When that was reserved.
    pub(crate) at: Timestamp,
}

impl Quoted {
    /// The promise, with the offers that still stand for the lead as it was posted; `None` if the promised
    /// one does not. A bid stands while everything that it was made for is still so, a fixed price
    /// always, and either only if the campaign's filter still wants the lead and the post asks for no more.
    pub(crate) fn for_lead(mut self, lead: &Lead<'_>, matched: &[usize]) -> Option<Self> {
        let product = lead.product;
        let now =
            lead.submission.attributes.for_ping(|name| product.dictionary.declared_in_ping(name));
        let is_same = self.shown.iter().all(|said| now.iter().any(|says| says == said));
        let least = lead.submission.min_payout;
        let stands = |offer: &Offer| {
            matched.binary_search(&offer.place.index).is_ok()
                && least.is_none_or(|least| offer.deal().payout.amount >= least.amount)
                && (is_same || offer.place.ping.is_none())
        };
        self.others.retain(stands);
        (self.test == lead.submission.test && stands(&self.offer)).then_some(self)
    }
}

/// Why a post's ping promises nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PingFault {
    /// The publisher has no such ping, or it is long over.
    Unknown,
    /// Its time was over before its post came.
    Expired,
    /// It was posted before, or is being posted.
    Used,
}

enum State {
    Open(Box<Promise>),
    /// A post has it.
    Taken,
    Ended(PingFault),
}

/// All accepted pings.
#[derive(Default)]
pub(crate) struct Promises {
    /// What open pings hold, by publisher.
    pub(crate) rooms: Arc<Rooms>,
    book: Mutex<Book>,
    counts: Counts,
}

#[derive(Default)]
struct Book {
    pings: HashMap<PingId, (PublisherId, State)>,
    /// First ended first.
    ended: VecDeque<PingId>,
}

impl Promises {
    /// Whether no further ping may be open.
    pub(crate) fn is_full(&self) -> bool {
        let book = self.lock();
        book.pings.len() - book.ended.len() >= OPEN_MAX
    }

    /// Keeps a promise until its post comes, or until `expires`.
    pub(crate) fn open(self: &Arc<Self>, id: PingId, promise: Promise, expires: Instant) {
        let publisher = promise.publisher.clone();
        self.lock().pings.insert(id, (publisher, State::Open(Box::new(promise))));
        self.counts.opened();
        let promises = Arc::clone(self);
        drop(tokio::spawn(async move {
            tokio::time::sleep_until(tokio::time::Instant::from_std(expires)).await;
            promises.end(id, PingFault::Expired);
        }));
    }

    /// Takes the promise of a ping for its post; no other post gets it.
    ///
    /// # Errors
    /// The publisher has no such open ping for that product.
    pub(crate) fn take(
        self: &Arc<Self>,
        id: PingId,
        submission: &Submission,
    ) -> Result<Taken, PingFault> {
        let mut book = self.lock();
        let (publisher, state) = book.pings.get_mut(&id).ok_or(PingFault::Unknown)?;
        if *publisher != submission.publisher {
            return Err(PingFault::Unknown);
        }
        match state {
            State::Ended(why) => Err(*why),
            State::Taken => Err(PingFault::Used),
            State::Open(promise) if promise.product != submission.product => {
                Err(PingFault::Unknown)
            }
            State::Open(_) => {
                let State::Open(promise) = std::mem::replace(state, State::Taken) else {
                    return Err(PingFault::Used);
                };
                Ok(Taken { promises: Arc::clone(self), id, promise: Some(promise), is_used: true })
            }
        }
    }

    fn end(&self, id: PingId, why: PingFault) {
        if why == PingFault::Used {
            self.counts.posted();
        }
        let mut book = self.lock();
        let Some((_, state)) = book.pings.get_mut(&id) else { return };
        let was = match (&state, why) {
            (State::Ended(_), PingFault::Used) => {
                *state = State::Ended(why);
                return;
            }
            (State::Ended(_), _) => return,
            _ => std::mem::replace(state, State::Ended(why)),
        };
        self.counts.closed();
        if matches!((&was, why), (State::Open(_), PingFault::Expired)) {
            self.counts.expired();
        }
        book.ended.push_back(id);
        if book.ended.len() > ENDED_MAX
            && let Some(oldest) = book.ended.pop_front()
        {
            book.pings.remove(&oldest);
        }
        drop(book);
        // Gives its room back, which locks the buyer's books.
        drop(was);
    }

    fn put_back(&self, id: PingId, promise: Box<Promise>) {
        // Its time may be over: then it is dropped, which gives its room back.
        if let Some((_, state @ State::Taken)) = self.lock().pings.get_mut(&id) {
            *state = State::Open(promise);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A promise in the hands of the one post that has it. Dropped, the ping is used up.
pub(crate) struct Taken {
    promises: Arc<Promises>,
    id: PingId,
    promise: Option<Box<Promise>>,
    is_used: bool,
}

impl Taken {
    /// What was promised, for good.
    pub(crate) fn spend(&mut self) -> Option<Promise> {
        self.promise.take().map(|promise| *promise)
    }

    /// What was promised.
    pub(crate) fn promise(&self) -> Option<&Promise> {
        self.promise.as_deref()
    }

    /// The post was not taken and may come again: so may the ping, unless its time is over.
    pub(crate) fn put_back(mut self) {
        if let Some(promise) = self.promise.take() {
            self.promises.put_back(self.id, promise);
            self.is_used = false;
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if self.is_used {
            self.promises.end(self.id, PingFault::Used);
        }
    }
}
