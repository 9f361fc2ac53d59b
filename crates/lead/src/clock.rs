//! Time as an argument: deadlines are values, and the clock is handed in. Never reads one itself.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Where time comes from. Production and tests each have one.
pub trait Clock: Send + Sync + 'static {
    /// Wall time, for records and windows.
    fn timestamp(&self) -> Timestamp;

    /// Monotonic time, for deadlines.
    fn instant(&self) -> Instant;
}

/// An absolute moment by which something must be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(pub Instant);

impl Deadline {
    /// The moment `budget` after `start`.
    #[must_use]
    pub fn after(start: Instant, budget: Duration) -> Self {
        Self(start + budget)
    }

    /// What is left at `now`; zero when it has passed.
    #[must_use]
    pub fn left(self, now: Instant) -> Duration {
        self.0.saturating_duration_since(now)
    }

    /// This deadline moved `reserve` earlier, or `None` if less than `least` would be left at `now`.
    #[must_use]
    pub fn earlier(self, reserve: Duration, now: Instant, least: Duration) -> Option<Self> {
        let moved = Self(self.0.checked_sub(reserve)?);
        (moved.left(now) >= least).then_some(moved)
    }

    /// The earlier of the two.
    #[must_use]
    pub fn or_sooner(self, limit: Self) -> Self {
        self.min(limit)
    }
}
