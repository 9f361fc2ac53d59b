//! The Leadhub door: `POST /api/v1/lead`, key in the header `apikey`.
//!
//! Where its documentation is silent: a field that is blank or `null` is missing; unknown fields are
//! tolerated and kept for the post; a phone number that no plan admits is passed on as given; a wrong
//! `publisher_id` is a wrong key (401); missing consents and an unknown product are answers (200,
//! `rejected`), not errors; the four keys of an answer are always present. Must never decide whether a lead is eligible.

pub(crate) mod events;
mod spec;

pub(crate) use spec::spec;

use std::collections::BTreeMap;

use document::{Defects, Fields, Node, Slot};
use hyper::StatusCode;
use lead::{
    Address, Answer, Attributes, Consent, Contact, Door, RejectionReason, Standard, Status,
    Submission,
};
use market::{Dictionary, Market, Publisher};
use serde_json::{Map, Value, json};

use crate::doors::Decoded;
use crate::reply::{Fault, Reply};
use crate::{contact, json as raw};

/// Reads a body.
///
/// # Errors
/// `Unauthorized` for another publisher's id, else every defect in the order of the documentation.
pub(crate) fn decode(
    root: &Node<'_>,
    publisher: &Publisher,
    market: &Market,
) -> Result<Decoded, Fault> {
    if names_another(root, publisher) {
        return Err(Fault::Unauthorized);
    }
    let defects = Defects::new();
    let read = read(&Slot::root(root, &defects), market);
    let lead = defects.finish(read).map_err(Fault::Invalid)?;
    let Some(product) = market.product_by_leadhub_id(&lead.product_id) else {
        return Ok(Decoded::rejected(RejectionReason::InvalidProduct, None, BTreeMap::new()));
    };
    Ok(Decoded::Lead(Box::new(Submission {
        door: Door::Leadhub,
        publisher: publisher.id.clone(),
        product: product.id.clone(),
        sub_id: lead.sub_id,
        external_id: lead.external_id,
        min_payout: None,
        tags: BTreeMap::new(),
        source_url: None,
        user_agent: lead.user_agent,
        attributes: lead.attributes,
        contact: lead.contact,
        consent: lead.consent,
        test: false,
        requested: None,
    })))
}

/// Words an answer.
pub(crate) fn encode(answer: &Answer) -> Reply {
    let lead = answer.lead.map(|(id, _)| id);
    let (status, redirect_url, reason) = match &answer.status {
        Status::Distributed { redirect_url, .. } => ("distributed", redirect_url.as_deref(), None),
        Status::New => ("new", None, None),
        Status::Rejected(reason) => ("rejected", None, Some(reason.name())),
    };
    let body = json!({
        "lead_id": lead,
        "status": status,
        "redirect_url": redirect_url,
        "rejection_reason": reason,
    });
    Reply::json(StatusCode::OK, body)
}

/// Words a fault. Fields that are not valid are a 400 with `details`.
pub(crate) fn fault(fault: &Fault) -> Reply {
    let (status, error) = match fault {
        Fault::Invalid(_) | Fault::Unparsable(_) => (StatusCode::BAD_REQUEST, "validation_error"),
        Fault::Unavailable(crate::Unavailable::Internal, _) => (fault.status(), "internal_error"),
        other => (other.status(), other.code()),
    };
    let mut body = json!({ "error": error, "message": fault.message() });
    if let (Fault::Invalid(defects), Some(members)) = (fault, body.as_object_mut()) {
        let detail = |defect: &document::Defect| json!({ "field": defect.path.dotted(), "issue": defect.issue });
        members.insert("details".to_owned(), defects.iter().map(detail).collect());
    }
    fault.dress(Reply::json(status, body))
}

/// Whether a body names a publisher whose key this is not.
fn names_another(root: &Node<'_>, publisher: &Publisher) -> bool {
    let named = root.member("publisher_id").and_then(Node::as_text);
    named.and_then(as_uuid).is_some_and(|id| publisher.leadhub_id.as_deref() != Some(id.as_str()))
}

/// What a body says, before the market is asked.
struct Lead {
    product_id: String,
    external_id: Option<String>,
    sub_id: Option<String>,
    user_agent: Option<String>,
    attributes: Attributes,
    contact: Contact,
    consent: Consent,
}

fn read(slot: &Slot<'_, '_>, market: &Market) -> Option<Lead> {
    let fields = slot.fields()?;
    let (mut attributes, mut extra) = (Attributes::new(), Map::new());
    let product_id = uuid(fields.at("product_id"));
    let _ours = uuid(fields.at("publisher_id"));
    let product = product_id.as_deref().and_then(|id| market.product_by_leadhub_id(id));
    let mut contact = Contact::default();
    let mut external_id = None;
    if let Some(customer) = fields.at("customer").fields() {
        external_id = contact::optional(customer.given("external_id"));
        personal(&customer, &mut contact, &mut attributes, &mut extra);
        let country = product.map(|product| product.country.as_str()).unwrap_or_default();
        reach(&customer, country, &mut contact, &mut extra);
        contact.address = address(&customer, &mut attributes, &mut extra);
        profile(&customer, &mut attributes, &mut extra);
        if let Some(slot) = customer.given("financial_instruments") {
            let instruments = slot.each(|item| raw::object(item).map(Value::Object));
            contact.bank.extend(
                instruments.map(|items| ("financial_instruments".to_owned(), Value::Array(items))),
            );
        }
        raw::keep_unread(&customer, &mut extra);
    }
    if let Some(asked) = fields.at("product_data").fields() {
        product_data(&asked, product.map(|product| &product.dictionary), &mut attributes);
        raw::keep_unread(&asked, &mut extra);
    }
    let (consent, user_agent) =
        fields.at("consents").fields().map(|own| consents(&own, &mut extra)).unwrap_or_default();
    let sub_id = slot.node().and_then(sub_id);
    raw::keep_unread(&fields, &mut extra);
    contact.extra = extra;
    Some(Lead {
        product_id: product_id?,
        external_id,
        sub_id,
        user_agent,
        attributes,
        contact,
        consent,
    })
}

fn personal(
    customer: &Fields<'_, '_>,
    contact: &mut Contact,
    attributes: &mut Attributes,
    extra: &mut Map<String, Value>,
) {
    let slot = customer.at("personal_data");
    let Some(fields) = slot.fields() else {
        return;
    };
    contact.first_name = contact::name(fields.at("first_name"));
    contact.last_name = contact::name(fields.at("last_name"));
    contact.second_last_name = contact::optional(fields.given("second_surname"));
    contact.birth_date = contact::filled(fields.given("birthday")).and_then(contact::date);
    contact.national_id = contact::optional(fields.given("identification_number"));
    // The published name of this field is misspelt; both spellings are read.
    let nationality = contact::filled(fields.given("nacionality"));
    let nationality = nationality.or(fields.given("nationality"));
    text(attributes, Standard::Nationality, nationality);
    text(attributes, Standard::Gender, fields.given("gender"));
    raw::keep_unread(&fields, extra);
}

fn reach(
    customer: &Fields<'_, '_>,
    country: &str,
    contact: &mut Contact,
    extra: &mut Map<String, Value>,
) {
    let slot = customer.at("contact");
    let Some(fields) = slot.fields() else {
        return;
    };
    if let Some(email) = fields.at("email").fields() {
        contact.email = contact::email(email.at("address"));
        raw::keep_unread(&email, extra);
    }
    let phone_slot = fields.at("phone");
    if let Some(phone) = phone_slot.given().is_some().then(|| phone_slot.fields()).flatten() {
        let area = digits(
            contact::filled(phone.given("area_code")),
            "+",
            (1, 4),
            "must be a country code such as +34",
        );
        let slot = contact::filled(phone.given("number"));
        let number = digits(slot, "", (6, 15), "must be 6 to 15 digits");
        contact.phone = number.map(|number| {
            let written = area.unwrap_or_default() + &number;
            // What no plan admits is the winner's to judge: it gets what was given.
            lead::phone::e164(&written, country).unwrap_or(written)
        });
        raw::keep_unread(&phone, extra);
    }
    raw::keep_unread(&fields, extra);
}

fn address(
    customer: &Fields<'_, '_>,
    attributes: &mut Attributes,
    extra: &mut Map<String, Value>,
) -> Option<Address> {
    let slot = customer.given("address")?;
    let fields = slot.fields()?;
    let mut address = contact::address(&fields);
    address.country = country(contact::filled(fields.given("country")));
    let told = [
        (Standard::City, &address.city),
        (Standard::Region, &address.region),
        (Standard::PostalCode, &address.postal_code),
        (Standard::Country, &address.country),
    ];
    for (standard, value) in told {
        attributes.set_text(standard, value.as_deref().unwrap_or_default());
    }
    raw::keep_unread(&fields, extra);
    Some(address)
}

fn profile(customer: &Fields<'_, '_>, attributes: &mut Attributes, extra: &mut Map<String, Value>) {
    let Some(slot) = customer.given("profile") else {
        return;
    };
    let Some(fields) = slot.fields() else { return };
    text(attributes, Standard::Employment, fields.given("occupation"));
    number(attributes, Standard::MonthlyIncome, fields.given("monthly_income"));
    number(attributes, Standard::MonthlyExpenses, fields.given("monthly_expenses"));
    text(attributes, Standard::MaritalStatus, fields.given("marital_status"));
    if let Some(children) = fields.given("children").and_then(|slot| slot.integer(0i64, 100)) {
        attributes.set_number(Standard::Children, children);
    }
    text(attributes, Standard::Education, fields.given("education"));
    text(attributes, Standard::Housing, fields.given("housing_tenure"));
    raw::keep_unread(&fields, extra);
}

fn product_data(
    fields: &Fields<'_, '_>,
    dictionary: Option<&Dictionary>,
    attributes: &mut Attributes,
) {
    if let Some(amount) = between(fields.at("loan_amount"), 500, 75_000) {
        attributes.set_number(Standard::Amount, amount);
    }
    let purpose = fields.at("loan_purpose");
    if let Some(word) = purpose.filled() {
        // Which purposes exist is the product's business.
        let allowed = dictionary
            .and_then(|d| d.named("purpose"))
            .map(|d| d.allowed.as_slice())
            .unwrap_or_default();
        if allowed.is_empty() || allowed.iter().any(|known| **known == *word) {
            attributes.set_text(Standard::Purpose, word);
        } else {
            purpose.refuse(format_args!("must be one of {}", allowed.join(", ")));
        }
    }
    if let Some(term) = between(fields.at("loan_term_months"), 3, 84) {
        attributes.set_number(Standard::TermMonths, term);
    }
}

fn consents(fields: &Fields<'_, '_>, extra: &mut Map<String, Value>) -> (Consent, Option<String>) {
    let mut consent = Consent::default();
    let entry = |slot: Slot<'_, '_>| {
        let fields = slot.fields()?;
        let entry = contact::consent_entry(&fields);
        raw::keep_unread(&fields, extra);
        entry
    };
    consent.entries = fields.at("entries").each(entry).unwrap_or_default();
    let mut user_agent = None;
    if let Some(metadata) = fields.at("metadata").fields() {
        consent.ip = contact::ip(metadata.at("ip_address"));
        consent.collected_at =
            contact::filled(metadata.given("collected_at")).and_then(contact::moment);
        user_agent = contact::optional(metadata.given("user_agent"));
        raw::keep_unread(&metadata, extra);
    }
    raw::keep_unread(fields, extra);
    (consent, user_agent)
}

/// Not read as a field: `tracking` is passed on whole, whatever it is.
fn sub_id(root: &Node<'_>) -> Option<String> {
    let first = root.member("tracking")?.member("sub1")?.as_text()?.trim();
    (!first.is_empty()).then(|| first.to_owned())
}

fn uuid(slot: Slot<'_, '_>) -> Option<String> {
    slot.parse("a UUID", |node| as_uuid(node.as_text()?))
}

fn as_uuid(text: &str) -> Option<String> {
    let text = text.trim();
    let hex = |group: &str| group.bytes().all(|b| b.is_ascii_hexdigit());
    let right = text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.split('-').all(hex);
    right.then(|| text.to_ascii_lowercase())
}

fn between(slot: Slot<'_, '_>, least: i64, most: i64) -> Option<i64> {
    let number = slot.parse("an integer", |node| match node {
        Node::Number(number) if number.is_integer() => i64::try_from(*number).ok(),
        _ => None,
    })?;
    if number < least || number > most {
        slot.refuse(format_args!("must be between {least} and {most}"));
        return None;
    }
    Some(number)
}

fn digits(
    slot: Option<Slot<'_, '_>>,
    prefix: &str,
    (least, most): (usize, usize),
    issue: &str,
) -> Option<String> {
    let slot = slot?;
    let text = slot.text()?.trim();
    let right = text.strip_prefix(prefix).is_some_and(|rest| {
        (least..=most).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_digit())
    });
    if !right {
        slot.refuse(issue);
    }
    right.then(|| text.to_owned())
}

fn country(slot: Option<Slot<'_, '_>>) -> Option<String> {
    let slot = slot?;
    let code = slot.text()?.trim().to_ascii_uppercase();
    if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_uppercase()) {
        slot.refuse("must be an ISO 3166-1 code of two letters");
        return None;
    }
    Some(code)
}

fn text(attributes: &mut Attributes, standard: Standard, slot: Option<Slot<'_, '_>>) {
    if let Some(word) = contact::optional(slot) {
        attributes.set_text(standard, &word);
    }
}

fn number(attributes: &mut Attributes, standard: Standard, slot: Option<Slot<'_, '_>>) {
    let Some(slot) = slot else { return };
    match slot.number() {
        Some(number) if number.is_sign_negative() && !number.is_zero() => {
            slot.refuse("must not be negative")
        }
        Some(number) => attributes.set_number(standard, number),
        None => {}
    }
}
