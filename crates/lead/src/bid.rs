//! Answers to pings. Never says who the consumer is.

use std::time::Duration;

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
    /// What it says of the endpoint.
    pub health: Health,
}

impl NoBid {
    /// A refusal or failure without a word from the buyer.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self { code, reason: None, health: Health::of(code) }
    }

    /// The same, of an endpoint of which more is known than the code says.
    #[must_use]
    pub fn with_health(self, health: Health) -> Self {
        Self { health, ..self }
    }
}

/// What a call says of the endpoint that was called: whether it answers, not what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It answered whole.
    Fine,
    /// It did not answer, or not whole, or that it is broken.
    Fault,
    /// It asks to be left alone, for so long if it says so.
    Throttled(Option<Duration>),
    /// Nothing: the call was not made, for a reason of our own.
    Untold,
}

impl Health {
    /// What a code says by itself. An answer that came whole and could not be read is no fault: many a
    /// buyer has its own way to say that it does not bid.
    #[must_use]
    pub fn of(code: Code) -> Self {
        match code {
            Code::Timeout | Code::Connect | Code::Tls | Code::HttpStatus | Code::Unknown => {
                Self::Fault
            }
            Code::Concurrency => Self::Untold,
            _ => Self::Fine,
        }
    }
}
