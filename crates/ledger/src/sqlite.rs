//! The ledger on SQLite: one writer with group commit, syncs apart, readers apart, checkpoints apart. Callers only
//! ever queue and await; a full queue sheds. What is personal is sealed before it is queued.

mod apply;
mod bulk;
mod checkpoint;
mod columns;
mod decisions;
mod event_row;
mod fault;
mod lead_row;
mod limits;
mod lookup;
mod markets;
mod open;
mod post_row;
mod reader;
mod review;
mod rows;
mod schema;
mod sync;
#[cfg(test)]
mod tests;
mod traces;
mod turns;
mod verify;
mod writer;

use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, TrySendError, bounded};
use jiff::Timestamp;
use lead::{CampaignKey, LeadId};
use rusqlite::Connection;
use tokio::sync::oneshot;

use self::apply::Parcel;
use self::bulk::{BulkJob, Erasure};
use self::checkpoint::{Checkpointer, Order};
use self::fault::Fault;
use self::lead_row::LeadRow;
use self::markets::Keeping;
use self::reader::Readers;
use self::sync::Syncer;
use self::traces::Traces;
use self::turns::Turns;
use self::writer::{Job, Lanes, Writer};
use crate::digest::Keys;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::{
    Claimant, Digest, KeptMarket, LeadRecord, Ledger, OpenIntent, PostRow, Receipt, Recovery,
    Refused, SourceQuery, StoredRequest, Write,
};

pub use self::open::{OpenError, Options};
pub use self::verify::{Finding, Flaw, MoneyTotals, Totals, Verification, verify};
pub use review::held;

/// Erasures that may wait for the log to be emptied.
const ORDERS: usize = 256;
/// Threads that read posts for a start.
const VISITORS: usize = 4;
/// Long works that may wait.
const BULK: usize = 256;

/// The store of record, in a directory of its own.
pub struct SqliteLedger {
    dir: PathBuf,
    keys: Keys,
    traces: Arc<Traces>,
    jobs: Sender<Job>,
    bulk: Sender<BulkJob>,
    readers: Readers,
    health: Arc<Health>,
    metrics: Metrics,
    threads: Mutex<Option<Threads>>,
}

/// What a close has to end, in this order.
struct Threads {
    writer: Option<JoinHandle<()>>,
    syncer: Option<JoinHandle<()>>,
    readers: Vec<JoinHandle<()>>,
    /// The last sender; the checkpointer ends with it.
    orders: Sender<Order>,
    checkpointer: Option<JoinHandle<()>>,
    /// Held open: the directory is ours until this closes.
    _lock: File,
}

impl SqliteLedger {
    /// Opens the ledger in `options.dir`, creating it if there is none. Changes no lead.
    ///
    /// # Errors
    /// When the directory cannot be used, is in use, belongs to a newer version or to another root key.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let Options { dir, root_key, queue, batch_max } = options;
        let lock = open::take(&dir)?;
        let path = dir.join(open::FILE);
        let db = open::writer(&path)?;
        schema::prepare(&db, &root_key)?;
        let traces = Arc::new(Traces::load(&db, traces::DUE).map_err(unreadable)?);
        let keys = Keys::new(&root_key);

        let (health, metrics) = (Arc::new(Health::default()), Metrics::new());
        let (jobs, sales) = bounded(queue.max(1));
        let (bulk, long) = bounded(BULK);
        let (orders, ordered) = bounded(ORDERS);
        let checkpoint_ordered = Arc::new(AtomicBool::new(false));
        let turns = Arc::new(Turns::default());
        let mut checkpointer = Checkpointer::new(
            path.clone(),
            ordered,
            Arc::clone(&checkpoint_ordered),
            Arc::clone(&turns),
        )?;
        // Nothing that a failed sync left in doubt stays in the log.
        checkpointer.begin()?;
        let (committed, to_sync) = bounded(1);
        let (free, freed) = bounded(1);
        let log = sync::log(&path).map_err(OpenError::Log)?;
        let syncer = Syncer {
            log: Arc::clone(&log),
            committed: to_sync,
            free,
            health: Arc::clone(&health),
            metrics: metrics.clone(),
        };
        let writer = Writer {
            path: path.clone(),
            keys: keys.clone(),
            db,
            batch_max: batch_max.max(1),
            traces: Arc::clone(&traces),
            health: Arc::clone(&health),
            metrics: metrics.clone(),
            orders: orders.clone(),
            checkpoint_ordered,
            reopen: false,
            work: None,
            committed,
            free: freed,
            log_is_free: Cell::new(true),
            log,
            turns,
        };
        let lanes = Lanes { sales, bulk: long };
        let mut threads = Threads {
            writer: None,
            syncer: None,
            readers: Vec::new(),
            orders,
            checkpointer: None,
            _lock: lock,
        };
        let readers = Readers::start(&path, &mut threads)?;
        threads.checkpointer = Some(spawn("ledger-checkpoint", move || checkpointer.run())?);
        threads.syncer = Some(spawn("ledger-sync", move || syncer.run())?);
        threads.writer = Some(spawn("ledger-writer", move || writer.run(&lanes))?);
        let threads = Mutex::new(Some(threads));
        Ok(Self { dir, keys, traces, jobs, bulk, readers, health, metrics, threads })
    }

    /// Destroys the key of `lead`, so that nobody can read who the consumer is; amounts stay. Resolves when
    /// the key's bytes are gone from the log as well. After an error, erase again: it does no harm.
    ///
    /// # Errors
    /// When the lead is not known, or the store cannot write.
    pub async fn erase(&self, lead: LeadId) -> Result<(), Refused> {
        self.erase_all(vec![lead]).await
    }

    /// As [`Self::erase`], for many: all of them, or none if one is not known. Sales go on meanwhile.
    ///
    /// # Errors
    /// When a lead is not known, or the store cannot write.
    pub async fn erase_all(&self, leads: Vec<LeadId>) -> Result<(), Refused> {
        if leads.is_empty() {
            return Ok(());
        }
        let (reply, answer) = oneshot::channel();
        let work: BulkJob = Box::new(Erasure::new(leads, reply));
        self.queue(&self.bulk, work, answer).await
    }

    /// Finishes the writes that are queued, empties the log, ends the threads and lets go of the directory.
    /// Blocks meanwhile. Dropping the ledger does the same.
    pub fn close(&self) {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(threads) = threads else { return };
        // Fails only if the writer is gone already.
        drop(self.jobs.send(Job::Close));
        threads.writer.into_iter().chain(threads.syncer).for_each(join);
        self.readers.stop();
        threads.readers.into_iter().for_each(join);
        drop(threads.orders);
        threads.checkpointer.into_iter().for_each(join);
    }

    async fn queue<J, T>(
        &self,
        lane: &Sender<J>,
        job: J,
        answer: oneshot::Receiver<Result<T, Refused>>,
    ) -> Result<T, Refused> {
        match lane.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                self.metrics.shed.increment(1);
                return Err(Refused::Full);
            }
            Err(TrySendError::Disconnected(_)) => return Err(self.closed()),
        }
        answer.await.unwrap_or_else(|_| Err(self.closed()))
    }

    /// A read on the caller's thread.
    fn visit(&self, read: impl FnOnce(&Connection) -> Result<(), Fault>) -> Result<(), Refused> {
        let db = open::reader(&self.dir.join(open::FILE)).map_err(Fault::from);
        db.and_then(|db| reader::snapshot(&db, read)).map_err(Fault::into_refused)
    }

    fn closed(&self) -> Refused {
        Refused::Unavailable(
            self.health.trouble().unwrap_or_else(|| "the ledger is closed".to_owned()),
        )
    }
}

impl Ledger for SqliteLedger {
    /// A caller that stops waiting does not take its write back.
    async fn commit(&self, write: Write) -> Result<Receipt, Refused> {
        if let Some(trouble) = self.health.trouble() {
            return Err(Refused::Unavailable(trouble));
        }
        let parcel = Parcel::seal(&self.keys, write)?;
        let (reply, answer) = oneshot::channel();
        let (receipt, _parcel) = self.queue(&self.jobs, Job::Write(parcel, reply), answer).await?;
        Ok(receipt)
    }

    async fn lead(&self, id: LeadId) -> Result<Option<LeadRecord>, Refused> {
        let keys = self.keys.clone();
        self.readers.read(move |db| rows::lead(db, &keys, id)).await
    }

    async fn source_leads(&self, query: SourceQuery) -> Result<Vec<LeadRecord>, Refused> {
        let keys = self.keys.clone();
        self.readers.read(move |db| rows::source_leads(db, &keys, &query)).await
    }

    async fn numbered(&self, sequence: lead::Sequence) -> Result<Option<LeadId>, Refused> {
        let keys = self.keys.clone();
        let found = self.readers.read(move |db| LeadRow::numbered(db, &keys, sequence.0)).await?;
        Ok(found.map(|row| row.id))
    }

    async fn claimants(&self, keys: &[Digest]) -> Result<Vec<Claimant>, Refused> {
        let mut wanted: Vec<Digest> =
            keys.iter().copied().filter(|key| self.traces.may_hold(*key)).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        wanted.sort_unstable();
        wanted.dedup();
        let wanted = wanted.into_iter().map(|key| (key, self.traces.young(key))).collect();
        let keys = self.keys.clone();
        self.readers.read(move |db| lookup::claimants(db, &keys, wanted)).await
    }

    async fn request(&self, key: Digest) -> Result<Option<StoredRequest>, Refused> {
        if !self.traces.may_hold(key) {
            return Ok(None);
        }
        let (keys, wanted) = (self.keys.clone(), (key, self.traces.young(key)));
        self.readers.read(move |db| lookup::request(db, &keys, wanted)).await
    }

    async fn newest_market(&self) -> Result<Option<KeptMarket>, Refused> {
        let keys = self.keys.clone();
        self.readers.read(move |db| markets::newest(db, &keys)).await
    }

    async fn market(&self, version: u64) -> Result<Option<String>, Refused> {
        let keys = self.keys.clone();
        self.readers.read(move |db| markets::find(db, &keys, version)).await
    }

    async fn keep_market(&self, market: KeptMarket) -> Result<(), Refused> {
        let (reply, answer) = oneshot::channel();
        let work: BulkJob = Box::new(Keeping::new(market, reply));
        self.queue(&self.bulk, work, answer).await
    }

    fn digest(&self, domain: &'static str, parts: &[&[u8]]) -> Digest {
        self.keys.digest(domain, parts)
    }

    fn trouble(&self) -> Option<String> {
        self.health.trouble()
    }
}

impl Recovery for SqliteLedger {
    async fn open_intents(&self) -> Result<Vec<OpenIntent>, Refused> {
        let keys = self.keys.clone();
        self.readers.read(move |db| rows::open_intents(db, &keys)).await
    }

    async fn leads_unsettled(&self) -> Result<Vec<LeadId>, Refused> {
        self.readers.read(rows::leads_unsettled).await
    }

    fn visit_posts(&self, visit: &(dyn Fn(Vec<PostRow>) + Sync)) -> Result<(), Refused> {
        let mut last = 0;
        self.visit(|db| {
            last = rows::last_posted(db)?;
            Ok(())
        })?;
        let parts =
            std::thread::available_parallelism().map_or(1, |cores| cores.get().min(VISITORS));
        let length = last / i64::try_from(parts).unwrap_or(1) + 1;
        std::thread::scope(|scope| {
            let part = |part| {
                let leads = (part * length + 1, (part + 1) * length);
                scope
                    .spawn(move || self.visit(|db| rows::visit_posts(db, &self.keys, leads, visit)))
            };
            let parts: Vec<_> = (0..).take(parts).map(part).collect();
            // A panic of `visit` goes on here.
            parts.into_iter().try_for_each(|part| {
                part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        })
    }

    fn visit_pings(
        &self,
        since: Timestamp,
        visit: &mut dyn FnMut(&CampaignKey, Timestamp),
    ) -> Result<(), Refused> {
        self.visit(|db| rows::visit_pings(db, &self.keys, since, visit))
    }
}

impl Drop for SqliteLedger {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for SqliteLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteLedger").field("dir", &self.dir).finish_non_exhaustive()
    }
}

fn unreadable(fault: Fault) -> OpenError {
    match fault {
        Fault::Store(error) => OpenError::Sqlite(error),
        Fault::Refused(refused) => OpenError::Unreadable(refused.to_string()),
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(OpenError::Thread)
}

/// A thread that panicked has nothing left to say; whoever waited for it was told.
fn join(thread: JoinHandle<()>) {
    drop(thread.join());
}
