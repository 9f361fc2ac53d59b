//! The time that a lead has, and what is kept back of it. Pure: the present is an argument.

use std::time::{Duration, Instant};

use lead::Deadline;

/// What is kept back of a budget.
#[derive(Debug, Clone, Copy)]
pub struct Reserves {
    /// For the post that follows the pings, at most; a quarter of a short budget.
    pub post: Duration,
    /// For settling and answering.
    pub answer: Duration,
    /// A campaign with less than this is not asked.
    pub ping_least: Duration,
}

impl Default for Reserves {
    fn default() -> Self {
        Self {
            post: Duration::from_millis(500),
            answer: Duration::from_millis(20),
            ping_least: Duration::from_millis(50),
        }
    }
}

/// One lead's time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    whole: Duration,
    deadline: Deadline,
    reserves: Reserves,
}

impl Budget {
    pub(crate) fn new(received: Instant, whole: Duration, reserves: Reserves) -> Self {
        Self { whole, deadline: Deadline::after(received, whole), reserves }
    }

    /// When bids must be in, or `None` if there is no time left to ask.
    pub(crate) fn for_pings(&self, now: Instant, limit: Duration) -> Option<Deadline> {
        let reserve = self.post_reserve() + self.reserves.answer;
        let until = self.deadline.earlier(reserve, now, self.reserves.ping_least)?;
        Some(until.or_sooner(Deadline::after(now, limit)))
    }

    /// Whether a post may still start.
    pub(crate) fn fits_post(&self, now: Instant) -> bool {
        self.deadline.left(now) >= self.post_reserve() + self.reserves.answer
    }

    /// When the publisher is answered, whatever is still running.
    pub(crate) fn answer_by(&self) -> Deadline {
        Deadline(self.deadline.0.checked_sub(self.reserves.answer).unwrap_or(self.deadline.0))
    }

    fn post_reserve(&self) -> Duration {
        self.reserves.post.min(self.whole / 4)
    }
}

#[cfg(test)]
mod tests;
