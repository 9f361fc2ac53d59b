//! Asking a tier at once. Holds no contact data: a [`Ping`] has no field that could.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, Stream, StreamExt};
use lead::{
    Bid, Clock, Code, Currency, Deadline, Health, NoBid, PingAttributes, PingId, ProductId,
};
use market::Campaign;
use tokio::time::Sleep;

/// One campaign asked about one lead.
#[derive(Debug, Clone)]
pub struct Ping<'a> {
    /// Who is asked.
    pub campaign: &'a Campaign,
    /// Names this ping to the buyer, and nothing else.
    pub id: PingId,
    /// What the consumer asks for.
    pub product: &'a ProductId,
    /// Of the bid.
    pub currency: Currency,
    /// A rehearsal.
    pub test: bool,
    /// What the buyer may know of the lead.
    pub attributes: &'a SharedAttributes,
    /// How long the buyer has.
    pub time_left: Duration,
}

/// A lead's ping attributes, serialised once for all campaigns asked.
#[derive(Debug, Clone)]
pub struct SharedAttributes(pub(crate) String);

impl SharedAttributes {
    /// The JSON object that pings carry.
    #[must_use]
    pub fn of(attributes: &PingAttributes) -> Self {
        Self(serde_json::to_string(attributes).unwrap_or_else(|_| "{}".to_owned()))
    }
}

/// What came of one ping.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which of the pings, by position.
    pub index: usize,
    /// The answer.
    pub answer: Result<Bid, NoBid>,
    /// From sending to answer or deadline.
    pub took: Duration,
    /// It came after its deadline, which was told as a [`Code::Timeout`] before: it must not buy.
    pub late: bool,
}

impl Asked {
    /// What the answer says of the endpoint.
    #[must_use]
    pub fn health(&self) -> Health {
        self.answer.as_ref().map_or_else(|no_bid| no_bid.health, |_| Health::Fine)
    }
}

/// A ping's position and its answer.
pub type Heard = (usize, Result<Bid, NoBid>);

/// Pings under way, each with a deadline of its own; `F` is one that was sent. Spawns nothing.
pub struct Pings<F> {
    waiting: FuturesUnordered<F>,
    /// The deadline of each that has neither answered nor run out of time.
    open: Vec<Option<Deadline>>,
    answered: Vec<bool>,
    timer: Pin<Box<Sleep>>,
    started: Instant,
}

impl<F: Future<Output = Heard>> Pings<F> {
    /// Sends every ping, each until its deadline. Each answers with its position among them.
    pub fn send(pings: impl IntoIterator<Item = (Deadline, F)>, now: Instant) -> Self {
        let (open, waiting): (Vec<_>, _) =
            pings.into_iter().map(|(until, ping)| (Some(until), ping)).unzip();
        let timer = Box::pin(tokio::time::sleep_until(now.into()));
        Self { waiting, answered: vec![false; open.len()], open, timer, started: now }
    }

    /// The next answer, or the next ping whose time is over; `None` once there is no open ping. A late
    /// answer is told too, as long as another ping is open.
    pub async fn next(&mut self, clock: &dyn Clock) -> Option<Asked> {
        let until = self.open.iter().flatten().min().copied()?;
        if self.timer.deadline().into_std() != until.0 {
            self.timer.as_mut().reset(until.0.into());
        }
        let heard = std::future::poll_fn(|context| self.poll_one(context)).await;
        let now = clock.instant();
        let took = now.saturating_duration_since(self.started);
        let Some(heard) = heard else {
            let index = self.open.iter().position(|open| *open == Some(until))?;
            self.open.get_mut(index).and_then(Option::take)?;
            return Some(Asked {
                index,
                answer: Err(NoBid::new(Code::Timeout)),
                took,
                late: false,
            });
        };
        Some(self.hear(heard, took))
    }

    /// The next answer of any ping, open or not; `None` once all have answered.
    pub async fn next_late(&mut self, clock: &dyn Clock) -> Option<Asked> {
        let heard = self.waiting.next().await?;
        let took = clock.instant().saturating_duration_since(self.started);
        Some(self.hear(heard, took))
    }

    fn hear(&mut self, (index, answer): Heard, took: Duration) -> Asked {
        if let Some(answered) = self.answered.get_mut(index) {
            *answered = true;
        }
        let late = self.open.get_mut(index).and_then(Option::take).is_none();
        Asked { index, answer, took, late }
    }

    /// The pings that may still answer in time.
    pub fn open(&self) -> impl Iterator<Item = usize> + '_ {
        self.open.iter().enumerate().filter(|(_, open)| open.is_some()).map(|(index, _)| index)
    }

    /// The pings that have not answered, whether there is time left or not.
    pub fn unanswered(&self) -> impl Iterator<Item = usize> + '_ {
        self.answered.iter().enumerate().filter(|(_, done)| !**done).map(|(index, _)| index)
    }

    /// Whether every ping has answered.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.waiting.is_empty()
    }

    /// An answer, or `None` for a timer that has fired. An answer that is there counts first.
    fn poll_one(&mut self, context: &mut Context<'_>) -> Poll<Option<Heard>> {
        if let Poll::Ready(Some(heard)) = Pin::new(&mut self.waiting).poll_next(context) {
            return Poll::Ready(Some(heard));
        }
        self.timer.as_mut().poll(context).map(|()| None)
    }
}

impl<F> std::fmt::Debug for Pings<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pings").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}
