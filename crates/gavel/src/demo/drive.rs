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
    pub(crate) sample: Option<Value>,
    /// What the BrainySoft door says of its lead.
    pub(crate) brainysoft: Option<Value>,
    pub(crate) doors: Vec<Door>,
}

/// Posts the documentation's sample, then generated leads, door after door.
pub(crate) async fn run(target: SocketAddr, options: &cli::Demo) -> Result<Results, Failure> {
    let leadhub = ("/api/v1/lead", ("apikey", "demo-leadhub"));
    let sample = one(target, leadhub, sim::samples::leadhub()).await?;
    let brainysoft = ("/bs-core/main/leads", ("bsauth", "demo-brainysoft"));
    let brainysoft = one(target, brainysoft, sim::samples::brainysoft()).await?;
    let half = (options.leads / 2).max(1);
    let mut doors = Vec::new();
    for name in ["leadhub", "native"] {
        let mut generator = generator(name);
        let build = move |index: u64| {
            // One in four native leads is American, so that both products are seen.
            let product =
                if index % 4 == 3 { Product::PersonalLoanUs } else { Product::PersonalLoanEs };
            request(&mut generator, name, None, product)
        };
        let replies: Arc<Mutex<Vec<Value>>> = Arc::default();
        let seen = Arc::clone(&replies);
        let load = Load::new(target, options.rate, half, build)
            .limit(Duration::from_secs(300))
            .on_reply(move |reply| {
                let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(body);
            });
        let report = send(load).await.map_err(|why| Failure::Usage(why.to_string()))?;
        let payouts = std::mem::take(&mut *replies.lock().unwrap_or_else(PoisonError::into_inner));
        doors.push(Door { name, report, payouts });
    }
    Ok(Results { sample, brainysoft, doors })
}

/// Each run makes up other people, so that kept data does not turn the next run into duplicates.
fn generator(name: &str) -> Generator {
    let now = SystemClock.timestamp();
    let seed = u64::try_from(now.as_millisecond()).unwrap_or(0);
    Generator::new(seed.wrapping_mul(2).wrapping_add(u64::from(name == "native"))).at(now)
}

/// One lead, such as the documentation's own example: what it was answered.
async fn one(
    target: SocketAddr,
    (path, key): (&'static str, (&'static str, &'static str)),
    body: Value,
) -> Result<Option<Value>, Failure> {
    let reply: Arc<Mutex<Option<Value>>> = Arc::default();
    let seen = Arc::clone(&reply);
    let build = move |_| post(path, &[key], &body);
    let load = Load::new(target, 1_000, 1, build).on_reply(move |reply| {
        *seen.lock().unwrap_or_else(PoisonError::into_inner) =
            serde_json::from_slice(&reply.body).ok();
    });
    send(load).await.map_err(|why| Failure::Usage(why.to_string()))?;
    Ok(reply.lock().unwrap_or_else(PoisonError::into_inner).take())
}
