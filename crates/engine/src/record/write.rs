//! How a record reaches the ledger: with the journey, after it, or when it is dropped.

use std::sync::Arc;
use std::time::Duration;

use lead::journey::OfferEvent;
use ledger::{Entry, Ledger, Refused, Write};

use super::{Record, unknown};
use crate::engine::{Inner, Refusal};

/// How long a write that failed waits for its next try.
const WRITE_AGAIN_AFTER: Duration = Duration::from_secs(1);

impl<B: Send + Sync + 'static, L: Ledger> Record<B, L> {
    pub(super) async fn flush(&mut self) -> Result<(), Refusal> {
        let known = self.begun;
        let write = self.take_write();
        let started = self.inner.clock.instant();
        let committed = self.inner.ledger.commit(write.clone()).await;
        let now = self.inner.clock.instant();
        self.inner.paces.committed(now.saturating_duration_since(started), now);
        match committed {
            Ok(receipt) => {
                self.sequence = Some(receipt.sequence);
                self.begun = true;
                Ok(())
            }
            Err(refused) => {
                self.settled = true;
                if known {
                    let write = self.without_post(write);
                    write_later(Arc::clone(&self.inner), write);
                }
                Err(Refusal::Ledger(refused))
            }
        }
    }

    /// A post whose intent is not durable is never made, and the offer ends there.
    fn without_post(&mut self, mut write: Write) -> Write {
        if write.entries.pop_if(|entry| matches!(entry, Entry::Intent(_))).is_some() {
            let outcome = self.state.if_stopped();
            write.entries.push(self.ending(Some(outcome), outcome.disposition(), None));
        }
        write
    }

    fn take_write(&mut self) -> Write {
        Write {
            lead: self.id,
            created: self.created.take(),
            entries: std::mem::take(&mut self.pending),
        }
    }
}

impl<B: Send + Sync + 'static, L: Ledger> Drop for Record<B, L> {
    fn drop(&mut self) {
        // A lead or an offer that the ledger has never seen, and no publisher heard of, leaves no trace.
        if self.settled || !self.begun {
            return;
        }
        if let Some(intent) = self.open_intent.take() {
            self.step(OfferEvent::Unknown);
            self.hold(&intent);
            self.pending.push(Entry::Posted(unknown(intent, self.inner.clock.timestamp())));
        }
        let outcome = self.state.if_stopped();
        let entry = self.ending(Some(outcome), outcome.disposition(), None);
        self.pending.push(entry);
        let (inner, write) = (Arc::clone(&self.inner), self.take_write());
        self.inner.metrics.abandoned.increment(1);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let tasks = inner.tasks.clone();
            let settling = async move {
                if let Err(refused) = inner.ledger.commit(write).await {
                    tracing::error!(%refused, "an abandoned journey could not be settled");
                }
            };
            drop(tasks.spawn_on(settling, &runtime));
        }
    }
}

/// Tries again and again to write what happened to a lead that the ledger knows already: a sale that is
/// not written down is a sale all the same. What is still unwritten when the process ends, the next
/// start finds as an open intent.
fn write_later<B: Send + Sync + 'static, L: Ledger>(inner: Arc<Inner<B, L>>, write: Write) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    drop(runtime.spawn(async move {
        loop {
            tokio::time::sleep(WRITE_AGAIN_AFTER).await;
            match inner.ledger.commit(write.clone()).await {
                Err(Refused::Full | Refused::Unavailable(_)) => {}
                Err(refused) => {
                    tracing::error!(lead = %write.lead, %refused, "an outcome could not be written");
                    return;
                }
                Ok(_) => return,
            }
        }
    }));
}
