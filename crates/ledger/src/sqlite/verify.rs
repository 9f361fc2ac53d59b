//! Whether everything in a data directory is what was written and obeys the rules of sale. Reads only, and
//! only while nobody else has the directory; must never repair, nor give up at the first flaw.

mod report;
mod rules;

use std::collections::HashSet;
use std::path::Path;

use rusqlite::Connection;

use self::report::Report;
use super::columns::Columns;
use super::event_row::StoredEvent;
use super::fault::Fault;
use super::lead_row::{LeadRow, lead_columns};
use super::post_row::StoredPost;
use super::{OpenError, open, reader, rows, schema, traces};
use crate::digest::Keys;
use crate::{Digest, RootKey};

pub use self::report::{Finding, Flaw, MoneyTotals, Totals, Verification};

const LEADS: &str = concat!("SELECT ", lead_columns!(), " FROM leads ORDER BY seq");
/// Reads every row in `dir` and says what is wrong with them.
///
/// # Errors
/// When there is no ledger, somebody has it, it belongs to another version or root key, or its file is too
/// broken to be opened.
pub fn verify(dir: &Path, root_key: &RootKey) -> Result<Verification, OpenError> {
    let path = dir.join(open::FILE);
    if !path.is_file() {
        return Err(OpenError::NoLedger { dir: dir.to_path_buf() });
    }
    let _lock = open::hold(dir)?;
    let db = open::reader(&path)?;
    schema::inspect(&db, root_key)?;
    let keys = Keys::new(root_key);
    let mut report = Report::default();
    let read = reader::snapshot(&db, |db| {
        everything(db, &keys, &mut report);
        Ok(())
    });
    if let Err(fault) = read {
        report.database(&fault);
    }
    Ok(report.done())
}

fn everything(db: &Connection, keys: &Keys, report: &mut Report) {
    type Part = fn(&Connection, &Keys, &mut Report) -> Result<(), Fault>;
    let parts: [Part; 5] = [integrity, shape, references, markets, leads];
    for part in parts {
        // What one part cannot read says nothing about the others.
        if let Err(fault) = part(db, keys, report) {
            report.database(&fault);
        }
    }
}

/// SQLite's own: pages, order, indexes, constraints.
fn integrity(db: &Connection, _: &Keys, report: &mut Report) -> Result<(), Fault> {
    let mut statement = db.prepare("PRAGMA integrity_check(100)")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let said: String = row.get(0)?;
        if said != "ok" {
            // It names tables, pages and rows, never a value.
            report.add(Flaw::Database, None, said);
        }
    }
    Ok(())
}

fn shape(db: &Connection, _: &Keys, report: &mut Report) -> Result<(), Fault> {
    if !schema::is_ours(db)? {
        report.add(Flaw::Database, None, "the tables are not those of this version".to_owned());
    }
    Ok(())
}

fn references(db: &Connection, _: &Keys, report: &mut Report) -> Result<(), Fault> {
    let mut statement = db.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        report.add(Flaw::Reference, None, format!("a row of {table} has none in {parent}"));
    }
    Ok(())
}

/// Every market opens.
fn markets(db: &Connection, keys: &Keys, report: &mut Report) -> Result<(), Fault> {
    for version in super::markets::versions(db)? {
        if let Err(fault) = super::markets::find(db, keys, version) {
            report.add(Flaw::Unreadable, None, fault.into_refused().to_string());
        }
    }
    Ok(())
}

fn leads(db: &Connection, keys: &Keys, report: &mut Report) -> Result<(), Fault> {
    let mut statement = db.prepare(LEADS)?;
    let mut found = statement.query([])?;
    let traced = traces::traced(db)?;
    let mut led_to: i64 = 0;
    while let Some(row) = found.next()? {
        report.totals.leads += 1;
        match LeadRow::read(&mut Columns::of(row), keys) {
            Ok(row) => {
                led_to += index(db, &row, traced, report)?;
                lead(db, keys, row, report);
            }
            Err(fault) => {
                let mut columns = Columns::of(row);
                let id = columns.get::<i64>().and_then(|_| columns.lead_id()).ok();
                report.add(Flaw::Unreadable, id, fault.into_refused().to_string());
            }
        }
    }
    let entries: i64 = db.query_row("SELECT count(*) FROM traces", [], |row| row.get(0))?;
    if entries != led_to {
        let what = format!("the index has {entries} entries, of which {led_to} are of a lead");
        report.add(Flaw::Claim, None, what);
    }
    Ok(())
}

/// Whether the index leads to a row by each of its keys; says by how many it does.
fn index(db: &Connection, row: &LeadRow, traced: i64, report: &mut Report) -> Result<i64, Fault> {
    report.totals.claims += row.claims.len() as u64;
    report.totals.requests += u64::from(row.request.is_some());
    let keys: HashSet<Digest> = row.found_by().collect();
    let mut found = 0;
    for key in keys {
        if traces::leads_to(db, key, row.seq)? {
            found += 1;
        } else if row.seq <= traced {
            report.add(Flaw::Claim, Some(row.id), "the index does not lead to it".to_owned());
        }
    }
    Ok(found)
}

fn lead(db: &Connection, keys: &Keys, row: LeadRow, report: &mut Report) {
    report.totals.tests += u64::from(row.test);
    report.totals.erased += u64::from(row.erased);
    let mut unreadable = |fault: Fault| {
        report.add(Flaw::Unreadable, Some(row.id), fault.into_refused().to_string());
        Vec::new()
    };
    let events = StoredEvent::of_lead(db, keys, &row).unwrap_or_else(&mut unreadable);
    match StoredPost::of_lead(db, keys, &row) {
        Ok(posts) => {
            report.totals.posts += posts.len() as u64;
            report.totals.events += events.len() as u64;
            rules::examine(&row, &posts, report);
            rules::examine_events(&row, (&posts, &events), report);
        }
        Err(fault) => report.add(Flaw::Unreadable, Some(row.id), fault.into_refused().to_string()),
    }
    let id = row.id;
    // Opens everything that is sealed.
    if let Err(fault) = rows::record(db, keys, row) {
        report.add(Flaw::Unreadable, Some(id), fault.into_refused().to_string());
    }
}
