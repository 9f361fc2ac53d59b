//! The database's numbered shapes and the root key it belongs to. A database of a newer shape, or under
//! another key, must never be written to.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::OpenError;
use crate::RootKey;

/// In order; a migration that has been released never changes. The schema's number is their count.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
    include_str!("schema/0005.sql"),
];

const ROOT_KEY_CHECK: &str = "root_key_check";

/// Brings the database to this build's schema, all or nothing, and checks the key.
pub(super) fn prepare(db: &Connection, root: &RootKey) -> Result<(), OpenError> {
    let tx = Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
    let (found, known) = numbers(&tx)?;
    let done = usize::try_from(found).ok().filter(|_| found <= known);
    let done = done.ok_or(OpenError::Newer { found, known })?;
    for migration in MIGRATIONS.iter().skip(done) {
        tx.execute_batch(migration)?;
    }
    if done < MIGRATIONS.len() {
        tx.pragma_update(None, "user_version", known)?;
    }
    if !is_keyed(&tx, root)? {
        let check = root.check_value();
        let row = rusqlite::params![ROOT_KEY_CHECK, check.as_bytes()];
        tx.execute("INSERT INTO meta (name, value) VALUES (?1, ?2)", row)?;
    }
    tx.commit()?;
    Ok(())
}

/// Whether a database that may not be changed is one that this build can read.
pub(super) fn inspect(db: &Connection, root: &RootKey) -> Result<(), OpenError> {
    let (found, known) = numbers(db)?;
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    if found < known {
        return Err(OpenError::Older { found, known });
    }
    if is_keyed(db, root)? { Ok(()) } else { Err(OpenError::WrongKey) }
}

/// Whether tables and indexes are written as the migrations write them.
pub(super) fn is_ours(db: &Connection) -> rusqlite::Result<bool> {
    let ours = Connection::open_in_memory()?;
    for migration in MIGRATIONS {
        ours.execute_batch(migration)?;
    }
    Ok(texts(db)? == texts(&ours)?)
}

/// What every table and index is called and made by.
fn texts(db: &Connection) -> rusqlite::Result<Vec<[Option<String>; 4]>> {
    let mut statement =
        db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name")?;
    let rows =
        statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?;
    rows.collect()
}

/// The schema's number in the database, and ours.
fn numbers(db: &Connection) -> rusqlite::Result<(i64, i64)> {
    let found = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok((found, i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)))
}

/// Whether the database has a root key yet; an error if it is not this one.
fn is_keyed(db: &Connection, root: &RootKey) -> Result<bool, OpenError> {
    let ours = root.check_value();
    let stored: Option<Vec<u8>> = db
        .query_row("SELECT value FROM meta WHERE name = ?1", [ROOT_KEY_CHECK], |row| row.get(0))
        .optional()?;
    match stored {
        // blake3 compares hashes in constant time.
        Some(stored) if blake3::Hash::from_slice(&stored).is_ok_and(|stored| stored == ours) => {
            Ok(true)
        }
        Some(_) => Err(OpenError::WrongKey),
        None => Ok(false),
    }
}
