//! The process that dies: runs leads through an engine with a tripwire until it trips, and writes down
//! each request before it is made and each answer once it has it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use engine::{Arrival, Refusal};
use lead::{Attributes, Clock, Consent, ConsentEntry, Contact, Door, Status, Submission};
use ledger::Refused;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::compose::{Rig, Step, SystemClock, Trip, open};
use super::town;

/// Says to a process of this test binary that it is the child, and what its plan is.
pub(crate) const PLAN: &str = "GAVEL_CRASH_PLAN";
/// Leads at once.
const AT_ONCE: usize = 8;
/// New leads at most; the tripwire comes long before.
const LEADS: usize = 300;

/// The plan of this process, if it is a child.
#[expect(clippy::disallowed_methods, reason = "the only word between parent and child")]
pub(crate) fn plan() -> Option<PathBuf> {
    std::env::var(PLAN).ok().map(PathBuf::from)
}

/// Runs until the tripwire. Returns only if it was not reached.
pub(crate) async fn run(plan: &Path) {
    let dir = plan.parent().unwrap().to_owned();
    let plan: Value = serde_json::from_slice(&std::fs::read(plan).unwrap()).unwrap();
    let step = plan["step"].as_str().and_then(Step::named).unwrap();
    let trip = Trip::new(step, plan["at"].as_u64().unwrap(), dir.join("journals"));
    let rig = open(&dir, Some(Arc::clone(&trip))).await;
    trip.arm();
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let mut ops: Vec<usize> = plan["again"].as_array().unwrap().iter().map(number).collect();
    let first = number(&plan["first"]);
    ops.extend(first..first + LEADS);
    drive(&rig, ops, &dir.join("answers.jsonl")).await;
}

/// Takes every request to the engine, some at once, and writes down what comes of it.
pub(crate) async fn drive(rig: &Rig, ops: Vec<usize>, file: &Path) {
    let file = OpenOptions::new().create(true).append(true).open(file).unwrap();
    let (ops, file) = (Arc::new(Mutex::new(ops.into_iter())), Arc::new(file));
    let mut running = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (rig, ops, file) = (rig.clone(), Arc::clone(&ops), Arc::clone(&file));
        running.spawn(async move {
            let next = || ops.lock().unwrap().next();
            while let Some(n) = next() {
                note(&file, &json!({ "op": n }));
                let line = match rig.distribute(arrival(n)).await {
                    Ok(delivery) => {
                        let told = told(&delivery.answer);
                        delivery.arrived();
                        json!({ "op": n, "answer": told })
                    }
                    Err(refusal) => {
                        json!({ "op": n, "fail": status(&refusal), "why": refusal.to_string() })
                    }
                };
                note(&file, &line);
            }
        });
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}

/// One write a line: a process that ends leaves whole lines.
fn note(mut file: &File, line: &Value) {
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// The key of the `n`-th request.
pub(crate) fn key(n: usize) -> String {
    format!("key-{n}")
}

fn arrival(n: usize) -> Arrival {
    let mut attributes = Attributes::new();
    attributes.set_text(lead::Standard::Country, "ES");
    attributes.set_number(lead::Standard::Age, town::age(n));
    let terms =
        ConsentEntry { kind: "terms".to_owned(), accepted: true, accepted_at: None, version: None };
    let submission = Submission {
        door: Door::Native,
        publisher: town::PUBLISHER.parse().unwrap(),
        product: town::PRODUCT.parse().unwrap(),
        sub_id: None,
        external_id: Some(key(n)),
        min_payout: None,
        tags: Default::default(),
        source_url: None,
        user_agent: None,
        attributes,
        contact: Contact { email: Some(town::email(n)), ..Contact::default() },
        consent: Consent { entries: vec![terms], ..Consent::default() },
        test: false,
        requested: None,
    };
    let mut body = [0; 32];
    body[..8].copy_from_slice(&n.to_le_bytes());
    let clock = SystemClock;
    Arrival {
        submission,
        at: clock.timestamp(),
        instant: clock.instant(),
        budget: None,
        ping: None,
        key: Some(key(n)),
        body,
    }
}

/// An answer in the native door's words.
pub(crate) fn told(answer: &lead::Answer) -> Value {
    let (status, redirect, reason) = match &answer.status {
        Status::Distributed { redirect_url, .. } => ("distributed", redirect_url.as_deref(), None),
        Status::New => ("new", None, None),
        Status::Rejected(reason) => ("rejected", None, Some(reason.name())),
    };
    json!({
        "lead_id": answer.lead.map(|(id, _)| id),
        "status": status,
        "final": answer.is_final,
        "redirect_url": redirect,
        "rejection_reason": reason,
        "external_id": answer.external_id,
    })
}

/// The status that a door would give a refusal.
fn status(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::Busy | Refusal::Ledger(Refused::Full | Refused::Unavailable(_)) => 503,
        Refusal::InFlight | Refusal::NoPing(_) => 409,
        Refusal::KeyReused => 422,
        Refusal::NoProduct | Refusal::Ledger(_) | Refusal::Bug(_) => 500,
    }
}
