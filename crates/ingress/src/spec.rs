//! What a publisher is told of how it posts: made of the market and of the doors themselves, so that
//! nobody writes it by hand. A field's sample value is part of the sample request, and every answer is
//! what a door's own encoder makes. Holds no key and no lead.

mod render;
#[cfg(test)]
mod tests;
pub(crate) mod words;

use std::time::Duration;

use hyper::StatusCode;
use lead::{Answer, Currency, Door, LeadId, Money, PayoutBasis, RejectionReason, Sequence, Status};
use market::{Market, Product, Publisher};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::Unavailable;
use crate::doors::{brainysoft, bright_horizons, leadhub, native, pingtree};
use crate::handle::rehearsal::NO_TEST;
use crate::handle::{BAD_BUDGET, BAD_KEY};
use crate::reply::{Fault, Reply};

pub use render::{html, markdown};

/// What stands for the publisher's key, which the market keeps as a digest only.
pub const KEY: &str = "YOUR-KEY";

/// What stands for a lead's id in a path.
pub const LEAD_ID: &str = "LEAD-ID";

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It hands in a lead: a repeat gets the first answer, and a budget counts.
    Lead,
    /// It asks what a lead would bring: a budget counts.
    Ping,
    /// It asks for what is known.
    Read,
}

/// One request that a publisher may make.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// What it is for.
    pub purpose: Purpose,
    /// Through which door.
    pub door: Door,
    /// What it is called.
    pub title: String,
    /// The method.
    pub method: &'static str,
    /// The path; [`LEAD_ID`] stands for ids.
    pub path: String,
    /// Names and values; a key is [`KEY`].
    pub headers: Vec<(&'static str, String)>,
    /// What the body may hold, or of a GET the query, in the order of the door's documentation.
    pub fields: Vec<Field>,
    /// What else there is to know, a sentence each.
    pub notes: Vec<String>,
    /// Every answer.
    pub answers: Vec<Example>,
}

/// One member of a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Where it stands.
    pub path: Vec<String>,
    /// What it must be, and which values are allowed.
    pub kind: String,
    /// Nothing is taken without it.
    pub required: bool,
    /// What it is for; may be empty.
    pub about: String,
    /// Its value in the sample request, if it is in it.
    pub sample: Option<Value>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// When it is given.
    pub when: String,
    /// The HTTP status.
    pub status: StatusCode,
    /// The body.
    pub body: Value,
}

/// Everything that a publisher may post, door by door.
#[must_use]
pub fn specs(market: &Market, publisher: &Publisher) -> Vec<Spec> {
    let of = |door: &Door| match door {
        Door::Leadhub => leadhub::spec(publisher, market),
        Door::Native => native::spec(publisher, market),
        Door::BrightHorizons => bright_horizons::spec(publisher, market),
        Door::Pingtree => pingtree::spec(publisher, market),
        Door::BrainySoft => brainysoft::spec(publisher, market),
    };
    let doors = Door::ALL.iter().filter(|door| publisher.keys.contains_key(door));
    doors.flat_map(of).collect()
}

impl Spec {
    /// The sample request's path and query.
    #[must_use]
    pub fn target(&self) -> String {
        if self.method != "GET" {
            return self.path.clone();
        }
        let pair = |field: &Field| {
            let value = match field.sample.as_ref()? {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Some(format!("{}={}", field.name(), escaped(&value)))
        };
        let pairs: Vec<String> = self.fields.iter().filter_map(pair).collect();
        if pairs.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, pairs.join("&"))
        }
    }

    /// Whether the sample request has a body.
    #[must_use]
    pub fn has_body(&self) -> bool {
        self.method != "GET" && !self.fields.is_empty()
    }

    /// The body of the sample request.
    #[must_use]
    pub fn sample(&self) -> Value {
        let mut body = Value::Object(Map::new());
        for field in &self.fields {
            if let Some(value) = &field.sample {
                put(&mut body, &field.path, value.clone());
            }
        }
        body
    }
}

impl Field {
    /// A field that may be left out.
    pub(crate) fn new(path: &str, kind: impl Into<String>) -> Self {
        Self {
            path: path.split('.').map(str::to_owned).collect(),
            kind: kind.into(),
            required: false,
            about: String::new(),
            sample: None,
        }
    }

    /// The same, required.
    pub(crate) fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The same, and what it is for.
    pub(crate) fn about(self, about: impl Into<String>) -> Self {
        Self { about: about.into(), ..self }
    }

    /// The same, with its value in the sample request.
    pub(crate) fn like(self, sample: impl Into<Value>) -> Self {
        Self { sample: Some(sample.into()), ..self }
    }

    /// Its path as people write it.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.join(".")
    }
}

impl Example {
    pub(crate) fn of(when: impl Into<String>, reply: Reply) -> Self {
        Self { when: when.into(), status: reply.status, body: reply.body }
    }
}

/// Percent-encoded, for a query.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let bytes = text.bytes();
    bytes
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn put(body: &mut Value, path: &[String], value: Value) {
    match path.split_first() {
        None => *body = value,
        Some((first, rest)) => {
            if let Value::Object(members) = body {
                let inner = members.entry(first.clone()).or_insert_with(|| Map::new().into());
                put(inner, rest, value);
            }
        }
    }
}

/// Every end that a lead can have, as the door words it.
pub(crate) fn answers(product: &Product, encode: impl Fn(&Answer) -> Reply) -> Vec<Example> {
    let answer = |status, is_final| Answer {
        lead: LEAD.parse().ok().map(|id: LeadId| (id, Sequence(123_456_789))),
        status,
        is_final,
        currency: Some(product.currency),
        external_id: None,
        tags: std::collections::BTreeMap::new(),
    };
    let sold = |basis| Status::Distributed {
        redirect_url: Some("https://buyer.example/apply?ref=abc".to_owned()),
        payout: example_payout(product.currency),
        basis,
        sales: Vec::new(),
    };
    let mut all = vec![
        Example::of("sold", encode(&answer(sold(PayoutBasis::Sale), true))),
        Example::of(
            "sold; the payout is due once an outcome is reported",
            encode(&answer(sold(PayoutBasis::Outcome), true)),
        ),
        Example::of("nobody bought it", encode(&answer(Status::New, true))),
        Example::of(
            "not sold yet: a buyer has not given its answer",
            encode(&answer(Status::New, false)),
        ),
    ];
    all.extend(RejectionReason::ALL.iter().map(|reason| {
        let reply = encode(&answer(Status::Rejected(*reason), true));
        Example::of(format!("rejected: {}", words::reason(*reason)), reply)
    }));
    all
}

/// The answer as it comes: what is refused before there is a lead has no id.
pub(crate) fn as_stored(answer: &Answer) -> Answer {
    use RejectionReason as Reason;
    let is_kept = !matches!(
        answer.status,
        Status::Rejected(
            Reason::CustomerAlreadyExists
                | Reason::DuplicateSubmission
                | Reason::InvalidProduct
                | Reason::ConsentsMissing
                | Reason::Blacklisted
                | Reason::FraudSuspected
        )
    );
    // Without a product there is no currency.
    let is_priced = answer.status != Status::Rejected(Reason::InvalidProduct);
    Answer {
        lead: answer.lead.filter(|_| is_kept),
        currency: answer.currency.filter(|_| is_priced),
        ..answer.clone()
    }
}

/// The id of the lead in examples.
pub(crate) const LEAD: &str = "0190f3b2-7c1d-7e4a-9d2e-5b6c7a8f9e01";

pub(crate) fn example_payout(currency: Currency) -> Money {
    Money { amount: Decimal::new(1_250, 2), currency }.floor_to_minor()
}

/// Every fault that a well-formed request to a known path can meet, as the door words it; a door adds
/// what it says of fields that are not valid.
pub(crate) fn faults(word: impl Fn(&Fault) -> Reply) -> Vec<Example> {
    let wait = Duration::from_secs(1);
    let all = [
        ("another method", Fault::Method("POST")),
        ("no Host header, or several", Fault::Host),
        ("an Idempotency-Key that cannot be one", Fault::Request(BAD_KEY)),
        ("a budget that is none", Fault::Request(BAD_BUDGET)),
        ("an outcome asked of a live lead", Fault::Request(NO_TEST)),
        ("the body cannot be read", Fault::Unparsable(document::Unparsable::Empty)),
        ("the key is missing or wrong", Fault::Unauthorized),
        ("the same lead is still being processed", Fault::InFlight(wait)),
        ("an Idempotency-Key with another body", Fault::KeyReused),
        ("the body is too large", Fault::BodyTooLarge(crate::Limits::default().body_bytes_max)),
        ("the body did not come in time", Fault::BodyTimeout),
        ("the body stopped early", Fault::BodyBroken),
        ("too busy; post again", Fault::Unavailable(Unavailable::Busy, wait)),
        ("nothing can be stored; post again", Fault::Unavailable(Unavailable::Storage, wait)),
        ("our own fault", Fault::Unavailable(Unavailable::Internal, wait)),
    ];
    all.into_iter().map(|(when, fault)| Example::of(when, word(&fault))).collect()
}

/// Every fault that a question can meet; `method` is what its path takes.
pub(crate) fn faults_of_read(
    method: &'static str,
    of_lead: bool,
    word: impl Fn(&Fault) -> Reply,
) -> Vec<Example> {
    let wait = Duration::from_secs(1);
    let mut all = vec![
        ("another method", Fault::Method(method)),
        ("no Host header, or several", Fault::Host),
        ("the key is missing or wrong", Fault::Unauthorized),
    ];
    all.extend(of_lead.then_some(("you have no such lead", Fault::NoLead)));
    all.extend([
        ("nothing can be read; ask again", Fault::Unavailable(Unavailable::Storage, wait)),
        ("our own fault", Fault::Unavailable(Unavailable::Internal, wait)),
    ]);
    all.into_iter().map(|(when, fault)| Example::of(when, word(&fault))).collect()
}

/// The sample without its first required field, and what the door's decoder makes of it.
pub(crate) fn without_required(
    fields: &[Field],
    word: impl Fn(&mut [u8]) -> Option<Reply>,
) -> Option<Example> {
    let first = fields.iter().find(|field| field.required && field.sample.is_some())?;
    let mut body = Value::Object(Map::new());
    for field in fields.iter().filter(|field| field.path != first.path) {
        if let Some(value) = &field.sample {
            put(&mut body, &field.path, value.clone());
        }
    }
    let reply = word(&mut body.to_string().into_bytes())?;
    Some(Example::of(format!("not valid: every field that is wrong, here {}", first.name()), reply))
}
