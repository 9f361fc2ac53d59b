//! The doors: one module a dialect, each one decode and one encode. None knows the engine.

pub(crate) mod leadhub;
pub(crate) mod native;

use lead::{RejectionReason, Submission};

/// What a door makes of a body that it can read.
#[derive(Debug)]
pub(crate) enum Decoded {
    /// A lead for the engine.
    Lead(Box<Submission>),
    /// Refused by what the market says, before there is a lead.
    Rejected(RejectionReason),
}
