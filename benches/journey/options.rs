//! What is measured this time, from the command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::market::{INSTANT, Scene};

/// A market in which matching is next to nothing.
const SMALL: usize = 100;

/// What is measured, and how long.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    /// How long a round of the closed loop takes; one of the open loop takes twice as long.
    pub(crate) window: Duration,
    /// The scenes of the closed loop.
    pub(crate) scenes: Vec<Scene>,
    pub(crate) parts: Vec<Part>,
    /// Campaigns of the engine's markets. The first counts; beside the second it shows what matching costs.
    pub(crate) campaigns: Vec<usize>,
    /// A `gavel` that was built before.
    pub(crate) engine: Option<PathBuf>,
    /// What an answer that counts holds.
    pub(crate) good: &'static [u8],
    /// Whether everything works, and nothing of how fast.
    pub(crate) smoke: bool,
}

/// A part of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Processor time a lead, and leads a second.
    Closed,
    /// What is added to slow buyers.
    Added,
    /// A buyer that hangs.
    Hung,
}

impl Part {
    const ALL: [Self; 3] = [Self::Closed, Self::Added, Self::Hung];
}

impl Options {
    /// `cargo bench` says `--bench`; without it, as `cargo test` runs this, it is a smoke run. `None` if a
    /// test is looked for that is not this one.
    pub(crate) fn read(args: &[String]) -> Option<Self> {
        let smoke = !args.iter().any(|arg| arg == "--bench");
        let given =
            |name: &str| args.iter().find_map(|arg| arg.strip_prefix(name)?.strip_prefix('='));
        let number = |name, default| given(name).map_or(default, |text| text.parse().unwrap());
        if smoke {
            let other = args.iter().any(|arg| arg == "--list" || !"journey".contains(arg.as_str()));
            return (!other).then(Self::smoke);
        }
        let pings = given("pings").map(|text| text.parse::<usize>().unwrap());
        let chosen = |scene: &Scene| pings.is_none_or(|pings| scene.count == pings);
        let named = |part: &Part| {
            given("part").is_none_or(|name| format!("{part:?}").eq_ignore_ascii_case(name))
        };
        Some(Self {
            // With fewer, medians of ratios still move by a fifth.
            rounds: number("rounds", 9),
            window: Duration::from_millis(number("window_ms", 1_500) as u64),
            scenes: INSTANT.into_iter().filter(chosen).collect(),
            parts: Part::ALL.into_iter().filter(named).collect(),
            campaigns: vec![number("campaigns", 10_000), SMALL],
            engine: given("engine").map(PathBuf::from),
            good: br#""status":"distributed""#,
            smoke,
        })
    }

    fn smoke() -> Self {
        Self {
            rounds: 1,
            window: Duration::from_millis(300),
            scenes: INSTANT.into_iter().filter(|scene| scene.count == 4).collect(),
            parts: Part::ALL.to_vec(),
            campaigns: vec![SMALL],
            engine: None,
            // Where everything else runs, too, there may be no time left for a sale.
            good: br#""status":""#,
            smoke: true,
        }
    }
}
