//! Answers to pings. Never says who the consumer is.

use crate::{Code, Money};

/// A price for a lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bid {
    /// What the buyer would pay.
    pub price: Money,
    /// The buyer's own id of its answer, sent back in the post.
    pub reference: Option<String>,
}

/// No price, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoBid {
    /// The kind of refusal or failure.
    pub code: Code,
    /// The buyer's own word, if it gave one; bounded, printable.
    pub reason: Option<String>,
}

impl NoBid {
    /// A refusal or failure without a word from the buyer.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self { code, reason: None }
    }
}
