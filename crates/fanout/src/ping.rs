//! Asking a tier at once. Holds no contact data: a [`Ping`] has no field that could.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lead::{Bid, Clock, Code, Currency, Deadline, NoBid, PingAttributes, PingId, ProductId};
use market::Campaign;

use crate::Buyers;

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
    /// When an answer is too late.
    pub deadline: Deadline,
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
}

/// Sends every ping at once and returns each one's answer, in order of arrival. A ping without an
/// answer by its deadline is a no-bid with [`Code::Timeout`].
pub async fn ping_all<B: Buyers>(buyers: &B, clock: &dyn Clock, pings: &[Ping<'_>]) -> Vec<Asked> {
    let started = clock.instant();
    let mut waiting: FuturesUnordered<_> =
        pings.iter().enumerate().map(|(index, ping)| ask(buyers, index, ping)).collect();
    let mut asked = Vec::with_capacity(pings.len());
    while let Some((index, answer)) = waiting.next().await {
        asked.push(Asked { index, answer, took: elapsed(clock.instant(), started) });
    }
    asked
}

async fn ask<B: Buyers>(buyers: &B, index: usize, ping: &Ping<'_>) -> (usize, Result<Bid, NoBid>) {
    let until = tokio::time::Instant::from_std(ping.deadline.0);
    let answer = tokio::time::timeout_at(until, buyers.ping(ping)).await;
    (index, answer.unwrap_or_else(|_| Err(NoBid::new(Code::Timeout))))
}

fn elapsed(now: Instant, since: Instant) -> Duration {
    now.saturating_duration_since(since)
}
