//! The BrainySoft door: `POST /bs-core/main/leads`, `GET …/{id}`, `POST …/{id}/check`, `GET …/{id}/statuses`,
//! `GET …/find/{ids}` and `POST /bs-core/main/login`; token in the header `bsauth`.
//!
//! Where its documentation is silent: a trailing slash is tolerated; a field that is blank or `null` is
//! missing; numbers and flags may be written as strings; unknown fields are kept for the post; of a lead
//! that names no credit product the publisher's own is meant. Creating a lead sells it, so its status is
//! `APPROVED` (sold), `DENIED` (rejected), `CHECK` (not decided yet) or, if nobody bought it, `WAITING` until
//! its check and `DENIED` after it. A check only acknowledges what is, once; before it the lead must have a
//! passport. Which leads were checked is remembered in memory alone, so after a restart such a lead waits
//! again and may be checked again. The headers `X-Lead-Status` and
//! `X-Redirect-Url` tell of the sale, as a lead's own record does: `data` of an answer to a create is always
//! its integer id. A consumer whom the publisher sent before is the same client again, which is no error; a
//! body that was sent before is the same lead, which is answered as it was.
//! An error's first defect is its code; `errors` lists all of them. Must never see a whole card number or
//! a card's check code ([`scrub`] comes first), and never decide whether a lead is eligible.

mod card;
mod fias;
mod fields;
mod path;
mod posted;
mod reply;
mod session;
mod spec;
mod view;

use document::{Defects, Node, Slot};
use lead::{Door, RejectionReason, Requested};
use market::{Market, Publisher};

use crate::contact;
use crate::doors::Decoded;
use crate::reply::Fault;

pub(crate) use path::{MANY, Path, path};
pub(crate) use reply::{encode, fault, ok};
pub(crate) use session::{authenticate, login, token};
pub(crate) use spec::spec;
pub(crate) use view::{Checked, client_parts, of_list, record, statuses, unready};

/// The digest of a request's body without cards, once they are gone from it.
pub(crate) fn scrub(root: &mut Node<'_>) -> [u8; 32] {
    card::strip(root);
    let left = serde_json::to_vec(&crate::json::value(root)).unwrap_or_default();
    *blake3::hash(&left).as_bytes()
}

/// The key of a request that gives none. No repeat is an error at this door, so a body is its own key: sent
/// again, it is the same lead and has the same answer, instead of being sold once more.
pub(crate) fn own_key(body: [u8; 32], asked: Option<Requested>) -> String {
    let asked = asked.map(|outcome| outcome.to_string()).unwrap_or_default();
    // With blanks in it, it is no key that a header could give.
    format!("the body {} {asked}", blake3::Hash::from_bytes(body).to_hex())
}

/// Reads a body that [`scrub`] has seen.
///
/// # Errors
/// Every defect, what is required first.
pub(crate) fn decode(
    root: &Node<'_>,
    publisher: &Publisher,
    market: &Market,
) -> Result<Decoded, Fault> {
    let defects = Defects::new();
    let read = read(&Slot::root(root, &defects), publisher, market);
    let (posted, credit_product) = defects.finish(read).map_err(Fault::Invalid)?;
    let Some(product) = market.product_by_credit_product(credit_product) else {
        let external_id = posted.text("orderCode");
        return Ok(Decoded::rejected(
            RejectionReason::InvalidProduct,
            external_id,
            Default::default(),
        ));
    };
    let submission = posted.into_submission(Door::BrainySoft, publisher, product);
    Ok(Decoded::Lead(Box::new(submission)))
}

/// The lead in one form and its credit product.
fn read(
    slot: &Slot<'_, '_>,
    publisher: &Publisher,
    market: &Market,
) -> Option<(posted::Posted, i64)> {
    let fields = slot.fields()?;
    for name in ["firstName", "mobilePhone"] {
        let slot = fields.at(name);
        if contact::filled(slot.given()).is_none() {
            let _noted = slot.filled();
        }
    }
    let mut members = fields::read(&fields, fields::LEAD);
    let _checked = contact::filled(fields.given("email")).and_then(contact::email);
    let _checked = contact::filled(fields.given("ipAddress")).and_then(contact::ip);
    let named = members.get("creditProductId").and_then(serde_json::Value::as_i64);
    let credit_product = named.or(publisher.brainysoft.credit_product);
    let product = credit_product.and_then(|id| market.product_by_credit_product(id));
    let country = product.map_or("", |product| product.country.as_str());
    let phone = members.get("mobilePhone").and_then(|phone| phone.as_str());
    if phone.is_some_and(|phone| posted::phone(phone, country).is_none()) {
        fields.at("mobilePhone").refuse("must be a phone number of 10 to 15 digits");
    }
    if credit_product.is_none() && contact::filled(fields.given("creditProductId")).is_none() {
        let _noted = fields.at("creditProductId").filled();
    }
    posted::fill_addresses(&mut members);
    Some((posted::Posted(members), credit_product?))
}
