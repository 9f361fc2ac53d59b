//! `gavel sim`: simulated buyers and publishers, on this machine only.

use bytes::Bytes;
use hyper::Request;
use sim::buyers::{Behaviour, Buyer};
use sim::leads::{Generator, Product};
use sim::publishers::{Load, post};

use crate::cli::{Buyers, Publishers};
use crate::failure::Failure;
use crate::{out, serve, wire};

/// Plays buyers until told to stop.
pub(crate) fn buyers(options: &Buyers) -> Result<(), Failure> {
    let buyers = described(options)?;
    let server = sim::buyers::Options {
        seed: options.seed,
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
    let product: Product = options
        .product
        .parse()
        .map_err(|error: sim::leads::UnknownProduct| Failure::Usage(error.to_string()))?;
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
        _ => {
            let token = format!("Bearer {}", key.unwrap_or("demo-native"));
            post("/v1/leads", &[("authorization", token.as_str())], &generator.native(product))
        }
    }
}
