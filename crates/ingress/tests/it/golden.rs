//! Golden pairs: what is posted, what the engine says, what comes back. The cases are data, in
//! `tests/golden`; a body is the door's sample with some values set or removed unless a case brings
//! its own. An engine that a case gives no word to must not be asked.

use std::collections::BTreeMap;
use std::time::Duration;

use ingress::{Limits, PingFault, Refusal, Unavailable};
use lead::attribute::Plain;
use lead::{
    Hashes, NoQuote, Outlook, PayoutBasis, PingId, Quote, Reading, RejectionReason, Sale, Status,
    Submission,
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
    /// How long the edge waits for a body, if not as long as usual.
    body_read_ms: Option<u64>,
    unavailable: Option<Sorry>,
    distribute: Option<Word>,
    find: Option<Found>,
    withdraw: Option<Found>,
    outlook: Option<Word>,
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
    /// How many bytes the header says that the body has, if not as many as it has.
    length: Option<usize>,
    /// Nothing more is sent after the body.
    half_close: bool,
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
    /// What a ping said of its consumer: of the e-mail address, of the phone number.
    #[serde(default)]
    hashes: (Option<String>, Option<String>),
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

/// The seed's own sample post.
const BRIGHT_HORIZONS: Dialect = Dialect {
    path: "/post/debt/sub10k/",
    key: ("accept", "application/json"),
    sample: include_str!("../golden/bright_horizons/sample.json"),
    media_type: "application/json",
    invalid: |issues| {
        let error = |(label, issue): &(String, String)| json!(format!("{label}: {issue}"));
        json!({
            "validated": 0, "accepted": 0, "sold": 0, "disposition": null,
            "messages": ["Debt Sub10k Lead could not be validated"],
            "errors": issues.iter().map(error).collect::<Vec<_>>(),
        })
    },
};

const PINGTREE: Dialect = Dialect {
    path: "/api/lead/create/65f0c0ffee65f0c0ffee65f0",
    key: ("authorization", "Bearer store-key"),
    sample: include_str!("../golden/pingtree/sample.json"),
    media_type: "application/json",
    // Its cases bring their bodies.
    invalid: |_| Value::Null,
};

const PINGTREE_SLUG: Dialect = Dialect {
    path: "/api/v1/database-source/us-loans/create",
    sample: include_str!("../golden/pingtree/slug-sample.json"),
    ..PINGTREE
};

const BRAINYSOFT: Dialect = Dialect {
    path: "/bs-core/main/leads",
    key: ("bsauth", "brainy-key"),
    sample: include_str!("../golden/brainysoft/sample.json"),
    media_type: "application/json",
    // Its cases bring their own: every defect has a code.
    invalid: |_| Value::Null,
};

fn check(dialect: &Dialect, text: &str) {
    let cases: Vec<Case> = serde_json::from_str(text).unwrap();
    let edge = Edge::start(Limits::default());
    let told: Vec<String> = cases
        .iter()
        .flat_map(|case| {
            let body_read = case.body_read_ms.map(Duration::from_millis);
            let own =
                body_read.map(|body_read| Edge::start(Limits { body_read, ..Limits::default() }));
            let faults = run(own.as_ref().unwrap_or(&edge), dialect, case);
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
        withdraw: case.withdraw.as_ref().map(|it| (it.owner.clone(), told(&it.answer))),
        outlook: case.outlook.as_ref().map(outlook),
        ..Script::default()
    });
    let mut client = edge.connect();
    client.send(wire(dialect, &case.request));
    if case.request.half_close {
        client.half_close();
    }
    let reply = client.reply().expect("a reply");
    let mut faults = compare(dialect, &case.expect, &reply);
    let (mut received, mut pinged) = (edge.received(), edge.pinged());
    if pinged.len() != usize::from(case.outlook.is_some()) {
        faults.push(format!("the engine was asked about {} leads", pinged.len()));
    } else if let Some(submission) = pinged.pop() {
        faults.extend(differences(&submission, &case.expect.submission));
    }
    if received.len() != usize::from(case.distribute.is_some() || case.ping.is_some()) {
        faults.push(format!("the engine was handed {} leads", received.len()));
    } else if let Some(arrival) = received.pop() {
        let seen = arrival.budget.map(|budget| budget.as_millis());
        if seen != case.expect.budget_ms.map(u128::from) {
            faults.push(format!("the budget was {seen:?}"));
        }
        faults.extend(differences(&arrival.submission, &case.expect.submission));
    }
    let hash = |hash: &Option<String>| hash.as_deref().and_then(lead::hashes::read);
    let (email, phone) = (hash(&case.expect.hashes.0), hash(&case.expect.hashes.1));
    if edge.hashes().unwrap_or_default() != (Hashes { email, phone }) {
        faults.push("the ping's hashes are others".to_owned());
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
    let found = seen(reply);
    if let Some(body) = expect.body.clone().or(invalid)
        && body != found
    {
        faults.push(format!("body {found:#}\n not {body:#}"));
    }
    faults
}

/// A reply's body; a ping's id, which differs each time, is told by its length.
fn seen(reply: &Reply) -> Value {
    let mut body = reply.json();
    if let Some(id) = body["pingid"].as_str().filter(|id| !id.is_empty()) {
        assert!(id.bytes().all(|b| b.is_ascii_alphanumeric()), "{id}");
        body["pingid"] = format!("<{}>", id.len()).into();
    }
    body
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
        "not_unsold" => Err(Refusal::NotUnsold),
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
                expires_at: "2026-03-01T09:00:35.120999999Z".parse().unwrap(),
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

/// What a lead would find: `open`, `nobody`, or what a question can end in.
fn outlook(word: &Word) -> Result<Outlook, Unavailable> {
    match word.status.as_str() {
        "open" => Ok(Outlook::Open(word.payout.as_deref().map(euros))),
        "nobody" => Ok(Outlook::Nobody),
        _ => tell(word).map(|told| match told.status {
            Status::Rejected(reason) => Outlook::Rejected(reason),
            status => panic!("no outlook: {status:?}"),
        }),
    }
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
    let length = request.length.unwrap_or(body.len());
    out.push_str(&format!("content-length: {length}\r\n\r\n{body}"));
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

#[test]
fn bright_horizons_answers_say_what_became_of_a_lead_in_its_own_words() {
    check(&BRIGHT_HORIZONS, include_str!("../golden/bright_horizons/answers.json"));
}

#[test]
fn bright_horizons_turns_away_what_is_no_request_of_its_own() {
    check(&BRIGHT_HORIZONS, include_str!("../golden/bright_horizons/requests.json"));
}

#[test]
fn bright_horizons_names_every_field_that_is_not_valid_in_order() {
    check(&BRIGHT_HORIZONS, include_str!("../golden/bright_horizons/validation.json"));
}

#[test]
fn bright_horizons_leads_reach_the_engine_in_its_own_terms() {
    check(&BRIGHT_HORIZONS, include_str!("../golden/bright_horizons/submissions.json"));
}

#[test]
fn pingtree_answers_have_the_documented_words() {
    check(&PINGTREE, include_str!("../golden/pingtree/answers.json"));
}

#[test]
fn pingtree_turns_away_what_is_no_request_of_its_own() {
    check(&PINGTREE, include_str!("../golden/pingtree/requests.json"));
}

#[test]
fn pingtree_lists_every_field_that_is_missing_or_not_valid() {
    check(&PINGTREE, include_str!("../golden/pingtree/validation.json"));
}

#[test]
fn pingtree_leads_reach_the_engine_in_its_own_terms() {
    check(&PINGTREE, include_str!("../golden/pingtree/submissions.json"));
}

#[test]
fn pingtree_speaks_its_other_dialect_under_the_slug() {
    check(&PINGTREE_SLUG, include_str!("../golden/pingtree/slug.json"));
}

#[test]
fn pingtree_tells_what_a_source_stored_and_refuses_what_it_cannot_look_for() {
    check(&PINGTREE, include_str!("../golden/pingtree/fetch.json"));
}

#[test]
fn brainysoft_answers_are_an_id_whatever_became_of_the_lead() {
    check(&BRAINYSOFT, include_str!("../golden/brainysoft/answers.json"));
}

#[test]
fn brainysoft_reads_show_a_lead_to_its_publisher_alone() {
    check(&BRAINYSOFT, include_str!("../golden/brainysoft/reads.json"));
}

#[test]
fn brainysoft_turns_away_what_is_no_request_of_its_own() {
    check(&BRAINYSOFT, include_str!("../golden/brainysoft/requests.json"));
}

#[test]
fn brainysoft_names_every_field_that_is_not_valid_by_a_code() {
    check(&BRAINYSOFT, include_str!("../golden/brainysoft/validation.json"));
}

#[test]
fn brainysoft_leads_reach_the_engine_in_its_own_terms() {
    check(&BRAINYSOFT, include_str!("../golden/brainysoft/submissions.json"));
}
