//! Why a campaign did or did not buy: stable numbers for records and reports, names for metrics.

use std::fmt;

macro_rules! codes {
    ($($variant:ident $number:literal $name:literal $text:literal,)+) => {
        /// One campaign's part in a lead's journey.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $text] $variant,)+
            /// An operator's own, 500 and up.
            Operator(u16),
        }

        impl Code {
            /// Every code of ours.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable number.
            #[must_use]
            pub fn number(self) -> u16 {
                match self { $(Self::$variant => $number,)+ Self::Operator(number) => number }
            }

            /// The metric label.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ Self::Operator(_) => "operator" }
            }

            /// A sentence part for people.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ Self::Operator(_) => "refused by an operator's rule" }
            }

            /// The code of a number, if it has one.
            #[must_use]
            pub fn numbered(number: u16) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)+
                    500.. => Some(Self::Operator(number)),
                    _ => None,
                }
            }
        }
    };
}

codes! {
    Sold 0 "sold" "bought the lead",
    NoBid 1 "no_bid" "answered without a bid",
    PostRejected 2 "post_rejected" "refused the post",
    BuyerDuplicate 3 "buyer_duplicate" "knows the lead already",
    Outbid 4 "outbid" "bid, and another won",
    Timeout 100 "timeout" "did not answer in time",
    Connect 101 "connect" "could not be connected to",
    Tls 102 "tls" "failed the TLS handshake",
    HttpStatus 103 "http_status" "answered with an error status",
    Unreadable 104 "unreadable" "answered something unreadable",
    Late 105 "late" "answered after the deadline",
    Unknown 199 "unknown" "may or may not have bought: the post's answer is unknown",
    Filter 200 "filter" "does not want such leads",
    AttributeMissing 201 "attribute_missing" "needs an attribute that the lead lacks",
    Paused 202 "paused" "is paused or pending",
    Schedule 203 "schedule" "is closed now",
    Cap 204 "cap" "has reached a cap",
    Balance 205 "balance" "has no balance left",
    Breaker 206 "breaker" "is cut off after faults",
    NoTime 207 "no_time" "could not answer in the time left",
    CampaignDuplicate 208 "campaign_duplicate" "bought this consumer within its window",
    Suppressed 209 "suppressed" "suppresses this consumer",
    Consent 210 "consent" "needs a consent that is not given",
    TierNotReached 211 "tier_not_reached" "stands in a tier that was not reached",
    SameBuyer 212 "same_buyer" "belongs to a buyer or group that is served",
    Width 213 "width" "is past the tier's width",
    NoReoffers 214 "no_reoffers" "does not take re-offered leads",
    Concurrency 215 "concurrency" "has too many calls in flight",
    EarlyClose 216 "early_close" "could not have won any more",
    TierFloor 300 "tier_floor" "bid under the tier's floor",
    PublisherFloor 301 "publisher_floor" "would pay the publisher less than its floor",
    Margin 302 "margin" "would leave too little margin",
    InvalidBid 303 "invalid_bid" "bid outside its own limits",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number(), self.name())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_u16(self.number())
    }
}

impl<'de> serde::Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let number = u16::deserialize(input)?;
        Self::numbered(number).ok_or_else(|| serde::de::Error::custom("not a code"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_unique_and_round_trip() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(Code::numbered(code.number()), Some(*code));
        }
        assert_eq!(Code::numbered(512), Some(Code::Operator(512)));
        assert_eq!(Code::numbered(499), None);
    }
}
