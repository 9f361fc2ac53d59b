//! How a buyer behaves: how fast, how high, how often, and what goes wrong. Integers only: cents and
//! microseconds. Must never read a clock or a random source that it was not handed.

use std::time::Duration;

use super::draw::Draw;
use super::fault::{Fault, Kind};

/// No simulated answer takes longer.
pub(super) const LATENCY_MAX: Duration = Duration::from_secs(600);

/// How long a buyer thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latency {
    /// Always the same.
    Fixed(Duration),
    /// Evenly spread, both ends included.
    Uniform(Duration, Duration),
    /// Mostly near the median, with a long tail: close to a lognormal through these two quantiles.
    Tail {
        /// The median.
        p50: Duration,
        /// Exceeded by one answer in a hundred.
        p99: Duration,
    },
}

impl Latency {
    pub(super) fn sample(self, draw: &mut Draw) -> Duration {
        // Each arm draws once, so that the draws that follow do not depend on the kind.
        let micros = match self {
            Self::Fixed(always) => draw.between(micros(always), micros(always)),
            Self::Uniform(min, max) => draw.between(micros(min), micros(max)),
            Self::Tail { p50, p99 } => tail(micros(p50), micros(p99), draw.between(0, 99_999)),
        };
        Duration::from_micros(micros)
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.min(LATENCY_MAX).as_micros()).unwrap_or(u64::MAX)
}

/// Where quarter steps from the median to the 99th percentile lie in a lognormal, of 100,000.
const STEPS: [u64; 6] = [50_000, 71_960, 87_760, 95_950, 99_000, 99_818];

/// The value below which `rank` of 100,000 answers lie.
fn tail(p50: u64, p99: u64, rank: u64) -> u64 {
    let (p50, p99) = (p50.max(1), p99.max(p50).max(1));
    // A geometric mean halves a step on the logarithmic scale.
    let half = (p50 * p99).isqrt();
    let (quarter, three) = ((p50 * half).isqrt(), (half * p99).isqrt());
    let most = micros(LATENCY_MAX);
    let values = [p50, quarter, half, three, p99, (p99 * quarter / p50).min(most)];
    let mirrored = rank < 50_000;
    let rank = if mirrored { 100_000 - rank } else { rank }.min(STEPS[5]);
    let above = STEPS.iter().position(|&step| rank <= step).unwrap_or(5).max(1);
    let (low, high) = (values[above - 1], values[above]);
    let share = rank - STEPS[above - 1];
    let value = low + (high - low) * share / (STEPS[above] - STEPS[above - 1]);
    if mirrored { p50 * p50 / value } else { value }
}

/// A range of prices in minor units, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cents {
    pub(super) min: u64,
    pub(super) max: u64,
}

/// Which of the two calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Pings only.
    Ping,
    /// Posts only.
    Post,
    /// Pings and posts.
    Both,
}

impl Stage {
    /// Whether `other` is among these.
    pub(super) fn covers(self, other: Self) -> bool {
        self == Self::Both || self == other
    }
}

/// How a buyer behaves. By default it bids 10.00 for everything and accepts everything, at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    pub(super) latency: Latency,
    pub(super) bid: Cents,
    pub(super) bids: u16,
    pub(super) accepts: u16,
    pub(super) cut: u64,
    pub(super) fault: Option<Fault>,
    pub(super) faults: u16,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            latency: Latency::Fixed(Duration::ZERO),
            bid: Cents { min: 1000, max: 1000 },
            bids: 1000,
            accepts: 1000,
            cut: 0,
            fault: None,
            faults: 1000,
        }
    }
}

impl Behaviour {
    /// The default behaviour.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How long it thinks, on pings and posts alike; ten minutes at most.
    #[must_use]
    pub fn latency(self, latency: Latency) -> Self {
        Self { latency, ..self }
    }

    /// What it bids, evenly spread, in minor units.
    #[must_use]
    pub fn bid(self, min: u64, max: u64) -> Self {
        Self { bid: Cents { min, max: max.max(min) }, ..self }
    }

    /// Of how many pings in a thousand it bids.
    #[must_use]
    pub fn bids(self, per_mille: u16) -> Self {
        Self { bids: per_mille.min(1000), ..self }
    }

    /// How many posts in a thousand it accepts.
    #[must_use]
    pub fn accepts(self, per_mille: u16) -> Self {
        Self { accepts: per_mille.min(1000), ..self }
    }

    /// It accepts at this much less than the bid, in minor units, and says so.
    #[must_use]
    pub fn cut(self, cents: u64) -> Self {
        Self { cut: cents, ..self }
    }

    /// What goes wrong with every call that the fault covers.
    #[must_use]
    pub fn fault(self, fault: Fault) -> Self {
        Self { fault: Some(fault), ..self }
    }

    /// With how many of those calls in a thousand it goes wrong. A call that is repeated draws anew.
    #[must_use]
    pub fn faults(self, per_mille: u16) -> Self {
        Self { faults: per_mille.min(1000), ..self }
    }

    /// Has the other's fault, as often, if it has none of its own.
    #[must_use]
    pub fn or_faults_of(self, other: Self) -> Self {
        match self.fault {
            Some(_) => self,
            None => Self { fault: other.fault, faults: other.faults, ..self },
        }
    }

    /// The fault that strikes this call, if one does; those before a request have struck earlier.
    pub(super) fn strikes(&self, stage: Stage, draw: &mut Draw) -> Option<Kind> {
        let struck = draw.happens(self.faults);
        let fault = self.fault.filter(|fault| struck && fault.calls.covers(stage))?;
        (!fault.kind.phase().is_before_request()).then_some(fault.kind)
    }

    /// The fault before a request that connections for these calls may meet.
    pub(super) fn bars(&self, stage: Stage) -> Option<Kind> {
        let fault = self.fault.filter(|fault| fault.calls.covers(stage))?;
        fault.kind.phase().is_before_request().then_some(fault.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_meets_its_two_quantiles() {
        let (p50, p99) = (Duration::from_millis(40), Duration::from_millis(400));
        let mut taken: Vec<Duration> = (0..20_000)
            .map(|n| Latency::Tail { p50, p99 }.sample(&mut Draw::new(1, &[&n.to_string()])))
            .collect();
        taken.sort_unstable();
        let near =
            |at: usize, want: Duration| taken[at] > want * 9 / 10 && taken[at] < want * 11 / 10;
        assert!(near(10_000, p50), "{:?}", taken[10_000]);
        assert!(near(19_800, p99), "{:?}", taken[19_800]);
        assert!(taken[0] > Duration::from_millis(1) && taken[19_999] < Duration::from_secs(2));
    }

    #[test]
    fn a_tail_never_falls_as_the_rank_rises() {
        for (p50, p99) in [(0, 0), (1, 1), (20_000, 20_000), (5, 600_000_000), (600_000_000, 1)] {
            let values: Vec<u64> = (0..100_000).step_by(100).map(|r| tail(p50, p99, r)).collect();
            assert!(values.is_sorted(), "{p50} {p99}");
        }
    }

    #[test]
    fn a_uniform_latency_stays_within_its_ends() {
        let (min, max) = (Duration::from_micros(10), Duration::from_micros(12));
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..200 {
            let draw = &mut Draw::new(7, &[&n.to_string()]);
            seen.insert(Latency::Uniform(min, max).sample(draw).as_micros());
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [10, 11, 12]);
    }
}
