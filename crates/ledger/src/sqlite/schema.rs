//! The database's numbered shapes and the root key it belongs to. A database of a newer shape, or under
//! another key, must never be written to.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::OpenError;
use crate::RootKey;

/// In order; a migration that has been released never changes. The schema's number is their count.
const MIGRATIONS: &[&str] = &[include_str!("schema/0001.sql")];

const ROOT_KEY_CHECK: &str = "root_key_check";

/// Brings the database to this build's schema, all or nothing, and checks the key.
pub(super) fn prepare(db: &Connection, root: &RootKey) -> Result<(), OpenError> {
    let tx = Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
    let found: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let Ok(done) = usize::try_from(found) else {
        return Err(OpenError::Newer { found, known });
    };
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    for migration in MIGRATIONS.iter().skip(done) {
        tx.execute_batch(migration)?;
    }
    tx.pragma_update(None, "user_version", known)?;
    check_key(&tx, root)?;
    tx.commit()?;
    Ok(())
}

fn check_key(db: &Connection, root: &RootKey) -> Result<(), OpenError> {
    let ours = root.check_value();
    let stored: Option<Vec<u8>> = db
        .query_row(
            "SELECT value FROM meta WHERE name = ?1",
            [ROOT_KEY_CHECK],
            |row| row.get(0),
        )
        .optional()?;
    match stored {
        // blake3 compares hashes in constant time.
        Some(stored) if blake3::Hash::from_slice(&stored).is_ok_and(|stored| stored == ours) => {
            Ok(())
        }
        Some(_) => Err(OpenError::WrongKey),
        None => {
            let row = rusqlite::params![ROOT_KEY_CHECK, ours.as_bytes()];
            db.execute("INSERT INTO meta (name, value) VALUES (?1, ?2)", row)?;
            Ok(())
        }
    }
}
