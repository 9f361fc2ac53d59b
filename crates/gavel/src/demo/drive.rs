//! Posts the demo's leads. Knows doors only as paths and keys, like any publisher.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::Request;
use lead::Clock;
use serde_json::Value;
use sim::leads::{Generator, Product};
use sim::publishers::{Load, Outcome, Reply, Report, post, run as send};

use crate::cli;
use crate::clock::SystemClock;
use crate::failure::Failure;
use crate::sim::request;

/// Every row of the table.
const ROWS: [&str; 6] =
    ["leadhub", "bright_horizons", "pingtree", "brainysoft", "native", "native ping/post"];

const NATIVE_KEY: (&str, &str) = ("authorization", "Bearer demo-native");

type Made = hyper::http::Result<Request<Bytes>>;

/// What came of one door's leads.
pub(crate) struct Door {
    pub(crate) name: &'static str,
    pub(crate) report: Report,
    /// What tells payouts of sold leads, where the door does.
    pub(crate) payouts: Vec<Value>,
}

/// Everything that was posted.
pub(crate) struct Results {
    /// What the documentations' own samples were answered, by door.
    pub(crate) samples: Vec<(&'static str, Value)>,
    pub(crate) doors: Vec<Door>,
}

/// Posts the documentations' samples, then generated leads, door after door.
pub(crate) async fn run(target: SocketAddr, options: &cli::Demo) -> Result<Results, Failure> {
    let samples = samples(target).await?;
    let share = (options.leads / ROWS.len() as u64).max(1);
    let mut doors = Vec::new();
    for (number, name) in (0..).zip(ROWS) {
        let mut generator = generator(number);
        let load = if name == "native ping/post" {
            pairs(target, (options.rate, share), generator)
        } else {
            let build = move |index| request(&mut generator, name, None, product(index));
            Load::new(target, options.rate, share, build)
        };
        let (report, replies) = heard(load.limit(Duration::from_secs(300))).await?;
        doors.push(match name {
            "brainysoft" => read_records(target, report, &replies).await?,
            _ => Door { name, report, payouts: replies },
        });
    }
    Ok(Results { samples, doors })
}

/// One in four native leads is American, so that both products are seen.
fn product(index: u64) -> Product {
    if index % 4 == 3 { Product::PersonalLoanUs } else { Product::PersonalLoanEs }
}

/// A ping each, and the post of those that are accepted.
fn pairs(target: SocketAddr, (rate, share): (u32, u64), mut generator: Generator) -> Load {
    let leads: Arc<Mutex<HashMap<u64, Value>>> = Arc::default();
    let kept = Arc::clone(&leads);
    let build = move |index| {
        let lead = generator.native(product(index));
        let mut ping = lead.clone();
        if let Some(members) = ping.as_object_mut() {
            members.remove("contact");
        }
        kept.lock().unwrap_or_else(PoisonError::into_inner).insert(index, lead);
        post("/v1/ping", &[NATIVE_KEY], &ping)
    };
    let follow = move |reply: &Reply| -> Option<Made> {
        let mut lead = leads.lock().unwrap_or_else(PoisonError::into_inner).remove(&reply.index)?;
        let quote: Value = serde_json::from_slice(&reply.body).ok()?;
        lead["ping_id"] = quote["ping_id"].as_str()?.into();
        Some(post("/v1/post", &[NATIVE_KEY], &lead))
    };
    Load::new(target, rate, share, build).follow(follow)
}

/// At this door a lead's own record tells what became of it, not the answer to its post.
async fn read_records(
    target: SocketAddr,
    created: Report,
    replies: &[Value],
) -> Result<Door, Failure> {
    let name = "brainysoft";
    let ids: Vec<i64> = replies.iter().filter_map(|reply| reply["data"].as_i64()).collect();
    if ids.is_empty() {
        return Ok(Door { name, report: created, payouts: Vec::new() });
    }
    let count = ids.len() as u64;
    let mut ids = ids.into_iter();
    let build = move |_| {
        let path = format!("/bs-core/main/leads/{}", ids.next().unwrap_or_default());
        Request::get(path).header("bsauth", "demo-brainysoft").body(Bytes::new())
    };
    let (read, records) = heard(Load::new(target, 1_000, count, build)).await?;
    let mut outcomes = created.outcomes;
    outcomes.retain(|outcome, _| *outcome != stored());
    outcomes.extend(read.outcomes);
    let payouts = records.iter().map(|record| record["data"]["distribution"].clone()).collect();
    Ok(Door { name, report: Report { outcomes, ..created }, payouts })
}

/// How a create at the BrainySoft door ends.
fn stored() -> Outcome {
    Outcome { http: 200, status: "ok".to_owned(), reason: String::new() }
}

/// Each run makes up other people, so that kept data does not turn the next run into duplicates.
fn generator(number: u64) -> Generator {
    let now = SystemClock.timestamp();
    let seed = u64::try_from(now.as_millisecond()).unwrap_or(0);
    Generator::new(seed.wrapping_mul(8).wrapping_add(number)).at(now)
}

/// The documentations' own examples, as they stand there but for the demo's ids.
async fn samples(target: SocketAddr) -> Result<Vec<(&'static str, Value)>, Failure> {
    let json = |path, key: Option<(&str, &str)>, body: &'static str| {
        let request = Request::post(path).header("content-type", "application/json");
        let request =
            key.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        request.body(Bytes::from_static(body.as_bytes()))
    };
    let requests = [
        json("/api/v1/lead", Some(("apikey", "demo-leadhub")), ::sim::samples::LEADHUB),
        json("/post/debt/sub10k/", None, ::sim::samples::BRIGHT_HORIZONS),
        json(
            ::sim::samples::PINGTREE_PATH,
            Some(("authorization", "Bearer demo-pingtree")),
            ::sim::samples::PINGTREE,
        ),
        json(
            "/bs-core/main/leads",
            Some(("bsauth", "demo-brainysoft")),
            ::sim::samples::BRAINYSOFT,
        ),
        json("/v1/leads", Some(NATIVE_KEY), ::sim::samples::NATIVE),
    ];
    let mut samples = Vec::new();
    for (name, request) in ROWS.into_iter().zip(requests) {
        let request = request.map_err(|why| Failure::Usage(why.to_string()))?;
        let (_, replies) = heard(Load::new(target, 1_000, 1, move |_| Ok(request.clone()))).await?;
        samples.extend(replies.into_iter().map(|reply| (name, reply)));
        // Where the answer is a number, what became of the lead is told apart.
        if let Some(id) = samples.last().and_then(|(_, reply)| reply["data"].as_i64()) {
            let ask = Request::get(format!("/bs-core/main/leads/{id}/statuses"))
                .header("bsauth", "demo-brainysoft");
            let ask = ask.body(Bytes::new()).map_err(|why| Failure::Usage(why.to_string()))?;
            let (_, told) = heard(Load::new(target, 1_000, 1, move |_| Ok(ask.clone()))).await?;
            samples.extend(told.into_iter().map(|told| ("  its statuses", told)));
        }
    }
    Ok(samples)
}

/// What a load brings, and the bodies of its replies.
async fn heard(load: Load) -> Result<(Report, Vec<Value>), Failure> {
    let replies: Arc<Mutex<Vec<Value>>> = Arc::default();
    let seen = Arc::clone(&replies);
    let load = load.on_reply(move |reply| {
        let body = serde_json::from_slice(&reply.body).unwrap_or_default();
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(body);
    });
    let report = send(load).await.map_err(|why| Failure::Usage(why.to_string()))?;
    let replies = std::mem::take(&mut *replies.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((report, replies))
}
