//! `gavel spec`: how a publisher posts, as a page to hand to it. Needs no secret and shows no key.

use market::{Sources, Vault};

use crate::cli::Spec;
use crate::failure::Failure;
use crate::out;
use crate::settings::Settings;

/// Prints a publisher's specification.
pub(crate) fn run(options: &Spec) -> Result<(), Failure> {
    let settings = Settings::load(&options.config)?;
    let mut texts = Vec::with_capacity(settings.market_files.len());
    for file in &settings.market_files {
        let text =
            std::fs::read_to_string(file).map_err(|error| Failure::unreadable(file, error))?;
        texts.push((file.display().to_string(), text));
    }
    let sources = Sources::parse(texts).map_err(Failure::Invalid)?;
    let market = sources.market_with(&Vault::STAND_INS).map_err(Failure::Invalid)?;
    let id = options.publisher.parse().ok();
    let Some(publisher) = id.and_then(|id| market.publishers.get(&id)) else {
        let known: Vec<&str> = market.publishers.keys().map(|id| id.as_str()).collect();
        let known = known.join(", ");
        let asked = &options.publisher;
        return Err(Failure::Usage(format!("no publisher {asked:?} in the market, only {known}")));
    };
    let base = options.url.clone().unwrap_or_else(|| format!("http://{}", settings.public));
    let specs = ingress::spec::specs(&market, publisher);
    let page = if options.html { ingress::spec::html } else { ingress::spec::markdown };
    out::line(page(&publisher.name, &base, &specs).trim_end());
    Ok(())
}
