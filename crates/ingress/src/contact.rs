//! Checks of contact fields that all doors share. Stores nothing; its defects never hold a value.

use std::net::IpAddr;

use document::{Fields, Slot};
use jiff::Timestamp;
use jiff::civil::Date;
use lead::{Address, ConsentEntry};

/// A name: not blank, at most 100 characters.
pub(crate) fn name(slot: Slot<'_, '_>) -> Option<String> {
    let name = slot.filled()?;
    if name.chars().count() > 100 {
        slot.refuse("must be at most 100 characters");
        return None;
    }
    Some(name.to_owned())
}

/// An e-mail address: one `@`, a dotted domain, at most 254 characters.
pub(crate) fn email(slot: Slot<'_, '_>) -> Option<String> {
    let address = slot.filled()?;
    if !is_email(address) {
        slot.refuse("must be a valid email address");
        return None;
    }
    Some(address.to_owned())
}

fn is_email(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else {
        return false;
    };
    let label = |label: &str| {
        let inner = label.chars().all(|c| c.is_alphanumeric() || c == '-');
        !label.is_empty()
            && label.len() <= 63
            && inner
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let printable = local.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '@');
    let dotted = domain.contains('.') && domain.split('.').all(label);
    address.len() <= 254 && (1..=64).contains(&local.len()) && printable && dotted
}

/// A date, `YYYY-MM-DD`.
pub(crate) fn date(slot: Slot<'_, '_>) -> Option<Date> {
    slot.parsed("a date (YYYY-MM-DD)")
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
    use super::is_email;

    #[test]
    fn addresses() {
        for good in
            ["a@b.co", "lucia.ferrer+x@example.org", "o'neil@sub.example.com", "ü@exämple.de"]
        {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "@b.co",
            "a@",
            "a@b",
            "a@b..co",
            "a b@c.de",
            "a@b@c.de",
            "a@-b.co",
            &format!("{}@b.co", "a".repeat(65)),
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
