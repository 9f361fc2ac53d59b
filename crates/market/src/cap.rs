//! Caps: how much may be sold in a window, by count or by money; and amounts per currency. Only what
//! is written; what is used up is counted elsewhere.

use std::collections::BTreeMap;

use document::{Fields, Slot};
use lead::{Currency, Money};

use crate::read;

/// A limit per window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// In which window.
    pub per: Window,
    /// How much.
    pub limit: CapLimit,
    /// Of what.
    pub of: CapOf,
}

/// A stretch of local time in which a cap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// From the local clock's full minute.
    Minute,
    /// From the local clock's full hour.
    Hour,
    /// From local midnight, so 23 or 25 hours when clocks change.
    Day,
    /// From Monday.
    Week,
    /// From the first.
    Month,
    /// For ever.
    Total,
}

/// How much a cap allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapLimit {
    /// This many leads.
    Leads(u64),
    /// This much money: prices for campaigns and buyers, payouts for publishers.
    Spend(Money),
}

/// What a cap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CapOf {
    /// Sales, with the posts whose answer is awaited or unknown.
    Sold,
    /// Posts that left or may have left.
    Posted,
    /// Pings.
    Pinged,
}

/// The most caps that one object may have.
const CAPS_MAX: usize = 16;

/// The most leads that a cap may allow.
const LEADS_MAX: u64 = 1_000_000_000_000;

/// Whose caps are read: which currency they are in and what they may count.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Owner {
    /// Spend is in its product's currency, or in none when the product could not be read.
    Campaign(Option<Currency>),
    /// Each spend cap names its currency.
    Buyer,
    /// Counts sales only; spend is payouts in the product's currency.
    Publisher(Option<Currency>),
}

impl Window {
    /// Every one, shortest first; `self as usize` is its place here.
    pub const ALL: [Self; 6] =
        [Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month, Self::Total];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Total => "total",
        }
    }
}

impl CapOf {
    /// Every one; `self as usize` is its place here.
    pub const ALL: [Self; 3] = [Self::Sold, Self::Posted, Self::Pinged];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sold => "sold",
            Self::Posted => "posted",
            Self::Pinged => "pinged",
        }
    }
}

impl std::fmt::Display for Cap {
    /// `day leads 100 of sold`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (per, of) = (self.per.name(), self.of.name());
        match self.limit {
            CapLimit::Leads(leads) => write!(f, "{per} leads {leads} of {of}"),
            CapLimit::Spend(money) => write!(f, "{per} spend {money} of {of}"),
        }
    }
}

impl Cap {
    fn read(slot: Slot<'_, '_>, owner: Owner) -> Option<Self> {
        let fields = slot.fields()?;
        let windows = Window::ALL.map(|window| (window.name(), window));
        let per = fields.at("per").choice(&windows);
        let kinds = CapOf::ALL.map(|of| (of.name(), of));
        let of = fields.given("of").map_or(Some(CapOf::Sold), |s| s.choice(&kinds));
        let limit = CapLimit::read(&fields, owner);
        fields.deny_unknown();
        let (per, of, limit) = (per?, of?, limit?);
        if of != CapOf::Sold && matches!(limit, CapLimit::Spend(_)) {
            slot.refuse("limits spend, so it can only be of sold: nothing else is paid");
        }
        if of != CapOf::Sold && matches!(owner, Owner::Publisher(_)) {
            slot.refuse("is a publisher's, so it can only be of sold");
        }
        Some(Self { per, limit, of })
    }
}

impl CapLimit {
    fn read(fields: &Fields<'_, '_>, owner: Owner) -> Option<Self> {
        let named = match owner {
            Owner::Buyer => fields.given("currency"),
            _ => None,
        };
        match (fields.given("leads"), fields.given("spend")) {
            (Some(leads), None) => {
                if let Some(currency) = named {
                    currency.refuse("belongs to spend: leads have no currency");
                }
                leads.integer(1, LEADS_MAX).map(Self::Leads)
            }
            (None, Some(spend)) => {
                let currency = match owner {
                    Owner::Buyer => currency(fields.at("currency")),
                    Owner::Campaign(known) | Owner::Publisher(known) => known,
                };
                let limit = read::price(spend, currency?)?;
                if limit.amount.is_zero() {
                    spend.refuse("must be more than 0");
                }
                Some(Self::Spend(limit))
            }
            _ => {
                fields.refuse("must hold one of leads (100) or spend (\"500.00\")");
                None
            }
        }
    }
}

/// The caps of `owner`; none when the key is absent.
pub(crate) fn caps(slot: Option<Slot<'_, '_>>, owner: Owner) -> Option<Vec<Cap>> {
    let Some(slot) = slot else { return Some(Vec::new()) };
    let caps = slot.each(|cap| Cap::read(cap, owner))?;
    if caps.len() > CAPS_MAX {
        slot.refuse(format_args!("must hold at most {CAPS_MAX} caps"));
    }
    Some(caps)
}

/// `{ EUR = "500.00" }`; empty when the key is absent.
pub(crate) fn amounts(slot: Option<Slot<'_, '_>>) -> Option<BTreeMap<Currency, Money>> {
    let mut amounts = BTreeMap::new();
    let Some(slot) = slot else { return Some(amounts) };
    for (name, slot) in slot.fields()?.all() {
        match name.parse() {
            Ok(currency) => {
                amounts.extend(read::price(slot, currency).map(|amount| (currency, amount)));
            }
            Err(lead::money::NotACurrency) => {
                slot.refuse(format_args!(
                    "is no currency: it must be {}",
                    lead::money::NotACurrency
                ));
            }
        }
    }
    Some(amounts)
}

fn currency(slot: Slot<'_, '_>) -> Option<Currency> {
    slot.parsed(lead::money::NotACurrency)
}
