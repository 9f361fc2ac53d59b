//! The doors: one module a dialect, each one decode and one encode. None knows the engine.

pub(crate) mod brainysoft;
pub(crate) mod leadhub;
pub(crate) mod native;

use std::collections::BTreeMap;

use lead::{Answer, RejectionReason, Status, Submission};

/// What a door makes of a body that it can read.
#[derive(Debug)]
pub(crate) enum Decoded {
    /// A lead for the engine.
    Lead(Box<Submission>),
    /// Refused by what the market says, before there is a lead.
    Rejected(Box<Answer>),
}

impl Decoded {
    /// The answer to a lead that never came to be; there is nothing to store.
    pub(crate) fn rejected(
        reason: RejectionReason,
        external_id: Option<String>,
        tags: BTreeMap<String, String>,
    ) -> Self {
        Self::Rejected(Box::new(Answer {
            lead: None,
            status: Status::Rejected(reason),
            is_final: true,
            currency: None,
            external_id,
            tags,
        }))
    }
}
