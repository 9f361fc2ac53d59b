//! The review queue of a data directory, readable beside a running engine: takes no lock and changes
//! nothing.

use std::path::Path;

use super::columns::Columns;
use super::fault::Fault;
use super::post_row::{StoredPost, post_columns};
use super::{OpenError, open, reader, schema};
use crate::digest::Keys;
use crate::{OpenIntent, RootKey};

const HELD: &str = concat!(
    "SELECT ",
    post_columns!(),
    ", id FROM posts LEFT JOIN leads ON leads.seq = posts.lead WHERE class = 4 ORDER BY lead, ordinal"
);

/// Every post whose answer is unknown, oldest first.
///
/// # Errors
/// When there is no ledger of this version and root key in `dir`, or it cannot be read.
pub fn held(dir: &Path, root_key: &RootKey) -> Result<Vec<OpenIntent>, OpenError> {
    let path = dir.join(open::FILE);
    if !path.is_file() {
        return Err(OpenError::NoLedger { dir: dir.to_path_buf() });
    }
    let db = open::reader(&path)?;
    schema::inspect(&db, root_key)?;
    let keys = Keys::new(root_key);
    let read = reader::snapshot(&db, |db| {
        let mut statement = db.prepare(HELD)?;
        let mut rows = statement.query([])?;
        let mut held = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            let post = StoredPost::read(&mut columns, &keys)?.record;
            held.push(OpenIntent { lead: columns.lead_id()?, post });
        }
        Ok(held)
    });
    read.map_err(|fault: Fault| OpenError::Unreadable(fault.into_refused().to_string()))
}
