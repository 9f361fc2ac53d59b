//! Runs every scenario file on a paused clock, and the cases that need a hand on the engine beside
//! them. A new scenario is a new file under `exemplary` (how it should go) or `supplemental` (what may
//! come in the way); nothing is registered here.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod any;
mod buyers;
mod close;
mod events;
mod explain;
mod file;
mod guard;
mod hashes;
mod lines;
mod promises;
mod rehearsals;
mod reposts;
mod review;
mod signs;
mod turns;
mod world;

use std::path::{Path, PathBuf};

use crate::file::{Facts, Scenario};
use crate::world::World;

/// The scenario files, in order.
fn scenarios() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files = Vec::new();
    for folder in ["exemplary", "supplemental"] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        let found: Vec<PathBuf> = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
            .collect();
        assert!(!found.is_empty(), "{folder} holds no scenario");
        files.extend(found);
    }
    files.sort();
    files
}

#[test]
fn every_scenario_goes_as_its_file_says() {
    let mut faults = Vec::new();
    for path in scenarios() {
        let text = std::fs::read_to_string(&path).unwrap();
        let found = match Scenario::read(&text) {
            Ok(scenario) => on_a_paused_clock(run(scenario)),
            Err(defects) => defects,
        };
        let name = path.components().rev().take(2).map(|part| part.as_os_str().to_string_lossy());
        let name = name.collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("/");
        faults.extend(found.into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// Codes at which a campaign's row can end today.
const CODES: [u16; 24] = [
    0, 1, 2, 3, 4, 100, 101, 104, 105, 199, 200, 201, 202, 204, 205, 207, 211, 212, 213, 216, 300,
    301, 302, 303,
];

#[test]
fn every_code_is_the_end_of_a_row_in_some_scenario() {
    let mut ends = std::collections::BTreeSet::new();
    for path in scenarios() {
        let scenario = Scenario::read(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let codes = scenario.expected.iter().filter(|(key, _)| key.starts_with("code "));
        ends.extend(codes.map(|(_, code)| code.clone()));
    }
    let missing: Vec<_> = CODES.iter().filter(|code| !ends.contains(&code.to_string())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Each scenario has a runtime of its own, as `tokio::test(start_paused = true)` gives one.
fn on_a_paused_clock<T>(scenario: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap().block_on(scenario)
}

async fn run(scenario: Scenario) -> Vec<String> {
    let expected = scenario.expected.clone();
    let world = World::of(scenario);
    let facts = world.play().await;
    let mut faults = differences(&expected, &facts);
    faults.extend(world.buyers.faults());
    faults.extend(world.faults());
    if !world.names_who_was_pinged() {
        faults.push("the record does not say who was pinged".to_owned());
    }
    faults
}

/// What was expected and is not so, and what is so and was not expected.
fn differences(expected: &Facts, found: &Facts) -> Vec<String> {
    let keys: std::collections::BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let nothing = "nothing".to_owned();
    keys.into_iter()
        .filter_map(|key| {
            let expected = expected.get(key).unwrap_or(&nothing);
            let found = found.get(key).unwrap_or(&nothing);
            (expected != found).then(|| format!("{key}: expected {expected}, found {found}"))
        })
        .collect()
}

#[test]
fn an_expectation_that_is_not_met_is_named() {
    let facts = |pairs: &[(&str, &str)]| -> Facts {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let found = differences(
        &facts(&[("status", "new"), ("payout", "1.00")]),
        &facts(&[("status", "new"), ("posts", "nova")]),
    );
    assert_eq!(
        found,
        ["payout: expected 1.00, found nothing", "posts: expected nothing, found nova"]
    );
}
