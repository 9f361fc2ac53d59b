//! How things end: a lead (disposition), one pass of it through the tree (offer outcome), one post
//! (class). Closed enums, so that a new ending breaks every `match` until it is handled.

use serde::{Deserialize, Serialize};

macro_rules! labelled {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident $code:literal $label:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word on the wire, in metrics and in records.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }

            /// The stable number in the ledger.
            #[must_use]
            pub fn number(self) -> i64 {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The one with that number.
            #[must_use]
            pub fn numbered(number: i64) -> Option<Self> {
                match number { $($code => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

pub(crate) use labelled;

labelled! {
    /// Why a lead was not accepted; the words are Leadhub's and serve all doors.
    RejectionReason {
        /// The e-mail address is known for this product.
        CustomerAlreadyExists 1 "customer_already_exists",
        /// Submitted too recently.
        DuplicateSubmission 2 "duplicate_submission",
        /// Another of the product's criteria is not met.
        EligibilityFailed 3 "eligibility_failed",
        /// Too young or too old.
        AgeRestriction 4 "age_restriction",
        /// Earns too little.
        IncomeInsufficient 5 "income_insufficient",
        /// Lives where the product is not offered.
        GeographicRestriction 6 "geographic_restriction",
        /// A required consent was not given.
        ConsentsMissing 7 "consents_missing",
        /// Not a product, or not active.
        InvalidProduct 8 "invalid_product",
        /// On a suppression list.
        Blacklisted 9 "blacklisted",
        /// Signs of fraud.
        FraudSuspected 10 "fraud_suspected",
    }
}

labelled! {
    /// How a lead ended with us; set once, except that a review resolves `Indeterminate`.
    Disposition {
        /// A campaign bought it.
        Sold 1 "sold",
        /// Not accepted; the reason stands beside it.
        Rejected 2 "rejected",
        /// Accepted, and nobody bought it.
        Unsold 3 "unsold",
        /// A post's answer is unknown and the lead waits for review.
        Indeterminate 4 "indeterminate",
        /// A rehearsal.
        Test 5 "test",
    }
}

labelled! {
    /// How one pass through the tree ended.
    OfferOutcome {
        /// A campaign bought the lead.
        Sold 1 "sold",
        /// No campaign was eligible.
        Unmatched 2 "unmatched",
        /// Campaigns were asked and none took it.
        Unsold 3 "unsold",
        /// The budget or the time ran out first.
        Expired 4 "expired",
        /// A post's answer is unknown.
        Indeterminate 5 "indeterminate",
        /// A post was still running when the publisher was answered.
        Pending 6 "pending",
    }
}

labelled! {
    /// What is known after a post.
    PostClass {
        /// The buyer took the lead.
        Accepted 1 "accepted",
        /// The buyer read it and refused.
        Rejected 2 "rejected",
        /// Proved not to have left us.
        NotSent 3 "not_sent",
        /// The buyer may or may not have taken it.
        Unknown 4 "unknown",
    }
}

impl OfferOutcome {
    /// The disposition that this outcome gives a lead whose window for further offers is closed.
    #[must_use]
    pub fn disposition(self) -> Option<Disposition> {
        match self {
            Self::Sold => Some(Disposition::Sold),
            Self::Unmatched | Self::Unsold | Self::Expired => Some(Disposition::Unsold),
            Self::Indeterminate => Some(Disposition::Indeterminate),
            Self::Pending => None,
        }
    }
}

impl std::fmt::Display for RejectionReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
