//! The time that a lead has, and what is kept back of it. Pure: the present is an argument.

use std::time::{Duration, Instant};

use lead::Deadline;

/// What is kept back of a budget.
#[derive(Debug, Clone, Copy)]
pub struct Reserves {
    /// For the post that follows the pings, at most; a quarter of a short budget. Also what a post takes
    /// to a campaign of which too little is known.
    pub post: Duration,
    /// For settling and answering, at most; a tenth of a short budget.
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
    deadline: Deadline,
    reserves: Reserves,
    /// What a commit takes: one comes before the post, one before the answer.
    commit: Duration,
}

impl Budget {
    /// `commit` is what a commit must be expected to take.
    pub(crate) fn new(
        received: Instant,
        whole: Duration,
        reserves: Reserves,
        commit: Duration,
    ) -> Self {
        let Reserves { post, answer, ping_least } = reserves;
        let reserves =
            Reserves { post: post.min(whole / 4), answer: answer.min(whole / 10), ping_least };
        Self { deadline: Deadline::after(received, whole), reserves, commit }
    }

    /// When bids must be in, or `None` if there is no time left to ask.
    pub(crate) fn for_pings(&self, now: Instant, limit: Duration) -> Option<Deadline> {
        let reserve = self.reserves.post + self.commit + self.answer_reserve();
        let until = self.deadline.earlier(reserve, now, self.reserves.ping_least)?;
        Some(until.or_sooner(Deadline::after(now, limit)))
    }

    /// What is left for a post that would start now.
    pub(crate) fn for_post(&self, now: Instant) -> Duration {
        self.deadline.left(now).saturating_sub(self.commit + self.answer_reserve())
    }

    /// What a post takes to a campaign of which too little is known: a tenth less than what pings leave,
    /// for they never end to the moment, and a campaign that is never posted to stays unknown.
    pub(crate) fn usual_post(&self) -> Duration {
        self.reserves.post - self.reserves.post / 10
    }

    /// When the publisher is answered, whatever is still running.
    pub(crate) fn answer_by(&self) -> Deadline {
        let reserve = self.answer_reserve();
        Deadline(self.deadline.0.checked_sub(reserve).unwrap_or(self.deadline.0))
    }

    fn answer_reserve(&self) -> Duration {
        self.reserves.answer + self.commit
    }
}

#[cfg(test)]
mod tests;
