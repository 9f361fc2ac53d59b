//! `gavel check`: everything that `serve` would refuse, without serving.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lead::Clock;

use crate::clock::SystemClock;
use crate::failure::Failure;
use crate::out;
use crate::settings::{Settings, load_market};

/// Checks a configuration (and the market it names) or market files.
pub(crate) fn run(files: &[PathBuf]) -> Result<(), Failure> {
    let loaded = match files {
        [one] if is_configuration(one)? => {
            let Settings { market_files, postal_codes, reach, .. } = Settings::load(one)?;
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            reach.tls(&clock)?;
            load_market(&market_files, &postal_codes, Some(&reach))?
        }
        files => load_market(files, &[], None)?,
    };
    for warning in &loaded.warnings {
        out::line(&format!("warning: {warning}"));
    }
    let market = &loaded.snapshot.market;
    out::line(&format!(
        "ok: {} publisher(s), {} product(s), {} buyer(s), {} campaign(s)",
        market.publishers.len(),
        market.products.len(),
        market.buyers.len(),
        market.campaigns.len()
    ));
    Ok(())
}

/// A configuration names market files; a market file does not.
pub(crate) fn is_configuration(file: &Path) -> Result<bool, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::unreadable(file, error))?;
    Ok(document::parse_toml(&text).is_ok_and(|source| source.root.member("market").is_some()))
}
