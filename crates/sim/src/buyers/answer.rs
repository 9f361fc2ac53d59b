//! What a buyer says to a ping and to a post, in the native delivery format. Must never wait or touch
//! a socket: it returns what to do, and the server does it.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::draw::Draw;
use super::faulty::{self, Step};
use super::journal::{Judged, Received, Seen, UNREAD};
use super::spec::cents;
use super::{Behaviour, Kind, Stage, World};

/// What happens on the connection, after a delay.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) delay: Duration,
    pub(super) act: Act,
}

#[derive(Debug)]
pub(super) enum Act {
    Reply {
        status: u16,
        kind: &'static str,
        location: Option<&'static str>,
        body: String,
    },
    /// Nothing that HTTP knows.
    Raw(Vec<Step>),
}

impl Act {
    pub(super) fn text(status: u16, kind: &'static str, body: &str) -> Self {
        Self::Reply { status, kind, location: None, body: body.to_owned() }
    }

    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", &body.to_string())
    }

    pub(super) fn error(status: u16, text: &str) -> Self {
        Self::json(status, &json!({ "error": text }))
    }

    /// The true answer, or what is done instead.
    fn of(truth: Value, fault: Option<Kind>) -> Self {
        match fault {
            Some(kind) => faulty::instead(kind, truth),
            None => Self::json(200, &truth),
        }
    }
}

/// The member as text, numbers included.
fn text(body: &Value, member: &str) -> Option<String> {
    match body.get(member)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn price(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// The answer to a ping.
pub(super) fn ping(
    world: &World,
    name: &str,
    behaviour: &Behaviour,
    body: &Bytes,
) -> io::Result<Turn> {
    world.journal.ping(name, body)?;
    let read: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(id) = text(&read, "ping_id") else {
        let act = Act::error(400, "a ping is JSON with a ping_id");
        return Ok(Turn { delay: Duration::ZERO, act });
    };
    let mut draw = Draw::new(world.seed, &[name, "ping", &world.about(&read, id)]);
    let delay = behaviour.latency.sample(&mut draw);
    let bids = draw.happens(behaviour.bids);
    let bid = draw.between(behaviour.bid.min, behaviour.bid.max);
    let own_id = draw.token();
    let answer = if bids {
        json!({ "status": "bid", "price": price(bid), "ping_id": own_id })
    } else {
        json!({ "status": "no_bid", "reason": "not interested" })
    };
    let fault = behaviour.strikes(Stage::Ping, &mut draw);
    let delay = delay + faulty::delay(fault, read["timeout_ms"].as_u64());
    Ok(Turn { delay, act: Act::of(answer, fault) })
}

/// The answer to a post, which is on record when this returns.
pub(super) fn post(
    world: &World,
    name: &str,
    behaviour: &Behaviour,
    (key, body): (Option<&str>, &Bytes),
) -> io::Result<Turn> {
    let read: Value = serde_json::from_slice(body).unwrap_or_default();
    let bid = text(&read, "bid").unwrap_or_default();
    let lead_id = text(&read, "lead_id");
    let id = lead_id.as_deref().unwrap_or_default();
    let received = Received { buyer: name, lead_id: id, idempotency_key: key, bid: &bid };
    if lead_id.is_none() {
        let judged = Judged { bought: false, answered: "status-400".to_owned() };
        world.journal.post(received, |_| judged)?;
        let act = Act::error(400, "a post is JSON with a lead_id");
        return Ok(Turn { delay: Duration::ZERO, act });
    }
    let about = world.about(&read, id.to_owned());
    let mut draw = Draw::new(world.seed, &[name, "post", &about]);
    let mut delay = behaviour.latency.sample(&mut draw);
    let accepts = draw.happens(behaviour.accepts);
    let reference = draw.token();
    let mut act = Act::Raw(Vec::new());
    world.journal.post(received, |seen| {
        let visit = seen.visits.to_string();
        let fault = behaviour
            .strikes(Stage::Post, &mut Draw::new(world.seed, &[name, "fault", &about, &visit]));
        let verdict = Verdict::of(accepts, seen, key);
        let truth = verdict.answer(name, &reference, cut(behaviour, &bid), fault);
        act = Act::of(truth, fault);
        delay += faulty::delay(fault, None);
        let spared = fault.is_some_and(Kind::spares);
        Judged { bought: verdict == Verdict::Accepted && !spared, answered: verdict.told(fault) }
    })?;
    Ok(Turn { delay, act })
}

/// The answer to a status call: what the buyer holds of a lead, whatever it answered to its posts.
pub(super) fn status(world: &World, name: &str, lead_id: &str) -> Turn {
    let status = world.journal.standing(name, lead_id);
    Turn { delay: Duration::ZERO, act: Act::json(200, &json!({ "status": status })) }
}

/// The lower price that is stated with an accept, if the buyer cuts.
fn cut(behaviour: &Behaviour, bid: &str) -> Option<String> {
    let bid = cents(bid).filter(|_| behaviour.cut > 0)?;
    Some(price(bid.saturating_sub(behaviour.cut)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Rejected,
    Duplicate,
}

impl Verdict {
    /// A lead that was bought is accepted again under the same key, and a duplicate under another.
    fn of(accepts: bool, seen: &Seen, key: Option<&str>) -> Self {
        match &seen.bought {
            Some(bought) if key.is_some() && bought.as_deref() == key => Self::Accepted,
            Some(_) => Self::Duplicate,
            None if accepts => Self::Accepted,
            None => Self::Rejected,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Duplicate => "duplicate",
        }
    }

    /// What the journal says was answered.
    fn told(self, fault: Option<Kind>) -> String {
        let Some(kind) = fault else { return self.name().to_owned() };
        match kind {
            Kind::Status(status) => format!("status-{status}"),
            Kind::Redirect => "status-302".to_owned(),
            Kind::Unread => UNREAD.to_owned(),
            Kind::Garbage => "garbage".to_owned(),
            Kind::NoVerdict => "no-verdict".to_owned(),
            Kind::BothVerdicts => "both-verdicts".to_owned(),
            Kind::Cut | Kind::ResetInBody | Kind::ShortLength | Kind::LongLength => {
                "half".to_owned()
            }
            Kind::Endless | Kind::Huge | Kind::MalformedHead => "garbage".to_owned(),
            Kind::Hang
            | Kind::Close
            | Kind::ResetAfterRequest
            | Kind::HangInHead
            | Kind::HangAfterHead
            | Kind::ResetInHead => "nothing".to_owned(),
            _ => self.name().to_owned(),
        }
    }

    fn answer(
        self,
        name: &str,
        reference: &str,
        price: Option<String>,
        fault: Option<Kind>,
    ) -> Value {
        let mut body = json!({ "status": self.name() });
        match self {
            Self::Accepted => {
                let scheme = if fault == Some(Kind::HttpRedirect) { "http" } else { "https" };
                body["reference"] = reference.into();
                if fault != Some(Kind::NoRedirect) {
                    body["redirect_url"] =
                        format!("{scheme}://{name}.example/apply?ref={reference}").into();
                }
                if let Some(price) = price {
                    body["price"] = price.into();
                }
            }
            Self::Rejected => body["reason"] = "not taken".into(),
            Self::Duplicate => body["reason"] = "already known".into(),
        }
        body
    }
}
