//! What a door hands in, and what it gets back to answer with. Knows no door's format.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Attributes, Consent, Contact, Currency, LeadId, Money, ProductId, PublisherId, RejectionReason,
    Requested, Sequence,
};

/// An HTTP dialect through which publishers post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// `POST /api/v1/lead`.
    Leadhub,
    /// `POST /v1/leads`.
    Native,
    /// `POST /post/…/`.
    BrightHorizons,
    /// `POST` and `GET /api/lead/create/{source}`.
    Pingtree,
    /// `POST /bs-core/main/leads`.
    #[serde(rename = "brainysoft")]
    BrainySoft,
}

impl Door {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Leadhub, Self::Native, Self::BrightHorizons, Self::Pingtree, Self::BrainySoft];

    /// The metric label and the word in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Leadhub => "leadhub",
            Self::Native => "native",
            Self::BrightHorizons => "bright_horizons",
            Self::Pingtree => "pingtree",
            Self::BrainySoft => "brainysoft",
        }
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A lead as a publisher posted it, in the engine's own terms. A test lead contacts only sandboxes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    /// Through which door.
    pub door: Door,
    /// By whom.
    pub publisher: PublisherId,
    /// For what.
    pub product: ProductId,
    /// The publisher's channel.
    pub sub_id: Option<String>,
    /// The publisher's own id of the lead.
    pub external_id: Option<String>,
    /// Least payout that the publisher takes for this lead, in the product's currency.
    pub min_payout: Option<Money>,
    /// Echoed back untouched.
    pub tags: BTreeMap<String, String>,
    /// The page on which the consumer filled in the form.
    pub source_url: Option<String>,
    /// The consumer's browser.
    pub user_agent: Option<String>,
    /// What filters see.
    pub attributes: Attributes,
    /// What only a winner sees.
    pub contact: Contact,
    /// What the consumer agreed to.
    pub consent: Consent,
    /// A rehearsal.
    pub test: bool,
    /// What a rehearsal is to end in; `None` if sandboxes decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested: Option<Requested>,
}

/// What money the payout rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutBasis {
    /// Due because the lead was sold.
    Sale,
    /// Due when the buyer reports an outcome.
    Outcome,
}

/// One sale of a shared lead, as its publisher may see it: without the buyer's name and price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// Where this buyer wants the consumer.
    pub redirect_url: Option<String>,
    /// The publisher's part.
    pub payout: Money,
    /// What it rests on.
    pub basis: PayoutBasis,
}

/// How a lead stands, as its publisher may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Sold.
    Distributed {
        /// Where to send the consumer: of a shared lead, as its best sale says.
        redirect_url: Option<String>,
        /// The publisher's part of all sales together.
        payout: Money,
        /// What it rests on.
        basis: PayoutBasis,
        /// Each sale of a shared lead; empty for one that was sold whole.
        sales: Vec<Sale>,
    },
    /// Accepted, not sold.
    New,
    /// Not accepted.
    Rejected(RejectionReason),
}

/// What a publisher is told of a lead, in no door's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `None` when the lead was refused before it was created.
    pub lead: Option<(LeadId, Sequence)>,
    /// How it stands.
    pub status: Status,
    /// Whether that can still change.
    pub is_final: bool,
    /// The product's currency.
    pub currency: Option<Currency>,
    /// Echoed.
    pub external_id: Option<String>,
    /// Echoed.
    pub tags: BTreeMap<String, String>,
}
