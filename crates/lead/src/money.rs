//! Decimal money with its currency. Never a float; amounts of two currencies never meet.

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// An ISO 4217 code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Digits after the point that a payment can have.
    #[must_use]
    pub fn minor_digits(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG"
            | b"RWF" | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

/// A text that is not three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotACurrency;

impl fmt::Display for NotACurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an ISO 4217 code of three capital letters")
    }
}

impl std::error::Error for NotACurrency {}

impl FromStr for Currency {
    type Err = NotACurrency;

    fn from_str(text: &str) -> Result<Self, NotACurrency> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| NotACurrency)?;
        if code.iter().all(u8::is_ascii_uppercase) { Ok(Self(code)) } else { Err(NotACurrency) }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(input)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The largest amount that one bid, price or payout may have, in units of its currency.
pub const AMOUNT_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// An amount in major units ("12.50") of one currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Major units.
    pub amount: Decimal,
    /// Of what.
    pub currency: Currency,
}

impl Money {
    /// Nothing.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self { amount: Decimal::ZERO, currency }
    }

    /// `amount` as a price: not negative, not absurd, in whole minor units.
    #[must_use]
    pub fn price(amount: Decimal, currency: Currency) -> Option<Self> {
        let whole = amount.normalize().scale() <= currency.minor_digits();
        (amount >= Decimal::ZERO && amount <= AMOUNT_MAX && whole)
            .then_some(Self { amount, currency })
    }

    /// The largest whole number of minor units that is not more than this.
    #[must_use]
    pub fn floor_to_minor(self) -> Self {
        let digits = self.currency.minor_digits();
        let amount =
            self.amount.round_dp_with_strategy(digits, RoundingStrategy::ToNegativeInfinity);
        Self { amount, ..self }
    }

    /// The share of this that a publisher gets, rounded down to the minor unit.
    #[must_use]
    pub fn share(self, share: Decimal) -> Option<Self> {
        let amount = self.amount.checked_mul(share)?;
        Some(Self { amount, ..self }.floor_to_minor())
    }

    /// The difference; `None` across currencies or on overflow.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        let amount = self.amount.checked_sub(other.amount)?;
        (self.currency == other.currency).then_some(Self { amount, ..self })
    }

    /// The sum; `None` across currencies or on overflow.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let amount = self.amount.checked_add(other.amount)?;
        (self.currency == other.currency).then_some(Self { amount, ..self })
    }

    /// The amount with the currency's digits: `"12.50"`, the wire form.
    #[must_use]
    pub fn to_wire(self) -> String {
        let digits = self.currency.minor_digits();
        let mut amount = self.amount.normalize();
        if amount.scale() < digits {
            amount.rescale(digits);
        }
        amount.to_string()
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_wire(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(text: &str, currency: &str) -> Money {
        Money { amount: text.parse().unwrap(), currency: currency.parse().unwrap() }
    }

    #[test]
    fn wire_form_has_the_digits_of_the_currency() {
        for (text, currency, wire) in [
            ("12.5", "EUR", "12.50"),
            ("12", "EUR", "12.00"),
            ("12", "JPY", "12"),
            ("1.5", "KWD", "1.500"),
            ("0.1234", "EUR", "0.1234"),
        ] {
            assert_eq!(money(text, currency).to_wire(), wire);
        }
    }

    #[test]
    fn prices_are_whole_minor_units_and_not_negative() {
        let eur = "EUR".parse().unwrap();
        for good in ["0", "12.50", "12.500", "1000000000"] {
            assert!(Money::price(good.parse().unwrap(), eur).is_some(), "{good}");
        }
        for bad in ["-0.01", "1.001", "1000000000.01"] {
            assert!(Money::price(bad.parse().unwrap(), eur).is_none(), "{bad}");
        }
    }

    #[test]
    fn currencies_do_not_mix() {
        assert_eq!(money("1", "EUR").plus(money("1", "USD")), None);
        assert_eq!(money("1", "EUR").minus(money("1", "USD")), None);
        assert!("eur".parse::<Currency>().is_err() && "EURO".parse::<Currency>().is_err());
    }

    proptest! {
        #[test]
        fn a_share_is_never_more_than_its_part_and_loses_less_than_a_minor_unit(
            cents in 0i64..10_000_000, share in 0u32..=10_000,
        ) {
            let price = Money { amount: Decimal::new(cents, 2), currency: "EUR".parse().unwrap() };
            let share = Decimal::new(i64::from(share), 4);
            let payout = price.share(share).unwrap();
            let exact = price.amount * share;
            prop_assert!(payout.amount <= exact && exact - payout.amount < Decimal::new(1, 2));
            prop_assert!(payout.amount <= price.amount && payout.amount.scale() <= 2);
        }
    }
}
