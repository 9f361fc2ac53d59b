//! `gavel demo`: simulated buyers, the real engine on real storage, sample and generated leads through
//! every door, and a table of what came of them. Uses the binary's own wiring and nothing else.

mod drive;
mod lines;
mod table;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use engine::BreakerRules;
use lead::Currency;
use management::Operator;
use market::{KeyDigest, Places, Vault};
use sim::buyers::{Buyer, Buyers, Handle};

use crate::cli;
use crate::failure::Failure;
use crate::reach::Reach;
use crate::settings::{Limits, Loaded, Management, Settings, compile_market};
use crate::{out, serve, telemetry, wire};

pub(crate) const MARKET: &str = include_str!("../../../config/demo/market.toml");
pub(crate) const POSTAL_CODES: &str = include_str!("../../../config/tables/us-postal-codes.csv");
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
        let buyers = start_buyers(options.stay).await?;
        let market = market(buyers.addr())?;
        let currencies = currencies(&market);
        let settings = settings(options, data_dir, suppressed);
        let running = wire::start(&settings, market, metrics.clone()).await?;
        let results = drive::run(running.public, options).await?;
        let books = table::Books { posts: &buyers.posts(), currencies: &currencies };
        out::line(&table::render(&results, &books, &metrics.render()));
        if options.stay {
            out::line(&lines::invitation(&running, buyers.addr(), &results.samples));
            serve::stop_signal().await?;
        }
        running.shut_down(std::time::Duration::ZERO).await;
        buyers.stop().await;
        Ok(())
    })
}

/// Those who stay listen where the market says, if they can: what is registered by then works in the next
/// run, too.
async fn start_buyers(stay: bool) -> Result<Handle, Failure> {
    let lines = BUYERS.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let parsed: Result<Vec<Buyer>, _> = lines.map(str::parse).collect();
    let buyers =
        parsed.map_err(|error: sim::buyers::SpecError| Failure::Usage(error.to_string()))?;
    // The same consumer finds the same bids in every run.
    let options =
        || sim::buyers::Options { seed: 7, by_attributes: true, ..sim::buyers::Options::default() };
    if stay
        && let Ok(known) = BUYERS_AT.parse()
        && let Ok(started) = Buyers::start(known, buyers.clone(), options()).await
    {
        return Ok(started);
    }
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    Buyers::start(anywhere, buyers, options())
        .await
        .map_err(|error| Failure::Listen("simulated buyers", anywhere, error))
}

fn market(buyers: SocketAddr) -> Result<Loaded, Failure> {
    let buyers = buyers.to_string();
    let text = MARKET.replace(BUYERS_AT, &buyers);
    let texts = vec![("config/demo/market.toml".to_owned(), text)];
    let table = ("config/tables/us-postal-codes.csv".to_owned(), POSTAL_CODES.to_owned());
    let places = Arc::new(Places::read([table]).map_err(Failure::Invalid)?);
    let loaded = compile_market(texts, Vault::LITERALS, places, Some(&Reach::loopback()))?;
    // Kept as it is written: the next run's buyers are elsewhere.
    Ok(Loaded { texts: vec![MARKET.to_owned()], moved: Some((BUYERS_AT, buyers)), ..loaded })
}

/// In what each simulated buyer pays.
fn currencies(market: &Loaded) -> BTreeMap<String, Currency> {
    let market = &market.snapshot.market;
    let of = |(key, campaign): (&lead::CampaignKey, &Arc<market::Campaign>)| {
        let product = market.products.get(&campaign.product)?;
        Some((format!("{}-{}", key.buyer, key.campaign), product.currency))
    };
    market.campaigns.iter().filter_map(of).collect()
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
        postal_codes: Vec::new(),
        disposable_domains: None,
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
