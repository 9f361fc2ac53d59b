//! The outcome that a publisher asks of its test lead, so that it can try every answer. Knows no door's
//! format, and nothing of real leads.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{Currency, Money, PayoutBasis, RejectionReason, Status};

/// Where a test lead's consumer would be sent.
const REDIRECT: &str = "https://buyer.example/test-lead";

/// What a test lead is to end in; nobody is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Requested {
    /// A campaign buys it.
    Sold,
    /// Nobody buys it.
    Unsold,
    /// A post is still running when the publisher is answered.
    Pending,
    /// The consumer is known.
    Duplicate,
    /// It is not accepted.
    Rejected(RejectionReason),
}

/// It names no outcome that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotRequestable;

impl Requested {
    /// Every outcome that can be asked for.
    pub fn all() -> impl Iterator<Item = Self> {
        let plain = [Self::Sold, Self::Unsold, Self::Pending, Self::Duplicate];
        plain.into_iter().chain(RejectionReason::ALL.iter().copied().map(Self::Rejected))
    }

    /// The words that can be asked for, as a sentence lists them.
    #[must_use]
    pub fn words() -> String {
        Self::all().map(|outcome| outcome.to_string()).collect::<Vec<_>>().join(", ")
    }

    /// Why the lead is not accepted, if it is not to be.
    #[must_use]
    pub fn rejection(self) -> Option<RejectionReason> {
        match self {
            Self::Duplicate => Some(RejectionReason::DuplicateSubmission),
            Self::Rejected(reason) => Some(reason),
            Self::Sold | Self::Unsold | Self::Pending => None,
        }
    }

    /// What the publisher is told, and whether that is final: in the form of the real thing. A sale pays
    /// `asked`, else a round sum.
    #[must_use]
    pub fn status(self, asked: Option<Money>, currency: Currency) -> (Status, bool) {
        let status = match (self, self.rejection()) {
            (_, Some(reason)) => Status::Rejected(reason),
            (Self::Sold, None) => Status::Distributed {
                redirect_url: Some(REDIRECT.to_owned()),
                payout: Self::payout(asked, currency),
                basis: PayoutBasis::Sale,
                sales: Vec::new(),
            },
            (_, None) => Status::New,
        };
        (status, self != Self::Pending)
    }

    /// What a sale pays.
    #[must_use]
    pub fn payout(asked: Option<Money>, currency: Currency) -> Money {
        asked.unwrap_or(Money { amount: Decimal::TEN, currency })
    }
}

impl fmt::Display for Requested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sold => f.write_str("sold"),
            Self::Unsold => f.write_str("unsold"),
            Self::Pending => f.write_str("pending"),
            Self::Duplicate => f.write_str("duplicate"),
            Self::Rejected(reason) => write!(f, "rejected:{reason}"),
        }
    }
}

impl FromStr for Requested {
    type Err = NotRequestable;

    fn from_str(text: &str) -> Result<Self, NotRequestable> {
        Self::all().find(|outcome| outcome.to_string() == text).ok_or(NotRequestable)
    }
}

impl From<Requested> for String {
    fn from(outcome: Requested) -> Self {
        outcome.to_string()
    }
}

impl TryFrom<String> for Requested {
    type Error = NotRequestable;

    fn try_from(text: String) -> Result<Self, NotRequestable> {
        text.parse()
    }
}

impl fmt::Display for NotRequestable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must be one of {}", Requested::words())
    }
}

impl std::error::Error for NotRequestable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for outcome in Requested::all() {
            assert_eq!(outcome.to_string().parse(), Ok(outcome));
        }
        for bad in ["", "SOLD", "rejected", "rejected:", "rejected:nonsense", "new"] {
            assert_eq!(bad.parse::<Requested>(), Err(NotRequestable), "{bad}");
        }
    }
}
