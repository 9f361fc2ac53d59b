//! What a buyer says to a ping and to a post, in the native delivery format. Must never wait or touch
//! a socket: it returns what to do, and the server does it.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::draw::Draw;
use super::journal::{Judged, Received, Seen, UNREAD};
use super::spec::cents;
use super::{Behaviour, Fault, Stage, World};

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
        body: String,
    },
    /// The first half of this body, under a header that promises all of it.
    Cut {
        body: String,
    },
    Hang,
    Close,
}

impl Act {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::Reply { status, kind: "application/json", body: body.to_string() }
    }

    pub(super) fn error(status: u16, text: &str) -> Self {
        Self::json(status, &json!({ "error": text }))
    }

    /// What is done instead of the true answer.
    fn faulty(self, fault: Option<Fault>) -> Self {
        let Some(fault) = fault else { return self };
        match fault {
            Fault::Hang(_) => Self::Hang,
            Fault::Close(_) | Fault::Unread(_) => Self::Close,
            Fault::Cut(_) => match self {
                Self::Reply { body, .. } => Self::Cut { body },
                other => other,
            },
            Fault::BothVerdicts(_) => {
                let body = r#"{"status":"accepted","status":"rejected"}"#.to_owned();
                Self::Reply { status: 200, kind: "application/json", body }
            }
            Fault::Garbage(_) => {
                let body = "<html><body><h1>It works!</h1></body></html>".to_owned();
                Self::Reply { status: 200, kind: "text/html", body }
            }
            Fault::NoVerdict(_) => Self::json(200, &json!({})),
            Fault::Status(status, _) if is_refusal(status) => Self::json(
                status,
                &json!({ "status": "rejected", "reason": format!("status {status}") }),
            ),
            Fault::Status(status, _) => {
                Self::Reply { status, kind: "text/plain", body: format!("status {status}\n") }
            }
            Fault::NoRedirect | Fault::InsecureRedirect => self,
        }
    }
}

/// Statuses by which a buyer truthfully says that it did not take the lead.
fn is_refusal(status: u16) -> bool {
    (400..500).contains(&status) || status == 503
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
    let mut draw = Draw::new(world.seed, &[name, "ping", &id]);
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
    let act = Act::json(200, &answer).faulty(fault);
    Ok(Turn { delay, act })
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
    let mut draw = Draw::new(world.seed, &[name, "post", id]);
    let delay = behaviour.latency.sample(&mut draw);
    let accepts = draw.happens(behaviour.accepts);
    let reference = draw.token();
    let mut act = Act::Close;
    world.journal.post(received, |seen| {
        let visit = seen.visits.to_string();
        let fault = behaviour
            .strikes(Stage::Post, &mut Draw::new(world.seed, &[name, "fault", id, &visit]));
        let verdict = Verdict::of(accepts, seen, key);
        act = verdict.answer(name, &reference, cut(behaviour, &bid), fault).faulty(fault);
        let refused = match fault {
            Some(Fault::Status(status, _)) => is_refusal(status),
            Some(Fault::Unread(_)) => true,
            _ => false,
        };
        Judged { bought: verdict == Verdict::Accepted && !refused, answered: verdict.told(fault) }
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
    fn told(self, fault: Option<Fault>) -> String {
        match fault {
            Some(Fault::Hang(_) | Fault::Close(_)) => "nothing".to_owned(),
            Some(Fault::Garbage(_)) => "garbage".to_owned(),
            Some(Fault::NoVerdict(_)) => "no-verdict".to_owned(),
            Some(Fault::BothVerdicts(_)) => "both-verdicts".to_owned(),
            Some(Fault::Cut(_)) => "half".to_owned(),
            Some(Fault::Unread(_)) => UNREAD.to_owned(),
            Some(Fault::Status(status, _)) => format!("status-{status}"),
            Some(Fault::NoRedirect | Fault::InsecureRedirect) | None => self.name().to_owned(),
        }
    }

    fn answer(
        self,
        name: &str,
        reference: &str,
        price: Option<String>,
        fault: Option<Fault>,
    ) -> Act {
        let mut body = json!({ "status": self.name() });
        match self {
            Self::Accepted => {
                let scheme = if fault == Some(Fault::InsecureRedirect) { "http" } else { "https" };
                body["reference"] = reference.into();
                if fault != Some(Fault::NoRedirect) {
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
        Act::json(200, &body)
    }
}
