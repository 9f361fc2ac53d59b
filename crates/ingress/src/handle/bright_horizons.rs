//! A request at the Bright Horizons door, whose key stands in the body: it is read before anybody is
//! known. Words nothing itself.

use document::Defect;
use hyper::body::Incoming;
use hyper::{Method, Request};
use jiff::Timestamp;
use market::{Market, Product};

use super::terms::{Moment, Sent, Terms};
use super::{hand_in, rehearsal};
use crate::doors::Decoded;
use crate::doors::bright_horizons::{self as door, Refused};
use crate::reply::{Fault, Reply};
use crate::{Distribute, Limits, body, card, form};

/// Letters and digits of a ping's id.
const PING_ID_CHARS: usize = 49;

/// What stops a request.
enum Stop {
    Fault(Fault),
    Refused(Refused),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// One request, before its body is read.
pub(super) struct Call {
    pub(super) is_ping: bool,
    /// Between `/post/` or `/ping/` and a slash at the end.
    pub(super) path: String,
    pub(super) request: Request<Incoming>,
    /// When it came, on the wall and for deadlines.
    pub(super) at: Moment,
}

/// Answers a post or a ping.
pub(super) async fn take<D: Distribute>(desk: &D, limits: &Limits, call: Call) -> Reply {
    let market = desk.market();
    let is_ping = call.is_ping;
    let found = market.product_by_bright_horizons_path(&call.path);
    let Some((product, own)) = found.and_then(|it| Some((it, it.bright_horizons.as_ref()?))) else {
        return door::fault(&Fault::NoRoute, None, is_ping);
    };
    if *call.request.method() != Method::POST {
        return door::fault(&Fault::Method("POST"), Some(&own.label), is_ping);
    }
    match answer(desk, limits, (&market, product), call).await {
        Ok(reply) => reply,
        Err(Stop::Fault(fault)) => door::fault(&fault, Some(&own.label), is_ping),
        Err(Stop::Refused(refused)) => door::refused(&refused, &own.label, is_ping),
    }
}

async fn answer<D: Distribute>(
    desk: &D,
    limits: &Limits,
    (market, product): (&Market, &Product),
    call: Call,
) -> Result<Reply, Stop> {
    let Call { is_ping, request, at, .. } = call;
    let terms = Terms::read(desk, limits, request.headers())?;
    let (head, incoming) = request.into_parts();
    let mut bytes = body::read(incoming, limits).await.map_err(Fault::from)?;
    let body = *blake3::hash(&bytes).as_bytes();
    let root = match form::is_form(&head.headers, &bytes) {
        true => form::nested(&bytes)?,
        false => document::parse_json(&mut bytes).map_err(Fault::Unparsable)?,
    };
    let who = door::authenticate(&root, product, market)?;
    card::refuse(&root).map_err(|found| Refused::Invalid(worded(&found)))?;
    if is_ping {
        let mut ping = door::decode_ping(&root, &who)?;
        rehearsal::rehearse(&mut ping.submission, who.publisher, terms.asked)?;
        let outlook = desk.outlook(ping.submission).await;
        let outlook = outlook.map_err(|why| Fault::Unavailable(why, limits.retry_after))?;
        let id = ping_id(&body, at.0);
        return Ok(door::encode_ping(&outlook, &who, ping.state, &id));
    }
    let posted = door::decode(&root, &who)?;
    let sent = Sent { publisher: who.publisher, terms, body, ping: None, at };
    let decoded = Decoded::Lead(Box::new(posted.submission));
    let delivery = hand_in(desk, limits, sent, decoded).await?;
    let reply = door::encode(&delivery.answer, &who, posted.state);
    Ok(Reply { delivery: Some(delivery), ..reply })
}

/// Fields that hold a card, in the words of this door.
fn worded(found: &[Defect]) -> Vec<String> {
    found.iter().map(|defect| format!("{}: {}", defect.path.dotted(), defect.issue)).collect()
}

/// Names a ping in logs on both sides; nothing is kept under it.
fn ping_id(body: &[u8; 32], at: Timestamp) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(body).update(&at.as_nanosecond().to_le_bytes());
    hasher.finalize().to_hex().chars().take(PING_ID_CHARS).collect()
}

/// Words what is wrong before a path is looked at.
pub(super) fn fault(fault: &Fault, is_ping: bool) -> Reply {
    door::fault(fault, None, is_ping)
}
