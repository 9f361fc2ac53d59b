//! The engine's own figures, from the text that it gives to operators.

use std::time::Duration;

/// From the begin of a group commit to stable storage.
const COMMITS: &str = "gavel_ledger_commit_seconds_bucket";

/// A histogram's cumulative counts, by upper bound.
#[derive(Debug, Clone)]
pub(crate) struct Histogram(Vec<(Duration, u64)>);

impl Histogram {
    /// The commits so far.
    pub(crate) fn read(metrics: &str) -> Self {
        let lines = metrics.lines().filter_map(|line| {
            let (bound, count) =
                line.strip_prefix(COMMITS)?.split_once("le=\"")?.1.split_once('"')?;
            let bound = bound.parse::<f64>().ok().filter(|bound| bound.is_finite())?;
            Some((
                Duration::from_secs_f64(bound),
                count.trim_start_matches('}').trim().parse().ok()?,
            ))
        });
        Self(lines.collect())
    }

    /// What came after `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let before = |bound| earlier.0.iter().find(|(other, _)| *other == bound).map_or(0, |b| b.1);
        Self(self.0.iter().map(|(bound, count)| (*bound, count - before(*bound))).collect())
    }

    /// The duration that `per_mille` of a thousand do not exceed, as if even within its bucket.
    pub(crate) fn quantile(&self, per_mille: u64) -> Duration {
        let rank = self.0.last().map_or(0, |(_, all)| all * per_mille / 1_000);
        let mut lower = (Duration::ZERO, 0);
        for (bound, count) in &self.0 {
            if *count >= rank && *count > lower.1 {
                let share = (rank - lower.1) * 1_000 / (count - lower.1);
                return lower.0
                    + (*bound - lower.0) * u32::try_from(share).unwrap_or(1_000) / 1_000;
            }
            lower = (*bound, *count);
        }
        lower.0
    }
}

/// A counter's sum over its labels.
pub(crate) fn total(metrics: &str, name: &str) -> u64 {
    let lines = metrics.lines().filter(|line| line.starts_with(name));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}
