//! Advertiser events at the Leadhub door: `PATCH` (or `POST`) `/api/v1/lead/{lead_id}/status` with a buyer's
//! key in the header `apikey` and a JSON body, and the pixel: `GET` on the same path with `token`, `event`
//! and `ref` in the query.
//!
//! Where its documentation is silent: the word for an event is echoed as it was sent; `ref` and
//! `advertiser_ref` are one; unknown fields and parameters are tolerated (pixels carry some against
//! caches); the pixel answers the same JSON, never a redirect, and is not to be kept by caches; a lead
//! that the buyer has not bought is as unknown as one that never was (404). Must never decide what an event
//! is worth.

use document::{Defects, Fields, Node, Slot};
use hyper::StatusCode;
use lead::{BuyerEvent, Heard, LeadId};
use serde_json::{Map, Value, json};

use crate::json as raw;
use crate::reply::{Fault, Reply};

/// Longest reference, in characters.
const REFERENCE_MAX: usize = 200;
/// Largest `metadata`, in bytes of JSON.
const METADATA_MAX: usize = 4096;

/// What a buyer tells of a lead.
#[derive(Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) event: BuyerEvent,
    pub(crate) reference: Option<String>,
    pub(crate) metadata: Map<String, Value>,
}

/// Reads a body, or a pixel's query as an object of texts.
///
/// # Errors
/// Every defect.
pub(crate) fn decode(root: &Node<'_>) -> Result<Told, Fault> {
    let defects = Defects::new();
    let slot = Slot::root(root, &defects);
    let told = slot.fields().and_then(|fields| {
        let event = event(fields.at("event"));
        let reference = reference(&fields);
        let metadata = fields.given("metadata").map_or_else(Map::default, metadata);
        Some(Told { event: event?, reference, metadata })
    });
    defects.finish(told).map_err(Fault::Invalid)
}

/// Words what became of an event.
pub(crate) fn encode(lead: LeadId, event: BuyerEvent, heard: Heard) -> Reply {
    let body = json!({ "lead_id": lead, "event": event.name(), "status": heard.name() });
    Reply::json(StatusCode::OK, body)
}

fn event(slot: Slot<'_, '_>) -> Option<BuyerEvent> {
    let event = BuyerEvent::named(slot.filled()?);
    if event.is_none() {
        let words: Vec<&str> = BuyerEvent::ALL.iter().map(|event| event.name()).collect();
        slot.refuse(format_args!("must be one of {}", words.join(", ")));
    }
    event
}

fn reference(fields: &Fields<'_, '_>) -> Option<String> {
    let own = crate::contact::filled(fields.given("advertiser_ref"));
    let slot = own.or(crate::contact::filled(fields.given("ref")))?;
    let text = slot.text()?.trim();
    if text.chars().count() > REFERENCE_MAX || text.chars().any(char::is_control) {
        slot.refuse(format_args!(
            "must be at most {REFERENCE_MAX} characters without control characters"
        ));
        return None;
    }
    Some(text.to_owned())
}

fn metadata(slot: Slot<'_, '_>) -> Map<String, Value> {
    let members = raw::object(slot).unwrap_or_default();
    if serde_json::to_vec(&members).map_or(usize::MAX, |text| text.len()) > METADATA_MAX {
        slot.refuse(format_args!("must be at most {METADATA_MAX} bytes"));
    }
    members
}
