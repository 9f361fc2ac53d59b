//! Why a lead ended as it did, as its publisher may see it. Must never hold a buyer's name or price.

use crate::{Code, LeadId, Money, OfferOutcome};

/// How far a campaign came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Its filter did not want the lead.
    Filter,
    /// It wanted the lead and was not asked.
    Gate,
    /// It was asked and made no bid in time.
    Ping,
    /// It had a price and was not posted to.
    Bid,
    /// It was posted to.
    Post,
}

impl Stage {
    /// As the API names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Gate => "gate",
            Self::Ping => "ping",
            Self::Bid => "bid",
            Self::Post => "post",
        }
    }
}

/// Why nothing is said of the campaigns that did not want a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gap {
    /// No campaign was looked at.
    Rejected,
    /// It is not settled.
    UnderWay,
    /// Its attributes are gone.
    Erased,
    /// Its market is not on record, or can no longer be read.
    Market,
}

impl Gap {
    /// As the API names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::UnderWay => "under_way",
            Self::Erased => "erased",
            Self::Market => "market_unknown",
        }
    }

    /// A sentence for people.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Rejected => "the lead was rejected before any campaign was looked at",
            Self::UnderWay => "the lead is not settled yet",
            Self::Erased => "the lead's attributes were erased: only what was stored is shown",
            Self::Market => "the market of that time is not known: only what was stored is shown",
        }
    }
}

/// One campaign's part in a lead's journey: without its name and without its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// In which tier, from 1.
    pub tier: u8,
    /// How far it came.
    pub stage: Stage,
    /// Why no further.
    pub code: Code,
    /// What the publisher got, if it bought.
    pub payout: Option<Money>,
}

/// Why a lead ended as it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Which lead.
    pub lead: LeadId,
    /// How its last offer ended; `None` if there was none.
    pub outcome: Option<OfferOutcome>,
    /// Every campaign whose filter wanted it, in the order of the tree.
    pub steps: Vec<Step>,
    /// How many campaigns did not want it, by code. A count: which filters there are is the buyers' own.
    pub not_matched: Vec<(Code, usize)>,
    /// Why those are not counted, if they are not.
    pub gap: Option<Gap>,
}
