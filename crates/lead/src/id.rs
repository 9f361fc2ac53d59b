//! Typed ids. A bare string or integer never stands for one.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A lead: UUIDv7, so ids sort by the time of arrival (and reveal it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LeadId(pub Uuid);

impl LeadId {
    /// The id of a lead received at `at`; `entropy` makes it unguessable.
    #[must_use]
    pub fn new(at: Timestamp, entropy: [u8; 10]) -> Self {
        let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &entropy).into_uuid())
    }
}

impl fmt::Display for LeadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for LeadId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self)
    }
}

/// A lead's place in the ledger, for doors whose ids are integers. Starts at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequence(pub i64);

/// One ping to one campaign. Says nothing of the lead, so buyers cannot join theirs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PingId(pub Uuid);

impl PingId {
    /// A ping's id from 16 random bytes.
    #[must_use]
    pub fn new(entropy: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(entropy).into_uuid())
    }
}

impl FromStr for PingId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

impl fmt::Display for PingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// What a slug may be, for error texts.
pub const SLUG: &str =
    "1 to 64 characters of a-z, 0-9, '-', '_' and '.', beginning with a letter or digit";

/// A text that is not a slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotASlug;

impl fmt::Display for NotASlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SLUG)
    }
}

impl std::error::Error for NotASlug {}

fn is_slug(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let rest = bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b));
    first && rest && text.len() <= 64
}

macro_rules! slug {
    ($(#[$doc:meta] $name:ident),+) => {$(
        #[$doc]
        ///
        /// A slug, cheap to clone.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The slug.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotASlug;

            fn from_str(text: &str) -> Result<Self, NotASlug> {
                if is_slug(text) { Ok(Self(text.into())) } else { Err(NotASlug) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'_, str>::deserialize(input)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

slug! {
    /// Who sells leads to us.
    PublisherId,
    /// What the consumer asks for; owns a tree.
    ProductId,
    /// Who pays.
    BuyerId,
    /// A campaign, unique within its buyer.
    CampaignId
}

/// A campaign in the whole market.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CampaignKey {
    /// Whose it is.
    pub buyer: BuyerId,
    /// Which of the buyer's.
    pub campaign: CampaignId,
}

impl fmt::Display for CampaignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.buyer, self.campaign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_checked_and_lead_ids_sort_by_time() {
        for good in ["a", "7", "personal-loan-es", "a.b_c"] {
            assert!(good.parse::<ProductId>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a b", "é", &"a".repeat(65), "a/b"] {
            assert!(bad.parse::<ProductId>().is_err(), "{bad}");
        }
        let early = LeadId::new("2026-01-01T00:00:00Z".parse().unwrap(), [255; 10]);
        let late = LeadId::new("2026-01-01T00:00:00.001Z".parse().unwrap(), [0; 10]);
        assert!(early < late);
        assert_eq!(early.0.get_version_num(), 7);
        assert_eq!(early.to_string().parse::<LeadId>().unwrap(), early);
    }
}
