//! What came of a load: counts by outcome, and how long answers took. Must never keep text from a
//! reply beyond a short word.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

/// Distinct outcomes that are told apart; the rest are counted together.
const OUTCOMES_MAX: usize = 256;
const WORD_MAX: usize = 64;

/// How a request ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outcome {
    /// HTTP status; 0 if there was no complete reply.
    pub http: u16,
    /// The reply's word for what came of the lead; without a reply what went wrong: `connect`, `closed`,
    /// `body`, `timeout`, `request`.
    pub status: String,
    /// Its word for why, if it has one.
    pub reason: String,
}

/// Where doors tell what came of a lead; the first that is there counts.
const STATUS: [&str; 5] = [
    "/data/distribution_status",
    "/data/lead_status",
    "/data/distribution/status",
    "/status",
    "/disposition",
];

/// Where they tell why.
const REASON: [&str; 5] =
    ["/rejection_reason", "/data/reason", "/data/distribution/reason", "/data/code", "/reason"];

impl Outcome {
    pub(super) fn read(http: u16, body: &Bytes) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let word = |places: &[&str]| {
            let told = places.iter().filter_map(|place| body.pointer(place)?.as_str());
            let word = told.into_iter().find(|word| !word.is_empty()).unwrap_or_default();
            word.chars().take(WORD_MAX).collect::<String>()
        };
        Self { http, status: word(&STATUS), reason: word(&REASON) }
    }

    fn failure(what: &str) -> Self {
        Self { http: 0, status: what.to_owned(), reason: String::new() }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.http {
            0 => f.write_str("no reply")?,
            http => write!(f, "{http}")?,
        }
        for word in [&self.status, &self.reason] {
            if !word.is_empty() {
                write!(f, " {word}")?;
            }
        }
        Ok(())
    }
}

/// Durations, exact to the microsecond, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram(Vec<u32>);

impl Histogram {
    fn of(mut micros: Vec<u32>) -> Self {
        micros.sort_unstable();
        Self(micros)
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The least duration that `per_mille` of a thousand do not exceed; zero if there are none.
    #[must_use]
    pub fn quantile(&self, per_mille: u16) -> Duration {
        let rank = (self.0.len() * usize::from(per_mille.min(1000))).div_ceil(1000);
        let micros = self.0.get(rank.saturating_sub(1)).copied().unwrap_or(0);
        Duration::from_micros(u64::from(micros))
    }

    /// The median.
    #[must_use]
    pub fn p50(&self) -> Duration {
        self.quantile(500)
    }

    /// Exceeded by one in ten.
    #[must_use]
    pub fn p90(&self) -> Duration {
        self.quantile(900)
    }

    /// Exceeded by one in a hundred.
    #[must_use]
    pub fn p99(&self) -> Duration {
        self.quantile(990)
    }

    /// The longest.
    #[must_use]
    pub fn max(&self) -> Duration {
        self.quantile(1000)
    }
}

/// What came of a load.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How many requests ended how.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// From each request's intended time to the end of its reply; failures are not in it.
    pub latency: Histogram,
    /// The most that a request left after its time; much of it means too few connections or no
    /// processor left for the load itself.
    pub late_max: Duration,
    /// Requests that never left, for want of time.
    pub unsent: u64,
    /// The whole run.
    pub elapsed: Duration,
}

impl Report {
    /// Requests that were tried.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// Requests that ended with this HTTP status and `status` word.
    #[must_use]
    pub fn count(&self, http: u16, status: &str) -> u64 {
        let same = |outcome: &Outcome| outcome.http == http && outcome.status == status;
        self.outcomes.iter().filter(|(outcome, _)| same(outcome)).map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} sent, {} unsent, in {:.1?}", self.sent(), self.unsent, self.elapsed)?;
        for (outcome, count) in &self.outcomes {
            writeln!(f, "{count:>9}  {outcome}")?;
        }
        let Histogram(latency) = &self.latency;
        if latency.is_empty() {
            return Ok(());
        }
        let (p50, p90, p99) = (self.latency.p50(), self.latency.p90(), self.latency.p99());
        let max = self.latency.max();
        writeln!(f, "latency p50 {p50:.1?}, p90 {p90:.1?}, p99 {p99:.1?}, max {max:.1?}")
    }
}

/// A report in the making.
#[derive(Debug, Default)]
pub(super) struct Tally {
    outcomes: BTreeMap<Outcome, u64>,
    micros: Vec<u32>,
    late_max: Duration,
}

impl Tally {
    pub(super) fn answered(&mut self, outcome: Outcome, latency: Duration, late: Duration) {
        self.micros.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
        self.count(outcome, 1, late);
    }

    pub(super) fn failed(&mut self, what: &str, late: Duration) {
        self.count(Outcome::failure(what), 1, late);
    }

    fn count(&mut self, outcome: Outcome, times: u64, late: Duration) {
        self.late_max = self.late_max.max(late);
        let known = self.outcomes.len() < OUTCOMES_MAX || self.outcomes.contains_key(&outcome);
        let outcome = if known {
            outcome
        } else {
            Outcome { http: outcome.http, status: "other".to_owned(), reason: String::new() }
        };
        *self.outcomes.entry(outcome).or_default() += times;
    }

    pub(super) fn add(&mut self, other: Self) {
        for (outcome, times) in other.outcomes {
            self.count(outcome, times, other.late_max);
        }
        self.micros.extend(other.micros);
    }

    pub(super) fn report(self, total: u64, elapsed: Duration) -> Report {
        let sent: u64 = self.outcomes.values().sum();
        Report {
            latency: Histogram::of(self.micros),
            outcomes: self.outcomes,
            late_max: self.late_max,
            unsent: total.saturating_sub(sent),
            elapsed,
        }
    }
}
