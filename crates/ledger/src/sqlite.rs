//! The ledger on SQLite: one writer with group commit, readers apart, checkpoints apart. Callers only
//! ever queue and await; a full queue sheds. What is personal is sealed before it is queued.

mod apply;
mod checkpoint;
mod fault;
mod open;
mod reader;
mod rows;
mod schema;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, TrySendError, bounded};
use lead::LeadId;
use tokio::sync::oneshot;

use self::apply::Parcel;
use self::checkpoint::{Checkpointer, Order};
use self::reader::Readers;
use self::writer::{Job, Writer};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::{LeadRecord, Ledger, OpenIntent, Receipt, Recovery, Refused, RootKey, Write};

pub use self::open::{OpenError, Options};

/// Erasures that may wait for the log to be emptied.
const ORDERS: usize = 256;

/// The store of record, in a directory of its own.
pub struct SqliteLedger {
    dir: PathBuf,
    root: RootKey,
    jobs: Sender<Job>,
    readers: Readers,
    health: Arc<Health>,
    metrics: Metrics,
    threads: Mutex<Option<Threads>>,
}

/// What a close has to end, in this order.
struct Threads {
    writer: Option<JoinHandle<()>>,
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
        let Options {
            dir,
            root_key: root,
            queue,
            batch_max,
        } = options;
        let lock = open::take(&dir)?;
        let path = dir.join("ledger.db");
        let db = open::writer(&path)?;
        schema::prepare(&db, &root)?;

        let (health, metrics) = (Arc::new(Health::default()), Metrics::new());
        let (jobs, waiting) = bounded(queue.max(1));
        let (orders, ordered) = bounded(ORDERS);
        let checkpoint_ordered = Arc::new(AtomicBool::new(false));
        let checkpointer =
            Checkpointer::new(path.clone(), ordered, Arc::clone(&checkpoint_ordered))?;
        let writer = Writer {
            path: path.clone(),
            root: root.clone(),
            db,
            batch_max: batch_max.max(1),
            health: Arc::clone(&health),
            metrics: metrics.clone(),
            orders: orders.clone(),
            checkpoint_ordered,
            reopen: false,
        };
        let mut threads = Threads {
            writer: None,
            readers: Vec::new(),
            orders,
            checkpointer: None,
            _lock: lock,
        };
        let readers = Readers::start(&path, &mut threads)?;
        threads.checkpointer = Some(spawn("ledger-checkpoint", move || checkpointer.run())?);
        threads.writer = Some(spawn("ledger-writer", move || writer.run(&waiting))?);
        let threads = Mutex::new(Some(threads));
        Ok(Self {
            dir,
            root,
            jobs,
            readers,
            health,
            metrics,
            threads,
        })
    }

    /// Destroys the key of `lead`, so that nobody can read who the consumer is; amounts stay. Resolves when
    /// the key's bytes are gone from the log as well. After an error, erase again: it does no harm.
    ///
    /// # Errors
    /// When the lead is not known, or the store cannot write.
    pub async fn erase(&self, lead: LeadId) -> Result<(), Refused> {
        self.queue(|reply| Job::Erase(lead, reply)).await
    }

    /// Finishes the writes that are queued, empties the log, ends the threads and lets go of the directory.
    /// Blocks meanwhile. Dropping the ledger does the same.
    pub fn close(&self) {
        let threads = self
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(threads) = threads else { return };
        // Fails only if the writer is gone already.
        drop(self.jobs.send(Job::Close));
        threads.writer.into_iter().for_each(join);
        self.readers.stop();
        threads.readers.into_iter().for_each(join);
        drop(threads.orders);
        threads.checkpointer.into_iter().for_each(join);
    }

    async fn queue<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, Refused>>) -> Job,
    ) -> Result<T, Refused> {
        let (reply, answer) = oneshot::channel();
        match self.jobs.try_send(job(reply)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                self.metrics.shed.increment(1);
                return Err(Refused::Full);
            }
            Err(TrySendError::Disconnected(_)) => return Err(self.closed()),
        }
        answer.await.unwrap_or_else(|_| Err(self.closed()))
    }

    fn closed(&self) -> Refused {
        Refused::Unavailable(
            self.health
                .trouble()
                .unwrap_or_else(|| "the ledger is closed".to_owned()),
        )
    }
}

impl Ledger for SqliteLedger {
    /// A caller that stops waiting does not take its write back.
    async fn commit(&self, write: Write) -> Result<Receipt, Refused> {
        if let Some(trouble) = self.health.trouble() {
            return Err(Refused::Unavailable(trouble));
        }
        let parcel = Parcel::seal(&self.root, write)?;
        self.queue(|reply| Job::Write(parcel, reply)).await
    }

    async fn lead(&self, id: LeadId) -> Result<Option<LeadRecord>, Refused> {
        let root = self.root.clone();
        self.readers.read(move |db| rows::lead(db, &root, id)).await
    }

    fn trouble(&self) -> Option<String> {
        self.health.trouble()
    }
}

impl Recovery for SqliteLedger {
    async fn open_intents(&self) -> Result<Vec<OpenIntent>, Refused> {
        self.readers.read(rows::open_intents).await
    }

    async fn leads_unsettled(&self) -> Result<Vec<LeadId>, Refused> {
        self.readers.read(rows::leads_unsettled).await
    }
}

impl Drop for SqliteLedger {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for SqliteLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteLedger")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(OpenError::Thread)
}

/// A thread that panicked has nothing left to say; whoever waited for it was told.
fn join(thread: JoinHandle<()>) {
    drop(thread.join());
}
