//! A Pingtree lead's fields, read into a submission. Stores nothing; its defects never hold a value.

use std::borrow::Cow;
use std::collections::BTreeMap;

use document::{Defects, Fields, Node, Slot};
use jiff::Timestamp;
use jiff::civil::Date;
use lead::{
    Address, Attribute, Attributes, Consent, ConsentEntry, Contact, Door, Kind, Reading, Standard,
    Submission,
};
use market::{Definition, PingtreeSource, Product, Publisher};
use serde_json::Map;

use super::Dialect;
use crate::reply::Fault;
use crate::{contact, json as raw};

/// Longest id or channel.
const WORD_CHARS_MAX: usize = 200;

/// Longest address.
const ADDRESS_CHARS_MAX: usize = 200;

const BAD_DATE: &str = "must be a date (YYYY-MM-DD, MM/DD/YYYY or YYYY/MM/DD)";

/// Longest text of any other field of the door's own.
const TEXT_CHARS_MAX: usize = 100;

/// A lead of `source`, for `product`.
///
/// # Errors
/// Every defect: what is missing in the order of the source's configuration, then what is not valid.
pub(super) fn read(
    root: &Node<'_>,
    dialect: Dialect,
    (publisher, source, product): (&Publisher, &PingtreeSource, &Product),
) -> Result<Submission, Fault> {
    let defects = Defects::new();
    let slot = Slot::root(root, &defects);
    let lead = slot.fields().map(|fields| {
        require(&fields, dialect, source);
        lead(&fields, dialect, product)
    });
    let lead = defects.finish(lead).map_err(Fault::Invalid)?;
    Ok(Submission {
        door: Door::Pingtree,
        publisher: publisher.id.clone(),
        product: product.id.clone(),
        sub_id: lead.sub_id,
        external_id: lead.external_id,
        min_payout: None,
        tags: BTreeMap::new(),
        source_url: None,
        user_agent: None,
        attributes: lead.attributes,
        contact: lead.contact,
        consent: lead.consent,
        test: false,
        requested: None,
    })
}

struct Lead {
    external_id: Option<String>,
    sub_id: Option<String>,
    attributes: Attributes,
    contact: Contact,
    consent: Consent,
}

/// Notes every field that the source needs and the lead lacks; blank is missing.
fn require<'t>(fields: &Fields<'_, 't>, dialect: Dialect, source: &'t PingtreeSource) {
    for name in source.required.iter().map(|name| dialect.name(name)) {
        let given = fields.all().find(|(known, _)| *known == name);
        if given.is_none_or(|(_, slot)| is_blank(slot.node())) {
            // Says that it is missing.
            let _missing = fields.at(name).filled();
        }
    }
}

fn is_blank(node: Option<&Node<'_>>) -> bool {
    match node {
        None | Some(Node::Null) => true,
        Some(Node::Text(text)) => text.trim().is_empty(),
        Some(_) => false,
    }
}

fn lead(fields: &Fields<'_, '_>, dialect: Dialect, product: &Product) -> Lead {
    let mobile = dialect.name("mobile");
    let zip_code = dialect.name("zip_code");
    let line = |name: &'static str| text(&fields.at(name), TEXT_CHARS_MAX);
    let address = Address {
        street: text(&fields.at("address"), ADDRESS_CHARS_MAX),
        house: None,
        city: valid(fields.at("city"), "must hold letters and spaces only", city),
        region: valid(fields.at("state"), "must be a 2-letter state abbreviation", state),
        postal_code: valid(fields.at(zip_code), "must be a 5-digit ZIP code", |text| {
            digits(text, 5)
        }),
        country: Some(product.country.clone()),
    };
    let contact = Contact {
        first_name: line("first_name"),
        last_name: line("last_name"),
        email: contact::filled(fields.given("email")).and_then(contact::email),
        // Whether a phone has it is the winner's to judge.
        phone: valid(fields.at(mobile), "must be a 10-digit number", |text| {
            Some(format!("+1{}", digits(text, 10)?))
        }),
        birth_date: valid(fields.at("date_of_birth"), BAD_DATE, date),
        ..Contact::default()
    };
    let external_id = text(&fields.at("transaction_id"), WORD_CHARS_MAX);
    let consent = consent(fields);
    let sub_id = text(&fields.at("sub1"), WORD_CHARS_MAX);
    let mut extra = Map::new();
    raw::keep_unread(fields, &mut extra);
    let attributes = attributes(fields, &address, product);
    let contact = Contact { address: Some(address), extra, ..contact };
    Lead { external_id, sub_id, attributes, contact, consent }
}

/// TrustedForm and Jornaya prove that the consumer filled in the form; what they are called here is what
/// the original calls them once stored.
fn consent(fields: &Fields<'_, '_>) -> Consent {
    let word = |name: &'static str| text(&fields.at(name), 2_048);
    let mut consent =
        Consent { certificate_url: word("xxTrustedFormCertUrl"), ..Consent::default() };
    for (name, kept) in [
        ("xxTrustedFormToken", "trusted_form_token"),
        ("xxTrustedFormPingUrl", "trusted_form_ping_url"),
        ("jornaya", "jornaya"),
    ] {
        consent.evidence.extend(word(name).map(|value| (kept.to_owned(), value)));
    }
    // Kept like any other field besides, so what is no address is not held against the lead.
    let given = fields.all().filter(|(name, _)| matches!(*name, "ip" | "ip_address"));
    consent.ip = given.filter_map(|(_, slot)| slot.node()?.as_text()?.trim().parse().ok()).next();
    consent.entries.extend(readable(fields, "tcpa_consent", yes).map(|accepted| ConsentEntry {
        kind: "tcpa".to_owned(),
        accepted,
        accepted_at: readable(fields, "tcpa_consent_date", moment),
        version: None,
    }));
    consent
}

/// What filters see: the address, and every field that the product has as an attribute.
fn attributes(fields: &Fields<'_, '_>, address: &Address, product: &Product) -> Attributes {
    let mut attributes = Attributes::new();
    for (name, slot) in fields.all() {
        let name = if name == "loan_amount" { "amount" } else { name };
        let Some(definition) = product.dictionary.named(name) else { continue };
        let node = match slot.node() {
            Some(Node::Text(text)) if name == "country" && is_us(text) => &US,
            Some(node) => node,
            None => continue,
        };
        if let Some(reading) = attribute(definition, node) {
            attributes.set(definition.attribute.clone(), reading);
        }
    }
    for (standard, told) in [
        (Standard::City, &address.city),
        (Standard::Region, &address.region),
        (Standard::PostalCode, &address.postal_code),
    ] {
        if let Some(told) = told {
            attributes.set_text(standard, told);
        }
    }
    if attributes.reading(&Attribute::Standard(Standard::Country)).is_none() {
        attributes.set_text(Standard::Country, &product.country);
    }
    attributes
}

/// An attribute's value, also where a form wrote it as text.
fn attribute(definition: &Definition, node: &Node<'_>) -> Option<Reading> {
    let coerced = match (definition.kind, node) {
        (Kind::Number, Node::Text(text)) => text.trim().parse().ok().map(Node::Number),
        (Kind::Bool, Node::Text(text)) => yes(text.trim()).map(Node::Bool),
        (Kind::Text, Node::Number(number)) => {
            Some(Node::Text(number.normalize().to_string().into()))
        }
        _ => None,
    };
    definition.read(coerced.as_ref().unwrap_or(node))
}

/// A text, trimmed; `None` if missing or blank. Numbers are read as they are written.
fn text(slot: &Slot<'_, '_>, most: usize) -> Option<String> {
    let text = match slot.node()? {
        Node::Null => return None,
        Node::Text(text) => text.trim().to_owned(),
        Node::Number(number) => number.normalize().to_string(),
        Node::Bool(value) => value.to_string(),
        other => {
            slot.refuse(format_args!("must be a string, found {}", other.kind()));
            return None;
        }
    };
    if text.chars().count() > most {
        slot.refuse(format_args!("must be at most {most} characters"));
        return None;
    }
    (!text.is_empty()).then_some(text)
}

/// A text that is read where it can be; one that cannot is a field like any other, and kept.
fn readable<T>(
    fields: &Fields<'_, '_>,
    name: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let (_, slot) = fields.all().find(|(known, _)| *known == name)?;
    let value = match slot.node()? {
        Node::Text(text) => read(text.trim()),
        Node::Number(number) => read(&number.normalize().to_string()),
        Node::Bool(value) => read(if *value { "true" } else { "false" }),
        _ => None,
    };
    if value.is_some() || is_blank(slot.node()) {
        let _no_longer_unread = fields.at(name);
    }
    value
}

/// A text of a certain form, if there is one.
fn valid<T>(slot: Slot<'_, '_>, issue: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    let text = text(&slot, TEXT_CHARS_MAX)?;
    let value = read(&text);
    if value.is_none() {
        slot.refuse(issue);
    }
    value
}

fn digits(text: &str, count: usize) -> Option<String> {
    let right = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    right.then(|| text.to_owned())
}

fn city(text: &str) -> Option<String> {
    text.chars().all(|c| c.is_alphabetic() || c == ' ').then(|| text.to_owned())
}

fn state(text: &str) -> Option<String> {
    let right = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    right.then(|| text.to_ascii_uppercase())
}

/// How browsers and people name the country.
fn is_us(text: &str) -> bool {
    ["US", "USA", "United States"].iter().any(|name| name.eq_ignore_ascii_case(text.trim()))
}

static US: Node<'static> = Node::Text(Cow::Borrowed("US"));

/// `YYYY-MM-DD`, `MM/DD/YYYY` or `YYYY/MM/DD`.
fn date(text: &str) -> Option<Date> {
    // Anything longer is a time, whose date is another one elsewhere.
    if text.len() != 10 {
        return None;
    }
    let parts: Vec<&str> = text.split('/').collect();
    match *parts.as_slice() {
        [year, month, day] if year.len() == 4 => format!("{year}-{month}-{day}").parse().ok(),
        [month, day, year] => format!("{year}-{month}-{day}").parse().ok(),
        _ => text.parse().ok(),
    }
}

/// A date counts from its first moment, in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let whole = || format!("{}T00:00:00Z", date(text)?).parse().ok();
    text.parse().ok().or_else(whole)
}

fn yes(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}
