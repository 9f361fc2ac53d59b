//! The management API from outside: over a socket, on an engine with scripted buyers and a ledger in
//! memory. Who sees what is a table; so is every refusal.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod campaigns;
mod explain;
mod leads;
mod refusals;
mod review;
mod world;
