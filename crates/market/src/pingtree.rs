//! A publisher's database source at the Pingtree door: where its leads are posted to, which fields they
//! need, by which field they are repeats, and whether they are sold or only kept. Reads no lead.

use document::{Fields, Slot};
use lead::ProductId;

use crate::read;

/// A database source. One publisher has one: what it stored is what that publisher posted there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PingtreeSource {
    /// 24 lower-case hexadecimal digits; in `/api/lead/create/{id}`.
    pub id: String,
    /// Its name in `/api/v1/database-source/{slug}/…`.
    pub slug: String,
    /// For what its leads are.
    pub product: ProductId,
    /// Takes leads.
    pub active: bool,
    /// Fields without which a lead is not taken, in the order in which errors are told.
    pub required: Vec<String>,
    /// By what a lead is a repeat of one that the source has; `None` if it takes repeats.
    pub dedupe: Option<SourceKey>,
    /// Whether a campaign of the source's is linked: its leads go through the product's tree. Else they
    /// are kept, and never offered to anybody.
    pub distributes: bool,
}

/// By what a lead is a repeat of one that its source has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceKey {
    /// `email`.
    Email,
    /// `mobile`.
    Mobile,
    /// A field of the source's own.
    Field(String),
}

impl SourceKey {
    /// The field.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Email => "email",
            Self::Mobile => "mobile",
            Self::Field(name) => name,
        }
    }
}

/// The door's own fields that identify nobody, so no lead is a repeat by them.
const NOT_KEYS: &[&str] = &[
    "first_name",
    "last_name",
    "address",
    "city",
    "state",
    "zip_code",
    "date_of_birth",
    "transaction_id",
];

impl PingtreeSource {
    /// Reads the door's table of a publisher, but for its keys.
    pub(crate) fn read(fields: &Fields<'_, '_>) -> Option<Self> {
        let id = source_id(&fields.at("source"));
        let slug = slug(&fields.at("slug"));
        let product = read::slug(fields.at("product"));
        let active = fields.given("active").map_or(Some(true), |slot| slot.bool());
        let required = fields.given("required").map_or(Some(Vec::new()), required);
        let dedupe = fields.given("dedupe").map(|slot| key(&slot));
        let distributes = fields.given("distributes").map_or(Some(true), |slot| slot.bool());
        Some(Self {
            id: id?,
            slug: slug?,
            product: product?,
            active: active?,
            required: required?,
            dedupe: dedupe.map_or(Some(None), |key| key.map(Some))?,
            distributes: distributes?,
        })
    }
}

fn source_id(slot: &Slot<'_, '_>) -> Option<String> {
    slot.parse("an id of 24 hexadecimal digits", |node| {
        let id = node.as_text()?.to_ascii_lowercase();
        (id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
    })
}

fn slug(slot: &Slot<'_, '_>) -> Option<String> {
    slot.parse("a slug of lower-case letters, digits, - and _", |node| {
        let slug = node.as_text()?;
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let word = slug.bytes().all(|byte| letter(byte) || byte == b'-' || byte == b'_');
        (word && (1..=64).contains(&slug.len())).then(|| slug.to_owned())
    })
}

fn required(slot: Slot<'_, '_>) -> Option<Vec<String>> {
    slot.each(|field| named(&field))
}

fn key(slot: &Slot<'_, '_>) -> Option<SourceKey> {
    let name = named(slot)?;
    if NOT_KEYS.contains(&name.as_str()) {
        slot.refuse("must be email, mobile or a field of the source's own");
        return None;
    }
    Some(match name.as_str() {
        "email" => SourceKey::Email,
        "mobile" => SourceKey::Mobile,
        _ => SourceKey::Field(name),
    })
}

/// The name of a field.
fn named(slot: &Slot<'_, '_>) -> Option<String> {
    slot.parse("a field name of letters, digits and _", |node| {
        let name = node.as_text()?;
        let word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (word && (1..=64).contains(&name.len())).then(|| name.to_owned())
    })
}
