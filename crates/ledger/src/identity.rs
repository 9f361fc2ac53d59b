//! By what a lead is found again: the claims on its consumer and the request that brought it. Knows
//! digests only.

use jiff::{SignedDuration, Timestamp};
use lead::{Disposition, LeadId, PublisherId};

use crate::Digest;

/// How long a request's key belongs to its first body.
pub const REQUEST_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// What a claim is on. The order is that in which they count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClaimKind {
    /// The consumer is this product's customer.
    Customer,
    /// The consumer was submitted.
    Duplicate,
}

/// A lead's claim on one identity key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Claim {
    /// What it is on.
    pub kind: ClaimKind,
    /// The keyed hash of the key.
    pub key: Digest,
}

/// A lead that claims a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// The key.
    pub key: Digest,
    /// What the claim is on.
    pub kind: ClaimKind,
    /// Which lead.
    pub lead: LeadId,
    /// Whose.
    pub publisher: PublisherId,
    /// When its request was complete.
    pub received_at: Timestamp,
    /// How it ended; `None` while open.
    pub disposition: Option<Disposition>,
}

/// The request that brought a lead, so that it brings none again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestKey {
    /// Who sent it and under which key.
    pub key: Digest,
    /// What was in it.
    pub body: Digest,
}

/// A request that brought a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredRequest {
    /// What was in it.
    pub body: Digest,
    /// Which lead.
    pub lead: LeadId,
    /// When it was complete.
    pub at: Timestamp,
}

impl StoredRequest {
    /// Whether a request at `now` with the same key is a repeat of this one.
    #[must_use]
    pub fn binds(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) < REQUEST_KEPT
    }
}

impl ClaimKind {
    /// Both.
    pub const ALL: &'static [Self] = &[Self::Customer, Self::Duplicate];

    /// The stable number in the ledger.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Customer => 1,
            Self::Duplicate => 2,
        }
    }

    /// The one with that number.
    #[must_use]
    pub fn numbered(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Customer),
            2 => Some(Self::Duplicate),
            _ => None,
        }
    }
}
