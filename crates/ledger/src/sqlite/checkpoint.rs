//! Moves the log's pages into the database on a thread and a connection of its own, so that no commit
//! waits for it, and empties the log when a key must be gone from it. Must never change a row.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Receiver;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::open;
use super::turns::Turns;
use crate::Refused;

/// What the writer asks for.
pub(super) enum Order {
    /// The log has grown: move what can be moved without holding up anyone.
    Passive,
    /// A key was destroyed: answer when its bytes have left the log too.
    Empty(oneshot::Sender<Result<(), Refused>>),
}

/// A passive checkpoint when this many pages wait: 8 MiB.
const WAITING_MAX: i64 = 1024;
/// Under steady load a passive checkpoint never catches up with the writer and the log never starts over.
/// From 64 MiB on, the few pages left after one are moved under the write lock.
const LOG_MAX: i64 = 8 * 1024;
/// Each lasts up to the connection's patience.
const ATTEMPTS: usize = 20;

/// How long the log is, in pages.
#[derive(Debug, Clone, Copy)]
struct Log {
    busy: bool,
    pages: i64,
    moved: i64,
}

/// Whether enough pages wait in the log of `db` for a checkpoint. Looks and does nothing.
pub(super) fn is_due(db: &Connection) -> rusqlite::Result<bool> {
    let log = checkpoint(db, "PRAGMA wal_checkpoint(NOOP)")?;
    Ok(log.pages - log.moved >= WAITING_MAX || log.pages >= LOG_MAX)
}

fn checkpoint(db: &Connection, pragma: &str) -> rusqlite::Result<Log> {
    db.prepare_cached(pragma)?
        .query_row([], |row| Ok(Log { busy: row.get(0)?, pages: row.get(1)?, moved: row.get(2)? }))
}

pub(super) struct Checkpointer {
    path: PathBuf,
    db: Option<Connection>,
    orders: Receiver<Order>,
    /// Whether a passive checkpoint is ordered already.
    ordered: Arc<AtomicBool>,
    turns: Arc<Turns>,
}

impl Checkpointer {
    pub(super) fn new(
        path: PathBuf,
        orders: Receiver<Order>,
        ordered: Arc<AtomicBool>,
        turns: Arc<Turns>,
    ) -> rusqlite::Result<Self> {
        let db = Some(open::checkpointer(&path)?);
        Ok(Self { path, db, orders, ordered, turns })
    }

    /// Moves what an earlier process left in the log, unless somebody reads it.
    pub(super) fn begin(&mut self) -> rusqlite::Result<()> {
        self.on("PRAGMA wal_checkpoint(TRUNCATE)").map(drop)
    }

    /// Until the last sender of orders is gone; then leaves an empty log behind.
    pub(super) fn run(mut self) {
        while let Ok(order) = self.orders.recv() {
            let mut waiting = Vec::new();
            for order in std::iter::once(order).chain(self.orders.try_iter()) {
                match order {
                    Order::Passive => {}
                    Order::Empty(reply) => waiting.push(reply),
                }
            }
            self.ordered.store(false, Ordering::Release);
            self.passive();
            if !waiting.is_empty() {
                let done = self.empty(ATTEMPTS);
                for reply in waiting {
                    // Whoever asked may have left.
                    drop(reply.send(done.clone()));
                }
            }
        }
        drop(self.empty(ATTEMPTS));
    }

    fn passive(&mut self) {
        match self.on("PRAGMA wal_checkpoint(PASSIVE)") {
            Ok(log) if log.pages >= LOG_MAX => drop(self.empty(1)),
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "a checkpoint of the ledger failed"),
        }
    }

    /// Moves everything and truncates the log to nothing; waits for readers and for the writer's current
    /// commit, which are short.
    fn empty(&mut self, attempts: usize) -> Result<(), Refused> {
        let turns = Arc::clone(&self.turns);
        let _turn = turns.take_next();
        let mut why = "the log is in use".to_owned();
        for _ in 0..attempts {
            match self.on("PRAGMA wal_checkpoint(TRUNCATE)") {
                Ok(Log { busy: false, .. }) => return Ok(()),
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, "the ledger's log cannot be emptied");
                    why = error.to_string();
                    break;
                }
            }
        }
        Err(Refused::Unavailable(format!("the log could not be emptied: {why}")))
    }

    fn on(&mut self, pragma: &str) -> rusqlite::Result<Log> {
        let db = match self.db.take() {
            Some(db) => db,
            None => open::checkpointer(&self.path)?,
        };
        let log = checkpoint(&db, pragma);
        // After a failure the next one starts on a new connection: what a failed fsync left in this
        // one's view of the file is not to be built upon.
        if log.is_ok() {
            self.db = Some(db);
        }
        log
    }
}
