//! Golden pairs: what is posted, what the engine says, what comes back. The cases are data, in
//! `tests/golden`; a body is the door's sample with some values set or removed unless a case brings
//! its own. An engine that a case gives no word to must not be asked.

use std::collections::BTreeMap;

use ingress::{Limits, PingFault, Refusal, Unavailable};
use lead::attribute::Plain;
use lead::{
    NoQuote, PayoutBasis, PingId, Quote, Reading, RejectionReason, Sale, Status, Submission,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::client::Reply;
use crate::edge::{Edge, Script, Told};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    request: Request,
    unavailable: Option<Sorry>,
    distribute: Option<Word>,
    find: Option<Found>,
    ping: Option<Word>,
    expect: Expect,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Request {
    method: Option<String>,
    path: Option<String>,
    /// Beside the door's own; `null` takes one away.
    headers: BTreeMap<String, Option<String>>,
    /// The body as it stands.
    raw: Option<String>,
    /// In front of the body.
    prefix: String,
    /// Values put into the sample, by JSON pointer.
    set: BTreeMap<String, Value>,
    /// Values taken out of it.
    remove: Vec<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sorry {
    Busy,
    Storage,
    Internal,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    status: String,
    redirect_url: Option<String>,
    payout: Option<String>,
    #[serde(default)]
    due_on_outcome: bool,
    /// Of a shared lead: each sale's payout, and its redirect if it has one.
    #[serde(default)]
    sales: Vec<(String, Option<String>)>,
    reason: Option<String>,
    /// There is no lead: refused before one was created.
    #[serde(default)]
    not_created: bool,
    #[serde(default)]
    open: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Found {
    owner: String,
    answer: Word,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    status: u16,
    /// `null` means absent.
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    body: Option<Value>,
    /// Every defect, in order: where, and what is wrong.
    issues: Option<Vec<(String, String)>>,
    /// Parts of what the engine was handed, by JSON pointer; `null` means absent.
    #[serde(default)]
    submission: BTreeMap<String, Value>,
    budget_ms: Option<u64>,
}

/// One door's dialect, as far as the harness must know it.
struct Dialect {
    path: &'static str,
    key: (&'static str, &'static str),
    sample: &'static str,
    media_type: &'static str,
    invalid: fn(&[(String, String)]) -> Value,
}

const LEADHUB: Dialect = Dialect {
    path: "/api/v1/lead",
    key: ("apikey", "hub-key"),
    sample: include_str!("../golden/leadhub/sample.json"),
    media_type: "application/json",
    invalid: |issues| {
        let detail = |(field, issue): &(String, String)| json!({"field": field, "issue": issue});
        json!({
            "error": "validation_error",
            "message": format!("{} field(s) are not valid", issues.len()),
            "details": issues.iter().map(detail).collect::<Vec<_>>(),
        })
    },
};

const NATIVE: Dialect = Dialect {
    path: "/v1/leads",
    key: ("authorization", "Bearer shop-native"),
    sample: include_str!("../golden/native/sample.json"),
    media_type: "application/problem+json",
    invalid: |issues| {
        let error = |(at, detail): &(String, String)| json!({"pointer": at, "detail": detail});
        json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "invalid",
            "detail": format!("{} field(s) are not valid", issues.len()),
            "errors": issues.iter().map(error).collect::<Vec<_>>(),
        })
    },
};

fn check(dialect: &Dialect, text: &str) {
    let cases: Vec<Case> = serde_json::from_str(text).unwrap();
    let edge = Edge::start(Limits::default());
    let told: Vec<String> = cases
        .iter()
        .flat_map(|case| {
            let faults = run(&edge, dialect, case);
            faults.into_iter().map(|why| format!("{}: {why}", case.name))
        })
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n\n"));
}

/// Plays one case and says what differs.
fn run(edge: &Edge, dialect: &Dialect, case: &Case) -> Vec<String> {
    let why = |sorry: Sorry| match sorry {
        Sorry::Busy => Unavailable::Busy,
        Sorry::Storage => Unavailable::Storage,
        Sorry::Internal => Unavailable::Internal,
    };
    edge.script(Script {
        unavailable: case.unavailable.map(why),
        distribute: case.distribute.as_ref().map(told),
        ping: case.ping.as_ref().map(quote),
        find: case.find.as_ref().map(|found| (found.owner.clone(), tell(&found.answer))),
    });
    let mut client = edge.connect();
    client.send(wire(dialect, &case.request));
    let reply = client.reply().expect("a reply");
    let mut faults = compare(dialect, &case.expect, &reply);
    let mut received = edge.received();
    if received.len() != usize::from(case.distribute.is_some() || case.ping.is_some()) {
        faults.push(format!("the engine was handed {} leads", received.len()));
    } else if let Some(arrival) = received.pop() {
        let seen = arrival.budget.map(|budget| budget.as_millis());
        if seen != case.expect.budget_ms.map(u128::from) {
            faults.push(format!("the budget was {seen:?}"));
        }
        faults.extend(differences(&arrival.submission, &case.expect.submission));
    }
    faults
}

fn compare(dialect: &Dialect, expect: &Expect, reply: &Reply) -> Vec<String> {
    let mut faults = Vec::new();
    if reply.status != expect.status {
        faults.push(format!("status {} not {}", reply.status, expect.status));
    }
    for (name, value) in &expect.headers {
        if reply.headers.get(name) != value.as_ref() {
            faults.push(format!("{name} is {:?}", reply.headers.get(name)));
        }
    }
    let media_type = match expect.status {
        200 => "application/json",
        _ => dialect.media_type,
    };
    if reply.headers.get("content-type").map(String::as_str) != Some(media_type) {
        faults.push(format!("content-type in {:?}", reply.headers));
    }
    let invalid = expect.issues.as_deref().map(dialect.invalid);
    if let Some(body) = expect.body.clone().or(invalid)
        && body != reply.json()
    {
        faults.push(format!("body {:#}\n not {body:#}", reply.json()));
    }
    faults
}

fn differences(submission: &Submission, expected: &BTreeMap<String, Value>) -> Vec<String> {
    let seen = readable(submission);
    let differs = |(pointer, value): (&String, &Value)| {
        let found = seen.pointer(pointer).unwrap_or(&Value::Null);
        (found != value).then(|| format!("{pointer} is {found:#}\n not {value:#}"))
    };
    expected.iter().filter_map(differs).collect()
}

/// A submission with its attributes as an object of plain values.
fn readable(submission: &Submission) -> Value {
    let plain = |reading: &Reading| match reading {
        Reading::Known(value) => json!(Plain(value)),
        Reading::Unreadable => json!({"unreadable": true}),
    };
    let attributes: Map<String, Value> = submission
        .attributes
        .iter()
        .map(|(attribute, reading)| (attribute.name().to_owned(), plain(reading)))
        .collect();
    let mut value = serde_json::to_value(submission).unwrap();
    value["attributes"] = Value::Object(attributes);
    value
}

/// What only the taking of a lead can end in, beside what a question can.
fn told(word: &Word) -> Result<Told, Refusal> {
    match word.status.as_str() {
        "in_flight" => Err(Refusal::InFlight),
        "key_reused" => Err(Refusal::KeyReused),
        "ping_unknown" => Err(Refusal::NoPing(PingFault::Unknown)),
        "ping_expired" => Err(Refusal::NoPing(PingFault::Expired)),
        "ping_used" => Err(Refusal::NoPing(PingFault::Used)),
        _ => tell(word).map_err(Refusal::Unavailable),
    }
}

/// What the engine says to a ping.
fn quote(word: &Word) -> Result<Quote, Refusal> {
    let why = match word.status.as_str() {
        "accepted" => {
            return Ok(Quote::Accepted {
                ping: PingId::new([1; 16]),
                payout: euros(word.payout.as_deref().expect("a payout")),
                expires_at: "2026-03-01T09:00:35Z".parse().unwrap(),
            });
        }
        "busy" => return Err(Refusal::Unavailable(Unavailable::Busy)),
        "unmatched" => NoQuote::Unmatched,
        "unsold" => NoQuote::Unsold,
        "reserved" => NoQuote::Reserved,
        "too_many_pings" => NoQuote::TooManyPings,
        name => {
            let reason = RejectionReason::ALL.iter().find(|reason| reason.name() == name);
            NoQuote::Lead(*reason.expect("a reason"))
        }
    };
    Ok(Quote::Rejected(why))
}

fn euros(amount: &str) -> lead::Money {
    lead::Money { amount: amount.parse().unwrap(), currency: "EUR".parse().unwrap() }
}

fn sale((payout, redirect_url): &(String, Option<String>)) -> Sale {
    Sale { redirect_url: redirect_url.clone(), payout: euros(payout), basis: PayoutBasis::Sale }
}

fn tell(word: &Word) -> Result<Told, Unavailable> {
    let named = |name: &str| {
        let mut all = RejectionReason::ALL.iter();
        *all.find(|reason| reason.name() == name).expect("a reason")
    };
    let status = match (word.status.as_str(), word.reason.as_deref()) {
        ("distributed", None) => Status::Distributed {
            redirect_url: word.redirect_url.clone(),
            payout: euros(word.payout.as_deref().unwrap_or("1")),
            basis: match word.due_on_outcome {
                true => PayoutBasis::Outcome,
                false => PayoutBasis::Sale,
            },
            sales: word.sales.iter().map(sale).collect(),
        },
        ("new", None) => Status::New,
        ("rejected", Some(reason)) => Status::Rejected(named(reason)),
        ("busy", None) => return Err(Unavailable::Busy),
        ("storage", None) => return Err(Unavailable::Storage),
        ("internal", None) => return Err(Unavailable::Internal),
        (other, _) => panic!("no such word: {other}"),
    };
    Ok(Told { created: !word.not_created, status, is_final: !word.open })
}

fn wire(dialect: &Dialect, request: &Request) -> String {
    let method = request.method.as_deref().unwrap_or("POST");
    let path = request.path.as_deref().unwrap_or(dialect.path);
    let (key, value) = dialect.key;
    let mut headers = BTreeMap::from([
        ("host".to_owned(), Some("edge.example".to_owned())),
        ("connection".to_owned(), Some("close".to_owned())),
        (key.to_owned(), Some(value.to_owned())),
    ]);
    headers.extend(request.headers.clone());
    let body = request.raw.clone();
    let body = body.unwrap_or_else(|| patched(dialect.sample, request).to_string());
    let body = match method {
        "POST" => format!("{}{body}", request.prefix),
        _ => String::new(),
    };
    let mut out = format!("{method} {path} HTTP/1.1\r\n");
    for (name, value) in headers {
        if let Some(value) = value {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    out.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    out
}

fn patched(sample: &str, request: &Request) -> Value {
    let mut body: Value = serde_json::from_str(sample).unwrap();
    for pointer in &request.remove {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent).and_then(Value::as_object_mut);
        let removed = parent.and_then(|members| members.remove(name));
        assert!(removed.is_some(), "{pointer} is not in the sample");
    }
    for (pointer, value) in &request.set {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match body.pointer_mut(parent).unwrap() {
            Value::Object(members) => drop(members.insert(name.to_owned(), value.clone())),
            Value::Array(items) => items[name.parse::<usize>().unwrap()] = value.clone(),
            _ => panic!("{pointer} stands in no object or array"),
        }
    }
    body
}

#[test]
fn leadhub_answers_have_four_keys_whatever_became_of_the_lead() {
    check(&LEADHUB, include_str!("../golden/leadhub/answers.json"));
}

#[test]
fn leadhub_turns_away_what_is_no_request_of_its_own() {
    check(&LEADHUB, include_str!("../golden/leadhub/requests.json"));
}

#[test]
fn leadhub_names_every_field_that_is_not_valid() {
    check(&LEADHUB, include_str!("../golden/leadhub/validation.json"));
}

#[test]
fn leadhub_leads_reach_the_engine_in_its_own_terms() {
    check(&LEADHUB, include_str!("../golden/leadhub/submissions.json"));
}

#[test]
fn native_answers_have_the_fixed_shape() {
    check(&NATIVE, include_str!("../golden/native/answers.json"));
}

#[test]
fn native_pings_and_posts_have_the_fixed_shape() {
    check(&NATIVE, include_str!("../golden/native/pings.json"));
}

#[test]
fn native_faults_are_problem_details() {
    check(&NATIVE, include_str!("../golden/native/requests.json"));
}

#[test]
fn native_points_at_every_field_that_is_not_valid() {
    check(&NATIVE, include_str!("../golden/native/validation.json"));
}

#[test]
fn native_leads_reach_the_engine_in_its_own_terms() {
    check(&NATIVE, include_str!("../golden/native/submissions.json"));
}
