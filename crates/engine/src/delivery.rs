//! An answer on its way out. One that nobody hears is kept for the publisher's next identical try.

use std::sync::Arc;

use lead::{Answer, Clock};
use ledger::Digest;

use crate::repeats::{Repeats, Ticket};

/// An answer. Dropped before it arrived, it is kept for a repeat of its request.
pub struct Delivery {
    /// What the publisher is told.
    pub answer: Answer,
    keep: Option<Keep>,
    /// Until it has arrived or is kept, its request is under way: a repeat must not fall between.
    flight: Option<Arc<Ticket>>,
}

struct Keep {
    repeats: Arc<Repeats>,
    clock: Arc<dyn Clock>,
    key: Digest,
}

impl Delivery {
    /// An answer that need not be kept: it is found again by other means.
    pub(crate) fn plain(answer: Answer) -> Self {
        Self { answer, keep: None, flight: None }
    }

    /// An answer that is kept for the request `key` unless it arrives.
    pub(crate) fn kept(
        answer: Answer,
        repeats: Arc<Repeats>,
        clock: Arc<dyn Clock>,
        key: Digest,
    ) -> Self {
        Self { answer, keep: Some(Keep { repeats, clock, key }), flight: None }
    }

    /// The answer of the journey that has `ticket`.
    pub(crate) fn of(mut self, ticket: Arc<Ticket>) -> Self {
        self.flight = Some(ticket);
        self
    }

    /// The publisher has it.
    pub fn arrived(mut self) {
        self.keep = None;
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(keep) = self.keep.take() {
            keep.repeats.keep(keep.key, self.answer.clone(), keep.clock.instant());
        }
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Delivery")
    }
}
