//! The one thread that changes rows. It takes what waits, commits it together and answers only once the
//! commit has returned; it must never answer sooner, nor commit a batch again that may have failed half.
//! Sales go first: between two batches of them fits one chunk of long work (`bulk`).

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError, after, never, select};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::apply::{self, Parcel};
use super::bulk::BulkJob;
use super::checkpoint::{self, Order};
use super::fault::Fault;
use super::open;
use crate::digest::Keys;
use crate::filter::Filter;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::{Receipt, Refused};

/// How often a store in trouble is tried again.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// A probe writes as much as a small batch, so that a disk with one free page is not taken for cured.
const PROBE: &str = "INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', zeroblob(65536))";

pub(super) enum Job {
    Write(Parcel, oneshot::Sender<Result<Receipt, Refused>>),
    /// Finish what waits, then end.
    Close,
}

/// Where work comes from.
pub(super) struct Lanes {
    pub(super) sales: Receiver<Job>,
    pub(super) bulk: Receiver<BulkJob>,
}

/// What the writer needs.
pub(super) struct Writer {
    pub(super) path: PathBuf,
    pub(super) keys: Keys,
    pub(super) db: Connection,
    pub(super) batch_max: usize,
    pub(super) filter: Arc<Filter>,
    pub(super) health: Arc<Health>,
    pub(super) metrics: Metrics,
    pub(super) orders: Sender<Order>,
    pub(super) checkpoint_ordered: Arc<AtomicBool>,
    /// Set after an IO error: the connection is not to be used again.
    pub(super) reopen: bool,
    /// Long work that has begun.
    pub(super) work: Option<BulkJob>,
}

type Verdict = Result<Receipt, Refused>;

/// Why the writer woke up.
enum Woken {
    Sale(Job),
    Bulk(Option<BulkJob>),
    Probe,
    Close,
}

impl Writer {
    /// Until [`Job::Close`], or until nobody can send any more.
    pub(super) fn run(mut self, lanes: &Lanes) {
        let _gone = Gone(Arc::clone(&self.health));
        while !self.turn(lanes) {}
        while !(lanes.sales.is_empty() && lanes.bulk.is_empty() && self.work.is_none()) {
            self.batch(None, &lanes.sales);
            self.chunk(&lanes.bulk);
        }
    }

    /// Waits for something to do, then commits one batch of sales and one chunk of long work; says whether
    /// it is to close.
    pub(super) fn turn(&mut self, lanes: &Lanes) -> bool {
        let closing = match self.wait(lanes) {
            Woken::Close | Woken::Sale(Job::Close) => return true,
            Woken::Sale(job) => self.batch(Some(job), &lanes.sales),
            Woken::Bulk(work) => {
                self.work = self.work.take().or(work);
                false
            }
            Woken::Probe => {
                self.probe();
                false
            }
        };
        self.chunk(&lanes.bulk);
        closing
    }

    fn wait(&self, lanes: &Lanes) -> Woken {
        match lanes.sales.try_recv() {
            Ok(job) => return Woken::Sale(job),
            Err(TryRecvError::Disconnected) => return Woken::Close,
            Err(TryRecvError::Empty) if self.work.is_some() => return Woken::Bulk(None),
            Err(TryRecvError::Empty) => {}
        }
        let probe = if self.health.trouble().is_some() { after(PROBE_EVERY) } else { never() };
        select! {
            recv(lanes.sales) -> job => job.map_or(Woken::Close, Woken::Sale),
            recv(lanes.bulk) -> work => work.map_or(Woken::Close, |work| Woken::Bulk(Some(work))),
            recv(probe) -> _ => Woken::Probe,
        }
    }

    /// Takes what waits besides `first` and commits it; says whether a close was among it.
    fn batch(&mut self, first: Option<Job>, jobs: &Receiver<Job>) -> bool {
        let mut closing = false;
        let mut batch = Vec::from_iter(first);
        while batch.len() < self.batch_max
            && let Ok(job) = jobs.try_recv()
        {
            match job {
                Job::Close => closing = true,
                job => batch.push(job),
            }
        }
        self.metrics.queue_depth.set(number(jobs.len()));
        self.commit(batch);
        closing
    }

    /// Makes a batch durable and answers it.
    pub(super) fn commit(&mut self, batch: Vec<Job>) {
        if batch.is_empty() {
            return;
        }
        if let Some(trouble) = self.health.trouble() {
            return refuse(batch, &trouble);
        }
        let started = now();
        match self.attempt(&batch) {
            Ok(verdicts) => {
                self.metrics.commit_seconds.record(started.elapsed().as_secs_f64());
                self.metrics.batch_writes.record(number(batch.len()));
                for (job, verdict) in batch.into_iter().zip(verdicts) {
                    answer(job, verdict);
                }
                self.order_checkpoint();
            }
            Err(error) => {
                let trouble = self.fail(&error);
                refuse(batch, &trouble);
            }
        }
    }

    /// Neighbours share a transaction without savepoints, which cost every write a copy of the pages that
    /// it changes. Legality is judged before a write changes anything; only if a constraint of the
    /// database itself refuses one is the batch applied again, each write in a savepoint.
    fn attempt(&self, batch: &[Job]) -> rusqlite::Result<Vec<Verdict>> {
        match self.transaction(batch, |job| self.apply(job)) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                tracing::error!(%error, "the database refused a write that was judged legal");
                self.transaction(batch, |job| self.apply_alone(job))
            }
            done => done,
        }
    }

    fn transaction(
        &self,
        batch: &[Job],
        apply: impl Fn(&Job) -> Result<Receipt, Fault>,
    ) -> rusqlite::Result<Vec<Verdict>> {
        // Rolled back when dropped.
        let tx = Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate)?;
        let mut verdicts = Vec::with_capacity(batch.len());
        for job in batch {
            verdicts.push(match apply(job) {
                Ok(receipt) => Ok(receipt),
                Err(Fault::Refused(refused)) => Err(refused),
                Err(Fault::Store(error)) => return Err(error),
            });
        }
        tx.commit()?;
        Ok(verdicts)
    }

    fn apply(&self, job: &Job) -> Result<Receipt, Fault> {
        match job {
            Job::Write(parcel, _) => {
                // Before the commit: one that reports a failure may have reached the disk all the same.
                parcel.keys().for_each(|key| self.filter.insert(key));
                apply::write(&self.db, &self.keys, parcel)
            }
            Job::Close => Err(Refused::Unavailable("the ledger is closing".to_owned()).into()),
        }
    }

    fn apply_alone(&self, job: &Job) -> Result<Receipt, Fault> {
        self.db.execute_batch("SAVEPOINT alone")?;
        let refused = match self.apply(job) {
            Err(Fault::Store(error))
                if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) =>
            {
                Refused::Illegal(error.to_string())
            }
            // The whole transaction fails, and may be rolled back already.
            Err(Fault::Store(error)) => return Err(error.into()),
            done => {
                self.db.execute_batch("RELEASE alone")?;
                return done;
            }
        };
        self.db.execute_batch("ROLLBACK TO alone; RELEASE alone")?;
        Err(refused.into())
    }

    pub(super) fn order_checkpoint(&self) {
        if self.checkpoint_ordered.load(Ordering::Acquire) {
            return;
        }
        match checkpoint::is_due(&self.db) {
            Ok(true) => {
                let sent = self.orders.try_send(Order::Passive).is_ok();
                self.checkpoint_ordered.store(sent, Ordering::Release);
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the length of the ledger's log is unknown"),
        }
    }

    /// Takes a failed commit for what it is: nothing more is written until a probe succeeds.
    pub(super) fn fail(&mut self, error: &rusqlite::Error) -> String {
        // After a failed fsync the kernel may have marked pages clean that never reached the disk, and a
        // second fsync would then report success for nothing. So an IO error is never tried again in
        // place: the connection, and with it everything that it believes to be written, is given up, and
        // the next one reads the log anew.
        self.reopen |= error.sqlite_error_code() != Some(ErrorCode::DiskFull);
        self.metrics.commit_failures.increment(1);
        tracing::error!(%error, "a commit of the ledger failed");
        let trouble = error.to_string();
        self.health.set(Some(trouble.clone()));
        trouble
    }

    /// Tries whether the store commits again.
    pub(super) fn probe(&mut self) {
        match self.try_probe() {
            Ok(()) => {
                tracing::info!("the ledger commits again");
                self.health.set(None);
            }
            Err(error) => {
                self.reopen |= error.sqlite_error_code() != Some(ErrorCode::DiskFull);
                tracing::warn!(%error, "the ledger still cannot commit");
                self.health.set(Some(error.to_string()));
            }
        }
    }

    fn try_probe(&mut self) -> rusqlite::Result<()> {
        if self.reopen {
            self.db = open::writer(&self.path)?;
            self.reopen = false;
        }
        self.db.execute(PROBE, []).map(drop)
    }
}

/// Says, however the writer ends, that nobody commits any more.
struct Gone(Arc<Health>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.set(Some("the ledger is closed".to_owned()));
    }
}

fn refuse(batch: Vec<Job>, trouble: &str) {
    for job in batch {
        answer(job, Err(Refused::Unavailable(trouble.to_owned())));
    }
}

/// Whoever asked may have left; what is committed stays.
fn answer(job: Job, verdict: Verdict) {
    match job {
        Job::Write(_, reply) => drop(reply.send(verdict)),
        Job::Close => {}
    }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[expect(clippy::disallowed_methods, reason = "measures the disk; no record depends on it")]
pub(super) fn now() -> Instant {
    Instant::now()
}
