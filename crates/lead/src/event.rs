//! What buyers report of a lead after they bought it, in the words of either of two vocabularies. Says
//! nothing of what an event sets in motion.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::disposition::labelled;
use crate::{BuyerId, LeadId};

labelled! {
    /// What became of a lead at its buyer. Five things can, and four of them have two words; which word
    /// was used is kept, because the publisher is told the same one.
    BuyerEvent {
        /// The consumer signed up.
        Registration 1 "registration",
        /// The loan was granted.
        LoanIssued 2 "loan_issued",
        /// The loan was refused.
        LoanRejected 3 "loan_rejected",
        /// The loan was paid back.
        LoanPaid 4 "loan_paid",
        /// The loan was not paid back.
        LoanDefaulted 5 "loan_defaulted",
        /// Another word for [`Self::LoanIssued`].
        Approved 6 "approved",
        /// Another word for [`Self::LoanRejected`].
        Rejected 7 "rejected",
        /// Another word for [`Self::LoanPaid`].
        Completed 8 "completed",
        /// Another word for [`Self::LoanDefaulted`].
        Defaulted 9 "defaulted",
    }
}

impl BuyerEvent {
    /// The one of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event| event.name() == word)
    }

    /// The same for both words for one thing.
    #[must_use]
    pub fn kind(self) -> Self {
        match self {
            Self::Approved => Self::LoanIssued,
            Self::Rejected => Self::LoanRejected,
            Self::Completed => Self::LoanPaid,
            Self::Defaulted => Self::LoanDefaulted,
            Self::Registration
            | Self::LoanIssued
            | Self::LoanRejected
            | Self::LoanPaid
            | Self::LoanDefaulted => self,
        }
    }
}

/// An event as it is told.
#[derive(Clone)]
pub struct Report {
    /// Of which lead.
    pub lead: LeadId,
    /// Who tells it.
    pub by: Reporter,
    /// What happened.
    pub event: BuyerEvent,
    /// The buyer's own id of it; the same event with another one is another event.
    pub reference: Option<String>,
    /// What else the buyer says.
    pub metadata: Map<String, Value>,
    /// When it came.
    pub at: Timestamp,
}

/// By what right an event is told.
#[derive(Clone)]
pub enum Reporter {
    /// A buyer, whose key was seen.
    Buyer(BuyerId),
    /// Whoever has the token of a lead, not yet checked.
    Token(String),
}

/// A token is as good as a key for its lead.
impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Buyer(buyer) => write!(f, "Buyer({buyer})"),
            Self::Token(_) => f.write_str("Token(redacted)"),
        }
    }
}

/// What became of an event that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It is on record.
    Received,
    /// It changes nothing: it was on record, or the lead has all the events that it may have.
    Ignored,
}

impl Heard {
    /// The word on the wire and in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Ignored => "ignored",
        }
    }
}

/// Without what the buyer says, which may name the consumer, and without tokens.
impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Report({} of {})", self.event.name(), self.lead)
    }
}
