//! Leads through the whole engine, as released and on its own core, beside the bare floor and a Node server
//! that make the same calls: as many pings at once as campaigns want the lead, then one post. Interleaved
//! rounds, rotated order, medians. A row in which a lead was not sold shows that and no figure.
//!
//! `cargo bench -p benches --bench journey`, with any of these after `--`: `rounds=9`, `window_ms=1500`,
//! `pings=4`, `campaigns=10000`, `part=closed`, `part=added`, `part=hung`, `engine=PATH` (a `gavel` that was
//! built before). `cargo test -p benches` runs each part once for a moment, with the engine that tests use.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, reads the real clock and stops when it cannot go on"
)]

mod closed;
mod figures;
mod load;
mod market;
mod open;
mod options;
mod subject;

use std::sync::atomic::{AtomicU64, Ordering};

use load::{Answered, Load};
use market::Scene;
use options::{Options, Part};
use subject::{Buyers, Kind, Subject};

/// Nobody is posted twice.
static NUMBER: AtomicU64 = AtomicU64::new(0);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(options) = Options::read(&args) else { return };
    let engine = options.engine.clone().unwrap_or_else(|| subject::build_engine(options.smoke));
    let pinned = subject::pin_self();
    let dir = tempfile::tempdir().unwrap();
    let buyers = Buyers::start();
    let start = |campaigns| Subject::engine((&engine, dir.path()), &buyers, campaigns, pinned);
    let mut subjects: Vec<_> = options.campaigns.iter().copied().map(start).collect();
    subjects.push(Subject::floor(&buyers, pinned));
    if !options.smoke && options.parts.contains(&Part::Closed) {
        match Subject::node(&buyers, pinned) {
            Some(node) => subjects.push(node),
            None => println!("Node is left out: no node, or `npm ci` in benches/node failed."),
        }
    }
    let place = match pinned {
        true => "Each subject alone on core 1, load and buyers on core 0",
        false => "Nothing is pinned: taskset or a second core is missing",
    };
    let rounds = options.rounds;
    println!("{place}; {rounds} rounds; load average {}\n", load_average());
    let mut voids = 0;
    for part in &options.parts {
        voids += match part {
            Part::Closed => closed::measure(&subjects, &options),
            Part::Added => open::added(&subjects, &buyers, &options),
            Part::Hung => open::hung(&subjects[0], &options),
        };
    }
    println!("Load average at the end {}", load_average());
    assert!(!options.smoke || voids == 0, "{voids} rows are void");
}

/// Leads through a subject.
fn sell(subject: &Subject, scene: Scene, load: &Load, budget: Option<u32>) -> Answered {
    let request = || subject.request(scene, NUMBER.fetch_add(1, Ordering::Relaxed), budget);
    load::run(subject.at, load, &request)
}

fn the(kind: Kind, subjects: &[Subject]) -> Option<usize> {
    subjects.iter().position(|subject| subject.kind == kind)
}

fn load_average() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}
