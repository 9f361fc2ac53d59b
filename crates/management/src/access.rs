//! Whose key it is, and what that key may see. Keys are compared by digest and in constant time; none is
//! ever kept or shown.

use engine::Author;
use hyper::HeaderMap;
use ingress::bearer;
use lead::{BuyerId, CampaignKey};
use market::{KeyDigest, Market};

/// Somebody who may see and do everything.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Who it is, for the log.
    pub name: String,
    /// How it authenticates.
    pub keys: Vec<KeyDigest>,
}

/// What a key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything.
    Operator(String),
    /// What is this buyer's own.
    Buyer(BuyerId),
}

impl Role {
    /// Whom the view is limited to.
    pub(crate) fn buyer(&self) -> Option<&BuyerId> {
        match self {
            Self::Operator(_) => None,
            Self::Buyer(buyer) => Some(buyer),
        }
    }

    /// Whether a campaign is in its scope.
    pub(crate) fn sees(&self, campaign: &CampaignKey) -> bool {
        self.buyer().is_none_or(|buyer| campaign.buyer == *buyer)
    }

    /// For the record.
    pub(crate) fn author(&self) -> Author {
        let (kind, is_operator) = match self {
            Self::Operator(_) => ("operator", true),
            Self::Buyer(_) => ("buyer", false),
        };
        Author { name: format!("{kind} {}", self.name()), is_operator }
    }

    /// For the log.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Operator(name) => name,
            Self::Buyer(buyer) => buyer.as_str(),
        }
    }
}

/// The role of a request's key; `None` if it has none that is known here.
pub(crate) fn role(headers: &HeaderMap, operators: &[Operator], market: &Market) -> Option<Role> {
    let presented = KeyDigest::of(bearer(headers)?);
    // Every key is looked at, so that the time tells nothing of where one stands.
    let holds =
        |keys: &[KeyDigest]| keys.iter().fold(false, |found, key| key.is_same(&presented) | found);
    let operator = operators.iter().fold(None, |found, operator| {
        let is = holds(&operator.keys);
        found.or(is.then_some(operator))
    });
    let buyer = market.buyer_by_key(bearer(headers)?);
    match (operator, buyer) {
        (Some(operator), None) => Some(Role::Operator(operator.name.clone())),
        (None, Some(buyer)) => Some(Role::Buyer(buyer.id.clone())),
        // By mistake a key may be an operator's and a buyer's: it is nobody's then.
        (Some(_), Some(_)) | (None, None) => None,
    }
}
