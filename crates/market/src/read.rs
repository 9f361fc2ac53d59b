//! Small readers shared by the market's objects. Knows no object of its own.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use document::{Fields, Slot};
use jiff::tz::TimeZone;
use lead::{Currency, Money, id::SLUG};
use rust_decimal::Decimal;

/// An id that the market's objects refer to.
pub(crate) fn slug<T: FromStr>(slot: Slot<'_, '_>) -> Option<T> {
    slot.parse(SLUG, |node| node.as_text()?.parse().ok())
}

/// A price of at least zero in whole minor units.
pub(crate) fn price(slot: Slot<'_, '_>, currency: Currency) -> Option<Money> {
    let amount = slot.decimal()?;
    let money = Money::price(amount, currency);
    if money.is_none() {
        let digits = currency.minor_digits();
        slot.refuse(format_args!(
            "must be an amount from 0 to 1000000000 with at most {digits} decimals"
        ));
    }
    money
}

/// An optional price; zero when it is not given.
pub(crate) fn price_or_zero(slot: Option<Slot<'_, '_>>, currency: Currency) -> Option<Money> {
    slot.map_or(Some(Money::zero(currency)), |slot| price(slot, currency))
}

/// An IANA time zone.
pub(crate) fn timezone(slot: Slot<'_, '_>) -> Option<TimeZone> {
    slot.parse("an IANA time zone such as \"Europe/Madrid\"", |node| {
        TimeZone::get(node.as_text()?).ok()
    })
}

/// A decimal of at least zero whose currency is known only later.
pub(crate) fn amount(slot: Slot<'_, '_>) -> Option<Decimal> {
    let amount = slot.decimal()?;
    if amount < Decimal::ZERO || amount > lead::money::AMOUNT_MAX {
        slot.refuse("must be an amount from 0 to 1000000000");
        return None;
    }
    Some(amount)
}

/// `"30s"`, `"15m"`, `"24h"`, `"7d"`; at most ten years.
pub(crate) fn duration(slot: Slot<'_, '_>) -> Option<Duration> {
    slot.parse("a duration such as \"30s\", \"15m\", \"24h\" or \"7d\"", |node| {
        let text = node.as_text()?;
        let unit = text.chars().last()?;
        let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        count.checked_mul(seconds).filter(|all| *all <= 3_650 * 86_400).map(Duration::from_secs)
    })
}

/// `12500`, in milliseconds.
pub(crate) fn millis(slot: Slot<'_, '_>, least: u64, most: u64) -> Option<Duration> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    slot.integer(i64::try_from(least).unwrap_or(0), most)
        .and_then(|value| u64::try_from(value).ok())
        .map(Duration::from_millis)
}

/// Non-empty strings.
pub(crate) fn words(slot: Slot<'_, '_>) -> Option<Vec<String>> {
    slot.each(|word| word.filled().map(str::to_owned))
}

/// A table whose keys are ids.
pub(crate) fn table<K: FromStr + Ord, V>(
    fields: &Fields<'_, '_>,
    read: impl Fn(&K, Slot<'_, '_>) -> Option<V>,
) -> BTreeMap<K, V> {
    let mut table = BTreeMap::new();
    for (name, slot) in fields.all() {
        match name.parse::<K>() {
            Ok(id) => {
                if let Some(value) = read(&id, slot) {
                    table.insert(id, value);
                }
            }
            Err(_) => slot.refuse(format_args!("is no id: ids are {SLUG}")),
        }
    }
    table
}

/// Notes a field that this version reads but cannot honour, rather than ignoring it.
pub(crate) fn unsupported(fields: &Fields<'_, '_>, names: &[&'static str]) {
    for name in names {
        if let Some(slot) = fields.given(name) {
            slot.refuse("is not supported by this version");
        }
    }
}
