//! One submission, one journey: a request that is repeated while the first is under way waits for the
//! same answer, and one whose answer never arrived gets it again. Knows requests only as digests and
//! never whose lead is inside.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lead::{Answer, Deadline};
use ledger::Digest;
use tokio::sync::watch;

/// How long an answer that did not arrive is kept.
const UNDELIVERED_FOR: Duration = Duration::from_secs(600);

/// Most such answers; the oldest give way.
const UNDELIVERED_MAX: usize = 10_000;

/// Which request this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Request {
    /// Publisher, door and Idempotency-Key; without a key publisher, door and body.
    pub(crate) key: Digest,
    /// The body.
    pub(crate) body: Digest,
    /// Whether the publisher gave a key.
    pub(crate) keyed: bool,
}

/// Requests under way and answers that did not arrive.
#[derive(Debug, Default)]
pub(crate) struct Repeats(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    under_way: HashMap<Digest, Flight>,
    undelivered: HashMap<Digest, (Instant, Answer)>,
    /// In the order of arrival, for giving way.
    oldest: VecDeque<(Instant, Digest)>,
}

#[derive(Debug)]
struct Flight {
    body: Digest,
    outcome: watch::Receiver<Option<Answer>>,
}

/// What a request is to the ones before it.
#[derive(Debug)]
pub(crate) enum Entry {
    /// The first of its kind: run it, and say how it ended.
    First(Ticket),
    /// The first is under way: wait for its answer.
    Twin(watch::Receiver<Option<Answer>>),
    /// The answer that did not arrive.
    Replay(Answer),
    /// Another body under the same key.
    OtherBody,
}

/// The right to run a request. Dropped without an answer, it lets the next twin run.
#[derive(Debug)]
pub(crate) struct Ticket {
    repeats: Arc<Repeats>,
    key: Digest,
    outcome: watch::Sender<Option<Answer>>,
}

impl Repeats {
    /// Finds out what a request is.
    pub(crate) fn enter(self: &Arc<Self>, request: &Request, now: Instant) -> Entry {
        let mut book = self.lock();
        if let Some(flight) = book.under_way.get(&request.key) {
            let same = flight.body == request.body;
            return if same { Entry::Twin(flight.outcome.clone()) } else { Entry::OtherBody };
        }
        if !request.keyed
            && let Some((at, answer)) = book.undelivered.get(&request.key)
            && now.saturating_duration_since(*at) <= UNDELIVERED_FOR
        {
            return Entry::Replay(answer.clone());
        }
        let (sender, receiver) = watch::channel(None);
        book.under_way.insert(request.key, Flight { body: request.body, outcome: receiver });
        Entry::First(Ticket { repeats: Arc::clone(self), key: request.key, outcome: sender })
    }

    /// Keeps an answer that did not arrive.
    pub(crate) fn keep(&self, key: Digest, answer: Answer, now: Instant) {
        let mut book = self.lock();
        while let Some((at, oldest)) = book.oldest.front().copied() {
            let stale = now.saturating_duration_since(at) > UNDELIVERED_FOR;
            if !stale && book.oldest.len() < UNDELIVERED_MAX {
                break;
            }
            book.oldest.pop_front();
            if book.undelivered.get(&oldest).is_some_and(|(kept, _)| *kept == at) {
                book.undelivered.remove(&oldest);
            }
        }
        book.oldest.push_back((now, key));
        book.undelivered.insert(key, (now, answer));
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Tells the twins.
    pub(crate) fn finish(&self, answer: &Answer) {
        self.outcome.send_replace(Some(answer.clone()));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.repeats.lock().under_way.remove(&self.key);
    }
}

/// How waiting for the first ended.
#[derive(Debug)]
pub(crate) enum Waited {
    /// With its answer.
    Answer(Answer),
    /// It ended without one: the twin may run.
    Gone,
    /// Not in time.
    TooLong,
}

/// Waits for the first of a kind.
pub(crate) async fn wait(mut outcome: watch::Receiver<Option<Answer>>, until: Deadline) -> Waited {
    let answered = outcome.wait_for(Option::is_some);
    match tokio::time::timeout_at(tokio::time::Instant::from_std(until.0), answered).await {
        Ok(Ok(answer)) => answer.clone().map_or(Waited::Gone, Waited::Answer),
        Ok(Err(_)) => Waited::Gone,
        Err(_) => Waited::TooLong,
    }
}

#[cfg(test)]
mod tests;
