//! The edge from outside: a real listener on loopback, raw bytes in, raw bytes out, and an engine that
//! answers by script.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

mod client;
mod delivery;
mod edge;
mod events;
mod golden;
mod limits;
mod outcomes;
mod privacy;
mod probes;
mod stop;
