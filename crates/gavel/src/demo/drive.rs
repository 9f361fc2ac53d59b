//! Posts the demo's leads. Knows doors only as paths and keys, like any publisher.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lead::Clock;
use serde_json::Value;
use sim::leads::{Generator, Product};
use sim::publishers::{Load, Report, post, run as send};

use crate::cli;
use crate::clock::SystemClock;
use crate::failure::Failure;
use crate::sim::request;

/// What came of one door's leads.
pub(crate) struct Door {
    pub(crate) name: &'static str,
    pub(crate) report: Report,
    /// Payouts of sold leads, where the door tells them.
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
    let share = (options.leads / 3).max(1);
    let mut doors = Vec::new();
    for (number, name) in (0..).zip(["leadhub", "bright_horizons", "native"]) {
        let mut generator = generator(number);
        let build = move |index: u64| {
            // One in four native leads is American, so that both products are seen.
            let product =
                if index % 4 == 3 { Product::PersonalLoanUs } else { Product::PersonalLoanEs };
            request(&mut generator, name, None, product)
        };
        let replies: Arc<Mutex<Vec<Value>>> = Arc::default();
        let seen = Arc::clone(&replies);
        let load = Load::new(target, options.rate, share, build)
            .limit(Duration::from_secs(300))
            .on_reply(move |reply| {
                let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(body);
            });
        let report = send(load).await.map_err(|why| Failure::Usage(why.to_string()))?;
        let payouts = std::mem::take(&mut *replies.lock().unwrap_or_else(PoisonError::into_inner));
        doors.push(Door { name, report, payouts });
    }
    Ok(Results { samples, doors })
}

/// Each run makes up other people, so that kept data does not turn the next run into duplicates.
fn generator(number: u64) -> Generator {
    let now = SystemClock.timestamp();
    let seed = u64::try_from(now.as_millisecond()).unwrap_or(0);
    Generator::new(seed.wrapping_mul(8).wrapping_add(number)).at(now)
}

/// The documentations' own examples, as they stand there but for the demo's ids.
async fn samples(target: SocketAddr) -> Result<Vec<(&'static str, Value)>, Failure> {
    let leadhub =
        move |_| post("/api/v1/lead", &[("apikey", "demo-leadhub")], &::sim::samples::leadhub());
    let debt = move |_| post("/post/debt/sub10k/", &[], &::sim::samples::bright_horizons());
    let loan = move |_| {
        let key = ("authorization", "Bearer demo-pingtree");
        post(::sim::samples::PINGTREE_PATH, &[key], &::sim::samples::pingtree())
    };
    let brainy = move |_| {
        let key = ("bsauth", "demo-brainysoft");
        post("/bs-core/main/leads", &[key], &::sim::samples::brainysoft())
    };
    let mut samples = Vec::new();
    samples.extend(sample(Load::new(target, 1_000, 1, leadhub)).await?.map(|it| ("leadhub", it)));
    let debt = sample(Load::new(target, 1_000, 1, debt)).await?;
    samples.extend(debt.map(|it| ("bright_horizons", it)));
    samples.extend(sample(Load::new(target, 1_000, 1, loan)).await?.map(|it| ("pingtree", it)));
    let brainy = sample(Load::new(target, 1_000, 1, brainy)).await?;
    samples.extend(brainy.map(|it| ("brainysoft", it)));
    Ok(samples)
}

/// What one request is answered.
async fn sample(load: Load) -> Result<Option<Value>, Failure> {
    let reply: Arc<Mutex<Option<Value>>> = Arc::default();
    let seen = Arc::clone(&reply);
    let load = load.on_reply(move |reply| {
        *seen.lock().unwrap_or_else(PoisonError::into_inner) =
            serde_json::from_slice(&reply.body).ok();
    });
    send(load).await.map_err(|why| Failure::Usage(why.to_string()))?;
    Ok(reply.lock().unwrap_or_else(PoisonError::into_inner).take())
}
