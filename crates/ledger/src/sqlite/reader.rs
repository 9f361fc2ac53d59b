//! Reads on a few threads with read-only connections of their own: bounded, in short transactions, never
//! on a caller's thread and never in the way of a commit.

use std::path::Path;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::fault::Fault;
use super::{OpenError, Threads, open, spawn};
use crate::Refused;

const THREADS: usize = 2;
const QUEUE: usize = 1024;

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// A handle to the readers.
pub(super) struct Readers {
    /// `None` ends the thread that takes it.
    queue: Sender<Option<Read>>,
}

impl Readers {
    /// Starts them; their threads are added to `threads`.
    pub(super) fn start(path: &Path, threads: &mut Threads) -> Result<Self, OpenError> {
        let (queue, reads) = bounded::<Option<Read>>(QUEUE);
        for _ in 0..THREADS {
            let (db, reads) = (open::reader(path)?, reads.clone());
            threads.readers.push(spawn("ledger-reader", move || run(&db, &reads))?);
        }
        Ok(Self { queue })
    }

    /// Runs `read` in a transaction of its own and returns what it found.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Refused> {
        let (reply, answer) = oneshot::channel();
        let job: Read = Box::new(move |db| {
            // Whoever asked may have left.
            drop(reply.send(snapshot(db, read).map_err(Fault::into_refused)));
        });
        match self.queue.try_send(Some(job)) {
            Ok(()) => answer.await.unwrap_or_else(|_| Err(closed())),
            Err(TrySendError::Full(_)) => Err(Refused::Full),
            Err(TrySendError::Disconnected(_)) => Err(closed()),
        }
    }

    /// Ends the threads once they have answered what was asked before.
    pub(super) fn stop(&self) {
        for _ in 0..THREADS {
            drop(self.queue.send(None));
        }
    }
}

fn run(db: &Connection, reads: &Receiver<Option<Read>>) {
    while let Ok(Some(read)) = reads.recv() {
        read(db);
    }
}

/// One state of the database for the whole of a read, and no longer.
pub(super) fn snapshot<T>(
    db: &Connection,
    read: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let tx = Transaction::new_unchecked(db, TransactionBehavior::Deferred)?;
    let found = read(&tx);
    tx.finish()?;
    found
}

fn closed() -> Refused {
    Refused::Unavailable("the ledger is closed".to_owned())
}
