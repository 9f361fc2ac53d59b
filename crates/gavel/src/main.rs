//! The `gavel` binary: reads the command line, wires the crates together, stops cleanly. Nothing
//! depends on it, and nothing is decided here that a lead could notice.

mod check;
mod cli;
mod clock;
mod demo;
mod desk;
mod explain;
mod failure;
mod ops;
mod out;
mod reach;
mod records;
mod serve;
mod settings;
mod sim;
mod spec;
mod telemetry;
mod wire;

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A lead is some hundred small allocations on several threads: with the system's allocator they cost a
/// quarter of its processor time (`benches/README.md`).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    failure::exit(cli::run(cli::parse()))
}
