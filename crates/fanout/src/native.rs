//! The native delivery format: what goes to a buyer that has none of its own, and how its answers
//! read. Pure; performs no IO.

use std::borrow::Cow;

use document::{Node, Slot};
use lead::attribute::Plain;
use lead::{
    Attributes, Bid, Code, Consent, Contact, LeadId, Money, NoBid, PingId, ProductId, Reading,
};
use rust_decimal::Decimal;
use serde::Serialize;
use serde::ser::SerializeMap;

use crate::{Ping, Post, StatusQuery};

/// Longest text kept of a buyer's reason or reference.
const WORD_CHARS_MAX: usize = 200;

/// The body of a ping.
pub(crate) fn ping_body(ping: &Ping<'_>) -> Vec<u8> {
    let product = serde_json::to_string(ping.product).unwrap_or_default();
    let mut body = Vec::with_capacity(160 + ping.attributes.json().len());
    body.extend_from_slice(br#"{"ping_id":""#);
    body.extend_from_slice(ping.id.to_string().as_bytes());
    body.extend_from_slice(br#"","product":"#);
    body.extend_from_slice(product.as_bytes());
    body.extend_from_slice(if ping.test { br#","test":true"# } else { br#","test":false"# });
    body.extend_from_slice(format!(r#","timeout_ms":{}"#, ping.time_left.as_millis()).as_bytes());
    body.extend_from_slice(br#","attributes":"#);
    body.extend_from_slice(ping.attributes.json().as_bytes());
    body.push(b'}');
    body
}

/// A shape as JSON.
pub(crate) fn json(shape: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(shape).unwrap_or_default()
}

/// What a ping says, for a buyer that has a shape of its own.
#[derive(Serialize)]
pub(crate) struct PingShape<'a> {
    ping_id: PingId,
    product: &'a ProductId,
    test: bool,
    timeout_ms: u64,
    attributes: &'a serde_json::Value,
}

impl<'a> PingShape<'a> {
    pub(crate) fn of(ping: &Ping<'a>) -> Self {
        Self {
            ping_id: ping.id,
            product: ping.product,
            test: ping.test,
            timeout_ms: u64::try_from(ping.time_left.as_millis()).unwrap_or(u64::MAX),
            attributes: ping.attributes.tree(),
        }
    }
}

/// What a post says.
#[derive(Serialize)]
pub(crate) struct PostShape<'a> {
    lead_id: LeadId,
    ping_id: Option<Cow<'a, str>>,
    bid: String,
    product: &'a ProductId,
    test: bool,
    external_id: Option<&'a str>,
    attributes: AllAttributes<'a>,
    contact: &'a Contact,
    consent: &'a Consent,
    /// For templates only: the native shape has no such member.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_token: Option<&'a str>,
}

impl<'a> PostShape<'a> {
    /// With everything that a template may name.
    pub(crate) fn for_template(post: &Post<'a>) -> Self {
        Self { event_token: Some(post.event_token), ..Self::of(post) }
    }

    pub(crate) fn of(post: &Post<'a>) -> Self {
        let ours = || post.ping.map(|id| Cow::Owned(id.to_string()));
        Self {
            lead_id: post.lead,
            ping_id: post.bid_reference.map(Cow::Borrowed).or_else(ours),
            bid: post.price.to_wire(),
            product: post.product,
            test: post.test,
            external_id: post.external_id,
            attributes: AllAttributes(post.attributes),
            contact: post.contact,
            consent: post.consent,
            event_token: None,
        }
    }
}

/// What a status call says.
#[derive(Serialize)]
pub(crate) struct StatusShape<'a> {
    lead_id: LeadId,
    idempotency_key: String,
    product: &'a ProductId,
}

impl<'a> StatusShape<'a> {
    pub(crate) fn of(query: &StatusQuery<'a>) -> Self {
        let StatusQuery { lead, product, .. } = *query;
        Self { lead_id: lead, idempotency_key: query.idempotency_key(), product }
    }
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
    /// It says both that it took the lead and that it refused it.
    Both,
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
        redirect_url: text(&root, "redirect_url").and_then(redirect),
        reference: word(&root, "reference"),
        reason: word(&root, "reason"),
    }
}

/// Longest place to send a consumer, in bytes.
const REDIRECT_BYTES_MAX: usize = 2_048;

/// A place to send a consumer, without blanks around it: https, no user information, of bounded length. It
/// may have a fragment, which is the browser's business.
pub(crate) fn redirect(url: &str) -> Option<String> {
    let url = url.trim();
    let right = url.len() <= REDIRECT_BYTES_MAX && url.bytes().all(|byte| byte.is_ascii_graphic());
    let page = url.split_once('#').map_or(url, |(page, _)| page);
    let secure = || page.parse::<market::Url>().is_ok_and(|page| page.is_secure());
    (right && secure()).then(|| url.to_owned())
}

fn text<'n>(root: &'n Node<'_>, name: &str) -> Option<&'n str> {
    root.member(name)?.as_text()
}

fn decimal(root: &Node<'_>, name: &str) -> Option<Decimal> {
    let defects = document::Defects::new();
    Slot::root(root.member(name)?, &defects).decimal()
}

fn word(root: &Node<'_>, name: &str) -> Option<String> {
    clean_word(text(root, name)?)
}

/// A buyer's own word, cut and stripped of control characters, since it ends up in records.
pub(crate) fn clean_word(text: &str) -> Option<String> {
    let word: String = text.chars().filter(|c| !c.is_control()).take(WORD_CHARS_MAX).collect();
    (!word.is_empty()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::redirect;

    #[test]
    fn a_redirect_is_a_page_that_a_browser_may_be_sent_to() {
        for (given, kept) in [
            ("https://x.example/a", Some("https://x.example/a")),
            ("https://x.example/a?b=c#f", Some("https://x.example/a?b=c#f")),
            ("https://x.example#/route", Some("https://x.example#/route")),
            (" https://x.example/a#f\n", Some("https://x.example/a#f")),
            ("http://x.example/a#f", None),
            ("https://user@x.example/a#f", None),
            ("https://x.example/a b", None),
            ("https://x.example/a#f f", None),
            ("https://x.example/\u{e9}", None),
            ("#https://x.example/a", None),
            ("//x.example/a", None),
            ("", None),
        ] {
            assert_eq!(redirect(given).as_deref(), kept, "{given}");
        }
        let long = format!("https://x.example/#{}", "f".repeat(2_029));
        assert_eq!(redirect(&long).map(|url| url.len()), Some(2_048));
        assert_eq!(redirect(&format!("{long}f")), None);
    }
}
