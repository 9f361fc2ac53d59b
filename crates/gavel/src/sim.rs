//! `gavel sim`: simulated buyers and publishers, on this machine only, and the check of a real buyer's
//! endpoint, which calls the addresses that it is given.

use std::time::Duration;

use bytes::Bytes;
use hyper::Request;
use sim::buyers::check::Plan;
use sim::buyers::{Behaviour, Buyer};
use sim::leads::{Generator, Product};
use sim::publishers::{Load, post};

use crate::cli::{Buyers, Publishers};
use crate::failure::Failure;
use crate::{out, serve, wire};

/// Plays buyers until told to stop, or checks one.
pub(crate) fn buyers(options: &Buyers) -> Result<(), Failure> {
    match &options.check.ping {
        Some(ping) => check(ping, options),
        None => play(options),
    }
}

/// Checks a buyer's endpoint and prints what is right and wrong with it.
fn check(ping: &str, options: &Buyers) -> Result<(), Failure> {
    let plan = plan(ping, options)?;
    wire::runtime()?.block_on(async {
        let findings =
            sim::buyers::check::run(&plan).await.map_err(|why| Failure::Usage(why.to_string()))?;
        for finding in &findings {
            out::line(&finding.to_string());
        }
        match findings.iter().filter(|finding| finding.is_wrong()).count() {
            0 => Ok(()),
            wrong => Err(Failure::Nonconforming { wrong, checks: findings.len() }),
        }
    })
}

/// What the command line asks to be checked.
fn plan(ping: &str, options: &Buyers) -> Result<Plan, Failure> {
    let check = &options.check;
    let header = |text: &String| {
        let (name, value) = text.split_once(':').ok_or_else(|| {
            Failure::Usage(format!("header {text:?} must be written as NAME:VALUE"))
        })?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    let authorities = match &check.ca_file {
        Some(file) => std::fs::read(file).map_err(|error| Failure::unreadable(file, error))?,
        None => Vec::new(),
    };
    let seed = match options.seed {
        Some(seed) => seed,
        None => getrandom::u64()
            .map_err(|error| Failure::System("draw a seed", std::io::Error::other(error)))?,
    };
    Ok(Plan {
        post: check.post.clone(),
        status: check.status.clone(),
        headers: check.headers.iter().map(header).collect::<Result<_, _>>()?,
        authorities,
        product: product(&check.product)?,
        ping_timeout: Duration::from_millis(check.ping_timeout_ms),
        post_timeout: Duration::from_millis(check.post_timeout_ms),
        requires_redirect: check.requires_redirect,
        ..Plan::new(ping, seed)
    })
}

fn product(name: &str) -> Result<Product, Failure> {
    name.parse().map_err(|error: sim::leads::UnknownProduct| Failure::Usage(error.to_string()))
}

fn play(options: &Buyers) -> Result<(), Failure> {
    let buyers = described(options)?;
    let server = sim::buyers::Options {
        seed: options.seed.unwrap_or(1),
        by_attributes: options.by_attributes,
        journal: options.journal.clone(),
        ..sim::buyers::Options::default()
    };
    wire::runtime()?.block_on(async {
        let handle = sim::buyers::Buyers::start(options.listen, buyers, server)
            .await
            .map_err(|error| Failure::Listen("simulated buyers", options.listen, error))?;
        out::line(&format!("simulated buyers listen on {}", handle.addr()));
        for name in handle.apart() {
            out::line(&format!("{name}: {} {}", handle.ping_url(name), handle.post_url(name)));
        }
        if let (Some(file), Some(authority)) = (&options.authority, handle.authority()) {
            std::fs::write(file, authority).map_err(|error| Failure::unwritable(file, error))?;
        }
        serve::stop_signal().await?;
        out::line(&format!(
            "{} ping(s), {} post(s) answered",
            handle.pings(),
            handle.posts().len()
        ));
        handle.stop().await;
        Ok(())
    })
}

/// The buyers that the command line describes.
fn described(options: &Buyers) -> Result<Vec<Buyer>, Failure> {
    let parsed: Result<Vec<Buyer>, _> = options.buyers.iter().map(|spec| spec.parse()).collect();
    let mut buyers =
        parsed.map_err(|error: sim::buyers::SpecError| Failure::Usage(error.to_string()))?;
    if let Some(fault) = &options.fault {
        let spec = format!("fault={fault},faults={}", options.faults);
        let faulty: Behaviour = spec
            .parse()
            .map_err(|error: sim::buyers::SpecError| Failure::Usage(error.to_string()))?;
        for buyer in &mut buyers {
            buyer.behaviour = buyer.behaviour.or_faults_of(faulty);
        }
    }
    Ok(buyers)
}

/// Posts generated leads and prints the report.
pub(crate) fn publishers(options: &Publishers) -> Result<(), Failure> {
    let product = product(&options.product)?;
    let mut generator = Generator::new(options.seed);
    let (door, key) = (options.door.clone(), options.key.clone());
    let build = move |_| request(&mut generator, &door, key.as_deref(), product);
    let load = Load::new(options.target, options.rate, options.leads, build)
        .connections(options.connections);
    wire::runtime()?.block_on(async {
        let report =
            sim::publishers::run(load).await.map_err(|why| Failure::Usage(why.to_string()))?;
        out::line(&report.to_string());
        Ok(())
    })
}

/// One generated lead as a request of the named door.
pub(crate) fn request(
    generator: &mut Generator,
    door: &str,
    key: Option<&str>,
    product: Product,
) -> hyper::http::Result<Request<Bytes>> {
    match door {
        "leadhub" => {
            let key = key.unwrap_or("demo-leadhub");
            post("/api/v1/lead", &[("apikey", key)], &generator.leadhub())
        }
        "bright_horizons" => {
            let mut body = generator.bright_horizons();
            if let Some(key) = key {
                body["xauth"]["key"] = key.into();
            }
            post("/post/debt/sub10k/", &[], &body)
        }
        "pingtree" => {
            let token = format!("Bearer {}", key.unwrap_or("demo-pingtree"));
            let header = ("authorization", token.as_str());
            post(::sim::samples::PINGTREE_PATH, &[header], &generator.pingtree())
        }
        "brainysoft" => {
            let key = key.unwrap_or("demo-brainysoft");
            post("/bs-core/main/leads", &[("bsauth", key)], &generator.brainysoft())
        }
        _ => {
            let token = format!("Bearer {}", key.unwrap_or("demo-native"));
            post("/v1/leads", &[("authorization", token.as_str())], &generator.native(product))
        }
    }
}
