//! A limit as it stands in a row of decisions: numbers by place. The numbers never change their meaning.

use jiff::Timestamp;
use lead::{Currency, Money};
use market::{Cap, CapLimit, CapOf, Window};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{Limit, Party};

/// Whose, per what, of what, how much it allows, how much was used; and, where there is one, the currency
/// and the window in seconds since 1970.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredLimit(u8, u8, u8, Amount, Amount, Option<Currency>, Option<(i64, i64)>);

/// A count of leads, or an amount of money as a text.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Amount {
    Leads(u64),
    Spend(Decimal),
}

impl StoredLimit {
    pub(super) fn of(limit: &Limit) -> Self {
        let Limit { party, cap, used, window } = limit;
        let currency = match cap.limit {
            CapLimit::Leads(_) => None,
            CapLimit::Spend(most) => Some(most.currency),
        };
        Self(
            party_number(*party),
            window_number(cap.per),
            of_number(cap.of),
            Amount::of(cap.limit),
            Amount::of(*used),
            currency,
            window.map(|(start, end)| (start.as_second(), end.as_second())),
        )
    }

    /// `None` if it was not written by [`StoredLimit::of`].
    pub(super) fn read(self) -> Option<Limit> {
        let Self(party, per, of, most, used, currency, window) = self;
        let party = Party::ALL.into_iter().find(|it| party_number(*it) == party)?;
        let per = Window::ALL.into_iter().find(|it| window_number(*it) == per)?;
        let of = CapOf::ALL.into_iter().find(|it| of_number(*it) == of)?;
        let window = match window {
            Some((start, end)) => {
                let moment = |second| Timestamp::from_second(second).ok();
                Some((moment(start)?, moment(end)?))
            }
            None => None,
        };
        let cap = Cap { per, limit: most.read(currency)?, of };
        Some(Limit { party, cap, used: used.read(currency)?, window })
    }
}

impl Amount {
    fn of(limit: CapLimit) -> Self {
        match limit {
            CapLimit::Leads(leads) => Self::Leads(leads),
            CapLimit::Spend(money) => Self::Spend(money.amount),
        }
    }

    fn read(self, currency: Option<Currency>) -> Option<CapLimit> {
        match (self, currency) {
            (Self::Leads(leads), None) => Some(CapLimit::Leads(leads)),
            (Self::Spend(amount), Some(currency)) => {
                Some(CapLimit::Spend(Money { amount, currency }))
            }
            _ => None,
        }
    }
}

fn party_number(party: Party) -> u8 {
    match party {
        Party::Campaign => 1,
        Party::Buyer => 2,
        Party::Publisher => 3,
    }
}

fn window_number(window: Window) -> u8 {
    match window {
        Window::Minute => 1,
        Window::Hour => 2,
        Window::Day => 3,
        Window::Week => 4,
        Window::Month => 5,
        Window::Total => 6,
    }
}

fn of_number(of: CapOf) -> u8 {
    match of {
        CapOf::Sold => 1,
        CapOf::Posted => 2,
        CapOf::Pinged => 3,
    }
}
