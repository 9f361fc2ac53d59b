//! `gavel serve`: runs until told to stop.

use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;
use crate::settings::{Settings, load_market};
use crate::{telemetry, wire};

/// Runs the engine of a configuration.
pub(crate) fn run(config: &Path) -> Result<(), Failure> {
    let settings = Settings::load(config)?;
    let market =
        load_market(&settings.market_files, &settings.postal_codes, Some(&settings.reach))?;
    telemetry::logs(tracing::Level::INFO);
    let metrics = telemetry::metrics()
        .ok_or(Failure::Usage("metrics cannot be installed twice".to_owned()))?;
    wire::runtime()?.block_on(async {
        let running = wire::start(&settings, market, metrics).await?;
        let management = running.management.map(|at| at.to_string());
        tracing::info!(public = %running.public, ops = %running.ops, management, "serving");
        stop_signal().await?;
        tracing::info!("stopping");
        running.shut_down(settings.drain_delay).await;
        Ok(())
    })
}

/// Resolves at SIGTERM or SIGINT.
pub(crate) async fn stop_signal() -> Result<(), Failure> {
    let refuse = |error| Failure::System("wait for signals", error);
    let mut terminate = signal(SignalKind::terminate()).map_err(refuse)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(refuse)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
