//! What a publisher is told of a ping. Knows no door's format.

use jiff::Timestamp;

use crate::{Money, PingId, RejectionReason};

/// The answer to a ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quote {
    /// A campaign takes the lead and room for it is reserved.
    Accepted {
        /// What the post must name.
        ping: PingId,
        /// What the publisher gets if the campaign accepts the post.
        payout: Money,
        /// Until when the promise holds.
        expires_at: Timestamp,
    },
    /// Nothing is reserved.
    Rejected(NoQuote),
}

/// Why a ping is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoQuote {
    /// The lead would be rejected.
    Lead(RejectionReason),
    /// No campaign wants such leads now.
    Unmatched,
    /// Campaigns were asked, and none takes it.
    Unsold,
    /// Campaigns take it, but their caps have no room left for open pings of this publisher.
    Reserved,
    /// Too many pings are open.
    TooManyPings,
}

impl NoQuote {
    /// The word that programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lead(reason) => reason.name(),
            Self::Unmatched => "unmatched",
            Self::Unsold => "unsold",
            Self::Reserved => "reserved",
            Self::TooManyPings => "too_many_pings",
        }
    }
}
