//! `POST /v1/ping` and `POST /v1/post` from header to reply, in the order in which its parent takes
//! a lead. A ping is not idempotent: each one that is accepted reserves anew, and
//! an `Idempotency-Key` is only held to be one.

use std::time::Instant;

use hyper::Request;
use hyper::body::Incoming;
use jiff::Timestamp;
use lead::{Door, NoQuote, Quote, Status};

use super::{authenticate, budget, hand_in, idempotency_key, rehearsal};
use crate::doors::Decoded;
use crate::doors::native::{self, ping as door};
use crate::reply::{Fault, Reply};
use crate::{Arrival, Delivery, Distribute, Limits, RequestId, body, card};

type Moment = (Timestamp, Instant);

/// Answers a ping.
pub(super) async fn ping<D: Distribute>(
    desk: &D,
    limits: &Limits,
    request: (Request<Incoming>, Moment),
) -> Reply {
    let quote = ask(desk, limits, request).await;
    quote.map_or_else(|fault| native::fault(&fault), |quote| door::encode_quote(&quote))
}

/// Answers the post of a ping.
pub(super) async fn post<D: Distribute>(
    desk: &D,
    limits: &Limits,
    request: (Request<Incoming>, Moment),
) -> Reply {
    match take(desk, limits, request).await {
        Ok(delivery) => {
            let reply = native::encode(&delivery.answer);
            Reply { delivery: Some(delivery), ..reply }
        }
        Err(fault) => native::fault(&fault),
    }
}

async fn ask<D: Distribute>(
    desk: &D,
    limits: &Limits,
    (request, (at, instant)): (Request<Incoming>, Moment),
) -> Result<Quote, Fault> {
    let market = desk.market();
    let publisher = authenticate(&market, Door::Native, request.headers())?;
    let budget = budget(request.headers())?;
    let _checked = idempotency_key(request.headers())?;
    let asked = rehearsal::asked(request.headers())?;
    if let Some(why) = desk.unavailable() {
        return Err(Fault::Unavailable(why, limits.retry_after));
    }
    let mut bytes = body::read(request.into_body(), limits).await?;
    let request = RequestId { key: None, body: *blake3::hash(&bytes).as_bytes() };
    let root = document::parse_json(&mut bytes).map_err(Fault::Unparsable)?;
    card::refuse(&root).map_err(Fault::Invalid)?;
    let (decoded, hashes) = door::decode_ping(&root, publisher, &market)?;
    match decoded {
        Decoded::Rejected(answer) => match answer.status {
            Status::Rejected(reason) => Ok(Quote::Rejected(NoQuote::Lead(reason))),
            Status::New | Status::Distributed { .. } => Ok(Quote::Rejected(NoQuote::Unmatched)),
        },
        Decoded::Lead(submission) => {
            let mut submission = *submission;
            rehearsal::rehearse(&mut submission, publisher, asked)?;
            let arrival = Arrival { submission, at, instant, budget, ping: None, request };
            let refused = |refusal| Fault::refused(refusal, limits.retry_after);
            desk.ping(arrival, hashes).await.map_err(refused)
        }
    }
}

async fn take<D: Distribute>(
    desk: &D,
    limits: &Limits,
    (request, (at, instant)): (Request<Incoming>, Moment),
) -> Result<Delivery, Fault> {
    let market = desk.market();
    let publisher = authenticate(&market, Door::Native, request.headers())?;
    let budget = budget(request.headers())?;
    let key = idempotency_key(request.headers())?;
    let asked = rehearsal::asked(request.headers())?;
    if let Some(why) = desk.unavailable() {
        return Err(Fault::Unavailable(why, limits.retry_after));
    }
    let mut bytes = body::read(request.into_body(), limits).await?;
    let request = RequestId { key, body: *blake3::hash(&bytes).as_bytes() };
    let root = document::parse_json(&mut bytes).map_err(Fault::Unparsable)?;
    card::refuse(&root).map_err(Fault::Invalid)?;
    let (decoded, ping) = door::decode_post(&root, publisher, &market)?;
    match decoded {
        Decoded::Rejected(answer) => Ok(Delivery::new(*answer)),
        Decoded::Lead(submission) => {
            let mut submission = *submission;
            rehearsal::rehearse(&mut submission, publisher, asked)?;
            let arrival = Arrival { submission, at, instant, budget, ping: Some(ping), request };
            hand_in(desk, limits, arrival).await
        }
    }
}
