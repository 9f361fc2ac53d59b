//! Every fault has a golden pair at every door that can answer it. A new fault does not compile here
//! before it has a row, and the row fails until each door's golden files show its words, or a line below says
//! why that door never speaks them.

use std::time::Duration;

use document::{Defect, Path, parse_json};
use jiff::Timestamp;
use serde_json::Value;

use crate::doors::bright_horizons::Refused;
use crate::doors::pingtree::Dialect;
use crate::doors::{brainysoft, bright_horizons, leadhub, native, pingtree};
use crate::handle::BAD_BUDGET;
use crate::reply::{Fault, Reply};
use crate::{Limits, PingFault, Unavailable};

/// When the scripted edge of the golden pairs answers.
const AT: Timestamp = Timestamp::constant(1_772_355_605, 0);

/// As long as the golden edge tells publishers to wait.
const WAIT: Duration = Duration::from_secs(1);

/// A function with one of each, and one that the compiler refuses while there are more.
macro_rules! one_of_each {
    ($each:ident: $kind:ty { $($pattern:pat => $value:expr,)* }) => {
        fn $each() -> Vec<$kind> {
            let known = |value: &$kind| match value { $($pattern => {})* };
            let all = vec![$($value),*];
            all.iter().for_each(known);
            all
        }
    };
}

one_of_each! { faults: Fault {
    Fault::Host => Fault::Host,
    Fault::Request(_) => Fault::Request(BAD_BUDGET),
    Fault::NoRoute => Fault::NoRoute,
    Fault::Method(_) => Fault::Method("POST"),
    Fault::Unauthorized => Fault::Unauthorized,
    Fault::Token => Fault::Token,
    Fault::BodyTimeout => Fault::BodyTimeout,
    Fault::BodyTooLarge(_) => Fault::BodyTooLarge(Limits::default().body_bytes_max),
    Fault::BodyBroken => Fault::BodyBroken,
    Fault::Unparsable(_) => parse_json(&mut []).map(drop).map_err(Fault::Unparsable).unwrap_err(),
    Fault::Form(_) => Fault::Form(crate::form::TWICE),
    Fault::Invalid(_) => Fault::Invalid(vec![no_object()]),
    Fault::NoLead => Fault::NoLead,
    Fault::InFlight(_) => Fault::InFlight(WAIT),
    Fault::KeyReused => Fault::KeyReused,
    Fault::NotUnsold => Fault::NotUnsold,
    Fault::NoPing(PingFault::Unknown) => Fault::NoPing(PingFault::Unknown),
    Fault::NoPing(PingFault::Expired) => Fault::NoPing(PingFault::Expired),
    Fault::NoPing(PingFault::Used) => Fault::NoPing(PingFault::Used),
    Fault::Unavailable(Unavailable::Busy, _) => Fault::Unavailable(Unavailable::Busy, WAIT),
    Fault::Unavailable(Unavailable::Storage, _) => Fault::Unavailable(Unavailable::Storage, WAIT),
    Fault::Unavailable(Unavailable::Internal, _) => Fault::Unavailable(Unavailable::Internal, WAIT),
}}

one_of_each! { refusals: Refused {
    Refused::Credentials => Refused::Credentials,
    Refused::NotEnabled => Refused::NotEnabled,
    Refused::Invalid(_) => Refused::Invalid(vec!["Email (required): must be a valid email address".to_owned()]),
}}

fn no_object() -> Defect {
    let issue = "must be an object, found an array".to_owned();
    Defect { path: Path::default(), issue, missing: false }
}

/// A door as its golden files show it.
struct Door {
    name: &'static str,
    golden: &'static [&'static str],
    word: fn(&Fault) -> Reply,
    /// The codes of faults that it never meets.
    never: &'static [&'static [&'static str]],
    /// The methods that its create takes.
    allow: &'static str,
}

macro_rules! golden {
    ($door:literal: $($file:literal)*) => {
        &[$(include_str!(concat!("../../tests/golden/", $door, "/", $file, ".json"))),*]
    };
}

/// Only Gavel's own door has pings that a post names, and withdrawals.
const NATIVE: [&str; 4] = ["ping_unknown", "ping_expired", "ping_used", "not_unsold"];

/// Only the Leadhub door has pixels.
const PIXEL: &str = "token";

/// Two doors take JSON alone.
const FORM: &str = "form";

/// As it words a fault: without a label where no path of its own was found.
fn at_bright_horizons(fault: &Fault, is_ping: bool) -> Reply {
    let label = (!matches!(fault, Fault::NoRoute | Fault::Host)).then_some("Debt Sub10k");
    bright_horizons::fault(fault, label, is_ping)
}

const DOORS: &[Door] = &[
    Door {
        name: "leadhub",
        golden: golden!("leadhub": "answers" "events" "requests" "validation"),
        word: leadhub::fault,
        // Where it has no path, nobody knows that it was meant.
        never: &[&NATIVE, &["not_found"]],
        allow: "POST",
    },
    Door {
        name: "native",
        golden: golden!("native": "answers" "requests" "pings" "validation"),
        word: native::fault,
        never: &[&[PIXEL, FORM]],
        allow: "POST",
    },
    Door {
        name: "bright_horizons, a post",
        golden: golden!("bright_horizons": "answers" "requests" "validation"),
        word: |fault| at_bright_horizons(fault, false),
        // Credentials and fields are its own refusals; no lead is asked for.
        never: &[&NATIVE, &[PIXEL, "unauthorized", "invalid", "no_lead"]],
        allow: "POST",
    },
    Door {
        name: "bright_horizons, a ping",
        golden: golden!("bright_horizons": "answers" "requests" "validation"),
        word: |fault| at_bright_horizons(fault, true),
        // A ping is not kept, so none repeats another.
        never: &[
            &NATIVE,
            &[PIXEL, "unauthorized", "invalid", "no_lead", "in_flight", "idempotency_key_reused"],
        ],
        allow: "POST",
    },
    Door {
        name: "pingtree, by id",
        golden: golden!("pingtree": "answers" "requests" "validation" "fetch"),
        word: |fault| pingtree::fault(fault, Dialect::Id),
        // An unknown source reads as a wrong key, so that none is found by trying.
        never: &[&NATIVE, &[PIXEL, "not_found", "no_lead"]],
        allow: "GET, POST",
    },
    Door {
        name: "pingtree, by slug",
        golden: golden!("pingtree": "slug"),
        word: |fault| pingtree::fault(fault, Dialect::Slug),
        never: &[&NATIVE, &[PIXEL, "not_found", "no_lead"]],
        allow: "POST",
    },
    Door {
        name: "brainysoft",
        golden: golden!("brainysoft": "answers" "reads" "requests" "validation"),
        word: |fault| brainysoft::fault(fault, AT),
        never: &[&NATIVE, &[PIXEL, FORM]],
        allow: "POST",
    },
];

/// A fault's own name, where two share a code.
fn name(fault: &Fault) -> &'static str {
    match fault {
        Fault::NoLead => "no_lead",
        Fault::Host => "host",
        Fault::Token => PIXEL,
        Fault::Form(_) => FORM,
        other => other.code(),
    }
}

impl Door {
    /// What a golden pair must show: status, body, and the headers that go with it.
    fn shows(&self, reply: &Reply) -> bool {
        let retry_after = reply.retry_after.map(|wait| wait.as_secs().to_string());
        let headers = [("allow", reply.allow.map(str::to_owned)), ("retry-after", retry_after)];
        let texts = self.golden.iter();
        let cases = texts.flat_map(|text| serde_json::from_str::<Vec<Value>>(text).unwrap());
        cases.into_iter().any(|case| {
            // An event's pair has its answer beside its request.
            let (expect, body) = match case.get("expect") {
                Some(expect) => (expect, &expect["body"]),
                None => (&case, &case["answer"]),
            };
            let header = |(name, value): &(&str, Option<String>)| {
                value.is_none() || expect["headers"][*name].as_str() == value.as_deref()
            };
            let issues = expect["issues"].as_array();
            let is_same = match issues.is_some_and(|issues| issues.len() == 1) {
                // The harness writes such a body from what is wrong; this one is of the whole.
                true => {
                    reply.invalid
                        && issues
                            .is_some_and(|all| all[0] == serde_json::json!(["", no_object().issue]))
                }
                false => *body == reply.body,
            };
            expect["status"] == reply.status.as_u16() && is_same && headers.iter().all(header)
        })
    }
}

#[test]
fn every_fault_has_a_golden_pair_at_every_door() {
    let mut missing = Vec::new();
    for door in DOORS {
        for fault in faults() {
            let fault = match fault {
                Fault::Method(_) => Fault::Method(door.allow),
                other => other,
            };
            let reply = (door.word)(&fault);
            if !door.never.concat().contains(&name(&fault)) && !door.shows(&reply) {
                let status = reply.status.as_u16();
                missing.push(format!("{}: {} {status} {}", door.name, name(&fault), reply.body));
            }
        }
    }
    assert!(missing.is_empty(), "no golden pair for\n{}", missing.join("\n"));
}

#[test]
fn every_refusal_of_bright_horizons_has_a_golden_pair() {
    let [post, ping] = [&DOORS[2], &DOORS[3]];
    for refused in refusals() {
        for (door, is_ping) in [(post, false), (ping, true)] {
            let label = match refused {
                Refused::NotEnabled => "Auto Warranty",
                _ => "Debt Sub10k",
            };
            let reply = bright_horizons::refused(&refused, label, is_ping);
            assert!(door.shows(&reply), "{}: {}", door.name, reply.body);
        }
    }
}

/// The table says that a fault is never met only where one of that name exists.
#[test]
fn what_is_never_met_is_a_fault() {
    let known: Vec<&str> = faults().iter().map(name).collect();
    for door in DOORS {
        assert!(door.never.concat().iter().all(|never| known.contains(never)), "{}", door.name);
    }
}
