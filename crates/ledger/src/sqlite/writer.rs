//! The one thread that changes rows. It applies what comes and commits it together as soon as the log is
//! free (`sync` makes the commit durable and answers); it must never answer a commit itself, nor commit a
//! batch again that may have failed half. Sales go first: between two batches of them fits one chunk of
//! long work (`bulk`).

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError, after, never, select};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::apply::{Batch, Parcel};
use super::bulk::BulkJob;
use super::checkpoint::{self, Order};
use super::fault::Fault;
use super::open;
use super::sync::{Committed, Log};
use super::traces::Traces;
use super::turns::Turns;
use crate::digest::Keys;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::{Receipt, Refused};

/// How often a store in trouble is tried again.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// A probe writes as much as a small batch, so that a disk with one free page is not taken for cured.
const PROBE: &str = "INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', zeroblob(65536))";

pub(super) enum Job {
    Write(Parcel, oneshot::Sender<Answer>),
    /// Finish what waits, then end.
    Close,
}

/// A parcel goes back to be freed where it was made: freeing is not the writer's work.
pub(super) type Answer = Result<(Receipt, Parcel), Refused>;

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
    pub(super) traces: Arc<Traces>,
    pub(super) health: Arc<Health>,
    pub(super) metrics: Metrics,
    pub(super) orders: Sender<Order>,
    pub(super) checkpoint_ordered: Arc<AtomicBool>,
    /// Set after an IO error: the connection is not to be used again.
    pub(super) reopen: bool,
    /// Long work that has begun.
    pub(super) work: Option<BulkJob>,
    /// Where the log's syncs are told, and whether none is under way.
    pub(super) committed: Sender<Committed>,
    pub(super) free: Receiver<()>,
    pub(super) log_is_free: Cell<bool>,
    pub(super) log: Arc<dyn Log>,
    pub(super) turns: Arc<Turns>,
}

pub(super) type Verdict = Result<Receipt, Refused>;

/// The jobs of a batch.
struct Taken {
    jobs: Vec<Job>,
    closing: bool,
}

impl Taken {
    /// Says whether it is one to apply.
    fn add(&mut self, job: Job) -> bool {
        match job {
            Job::Close => self.closing = true,
            job => self.jobs.push(job),
        }
        !self.closing
    }
}

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
        let idle = |writer: &Self| {
            lanes.sales.is_empty() && lanes.bulk.is_empty() && writer.work.is_none()
        };
        while !idle(&self) {
            self.batch(None, &lanes.sales);
            self.chunk(&lanes.bulk);
        }
        // So that the next start has little to read.
        if self.traces.is_young() {
            self.work = Some(Box::new(self.traces.merge()));
            while self.work.is_some() {
                self.chunk(&lanes.bulk);
            }
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
        self.merge(&lanes.bulk);
        self.chunk(&lanes.bulk);
        closing
    }

    /// Begins a merge when one is due; lets it catch up when sales outrun it.
    fn merge(&mut self, bulk: &Receiver<BulkJob>) {
        if self.work.is_none() && self.traces.is_due() {
            self.work = Some(Box::new(self.traces.merge()));
        }
        while self.traces.is_full() && self.work.is_some() {
            self.chunk(bulk);
        }
    }

    fn wait(&self, lanes: &Lanes) -> Woken {
        match lanes.sales.try_recv() {
            Ok(job) => return Woken::Sale(job),
            Err(TryRecvError::Disconnected) => return Woken::Close,
            Err(TryRecvError::Empty) if self.work.is_some() => return Woken::Bulk(None),
            Err(TryRecvError::Empty) => {}
        }
        let curable = self.health.trouble().is_some() && self.health.ended().is_none();
        let probe = if curable { after(PROBE_EVERY) } else { never() };
        select! {
            recv(lanes.sales) -> job => job.map_or(Woken::Close, Woken::Sale),
            recv(lanes.bulk) -> work => work.map_or(Woken::Close, |work| Woken::Bulk(Some(work))),
            recv(probe) -> _ => Woken::Probe,
        }
    }

    /// Applies `first` and what comes until the log is free, then commits it all; says whether a close was
    /// among it.
    pub(super) fn batch(&mut self, first: Option<Job>, jobs: &Receiver<Job>) -> bool {
        let mut taken = Taken { jobs: Vec::from_iter(first), closing: false };
        if let Some(trouble) = self.health.trouble() {
            while self.take(&mut taken, jobs) {}
            refuse(taken.jobs, &trouble);
            return taken.closing;
        }
        let begun = now();
        match self.attempt(&mut taken, jobs) {
            Ok(verdicts) if taken.jobs.is_empty() => drop(verdicts),
            Ok(verdicts) => {
                self.log_is_free.set(false);
                let committed = Committed { jobs: taken.jobs, verdicts, begun };
                if let Err(gone) = self.committed.send(committed) {
                    refuse(gone.0.jobs, "the ledger is closed");
                }
                self.order_checkpoint();
            }
            Err(error) => {
                let trouble = self.fail(&error);
                refuse(taken.jobs, &trouble);
            }
        }
        self.metrics.queue_depth.set(number(jobs.len()));
        taken.closing
    }

    /// Neighbours share a transaction without savepoints, which cost every write a copy of the pages that
    /// it changes. Legality is judged before a write changes anything; only if a constraint of the
    /// database itself refuses one is the batch applied again, each write in a savepoint.
    fn attempt(&self, taken: &mut Taken, jobs: &Receiver<Job>) -> rusqlite::Result<Vec<Verdict>> {
        match self.transaction(taken, Some(jobs)) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                tracing::warn!(%error, "the database refused a write; each is applied by itself");
                self.transaction(taken, None)
            }
            done => done,
        }
    }

    /// With `jobs`, takes what comes meanwhile; without, applies each write by itself.
    fn transaction(
        &self,
        taken: &mut Taken,
        jobs: Option<&Receiver<Job>>,
    ) -> rusqlite::Result<Vec<Verdict>> {
        let _turn = self.turns.take();
        // Rolled back when dropped.
        let tx = Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate)?;
        let mut batch = Batch::begin(&tx, &self.keys, &self.traces)?;
        let mut verdicts = Vec::new();
        loop {
            while let Some(job) = taken.jobs.get(verdicts.len()) {
                let applied = match jobs {
                    Some(_) => apply(&mut batch, job),
                    None => apply_alone(&mut batch, job),
                };
                verdicts.push(match applied {
                    Ok(receipt) => Ok(receipt),
                    Err(Fault::Refused(refused)) => Err(refused),
                    Err(Fault::Store(error)) => return Err(error),
                });
            }
            if !jobs.is_some_and(|jobs| self.take(taken, jobs) || self.wait_for_log(taken, jobs)) {
                break;
            }
        }
        let made = batch.made();
        // The log failed while this waited for it.
        if let Some(why) = self.health.ended() {
            return Err(unsynced(why));
        }
        tx.commit()?;
        self.traces.add(made);
        Ok(verdicts)
    }

    /// Takes a job that waits, if there is room for it.
    fn take(&self, taken: &mut Taken, jobs: &Receiver<Job>) -> bool {
        while taken.jobs.len() < self.batch_max
            && let Ok(job) = jobs.try_recv()
        {
            if taken.add(job) {
                return true;
            }
        }
        false
    }

    /// Until the log is free, or until a job comes that there is room for: then says so.
    fn wait_for_log(&self, taken: &mut Taken, jobs: &Receiver<Job>) -> bool {
        while !self.log_is_free.get() {
            if taken.closing || taken.jobs.len() >= self.batch_max {
                // Disconnected or not: nobody syncs any more.
                self.free.recv().unwrap_or_default();
                self.log_is_free.set(true);
                continue;
            }
            select! {
                recv(self.free) -> _ => self.log_is_free.set(true),
                recv(jobs) -> job => match job {
                    Ok(job) => if taken.add(job) { return true },
                    Err(_) => taken.closing = true,
                },
            }
        }
        false
    }

    pub(super) fn order_checkpoint(&self) {
        if self.checkpoint_ordered.load(Ordering::Acquire) {
            return;
        }
        match checkpoint::is_due(&self.db) {
            Ok(true) => {
                // Said before it is sent: the checkpointer takes it back as soon as it has the order.
                self.checkpoint_ordered.store(true, Ordering::Release);
                if self.orders.try_send(Order::Passive).is_err() {
                    self.checkpoint_ordered.store(false, Ordering::Release);
                }
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
            Ok(()) if self.health.ended().is_some() => {}
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
        let _turn = self.turns.take();
        self.db.execute(PROBE, []).map(drop)?;
        self.log.sync().map_err(|error| unsynced(error.to_string()))
    }
}

fn apply(batch: &mut Batch<'_>, job: &Job) -> Result<Receipt, Fault> {
    match job {
        Job::Write(parcel, _) => batch.write(parcel),
        Job::Close => Err(Refused::Unavailable("the ledger is closing".to_owned()).into()),
    }
}

fn apply_alone(batch: &mut Batch<'_>, job: &Job) -> Result<Receipt, Fault> {
    let (db, mark) = (batch.db(), batch.mark());
    db.execute_batch("SAVEPOINT alone")?;
    let refused = match apply(batch, job) {
        Err(Fault::Store(error))
            if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) =>
        {
            Refused::Illegal(error.to_string())
        }
        // The whole transaction fails, and may be rolled back already.
        Err(Fault::Store(error)) => return Err(error.into()),
        done => {
            db.execute_batch("RELEASE alone")?;
            return done;
        }
    };
    db.execute_batch("ROLLBACK TO alone; RELEASE alone")?;
    batch.back_to(mark);
    Err(refused.into())
}

fn unsynced(why: String) -> rusqlite::Error {
    let error = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
    rusqlite::Error::SqliteFailure(error, Some(why))
}

/// Says, however the writer ends, that nobody commits any more.
struct Gone(Arc<Health>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.set(Some("the ledger is closed".to_owned()));
    }
}

pub(super) fn refuse(batch: Vec<Job>, trouble: &str) {
    for job in batch {
        answer(job, Err(Refused::Unavailable(trouble.to_owned())));
    }
}

/// Whoever asked may have left; what is committed stays.
pub(super) fn answer(job: Job, verdict: Verdict) {
    match job {
        Job::Write(parcel, reply) => drop(reply.send(verdict.map(|receipt| (receipt, parcel)))),
        Job::Close => {}
    }
}

pub(super) fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[expect(clippy::disallowed_methods, reason = "measures the disk; no record depends on it")]
pub(super) fn now() -> Instant {
    Instant::now()
}
