//! The thread that makes commits durable: one `fdatasync` of the log for all that was committed before
//! it, while the writer applies what comes next. It answers, and must never answer before the sync has
//! returned; after one that failed, nothing is answered well again until a restart reads what is there.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender};

use super::writer::{Job, Verdict, answer, number, refuse};
use crate::health::Health;
use crate::metrics::Metrics;

/// The log's bytes on their way to stable storage.
pub(super) trait Log: Send + Sync {
    /// Returns when everything that was written is there.
    fn sync(&self) -> io::Result<()>;
}

impl Log for File {
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// The log of the database at `path`, which is open and in write-ahead mode, so that the file is there.
pub(super) fn log(path: &Path) -> io::Result<Arc<dyn Log>> {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    Ok(Arc::new(OpenOptions::new().read(true).write(true).open(name)?))
}

/// What one commit wrote.
pub(super) struct Committed {
    pub(super) jobs: Vec<Job>,
    pub(super) verdicts: Vec<Verdict>,
    /// When its transaction began.
    pub(super) begun: Instant,
}

pub(super) struct Syncer {
    pub(super) log: Arc<dyn Log>,
    pub(super) committed: Receiver<Committed>,
    /// Told after each sync, so that the writer commits once for all that came meanwhile.
    pub(super) free: Sender<()>,
    pub(super) health: Arc<Health>,
    pub(super) metrics: Metrics,
}

impl Syncer {
    /// Until the writer is gone and everything that it committed is answered.
    pub(super) fn run(self) {
        while let Ok(committed) = self.committed.recv() {
            self.settle(committed);
        }
    }

    /// Syncs, lets the writer go on, answers.
    pub(super) fn settle(&self, committed: Committed) {
        let Committed { jobs, verdicts, begun } = committed;
        // What the failed sync left out may be lost although a later one succeeds: the kernel reports an
        // error once and takes the pages for clean. So there is no later one.
        let synced = match self.health.ended() {
            Some(why) => Err(why),
            None => self.log.sync().map_err(|error| self.fail(&error)),
        };
        // Fails only if the writer is gone.
        self.free.try_send(()).unwrap_or_default();
        match synced {
            Ok(()) => {
                self.metrics.commit_seconds.record(begun.elapsed().as_secs_f64());
                self.metrics.batch_writes.record(number(jobs.len()));
                for (job, verdict) in jobs.into_iter().zip(verdicts) {
                    answer(job, verdict);
                }
            }
            Err(trouble) => refuse(jobs, &trouble),
        }
    }

    fn fail(&self, error: &io::Error) -> String {
        self.metrics.commit_failures.increment(1);
        tracing::error!(%error, "the ledger's log cannot be synced; the engine must be restarted");
        let trouble = format!("the log cannot be synced: {error}; restart when the disk is well");
        self.health.end(trouble.clone());
        trouble
    }
}
