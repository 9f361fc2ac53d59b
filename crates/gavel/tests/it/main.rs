//! The binary and the workspace as a whole, from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod bad_buyers;
mod caps;
mod crash;
mod doubt;
mod end_to_end;
mod full_disk;
mod process;
mod repeats;
mod shared;
mod workspace;
