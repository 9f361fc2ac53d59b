//! The versions of the market. Each is on record before the first lead that names it; an old one is
//! compiled again when somebody asks about a lead of its time. Decides nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use ledger::{KeptMarket, Ledger, Refused};
use market::Places;
use tokio::sync::Mutex;

use crate::{Snapshot, Stored};

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
    /// compiled, on a thread of its own, with the places that are known now.
    pub(crate) async fn get<L: Ledger>(
        &self,
        ledger: &L,
        version: u64,
        places: Arc<Places>,
    ) -> Result<Option<Arc<Snapshot>>, Refused> {
        let mut kept = self.0.lock().await;
        if let Some(place) = kept.iter().position(|(known, _)| *known == version)
            && let Some(found) = kept.remove(place)
        {
            kept.push_front(found.clone());
            return Ok(found.1);
        }
        let snapshot = match Stored::load(ledger, version).await {
            Ok(None) => return Ok(None),
            Ok(Some(stored)) => {
                let compile = move || stored.to_explain(places).map(Arc::new);
                tokio::task::spawn_blocking(compile).await.unwrap_or_default()
            }
            Err(Refused::Corrupt(_)) => None,
            Err(refused) => return Err(refused),
        };
        if snapshot.is_none() {
            tracing::warn!(version, "a market on record cannot be compiled");
        }
        kept.push_front((version, snapshot.clone()));
        kept.truncate(KEPT);
        Ok(snapshot)
    }
}

#[cfg(test)]
mod tests {
    use ledger::MemoryLedger;

    use super::*;

    #[tokio::test]
    async fn few_are_kept_and_the_last_asked_for_stay() {
        let (ledger, old) = (MemoryLedger::new(), OldMarkets::default());
        for version in 1..=6 {
            // The second cannot be compiled, and that is known from then on.
            let source = if version == 2 { "[\"x\"]" } else { "[\"\"]" }.to_owned();
            ledger.keep_market(KeptMarket { version, source }).await.unwrap();
        }
        let get = async |version| {
            old.get(&ledger, version, Places::built_in()).await.unwrap().map(|it| it.version)
        };
        for (version, found, kept) in [
            (1, Some(1), vec![1]),
            (2, None, vec![2, 1]),
            (3, Some(3), vec![3, 2, 1]),
            (1, Some(1), vec![1, 3, 2]),
            (9, None, vec![1, 3, 2]),
            (4, Some(4), vec![4, 1, 3, 2]),
            (5, Some(5), vec![5, 4, 1, 3]),
            (6, Some(6), vec![6, 5, 4, 1]),
            (1, Some(1), vec![1, 6, 5, 4]),
        ] {
            assert_eq!(get(version).await, found, "{version}");
            let now: Vec<_> = old.0.lock().await.iter().map(|(version, _)| *version).collect();
            assert_eq!(now, kept, "after {version}");
        }
    }
}
