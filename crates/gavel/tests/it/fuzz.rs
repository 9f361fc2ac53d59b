//! The fuzz targets without a fuzzer: their seeds and seeded mutations of them, so that no target rots
//! and no reader of strangers' bytes forgets what it once held.
//!
//! `GAVEL_FUZZ_MUTATIONS` says how many mutations a target gets, `GAVEL_FUZZ_SEED` which, and
//! `GAVEL_FUZZ_TARGETS` how the names of those begin that get any.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fastrand::Rng;

#[expect(unreachable_pub, reason = "a crate of its own, which this test reads as a module")]
#[path = "../../../fuzz/src/lib.rs"]
mod targets;

/// Mutations of each target, in all.
const MUTATIONS: usize = 10_000;

/// A market is read whole, which takes a thousand times as long as a URL.
const MARKET_MUTATIONS: usize = 1_500;

/// Longest input.
const INPUT_BYTES_MAX: usize = 16 * 1_024;

/// Words that readers have to think about.
const WORDS: &[&str] = &[
    "null",
    "true",
    "-1",
    "1e999",
    "18446744073709551616",
    "0.1",
    "\"\"",
    "{}",
    "[]",
    "\\u0000",
    "\\ud800",
    "\u{0}",
    "\u{feff}",
    "é",
    "e\u{301}",
    "ß",
    "𝒳",
    "\n\n",
    "{{",
    "}}",
    "{% for a in b %}",
    "{% endfor %}",
    "| default(\"\")",
    "\"not\":",
    "\"any\":[",
    "\"exists\":true",
    "$..*",
    "$[?@.a]",
    "(a+)+$",
    "[^a]{9999}",
    "<!DOCTYPE a>",
    "<!ENTITY",
    "]]>",
    "&#0;",
    "xmlns:a=\"b\"",
    "//*",
    "@",
    "[::1]",
    "%00",
    ":65536",
    "2024-02-30",
    "9999-12-31",
    "+34600111222",
    "\r\n",
    "\t",
    "&",
    "=",
    "%5B",
    "%ff",
    "[a]",
    "][",
    "4111 1111 1111 1111",
];

#[test]
fn every_target_holds_on_its_seeds_and_on_mutations_of_them() {
    let seed = number("GAVEL_FUZZ_SEED").unwrap_or(20_261_121);
    let given = number("GAVEL_FUZZ_MUTATIONS").map(|count| usize::try_from(count).unwrap());
    let wanted = text("GAVEL_FUZZ_TARGETS").unwrap_or_default();
    for (name, target) in targets::TARGETS.iter().filter(|(name, _)| name.starts_with(&wanted)) {
        let seeds = seeds(name);
        let usual = if *name == "market_file" { MARKET_MUTATIONS } else { MUTATIONS };
        for input in &seeds {
            run(name, *target, input);
        }
        let mut rng = Rng::with_seed(seed);
        for _ in 0..given.unwrap_or(usual) {
            let input = mutated(&seeds, &mut rng);
            run(name, *target, &input);
        }
    }
}

fn number(name: &str) -> Option<u64> {
    text(name).map(|text| text.parse().unwrap())
}

#[expect(clippy::disallowed_methods, reason = "a longer run is asked for by its caller")]
fn text(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A target's file and its seeds stand and fall together.
#[test]
fn every_target_has_a_program_and_every_program_a_target() {
    let named = |folder: &str| {
        let entries = std::fs::read_dir(home().join(folder)).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let known: Vec<String> = targets::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(named("fuzz_targets"), known);
    assert_eq!(named("seeds"), known);
    let manifest = std::fs::read_to_string(home().join("Cargo.toml")).unwrap();
    for name in known {
        assert!(manifest.contains(&format!("\"fuzz_targets/{name}.rs\"")), "{name} is not built");
    }
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("fuzz")
}

/// In the order of their names, so that a seed means the same everywhere.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = home().join("seeds").join(name);
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 1, "{name} has no seeds");
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Shows the input that a target fell over.
fn run(name: &str, target: fn(&[u8]), input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(input))) {
        let text = input.escape_ascii();
        eprintln_input(name, &text.to_string());
        std::panic::resume_unwind(panic);
    }
}

#[expect(clippy::print_stderr, reason = "a failure says what it fell over")]
fn eprintln_input(name: &str, input: &str) {
    eprintln!("target {name} fell over: b\"{input}\"");
}

/// A seed after a few changes.
fn mutated(seeds: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut input = seeds[rng.usize(..seeds.len())].clone();
    for _ in 0..rng.usize(1..=6) {
        change(&mut input, seeds, rng);
    }
    input.truncate(INPUT_BYTES_MAX);
    input
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut Rng) {
    let at = rng.usize(..=input.len());
    let end = (at + rng.usize(..32)).min(input.len());
    match rng.u8(..8) {
        0 => input.truncate(at),
        1 => drop(input.drain(at..end)),
        2 => {
            let copy = input[at..end].repeat(rng.usize(1..20));
            drop(input.splice(at..at, copy));
        }
        3 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << rng.u8(..8);
            }
        }
        4 => {
            let other = &seeds[rng.usize(..seeds.len())];
            let from = rng.usize(..=other.len());
            let to = (from + rng.usize(..64)).min(other.len());
            drop(input.splice(at..end, other[from..to].iter().copied()));
        }
        5 => input.insert(at, rng.u8(..)),
        _ => {
            let word = WORDS[rng.usize(..WORDS.len())];
            let end = if rng.bool() { at } else { end };
            drop(input.splice(at..end, word.bytes()));
        }
    }
}
