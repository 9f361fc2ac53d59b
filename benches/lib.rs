//! What the benchmarks share: medians of interleaved rounds, so that a noisy machine disturbs every
//! variant alike; leads to write; HTTP for load and buyers. Nothing of the product is here.

pub mod http;
pub mod sample;

use std::time::Duration;

/// What one variant did in one round.
#[derive(Debug, Clone)]
pub struct Round {
    /// Units of work done.
    pub done: u64,
    /// In this time.
    pub took: Duration,
    /// How long each unit waited, sorted.
    pub waits: Vec<Duration>,
}

impl Round {
    /// A round from unsorted waits.
    #[must_use]
    pub fn new(took: Duration, mut waits: Vec<Duration>) -> Self {
        waits.sort_unstable();
        Self { done: waits.len() as u64, took, waits }
    }

    /// Units a second.
    #[must_use]
    pub fn rate(&self) -> u64 {
        let micros = self.took.as_micros().max(1);
        u64::try_from(u128::from(self.done) * 1_000_000 / micros).unwrap_or(u64::MAX)
    }

    /// The least wait that `per_mille` of a thousand do not exceed.
    #[must_use]
    pub fn wait(&self, per_mille: usize) -> Duration {
        let rank = (self.waits.len() * per_mille).div_ceil(1000).saturating_sub(1);
        self.waits.get(rank).copied().unwrap_or_default()
    }
}

/// The middle value; of two, the lower.
pub fn median<T: Ord + Copy + Default>(values: impl IntoIterator<Item = T>) -> T {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}
