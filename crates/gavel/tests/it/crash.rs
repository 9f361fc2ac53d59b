//! What survives a crash: the engine is killed under load, and stopped dead at every named step of a
//! sale, and what publishers were told, buyers took and the ledger holds is compared afterwards.
//!
//! * [`kill`]: the real binary under an open load, SIGKILL at a random moment, the same data directory
//!   again, 40 times. The long form is the same test with more of it:
//!   `GAVEL_KILLS=500 cargo test --release -p gavel --test it crash::kill -- --nocapture`
//! * [`points`]: an engine in a process of its own that aborts at the n-th passage of one step.
//! * [`checker`]: the judge of both; its own tests show that it sees every kind of fault.
//!
//! `GAVEL_CRASH_SEED` sets the seed of both; it is printed with the figures and with every failure.
//! The seed fixes every choice that is made here, not the machine's timing.

mod checker;
mod checker_tests;
mod child;
mod compose;
mod history;
mod kill;
mod points;
mod publisher;
mod town;

/// Without `GAVEL_CRASH_SEED`.
const SEED: u64 = 20_260_301;

/// One of the two at a time: each wants the whole machine.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// The seed of a run.
fn seed() -> u64 {
    setting("GAVEL_CRASH_SEED").unwrap_or(SEED)
}

/// A number from the environment; something that is no number stops the test.
#[expect(clippy::disallowed_methods, reason = "how long to test is said from outside")]
fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, found {text:?}")))
}
