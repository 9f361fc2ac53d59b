//! The data directory and connections to what is in it. Must never open a directory that another process
//! holds.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::RootKey;

/// How to open a ledger.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data directory; created if missing.
    pub dir: PathBuf,
    /// Wraps the leads' keys. Another one than the directory was made with is refused.
    pub root_key: RootKey,
    /// How many writes may wait; more are shed.
    pub queue: usize,
    /// How many writes may share one commit.
    pub batch_max: usize,
}

impl Options {
    /// The usual bounds.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, root_key: RootKey) -> Self {
        Self { dir: dir.into(), root_key, queue: 4096, batch_max: 1024 }
    }
}

/// Why a ledger could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be created or written to.
    #[error("the data directory {} cannot be created or written to: {source}", dir.display())]
    Dir {
        /// Which.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else has it.
    #[error("the data directory {} is in use by another process", dir.display())]
    Locked {
        /// Which.
        dir: PathBuf,
    },
    /// This build is too old for it.
    #[error(
        "data directory was written by a newer version (schema {found}, this build knows {known})"
    )]
    Newer {
        /// Its schema.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// It must be opened by an engine first, which brings it up to date.
    #[error(
        "data directory was written by an older version (schema {found}, this build knows {known}) and \
         no engine of this version has opened it yet"
    )]
    Older {
        /// Its schema.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// There is nothing to verify.
    #[error("there is no ledger in {}", dir.display())]
    NoLedger {
        /// Where.
        dir: PathBuf,
    },
    /// Something in it does not read back.
    #[error("{0}")]
    Unreadable(String),
    /// Its leads are sealed under another root key.
    #[error("the root key is not the one that this data directory was made with")]
    WrongKey,
    /// SQLite's own.
    #[error("the ledger's database cannot be opened: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The log cannot be opened.
    #[error("the ledger's log cannot be opened: {0}")]
    Log(io::Error),
    /// The system gave no thread.
    #[error("a thread of the ledger cannot be started: {0}")]
    Thread(io::Error),
}

/// The database's name in the data directory.
pub(super) const FILE: &str = "ledger.db";

/// A commit waits this long for a checkpoint that has the write lock.
const WRITER_PATIENCE: Duration = Duration::from_secs(5);
/// Less than the writer's, so that a checkpoint gives way first.
pub(super) const CHECKPOINT_PATIENCE: Duration = Duration::from_millis(500);
const READER_PATIENCE: Duration = Duration::from_secs(1);

/// Creates the directory and takes its lock, which lives as long as the file that is returned.
pub(super) fn take(dir: &Path) -> Result<File, OpenError> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .recursive(true)
        .create(dir)
        .map_err(|source| OpenError::Dir { dir: dir.to_path_buf(), source })?;
    hold(dir)
}

/// Takes the lock of a directory that is there.
pub(super) fn hold(dir: &Path) -> Result<File, OpenError> {
    let at = |source| OpenError::Dir { dir: dir.to_path_buf(), source };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let lock = options.open(dir.join("lock")).map_err(at)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { dir: dir.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(at(source)),
    }
}

/// The one connection that changes rows.
pub(super) fn writer(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(path, read_write() | OpenFlags::SQLITE_OPEN_CREATE)?;
    db.busy_timeout(WRITER_PATIENCE)?;
    // Counts for a new file only. Fewer, larger log frames a commit; measured against 4 and 16 KiB.
    db.pragma_update(None, "page_size", 8192)?;
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        // A rollback journal would keep copies of erased keys, and readers would hold up commits.
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN);
        let why = format!("the file system supports no write-ahead log (journal mode {mode})");
        return Err(rusqlite::Error::SqliteFailure(code, Some(why)));
    }
    db.execute_batch(
        // The log is synced by `sync`, for many commits at a time; SQLite itself syncs it when it starts
        // over and before pages leave it.
        "PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;
         PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;
         PRAGMA cache_size = -16384;",
    )?;
    keep_plans(&db)?;
    Ok(db)
}

/// A connection that only moves pages from the log to the database.
pub(super) fn checkpointer(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(path, read_write())?;
    db.busy_timeout(CHECKPOINT_PATIENCE)?;
    db.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;")?;
    Ok(db)
}

/// A connection that cannot change anything.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(READER_PATIENCE)?;
    db.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;")?;
    keep_plans(&db)?;
    Ok(db)
}

/// Without this SQLite plans a statement anew whenever a value is bound that a partial index might depend
/// on, which costs more than running it.
fn keep_plans(db: &Connection) -> rusqlite::Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.set_prepared_statement_cache_capacity(32);
    Ok(())
}

/// Every connection belongs to one thread.
fn read_write() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}
