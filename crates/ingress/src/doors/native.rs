//! Gavel's own door: `POST /v1/leads`, `POST /v1/ping` and `POST /v1/post`, `GET /v1/leads/{id}` and
//! `…/decisions`, `POST …/withdraw`, key as `Authorization: Bearer`.
//!
//! Strict where the other doors are tolerant: an attribute that the product does not have, a value of
//! the wrong kind or an unknown field is a 422 that lists every defect. Must never decide whether a
//! lead is eligible.

pub(crate) mod ping;
mod spec;

pub(crate) use spec::spec;

use std::collections::BTreeMap;

use document::{Defects, Node, Slot};
use hyper::StatusCode;
use lead::{
    Address, Answer, Code, Consent, Contact, Door, Explanation, Gap, Money, OfferOutcome,
    PayoutBasis, RejectionReason, Requested, Sale, Status, Step, Submission,
};
use market::{Market, Product, Publisher};
use serde_json::{Value, json};

use crate::doors::Decoded;
use crate::reply::{Fault, Reply};
use crate::{contact, json as raw, problem};

/// Longest id, tag or tag name.
const WORD_CHARS_MAX: usize = 200;

/// Most tags.
const TAGS_MAX: usize = 32;

/// Reads a body.
///
/// # Errors
/// Every defect.
pub(crate) fn decode(
    root: &Node<'_>,
    publisher: &Publisher,
    market: &Market,
) -> Result<Decoded, Fault> {
    decode_as(Shape::Lead, root, publisher, market)
}

/// What a body must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A lead.
    Lead,
    /// A lead without its consumer: contact data is refused.
    Ping,
    /// A lead and the ping that it was promised something for.
    Post,
}

fn decode_as(
    shape: Shape,
    root: &Node<'_>,
    publisher: &Publisher,
    market: &Market,
) -> Result<Decoded, Fault> {
    let product = root.member("product").and_then(Node::as_text);
    let product = product.and_then(|id| market.products.get(&id.parse().ok()?));
    let defects = Defects::new();
    let slot = Slot::root(root, &defects);
    // Without a product there is no dictionary: say that first.
    if let Some(fields) = slot.fields()
        && fields.at("product").filled().is_some()
        && product.is_none()
    {
        let external_id = word(fields.given("external_id"));
        let tags = fields.given("tags").and_then(|slot| tags(&slot)).unwrap_or_default();
        return Ok(Decoded::rejected(RejectionReason::InvalidProduct, external_id, tags));
    }
    let read = product.and_then(|product| read(shape, &slot, publisher, product));
    defects.finish(read).map(|lead| Decoded::Lead(Box::new(lead))).map_err(Fault::Invalid)
}

/// Words an answer.
pub(crate) fn encode(answer: &Answer) -> Reply {
    let (status, redirect_url, reason, payout, basis) = match &answer.status {
        Status::Distributed { redirect_url, payout, basis, sales: _ } => {
            let (payout, basis) = (Some(payout.to_wire()), Some(basis_word(*basis)));
            ("distributed", redirect_url.as_deref(), None, payout, basis)
        }
        Status::New => ("new", None, None, None, None),
        Status::Rejected(reason) => ("rejected", None, Some(reason.name()), None, None),
    };
    let mut body = json!({
        "lead_id": answer.lead.map(|(id, _)| id),
        "status": status,
        "final": answer.is_final,
        "redirect_url": redirect_url,
        "rejection_reason": reason,
        "payout": payout,
        "payout_basis": basis,
        "currency": answer.currency,
        "external_id": answer.external_id,
        "tags": answer.tags,
    });
    // Only a shared lead has them.
    if let (Status::Distributed { sales, .. }, Some(members)) =
        (&answer.status, body.as_object_mut())
        && !sales.is_empty()
    {
        members.insert("sales".to_owned(), sales.iter().map(sale).collect());
    }
    Reply::json(StatusCode::OK, body)
}

fn sale(sale: &Sale) -> Value {
    json!({
        "redirect_url": sale.redirect_url,
        "payout": sale.payout.to_wire(),
        "payout_basis": basis_word(sale.basis),
    })
}

fn basis_word(basis: PayoutBasis) -> &'static str {
    match basis {
        PayoutBasis::Sale => "sale",
        PayoutBasis::Outcome => "outcome",
    }
}

/// Words why a lead ended as it did: a row for every campaign that wanted it, without its name; of the
/// others how many there are.
pub(crate) fn explain(why: &Explanation) -> Reply {
    let step = |step: &Step| {
        json!({
            "tier": step.tier,
            "stage": step.stage.name(),
            "code": step.code.number(),
            "reason": step.code.name(),
            "text": step.code.text(),
            "payout": step.payout.map(Money::to_wire),
        })
    };
    let count = |(code, campaigns): &(Code, usize)| {
        let (number, reason, text) = (code.number(), code.name(), code.text());
        json!({ "code": number, "reason": reason, "text": text, "campaigns": campaigns })
    };
    let gap = |gap: Gap| json!({ "code": gap.name(), "text": gap.text() });
    let body = json!({
        "lead_id": why.lead,
        "outcome": why.outcome.map(OfferOutcome::name),
        "decisions": why.steps.iter().map(step).collect::<Vec<_>>(),
        "not_matched": why.not_matched.iter().map(count).collect::<Vec<_>>(),
        "incomplete": why.gap.map(gap),
    });
    Reply::json(StatusCode::OK, body)
}

/// Words a fault as RFC 9457 problem details.
pub(crate) fn fault(fault: &Fault) -> Reply {
    let defects = match fault {
        Fault::Invalid(defects) => defects.as_slice(),
        _ => &[],
    };
    let reply = problem(fault.status(), fault.code(), &fault.message(), defects);
    fault.dress(reply)
}

fn read(
    shape: Shape,
    slot: &Slot<'_, '_>,
    publisher: &Publisher,
    product: &Product,
) -> Option<Submission> {
    let fields = slot.fields()?;
    let _known = fields.at("product");
    let sub_id = word(fields.given("sub_id"));
    let external_id = word(fields.given("external_id"));
    let min_payout = fields.given("min_payout").and_then(|slot| min_payout(&slot, product));
    let tags = fields.given("tags").and_then(|slot| tags(&slot)).unwrap_or_default();
    let source_url = contact::optional(fields.given("source_url"));
    let user_agent = contact::optional(fields.given("user_agent"));
    let attributes = product.dictionary.read_strictly(&fields.at("attributes"));
    let contact = match shape {
        Shape::Ping => {
            let _checked = fields.given("hashes").and_then(ping::hashes);
            Some(Contact::default())
        }
        Shape::Lead | Shape::Post => read_contact(&fields.at("contact"), &product.country),
    };
    if shape == Shape::Post {
        let _known = fields.at("ping_id").filled();
    }
    let consent =
        fields.given("consent").map_or(Some(Consent::default()), |slot| read_consent(&slot));
    let test = fields.given("test").map_or(Some((false, None)), |slot| test(&slot));
    fields.deny_unknown();
    Some(Submission {
        door: Door::Native,
        publisher: publisher.id.clone(),
        product: product.id.clone(),
        sub_id,
        external_id,
        min_payout,
        tags,
        source_url,
        user_agent,
        attributes: attributes?,
        contact: contact?,
        consent: consent?,
        test: test?.0,
        requested: test?.1,
    })
}

/// Whether it is a test lead, and what that is to end in.
fn test(slot: &Slot<'_, '_>) -> Option<(bool, Option<Requested>)> {
    if !matches!(slot.node(), Some(Node::Object(_))) {
        return slot.parse("a boolean or an object with an outcome", |node| match node {
            Node::Bool(test) => Some((*test, None)),
            _ => None,
        });
    }
    let fields = slot.fields()?;
    let outcome = fields.at("outcome").parsed(format!("one of {}", Requested::words()));
    fields.deny_unknown();
    Some((true, Some(outcome?)))
}

fn min_payout(slot: &Slot<'_, '_>, product: &Product) -> Option<Money> {
    let money = Money::price(slot.decimal()?, product.currency);
    if money.is_none() {
        slot.refuse("must be an amount of at least 0 in whole minor units");
    }
    money
}

fn tags(slot: &Slot<'_, '_>) -> Option<BTreeMap<String, String>> {
    let fields = slot.fields()?;
    let read =
        |(name, slot): (&str, Slot<'_, '_>)| Some((name.to_owned(), slot.text()?.to_owned()));
    let tags: BTreeMap<String, String> = fields.all().filter_map(read).collect();
    let long = |text: &String| text.chars().count() > WORD_CHARS_MAX;
    if tags.len() > TAGS_MAX || tags.iter().any(|(name, value)| long(name) || long(value)) {
        slot.refuse(format_args!(
            "must hold at most {TAGS_MAX} tags of at most {WORD_CHARS_MAX} characters"
        ));
    }
    Some(tags)
}

fn word(slot: Option<Slot<'_, '_>>) -> Option<String> {
    let slot = slot?;
    let word = contact::optional(Some(slot))?;
    if word.chars().count() > WORD_CHARS_MAX {
        slot.refuse(format_args!("must be at most {WORD_CHARS_MAX} characters"));
    }
    Some(word)
}

fn read_contact(slot: &Slot<'_, '_>, country: &str) -> Option<Contact> {
    let fields = slot.fields()?;
    let object = |name: &'static str| fields.given(name).and_then(raw::object).unwrap_or_default();
    let contact = Contact {
        first_name: contact::filled(fields.given("first_name")).and_then(contact::name),
        middle_name: contact::filled(fields.given("middle_name")).and_then(contact::name),
        last_name: contact::filled(fields.given("last_name")).and_then(contact::name),
        second_last_name: contact::filled(fields.given("second_last_name")).and_then(contact::name),
        email: contact::filled(fields.given("email")).and_then(contact::email),
        phone: contact::filled(fields.given("phone"))
            .and_then(|slot| contact::phone(slot, country)),
        birth_date: contact::filled(fields.given("birth_date")).and_then(contact::date),
        national_id: contact::optional(fields.given("national_id")),
        address: fields.given("address").and_then(|slot| address(&slot)),
        bank: object("bank"),
        employer: object("employer"),
        documents: fields
            .given("documents")
            .and_then(|slot| slot.each(|item| raw::object(item).map(Value::Object)))
            .unwrap_or_default(),
        extra: object("extra"),
    };
    fields.deny_unknown();
    Some(contact)
}

fn address(slot: &Slot<'_, '_>) -> Option<Address> {
    let fields = slot.fields()?;
    let mut address = contact::address(&fields);
    address.country = contact::optional(fields.given("country"));
    fields.deny_unknown();
    Some(address)
}

fn read_consent(slot: &Slot<'_, '_>) -> Option<Consent> {
    let fields = slot.fields()?;
    let entry = |slot: Slot<'_, '_>| {
        let fields = slot.fields()?;
        let entry = contact::consent_entry(&fields);
        fields.deny_unknown();
        entry
    };
    let entries = fields.given("entries").map_or(Some(Vec::new()), |slot| slot.each(entry));
    let partners = fields
        .given("partners")
        .map_or(Some(Vec::new()), |slot| slot.each(|p| p.filled().map(str::to_owned)));
    let consent = Consent {
        entries: entries?,
        ip: contact::filled(fields.given("ip")).and_then(contact::ip),
        collected_at: contact::filled(fields.given("collected_at")).and_then(contact::moment),
        partners: partners?,
        certificate_url: contact::optional(fields.given("certificate_url")),
        evidence: BTreeMap::new(),
    };
    fields.deny_unknown();
    Some(consent)
}
