//! The native delivery format: what goes to a buyer that has none of its own, and how its answers
//! read. Pure; performs no IO.

use document::{Node, Slot};
use lead::{Attributes, Bid, Code, Consent, Contact, Money, NoBid, Reading, attribute::Plain};
use rust_decimal::Decimal;
use serde::Serialize;
use serde::ser::SerializeMap;

use crate::{Ping, Post, StatusQuery};

/// Longest text kept of a buyer's reason or reference.
const WORD_CHARS_MAX: usize = 200;

/// The body of a ping.
pub(crate) fn ping_body(ping: &Ping<'_>) -> Vec<u8> {
    let product = serde_json::to_string(ping.product).unwrap_or_default();
    let mut body = Vec::with_capacity(160 + ping.attributes.0.len());
    body.extend_from_slice(br#"{"ping_id":""#);
    body.extend_from_slice(ping.id.to_string().as_bytes());
    body.extend_from_slice(br#"","product":"#);
    body.extend_from_slice(product.as_bytes());
    body.extend_from_slice(if ping.test { br#","test":true"# } else { br#","test":false"# });
    body.extend_from_slice(format!(r#","timeout_ms":{}"#, ping.time_left.as_millis()).as_bytes());
    body.extend_from_slice(br#","attributes":"#);
    body.extend_from_slice(ping.attributes.0.as_bytes());
    body.push(b'}');
    body
}

/// The body of a post.
pub(crate) fn post_body(post: &Post<'_>) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        lead_id: lead::LeadId,
        ping_id: Option<&'a str>,
        bid: String,
        product: &'a lead::ProductId,
        test: bool,
        external_id: Option<&'a str>,
        attributes: AllAttributes<'a>,
        contact: &'a Contact,
        consent: &'a Consent,
    }
    let ours = post.ping.map(|id| id.to_string());
    let body = Body {
        lead_id: post.lead,
        ping_id: post.bid_reference.or(ours.as_deref()),
        bid: post.price.to_wire(),
        product: post.product,
        test: post.test,
        external_id: post.external_id,
        attributes: AllAttributes(post.attributes),
        contact: post.contact,
        consent: post.consent,
    };
    serde_json::to_vec(&body).unwrap_or_default()
}

/// The body of a status call.
pub(crate) fn status_body(query: &StatusQuery<'_>) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        lead_id: lead::LeadId,
        idempotency_key: String,
        product: &'a lead::ProductId,
    }
    let StatusQuery { lead, product, .. } = *query;
    let body = Body { lead_id: lead, idempotency_key: query.idempotency_key(), product };
    serde_json::to_vec(&body).unwrap_or_default()
}

/// The target of a status call without a body. An id and a key need no escapes.
pub(crate) fn status_target(target: &str, query: &StatusQuery<'_>) -> String {
    let join = if target.contains('?') { '&' } else { '?' };
    let (lead, key) = (query.lead, query.idempotency_key());
    format!("{target}{join}lead_id={lead}&idempotency_key={key}")
}

struct AllAttributes<'a>(&'a Attributes);

impl Serialize for AllAttributes<'_> {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        for (attribute, reading) in self.0.iter() {
            if let Reading::Known(value) = reading {
                map.serialize_entry(attribute.name(), &Plain(value))?;
            }
        }
        map.end()
    }
}

/// Reads the answer to a ping. A price is a string or a number of at most 15 digits.
pub(crate) fn read_bid(body: &mut [u8], currency: lead::Currency) -> Result<Bid, NoBid> {
    let unreadable = || NoBid::new(Code::Unreadable);
    let root = document::parse_json(body).map_err(|_| unreadable())?;
    match text(&root, "status") {
        Some("no_bid") => Err(NoBid { reason: word(&root, "reason"), ..NoBid::new(Code::NoBid) }),
        Some("bid") => {
            let amount = decimal(&root, "price").ok_or_else(unreadable)?;
            let reference = word(&root, "ping_id");
            Ok(Bid { price: Money { amount, currency }, reference })
        }
        _ => Err(unreadable()),
    }
}

/// What the body of an answer to a post says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The buyer took the lead.
    Accepted,
    /// It refused.
    Rejected,
    /// It knows the consumer.
    Duplicate,
}

/// The parts of an answer to a post.
#[derive(Default)]
pub(crate) struct PostAnswer {
    /// `None`: no verdict.
    pub(crate) verdict: Option<Verdict>,
    pub(crate) price: Option<Decimal>,
    pub(crate) redirect_url: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) reason: Option<String>,
}

/// Reads the answer to a post; anything unreadable is an answer without a verdict.
pub(crate) fn read_post_answer(body: &mut [u8]) -> PostAnswer {
    let Ok(root) = document::parse_json(body) else {
        return PostAnswer::default();
    };
    let verdict = match text(&root, "status") {
        Some("accepted") => Some(Verdict::Accepted),
        Some("rejected") => Some(Verdict::Rejected),
        Some("duplicate") => Some(Verdict::Duplicate),
        _ => None,
    };
    PostAnswer {
        verdict,
        price: decimal(&root, "price"),
        redirect_url: text(&root, "redirect_url").filter(|url| is_redirect(url)).map(str::to_owned),
        reference: word(&root, "reference"),
        reason: word(&root, "reason"),
    }
}

/// A place to send a consumer: https, no user information, of bounded length.
fn is_redirect(url: &str) -> bool {
    let printable = url.bytes().all(|byte| byte.is_ascii_graphic());
    printable && url.parse::<market::Url>().is_ok_and(|url| url.is_secure())
}

fn text<'n>(root: &'n Node<'_>, name: &str) -> Option<&'n str> {
    root.member(name)?.as_text()
}

fn decimal(root: &Node<'_>, name: &str) -> Option<Decimal> {
    let defects = document::Defects::new();
    Slot::root(root.member(name)?, &defects).decimal()
}

/// A buyer's own word, cut and stripped of control characters, since it ends up in records.
fn word(root: &Node<'_>, name: &str) -> Option<String> {
    let word: String =
        text(root, name)?.chars().filter(|c| !c.is_control()).take(WORD_CHARS_MAX).collect();
    (!word.is_empty()).then_some(word)
}
