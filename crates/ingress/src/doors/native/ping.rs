//! The native door's ping and post: the words of `POST /v1/ping`, and what `POST /v1/post` has beside a
//! lead. A ping that would bring nothing is an answer, no fault: 200 with `rejected` and a reason.
//! Contact data in a ping is a 422.

use document::Node;
use hyper::StatusCode;
use lead::{NoQuote, PingId, Quote};
use market::{Market, Publisher};
use serde_json::json;

use super::{Shape, decode_as};
use crate::PingFault;
use crate::doors::Decoded;
use crate::reply::{Fault, Reply};

/// Reads a ping: a lead without its consumer.
///
/// # Errors
/// Every defect.
pub(crate) fn decode_ping(
    root: &Node<'_>,
    publisher: &Publisher,
    market: &Market,
) -> Result<Decoded, Fault> {
    decode_as(Shape::Ping, root, publisher, market)
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
            "expires_at": expires_at.to_string(),
            "reason": null,
        }),
        Quote::Rejected(why) => rejected(*why),
    };
    Reply::json(StatusCode::OK, body)
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
