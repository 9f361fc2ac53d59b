//! Advertiser events: what is told, what the engine hears of it, what comes back. The cases are data.

use std::collections::BTreeMap;

use ingress::{Limits, Unavailable, Untold};
use lead::{Heard, Report, Reporter};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::edge::{Edge, Script};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default = "patch")]
    method: String,
    #[serde(default = "path")]
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// A body, as JSON or, if it is a text, as it stands.
    body: Option<Value>,
    /// What the engine makes of the event; without a word it must not be told.
    told: Option<String>,
    /// What it is told.
    report: Option<Value>,
    status: u16,
    answer: Value,
    /// `null` means absent.
    #[serde(default)]
    answer_headers: BTreeMap<String, Option<String>>,
}

fn patch() -> String {
    "PATCH".to_owned()
}

fn path() -> String {
    format!("/api/v1/lead/{}/status", crate::edge::LEAD)
}

#[test]
fn events_are_read_checked_and_answered_in_the_words_of_the_documentation() {
    let text = include_str!("../golden/leadhub/events.json");
    let cases: Vec<Case> = serde_json::from_str(text).unwrap();
    let edge = Edge::start(Limits::default());
    let differ = |case: &Case| {
        let faults = run(&edge, case);
        (!faults.is_empty()).then(|| format!("{}:\n{}", case.name, faults.join("\n")))
    };
    let told: Vec<String> = cases.iter().filter_map(differ).collect();
    assert!(told.is_empty(), "{}", told.join("\n\n"));
}

fn run(edge: &Edge, case: &Case) -> Vec<String> {
    let heard = case.told.as_deref().map(word);
    edge.script(Script { heard, ..Script::default() });
    let mut client = edge.connect();
    client.send(wire(case));
    let reply = client.reply().expect("a reply");
    let mut faults = Vec::new();
    if (reply.status, reply.json()) != (case.status, case.answer.clone()) {
        faults.push(format!("answered {} {:#}", reply.status, reply.json()));
    }
    let mut headers = BTreeMap::from(
        [("cache-control", "no-store"), ("content-type", "application/json")]
            .map(|(name, value)| (name.to_owned(), Some(value.to_owned()))),
    );
    headers.extend(case.answer_headers.clone());
    for (name, value) in headers {
        if reply.headers.get(&name) != value.as_ref() {
            faults.push(format!("{name} is {:?}", reply.headers.get(&name)));
        }
    }
    let told: Vec<Value> = edge.reported().iter().map(readable).collect();
    if told.len() != usize::from(case.told.is_some()) {
        faults.push(format!("the engine was told {} events", told.len()));
    }
    if let Some(expected) = &case.report
        && told.first() != Some(expected)
    {
        faults.push(format!("the engine was told {told:#?}"));
    }
    faults
}

fn word(word: &str) -> Result<Heard, Untold> {
    Err(match word {
        "received" => return Ok(Heard::Received),
        "ignored" => return Ok(Heard::Ignored),
        "forged" => Untold::Forged,
        "no_lead" => Untold::NoLead,
        "busy" => Untold::Unavailable(Unavailable::Busy),
        "storage" => Untold::Unavailable(Unavailable::Storage),
        "internal" => Untold::Unavailable(Unavailable::Internal),
        other => panic!("no such word: {other}"),
    })
}

fn readable(report: &Report) -> Value {
    let by = match &report.by {
        Reporter::Buyer(buyer) => json!({ "buyer": buyer }),
        Reporter::Token(token) => json!({ "token": token }),
    };
    json!({
        "lead": report.lead, "by": by, "event": report.event.name(), "ref": report.reference,
        "metadata": report.metadata, "at": report.at.to_string(),
    })
}

fn wire(case: &Case) -> String {
    let mut out = format!("{} {} HTTP/1.1\r\nhost: edge.example\r\n", case.method, case.path);
    for (name, value) in &case.headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    let body = match &case.body {
        None => String::new(),
        Some(Value::String(raw)) => raw.clone(),
        Some(body) => body.to_string(),
    };
    out.push_str(&format!("connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len()));
    out
}

/// What an event holds of the consumer, and its token, show in no log.
#[test]
fn a_report_shows_neither_what_is_said_nor_the_token() {
    let edge = Edge::start(Limits::default());
    let mut client = edge.connect();
    let query = "token=nova~prime~zq-marker&event=approved&ref=zq-marker";
    client.send(format!("GET {}?{query} HTTP/1.1\r\nhost: edge.example\r\n\r\n", path()));
    assert_eq!(client.reply().expect("a reply").status, 404);
    let report = edge.reported().pop().unwrap();
    let shown = format!("{report:?} {:?}", report.by);
    assert!(shown.contains("approved") && !shown.contains("zq-marker"), "{shown}");
}
