//! `POST /v1/ping` and `POST /v1/post` from header to reply, in the order in which its parent takes
//! a lead. A ping is not idempotent: each one that is accepted reserves anew, and
//! an `Idempotency-Key` is only held to be one.

use hyper::Request;
use hyper::body::Incoming;
use lead::{Door, NoQuote, Quote, Status};

use super::terms::{Moment, Sent, Terms};
use super::{authenticate, hand_in};
use crate::doors::Decoded;
use crate::doors::native::{self, ping as door};
use crate::reply::{Fault, Reply};
use crate::{Delivery, Distribute, Limits, body, card};

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
    (request, at): (Request<Incoming>, Moment),
) -> Result<Quote, Fault> {
    let market = desk.market();
    let publisher = authenticate(&market, Door::Native, request.headers())?;
    let terms = Terms { key: None, ..Terms::read(desk, limits, request.headers())? };
    let mut bytes = body::read(request.into_body(), limits).await?;
    let body = *blake3::hash(&bytes).as_bytes();
    let root = document::parse_json(&mut bytes).map_err(Fault::Unparsable)?;
    card::refuse(&root).map_err(Fault::Invalid)?;
    let (decoded, hashes) = door::decode_ping(&root, publisher, &market)?;
    match decoded {
        Decoded::Rejected(answer) => match answer.status {
            Status::Rejected(reason) => Ok(Quote::Rejected(NoQuote::Lead(reason))),
            Status::New | Status::Distributed { .. } => Ok(Quote::Rejected(NoQuote::Unmatched)),
        },
        Decoded::Lead(submission) => {
            let sent = Sent { publisher, terms, body, ping: None, at };
            let arrival = sent.arrival(*submission)?;
            let refused = |refusal| Fault::refused(refusal, limits.retry_after);
            desk.ping(arrival, hashes).await.map_err(refused)
        }
    }
}

async fn take<D: Distribute>(
    desk: &D,
    limits: &Limits,
    (request, at): (Request<Incoming>, Moment),
) -> Result<Delivery, Fault> {
    let market = desk.market();
    let publisher = authenticate(&market, Door::Native, request.headers())?;
    let terms = Terms::read(desk, limits, request.headers())?;
    let mut bytes = body::read(request.into_body(), limits).await?;
    let body = *blake3::hash(&bytes).as_bytes();
    let root = document::parse_json(&mut bytes).map_err(Fault::Unparsable)?;
    card::refuse(&root).map_err(Fault::Invalid)?;
    let (decoded, ping) = door::decode_post(&root, publisher, &market)?;
    hand_in(desk, limits, Sent { publisher, terms, body, ping: Some(ping), at }, decoded).await
}
