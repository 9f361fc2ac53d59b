//! What buyers report of a lead after they bought it, in the words of either of two vocabularies. Says
//! nothing of what an event sets in motion.

use serde::{Deserialize, Serialize};

use crate::disposition::labelled;

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
