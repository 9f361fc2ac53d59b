//! The native door's ping and post: the words of `POST /v1/ping`, and what `POST /v1/post` has beside a
//! lead. A ping that would bring nothing is an answer, no fault: 200 with `rejected` and a reason.
//! Contact data in a ping is a 422.
//!
//! A ping may have `"hashes": {"email", "phone"}`, each 64 hexadecimal digits in either case: the SHA-256
//! of the e-mail address, trimmed and in lower case, and of the phone number in E.164 with its plus sign
//! and no spaces (`+34600111222`), both as UTF-8. A consumer who would be a duplicate, or is suppressed,
//! ends there. Hashes are compared and never kept.

use document::{Defects, Node, Slot};
use hyper::StatusCode;
use jiff::Timestamp;
use lead::{Hashes, NoQuote, PingId, Quote};
use market::{Market, Publisher};
use serde_json::json;

use super::{Shape, decode_as};
use crate::PingFault;
use crate::doors::Decoded;
use crate::reply::{Fault, Reply};

/// Reads a ping: a lead without its consumer, and what it says of who that is.
///
/// # Errors
/// Every defect.
pub(crate) fn decode_ping(
    root: &Node<'_>,
    publisher: &Publisher,
    market: &Market,
) -> Result<(Decoded, Hashes), Fault> {
    let decoded = decode_as(Shape::Ping, root, publisher, market)?;
    // Decoding has named their defects.
    let defects = Defects::new();
    let hashes = root.member("hashes").and_then(|node| hashes(Slot::root(node, &defects).given()?));
    Ok((decoded, hashes.unwrap_or_default()))
}

/// Reads what a ping says of its consumer.
pub(super) fn hashes(slot: Slot<'_, '_>) -> Option<Hashes> {
    let fields = slot.fields()?;
    let read = |name: &'static str| {
        let read = |node: &Node<'_>| lead::hashes::read(node.as_text()?.trim());
        fields.given(name)?.parse("a SHA-256 in 64 hexadecimal digits", read)
    };
    let hashes = Hashes { email: read("email"), phone: read("phone") };
    fields.deny_unknown();
    Some(hashes)
}

/// Reads a post: a lead, and the id of its ping.
///
/// # Errors
/// Every defect; or the id is none that a ping ever had.
pub(crate) fn decode_post(
    root: &Node<'_>,
    publisher: &Publisher,
    market: &Market,
) -> Result<(Decoded, PingId), Fault> {
    let decoded = decode_as(Shape::Post, root, publisher, market)?;
    let id = root.member("ping_id").and_then(Node::as_text);
    let id = id.and_then(|text| text.trim().parse().ok());
    id.map(|id| (decoded, id)).ok_or(Fault::NoPing(PingFault::Unknown))
}

/// Words the answer to a ping.
pub(crate) fn encode_quote(quote: &Quote) -> Reply {
    let body = match quote {
        Quote::Accepted { ping, payout, expires_at } => json!({
            "ping_id": ping.to_string(),
            "status": "accepted",
            "payout": payout.to_wire(),
            "expires_at": in_millis(*expires_at).to_string(),
            "reason": null,
        }),
        Quote::Rejected(why) => rejected(*why),
    };
    Reply::json(StatusCode::OK, body)
}

/// What a publisher's clock can read; never later than it is.
fn in_millis(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

fn rejected(why: NoQuote) -> serde_json::Value {
    json!({
        "ping_id": null,
        "status": "rejected",
        "payout": null,
        "expires_at": null,
        "reason": why.name(),
    })
}
