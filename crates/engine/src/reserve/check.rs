//! Whether a cap or a buyer's funds leave room, and how much. Reads counts, changes none.

use jiff::Timestamp;
use lead::{Code, Currency, Money};
use ledger::{Limit, Party};
use market::{Cap, CapLimit, CapOf, Window};
use rust_decimal::Decimal;

use super::scope::{Limits, Scope};
use super::tally::{Kept, Tallies};
use super::window::Span;

/// Why something may not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stop {
    /// [`Code::Cap`] or [`Code::Balance`], or that of another gate.
    pub(crate) code: Code,
    /// Which cap, or whose funds; `None` at another gate.
    pub(crate) limit: Option<Box<Limit>>,
}

/// What one cap, or the buyer's funds, still allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Headroom {
    /// Whose.
    pub(crate) party: Party,
    /// Which; `None` is the buyer's funds.
    pub(crate) cap: Option<Cap>,
    /// Leads, or money in major units. Below zero once a limit was lowered under what is used.
    pub(crate) left: Decimal,
}

/// What is about to be taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Want {
    /// For how much; `None` when that is not known yet, and something must be left.
    pub(super) money: Option<Money>,
    /// In what it will be.
    pub(super) currency: Option<Currency>,
    /// What it will count as.
    pub(super) of: &'static [CapOf],
}

impl Want {
    /// Whether `limit` leaves too little above `used`.
    fn is_over(&self, limit: Money, used: Decimal) -> bool {
        match self.money {
            Some(more) if more.currency == limit.currency => {
                used.checked_add(more.amount).is_none_or(|sum| sum > limit.amount)
            }
            Some(_) => false,
            None => self.currency == Some(limit.currency) && used >= limit.amount,
        }
    }

    /// The first cap of one party that has no room.
    pub(super) fn caps(
        &self,
        (party, limits): (Party, &Limits<'_>),
        tallies: Option<&Tallies>,
        at: Timestamp,
    ) -> Result<(), Stop> {
        for cap in limits.caps.iter().filter(|cap| self.of.contains(&cap.of)) {
            let kept = kept(tallies, cap, at);
            let over = match cap.limit {
                CapLimit::Leads(most) => leads(kept, cap.of) >= most,
                CapLimit::Spend(most) => self.is_over(most, spend(kept, most.currency)),
            };
            if over {
                let used = match cap.limit {
                    CapLimit::Leads(_) => CapLimit::Leads(leads(kept, cap.of)),
                    CapLimit::Spend(most) => CapLimit::Spend(used(kept, most.currency)),
                };
                let span = kept.map_or_else(|| Span::of(cap.per, limits.zone, at), |it| it.span);
                let window = (span != Span::ALWAYS).then_some((span.start, span.end));
                let limit = Some(Box::new(Limit { party, cap: *cap, used, window }));
                return Err(Stop { code: Code::Cap, limit });
            }
        }
        Ok(())
    }

    /// Whether the buyer's money lasts.
    pub(super) fn funds(
        &self,
        scope: &Scope<'_>,
        buyer: &Tallies,
        at: Timestamp,
    ) -> Result<(), Stop> {
        let Some(funds) = scope.funds else { return Ok(()) };
        let taken = used(buyer.at(Window::Total, at), funds.currency);
        if !self.is_over(funds, taken.amount) {
            return Ok(());
        }
        let cap = Cap { per: Window::Total, limit: CapLimit::Spend(funds), of: CapOf::Sold };
        let used = CapLimit::Spend(taken);
        let limit = Limit { party: Party::Buyer, cap, used, window: None };
        Err(Stop { code: Code::Balance, limit: Some(Box::new(limit)) })
    }
}

/// What every cap of one party leaves.
pub(super) fn headroom<'a>(
    party: Party,
    limits: &Limits<'a>,
    tallies: Option<&'a Tallies>,
    at: Timestamp,
) -> impl Iterator<Item = Headroom> + use<'a> {
    limits.caps.iter().map(move |cap| {
        let kept = kept(tallies, cap, at);
        let left = match cap.limit {
            CapLimit::Leads(most) => Decimal::from(most) - Decimal::from(leads(kept, cap.of)),
            CapLimit::Spend(most) => most.amount.saturating_sub(spend(kept, most.currency)),
        };
        Headroom { party, cap: Some(*cap), left }
    })
}

/// What a buyer's funds leave.
pub(super) fn funds_left(scope: &Scope<'_>, buyer: &Tallies, at: Timestamp) -> Option<Headroom> {
    let funds = scope.funds?;
    let taken = spend(buyer.at(Window::Total, at), funds.currency);
    let left = funds.amount.saturating_sub(taken);
    Some(Headroom { party: Party::Buyer, cap: None, left })
}

fn kept<'t>(tallies: Option<&'t Tallies>, cap: &Cap, at: Timestamp) -> Option<&'t Kept> {
    tallies.and_then(|tallies| tallies.at(cap.per, at))
}

fn leads(kept: Option<&Kept>, of: CapOf) -> u64 {
    kept.map_or(0, |kept| kept.counts.leads(of))
}

fn spend(kept: Option<&Kept>, currency: Currency) -> Decimal {
    kept.map_or(Decimal::ZERO, |kept| kept.counts.spend(currency))
}

fn used(kept: Option<&Kept>, currency: Currency) -> Money {
    Money { amount: spend(kept, currency), currency }
}
