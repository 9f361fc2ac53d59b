//! `gavel demo`: simulated buyers, the real engine on real storage, sample and generated leads through
//! every door, and a table of what came of them. Uses the binary's own wiring and nothing else.

mod drive;
mod table;

use std::net::SocketAddr;
use std::path::PathBuf;

use engine::BreakerRules;
use management::Operator;
use market::{KeyDigest, Vault};
use sim::buyers::{Buyer, Buyers, Handle};

use crate::cli;
use crate::failure::Failure;
use crate::reach::Reach;
use crate::settings::{Limits, Loaded, Management, Settings, compile_market};
use crate::{out, serve, telemetry, wire};

pub(crate) const MARKET: &str = include_str!("../../../config/demo/market.toml");
const BUYERS: &str = include_str!("../../../config/demo/buyers.txt");

const SUPPRESSED: &str = include_str!("../../../config/demo/do-not-contact.txt");

/// The operator's key; the buyers' are in the market.
const OPERATOR: &str = "demo-operator";

/// Where the market file says that its buyers are; replaced by where they really are.
const BUYERS_AT: &str = "127.0.0.1:9900";

/// Runs the demo.
pub(crate) fn run(options: &cli::Demo) -> Result<(), Failure> {
    telemetry::logs(tracing::Level::ERROR);
    let metrics = telemetry::metrics()
        .ok_or(Failure::Usage("metrics cannot be installed twice".to_owned()))?;
    // Dropped, and with it removed, when the demo ends.
    let temporary = tempfile::tempdir()
        .map_err(|error| Failure::System("make a temporary directory", error))?;
    let data_dir = options.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    let suppressed = temporary.path().join("do-not-contact.txt");
    std::fs::write(&suppressed, SUPPRESSED)
        .map_err(|error| Failure::System("write a file", error))?;
    wire::runtime()?.block_on(async {
        let buyers = start_buyers().await?;
        let running = wire::start(
            &settings(options, data_dir, suppressed),
            market(buyers.addr())?,
            metrics.clone(),
        )
        .await?;
        let results = drive::run(running.public, options).await?;
        out::line(&table::render(&results, &buyers.posts(), &metrics.render()));
        if options.stay {
            out::line(&table::invitation(&running));
            serve::stop_signal().await?;
        }
        running.shut_down(std::time::Duration::ZERO).await;
        buyers.stop().await;
        Ok(())
    })
}

async fn start_buyers() -> Result<Handle, Failure> {
    let lines = BUYERS.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let parsed: Result<Vec<Buyer>, _> = lines.map(str::parse).collect();
    let buyers =
        parsed.map_err(|error: sim::buyers::SpecError| Failure::Usage(error.to_string()))?;
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let options = sim::buyers::Options { seed: 7, ..sim::buyers::Options::default() };
    Buyers::start(anywhere, buyers, options)
        .await
        .map_err(|error| Failure::Listen("simulated buyers", anywhere, error))
}

fn market(buyers: SocketAddr) -> Result<Loaded, Failure> {
    let text = MARKET.replace(BUYERS_AT, &buyers.to_string());
    let texts = vec![("config/demo/market.toml".to_owned(), text)];
    compile_market(texts, &Vault::LITERALS, Some(&Reach::loopback()))
}

fn settings(options: &cli::Demo, data_dir: PathBuf, suppressed: PathBuf) -> Settings {
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    Settings {
        public: if options.stay { options.public } else { anywhere },
        ops: if options.stay { options.ops } else { anywhere },
        management: Some(Management {
            listen: if options.stay { options.management } else { anywhere },
            operators: vec![Operator {
                name: "demo".to_owned(),
                keys: vec![KeyDigest::of(OPERATOR)],
            }],
        }),
        root_key_file: data_dir.join("root.key"),
        data_dir,
        market_files: Vec::new(),
        suppressions: vec![("do-not-contact".to_owned(), suppressed)],
        limits: Limits::default(),
        reach: Reach::loopback(),
        breakers: BreakerRules::default(),
        drain_delay: std::time::Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_market_is_valid_and_every_campaign_has_its_simulated_buyer() {
        let loaded = market(([127, 0, 0, 1], 9_900).into()).unwrap();
        for key in loaded.snapshot.market.campaigns.keys() {
            let name = format!("{}-{}:", key.buyer, key.campaign);
            assert!(BUYERS.lines().any(|line| line.starts_with(&name)), "{name}");
        }
        for line in BUYERS.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.parse::<Buyer>().is_ok(), "{line}");
        }
    }
}
