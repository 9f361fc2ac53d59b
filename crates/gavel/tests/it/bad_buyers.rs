//! Twenty buyers, five of them bad, and the real binary between them and its publishers: every fault that
//! simulated buyers know, on pings and on posts. Every lead is answered, the sound buyers' money stays, and
//! what nobody knows is held and listed.
//!
//! The short form runs by itself. The long form also judges times and memory, and prints its table:
//! `GAVEL_BAD_BUYER_LEADS=1000 cargo test --release -p gavel --test it bad_buyers -- --nocapture`
//! (`GAVEL_BAD_BUYER_RATE` leads a second, `GAVEL_BAD_BUYER_FAULT=hang` for faults of that name only).

mod command;
mod judge;
mod town;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sim::buyers::{FAULTS, Fault, Phase, Stage};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::doubt::{setting, word};
use judge::{Baseline, Verdict, table};
use town::{Run, run};

/// What the engine under test has: calls over https.
const HAS_TLS: bool = true;
/// And breakers, with `max_in_flight` of a campaign.
const HAS_BREAKER: bool = true;

/// From a publisher's request to its answer.
const BUDGET: Duration = Duration::from_millis(2_000);
const SOUND: usize = 15;
const BAD: usize = 5;
const SEED: u64 = 4;

/// By how much the budget may be overrun by one lead in a hundred, and by any.
const OVERRUN_P99: Duration = Duration::from_millis(25);
const OVERRUN_MAX: Duration = Duration::from_millis(100);
/// By how much the process may grow.
const GROWTH_MAX_KIB: u64 = 64 * 1024;
/// Of a thousand parts of the sound buyers' money so many stay.
const REVENUE_MIN: u64 = 990;
/// Posts that fail one after another open a breaker.
const FAULTS_IN_ROW: usize = 5;
/// Calls under way to one bad campaign.
const MAX_IN_FLIGHT: usize = 8;
/// How long an open breaker waits before each probe; the last goes on.
const PROBES_AFTER: [u64; 4] = [1, 2, 4, 8];

/// How a run goes.
#[derive(Debug, Clone, Copy)]
struct Form {
    leads: usize,
    /// A second.
    rate: usize,
    /// Runs at once.
    at_once: usize,
    ping_timeout: Duration,
    post_timeout: Duration,
    /// Times and memory are judged.
    is_strict: bool,
}

/// For any machine, however busy: pings end long before the budget does.
const SHORT: Form = Form {
    leads: 12,
    rate: 12,
    at_once: 6,
    ping_timeout: Duration::from_millis(600),
    post_timeout: Duration::from_millis(600),
    is_strict: false,
};
/// Pings are cut short by the budget, and a post may outlast it.
const LONG: Form = Form {
    leads: 1_000,
    rate: 50,
    at_once: 1,
    ping_timeout: Duration::from_millis(4_000),
    post_timeout: Duration::from_millis(3_000),
    is_strict: true,
};

impl Form {
    fn asked() -> Self {
        let leads = setting("GAVEL_BAD_BUYER_LEADS", SHORT.leads);
        let form = if leads > SHORT.leads { LONG } else { SHORT };
        Self { leads, rate: setting("GAVEL_BAD_BUYER_RATE", form.rate), ..form }
    }
}

/// What is tried: a fault on one of the two calls.
fn rows() -> Vec<Fault> {
    let only = word("GAVEL_BAD_BUYER_FAULT");
    let mut rows = Vec::new();
    for known in FAULTS {
        for calls in [Stage::Ping, Stage::Post] {
            let can = known.calls == Stage::Both || known.calls == calls;
            let has = HAS_TLS || known.phase != Phase::Handshake;
            let asked = only.as_ref().is_none_or(|only| known.name.contains(only.as_str()));
            if can && has && asked {
                rows.push(Fault { kind: known.kind, calls });
            }
        }
    }
    rows
}

/// Every run: the first is of the sound buyers alone.
async fn run_all(rows: &[Fault], form: Form) -> Vec<Run> {
    let turns = Arc::new(Semaphore::new(form.at_once));
    let mut running = JoinSet::new();
    let faults = std::iter::once(None).chain(rows.iter().copied().map(Some));
    for (place, fault) in faults.enumerate() {
        let turns = Arc::clone(&turns);
        running.spawn(async move {
            let _turn = turns.acquire_owned().await.unwrap();
            (place, run(fault, form).await)
        });
    }
    let runs: BTreeMap<usize, Run> = running.join_all().await.into_iter().collect();
    runs.into_values().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 6)]
async fn bad_buyers_cost_neither_answers_nor_the_money_of_the_others() {
    let (form, rows) = (Form::asked(), rows());
    let runs = run_all(&rows, form).await;
    let (alone, bad) = runs.split_first().unwrap();
    let baseline = Baseline::of(alone);
    let verdicts: Vec<Verdict> = bad.iter().map(|run| Verdict::of(run, &baseline)).collect();
    println!("{}", table(&Verdict::of(alone, &baseline), &verdicts));
    let faults: Vec<_> = verdicts.iter().flat_map(|verdict| &verdict.faults).collect();
    assert!(faults.is_empty(), "{} fault(s): {faults:#?}", faults.len());
    assert_eq!(verdicts.len(), rows.len());
}
