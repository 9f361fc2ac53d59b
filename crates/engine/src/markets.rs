//! The versions of the market. Each is on record before the first lead that names it; an old one is
//! compiled again when somebody asks about a lead of its time. Decides nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use ledger::{KeptMarket, Ledger, Refused};
use tokio::sync::Mutex;

use crate::Snapshot;

/// So many old markets are kept compiled.
const KEPT: usize = 4;

/// The version of the market that `source` is: the newest on record if that is the same, else the next
/// one, which is on record when this returns.
///
/// # Errors
/// The ledger cannot be read or written; no lead may use the market then.
pub async fn version_of<L: Ledger>(ledger: &L, source: &str) -> Result<u64, Refused> {
    let newest = ledger.newest_market().await?;
    match newest {
        Some(kept) if kept.source == source => Ok(kept.version),
        newest => {
            let version = newest.map_or(1, |kept| kept.version.saturating_add(1));
            ledger.keep_market(KeptMarket { version, source: source.to_owned() }).await?;
            Ok(version)
        }
    }
}

/// Markets of old leads, compiled; the one that was asked for last comes first.
#[derive(Debug, Default)]
pub(crate) struct OldMarkets(Mutex<VecDeque<(u64, Option<Arc<Snapshot>>)>>);

impl OldMarkets {
    /// The market of `version`; `None` if it is not on record or cannot be compiled. One at a time is
    /// compiled, on a thread of its own.
    pub(crate) async fn get<L: Ledger>(
        &self,
        ledger: &L,
        version: u64,
    ) -> Result<Option<Arc<Snapshot>>, Refused> {
        let mut kept = self.0.lock().await;
        if let Some(place) = kept.iter().position(|(known, _)| *known == version)
            && let Some(found) = kept.remove(place)
        {
            kept.push_front(found.clone());
            return Ok(found.1);
        }
        let Some(source) = ledger.market(version).await? else { return Ok(None) };
        let compile = move || Snapshot::read(&source, version).ok().map(Arc::new);
        let snapshot = tokio::task::spawn_blocking(compile).await.unwrap_or_default();
        if snapshot.is_none() {
            tracing::warn!(version, "a market on record cannot be compiled");
        }
        kept.push_front((version, snapshot.clone()));
        kept.truncate(KEPT);
        Ok(snapshot)
    }
}
