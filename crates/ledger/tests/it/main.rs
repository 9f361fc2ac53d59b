//! The ledger from outside: one suite for both implementations, then what only a disk can do.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod conformance;
mod corruption;
mod directory;
mod privacy;
mod property;
mod sample;
mod verification;
