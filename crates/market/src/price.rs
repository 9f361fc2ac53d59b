//! What a campaign pays, for how much of a lead, and how that ranks. Only what is written.

use std::sync::Arc;
use std::time::Duration;

use document::{Fields, Slot};
use lead::{Currency, Money};
use rust_decimal::Decimal;

use crate::{Product, read};

/// Whether a campaign is sold whole leads, or one slot of a lead that other buyers get too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sells {
    /// Whole leads only.
    Exclusive,
    /// Slots only.
    Shared,
    /// Either; a slot at this price.
    Both(Price),
}

/// What a campaign pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Price {
    /// The same for every lead; it is not pinged unless it has a ping call.
    Fixed(Money),
    /// What it bids, within its own limits.
    Bid {
        /// Least bid taken.
        min: Money,
        /// Greatest bid taken.
        max: Money,
    },
    /// Nothing for the lead, but something for what becomes of it; not pinged unless it has a ping call.
    Outcome(Outcome),
}

/// A price that falls due when the buyer says that something happened to the consumer it bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What has to happen, in the buyer's word.
    pub event: Arc<str>,
    /// What is billed then.
    pub amount: Money,
    /// What a lead brings on average: by it such a price ranks, clears floors and fills caps. At most the
    /// amount.
    pub expected: Money,
    /// How long after the sale it may happen.
    pub window: Duration,
}

impl Price {
    /// The least that a lead can bring.
    #[must_use]
    pub fn least(&self) -> Money {
        match self {
            Self::Fixed(price) => *price,
            Self::Bid { min, .. } => *min,
            Self::Outcome(outcome) => outcome.expected,
        }
    }

    /// The most that a lead can bring.
    #[must_use]
    pub fn most(&self) -> Money {
        match self {
            Self::Fixed(price) => *price,
            Self::Bid { max, .. } => *max,
            Self::Outcome(outcome) => outcome.expected,
        }
    }
}

/// How a bid becomes a rank: `bid × multiplier − penalty`. The price stays the bid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// Factor.
    pub multiplier: Decimal,
    /// Deduction.
    pub penalty: Decimal,
}

impl Default for Score {
    fn default() -> Self {
        Self { multiplier: Decimal::ONE, penalty: Decimal::ZERO }
    }
}

impl Price {
    pub(crate) fn read(slot: Slot<'_, '_>, currency: Currency) -> Option<Self> {
        let fields = slot.fields()?;
        let fixed = fields.given("fixed").and_then(|s| read::price(s, currency)).map(Self::Fixed);
        let bid = fields.given("bid").and_then(|bid| {
            let limits = bid.fields()?;
            let min = read::price(limits.at("min"), currency);
            let max = read::price(limits.at("max"), currency);
            limits.deny_unknown();
            let (min, max) = (min?, max?);
            if min.amount > max.amount {
                bid.refuse("admits nothing: min is greater than max");
            }
            Some(Self::Bid { min, max })
        });
        let outcome = fields.given("outcome").and_then(|slot| Outcome::read(&slot, currency));
        fields.deny_unknown();
        let forms = ["fixed", "bid", "outcome"];
        if forms.into_iter().filter(|form| fields.given(form).is_some()).count() != 1 {
            slot.refuse(
                "must hold one of fixed (\"12.50\"), bid ({min, max}) or outcome \
                 ({event, amount, expected, window})",
            );
        }
        fixed.or(bid).or(outcome.map(Self::Outcome))
    }
}

impl Outcome {
    fn read(slot: &Slot<'_, '_>, currency: Currency) -> Option<Self> {
        let fields = slot.fields()?;
        let event = fields.at("event").filled().map(Arc::from);
        let amount = read::price(fields.at("amount"), currency);
        let expected = read::price(fields.at("expected"), currency);
        let window = read::duration(fields.at("window"));
        if window.is_some_and(|window| window.is_zero()) {
            fields.at("window").refuse("must be longer than nothing");
        }
        fields.deny_unknown();
        let (amount, expected) = (amount?, expected?);
        if expected.amount > amount.amount {
            slot.refuse("expects more than it ever pays: expected is greater than amount");
        }
        Some(Self { event: event?, amount, expected, window: window? })
    }
}

impl Score {
    pub(crate) fn read(slot: Slot<'_, '_>) -> Option<Self> {
        let fields = slot.fields()?;
        let multiplier = fields.given("multiplier").map_or(Some(Decimal::ONE), read::amount);
        let penalty = fields.given("penalty").map_or(Some(Decimal::ZERO), read::amount);
        fields.deny_unknown();
        Some(Self { multiplier: multiplier?, penalty: penalty? })
    }
}

/// `sells` as it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Exclusive,
    Shared,
    Both,
}

impl Sells {
    /// What is sold, and the price of a slot if it is written: a price of its own for a slot is a
    /// fixed one, since the answer to a ping names only one.
    pub(crate) fn read(
        fields: &Fields<'_, '_>,
        product: Option<&Product>,
    ) -> Option<(Self, Option<Price>)> {
        let (slot, price_slot) = (fields.at("sells"), fields.at("shared_price"));
        let words =
            [("exclusive", Word::Exclusive), ("shared", Word::Shared), ("both", Word::Both)];
        let word = if slot.is_given() { slot.choice(&words) } else { Some(Word::Exclusive) };
        let price = match product.filter(|_| price_slot.is_given()) {
            Some(product) => Some(fixed(&price_slot, product.currency)?),
            None => None,
        };
        let (word, product) = (word?, product?);
        if word != Word::Exclusive && product.slots < 2 {
            slot.refuse(format_args!(
                "must be exclusive: sharing needs slots of at least 2 in the product, found {}",
                product.slots
            ));
        }
        let sells = match (word, price) {
            (Word::Exclusive, None) => Self::Exclusive,
            (Word::Shared, _) => Self::Shared,
            (Word::Both, Some(price)) => Self::Both(Price::Fixed(price)),
            (Word::Exclusive, Some(_)) => {
                price_slot.refuse("must be left out unless sells is shared or both");
                return None;
            }
            (Word::Both, None) => {
                price_slot.refuse("is required where sells is both, as {fixed = \"4.00\"}");
                return None;
            }
        };
        Some((sells, price.map(Price::Fixed)))
    }
}

fn fixed(slot: &Slot<'_, '_>, currency: Currency) -> Option<Money> {
    let fields = slot.fields()?;
    let price = read::price(fields.at("fixed"), currency);
    fields.deny_unknown();
    price
}
