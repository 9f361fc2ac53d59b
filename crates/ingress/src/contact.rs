//! Checks of contact fields that all doors share. Stores nothing; its defects never hold a value.

use std::net::IpAddr;

use document::{Fields, Slot};
use jiff::Timestamp;
use jiff::civil::Date;
use lead::{Address, ConsentEntry};

/// A name: at most 100 characters, with a letter among them and nothing that cannot be seen. What else
/// people put into names is theirs; where a name is sent, it is escaped.
pub(crate) fn name(slot: Slot<'_, '_>) -> Option<String> {
    let name = slot.filled()?;
    if !name.chars().any(char::is_alphabetic) || name.chars().any(char::is_control) {
        slot.refuse("must be a name, with letters and without control characters");
        return None;
    }
    if name.chars().count() > 100 {
        slot.refuse("must be at most 100 characters");
        return None;
    }
    Some(name.to_owned())
}

/// An e-mail address as [`lead::email`] reads it.
pub(crate) fn email(slot: Slot<'_, '_>) -> Option<String> {
    let address = lead::email::canonical(slot.filled()?);
    if address.is_none() {
        slot.refuse("must be a valid email address");
    }
    address
}

/// A phone number in E.164; without a country code it is one of `country`.
pub(crate) fn phone(slot: Slot<'_, '_>, country: &str) -> Option<String> {
    let number = lead::phone::e164(slot.text()?, country);
    if number.is_none() {
        slot.refuse("must be a phone number, best as +34600111222");
    }
    number
}

/// A date, `YYYY-MM-DD`.
pub(crate) fn date(slot: Slot<'_, '_>) -> Option<Date> {
    slot.parse("a date (YYYY-MM-DD)", |node| {
        // The length keeps out times and shortened dates, which the parser would take.
        node.as_text().map(str::trim).filter(|text| text.len() == "YYYY-MM-DD".len())?.parse().ok()
    })
}

/// A moment, RFC 3339.
pub(crate) fn moment(slot: Slot<'_, '_>) -> Option<Timestamp> {
    slot.parsed("an RFC 3339 time such as \"2026-03-01T09:00:00Z\"")
}

/// An IPv4 or IPv6 address.
pub(crate) fn ip(slot: Slot<'_, '_>) -> Option<IpAddr> {
    slot.parsed("an IPv4 or IPv6 address")
}

/// An address but for its country, which doors write differently.
pub(crate) fn address(fields: &Fields<'_, '_>) -> Address {
    Address {
        street: optional(fields.given("street")),
        house: optional(fields.given("house")),
        city: optional(fields.given("city")),
        region: optional(fields.given("region")),
        postal_code: optional(fields.given("postal_code")),
        country: None,
    }
}

/// One consent: which text, and the answer.
pub(crate) fn consent_entry(fields: &Fields<'_, '_>) -> Option<ConsentEntry> {
    let kind = fields.at("type").filled();
    let accepted = fields.at("accepted").bool();
    let accepted_at = filled(fields.given("accepted_at")).and_then(moment);
    let version = optional(fields.given("version"));
    Some(ConsentEntry { kind: kind?.to_owned(), accepted: accepted?, accepted_at, version })
}

/// An optional text: absent, `null` and blank are all missing; any other kind is a defect.
pub(crate) fn optional(slot: Option<Slot<'_, '_>>) -> Option<String> {
    let text = slot?.text()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether an optional text field has something in it.
pub(crate) fn filled<'n, 't>(slot: Option<Slot<'n, 't>>) -> Option<Slot<'n, 't>> {
    slot.filter(|slot| {
        !slot.node().and_then(|node| node.as_text()).is_some_and(|text| text.trim().is_empty())
    })
}

#[cfg(test)]
mod tests {
    use document::{Defects, Node, Slot};

    fn reads<T>(text: &str, read: impl Fn(Slot<'_, '_>) -> Option<T>) -> Option<T> {
        let (node, defects) = (Node::Text(text.to_owned().into()), Defects::new());
        let read = read(Slot::root(&node, &defects));
        assert_eq!(read.is_none(), !defects.is_empty(), "{text}");
        read
    }

    #[test]
    fn names() {
        for good in
            ["Ana", "O'Neil-Smith", "Mª José", "José Ángel", "李", "J. R.", "Анна", "D’Arc", "(Bo)"]
        {
            assert!(reads(good, super::name).is_some(), "{good}");
        }
        for bad in ["-", "123", "Ana\u{7}", "Ana\nLuz", "...", &"a".repeat(101)] {
            assert!(reads(bad, super::name).is_none(), "{bad}");
        }
    }

    #[test]
    fn dates_and_phones() {
        assert!(reads("1988-05-10", super::date).is_some());
        for bad in ["1988-05-10T00:00:00", "19880510", "1988-02-30", "10/05/1988"] {
            assert!(reads(bad, super::date).is_none(), "{bad}");
        }
        let phone = |text, country| reads(text, |slot| super::phone(slot, country));
        assert_eq!(phone("600 111 222", "ES").as_deref(), Some("+34600111222"));
        assert_eq!(phone("600 111 222", "US"), None);
    }
}
