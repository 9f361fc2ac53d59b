//! By which keys leads are found again: a filter of all of them, the young ones in memory, the others in
//! an index that is merged from the leads' rows in sorted batches. Must never be more than an index: what
//! it leads to is judged by the lead's own row, and all of it can be made again from those rows.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crossbeam_channel::Sender;
use rusqlite::{Connection, OptionalExtension, params};

use super::bulk::Work;
use super::checkpoint::Order;
use super::fault::Fault;
use super::lead_row::unchecked_keys;
use super::rows;
use crate::digest::Keys;
use crate::filter::Filter;
use crate::{Digest, Refused};

/// Enough to touch each page of a large index once for many keys; 10 MB of memory.
pub(super) const DUE: usize = 1 << 18;
/// Keys that one step of a merge puts into the index.
const STEP: usize = 64;
/// More than most leads have; where it is less, the filter grows.
const KEYS_A_LEAD: usize = 4;

/// Up to which lead the index is whole.
const TRACED: &str = "SELECT value FROM meta WHERE name = 'traced'";
const SET_TRACED: &str = "INSERT OR REPLACE INTO meta (name, value) VALUES ('traced', ?1)";
const YOUNG: &str = "SELECT seq, claims, request FROM leads WHERE seq > ?1";

/// A key and the lead that it leads to.
pub(super) type Trace = (Digest, i64);

/// The keys of some new leads, the newest of which is `last`.
pub(super) struct Made {
    pub(super) traces: Vec<Trace>,
    pub(super) last: i64,
}

/// All keys. Only the writer adds; anybody looks.
pub(super) struct Traces {
    filter: Filter,
    young: RwLock<Young>,
    /// So many young keys are worth a merge; twice as many make commits wait for it.
    due: usize,
}

#[derive(Default)]
struct Young {
    growing: BTreeSet<Trace>,
    /// On their way into the index, and of leads up to `merging_to`.
    merging: BTreeSet<Trace>,
    merging_to: i64,
    /// The newest lead whose keys are known here.
    last: i64,
}

impl Traces {
    /// What `db` holds.
    pub(super) fn load(db: &Connection, due: usize) -> Result<Self, Fault> {
        // Counting keys would read them twice.
        let leads = rows::last_lead(db)?;
        let keys = usize::try_from(leads).unwrap_or(0).saturating_mul(KEYS_A_LEAD);
        let filter = Filter::for_keys(keys);
        let mut statement = db.prepare("SELECT key FROM traces")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            filter.insert(Digest(row.get(0)?));
        }
        let mut young = Young { last: leads, ..Young::default() };
        let mut statement = db.prepare(YOUNG)?;
        let mut rows = statement.query([traced(db)?])?;
        while let Some(row) = rows.next()? {
            let lead = row.get(0)?;
            let (claims, request) = (row.get_ref(1)?, row.get_ref(2)?);
            let claims = claims.as_blob().unwrap_or_default();
            // What is damaged is found when the row is read.
            for key in unchecked_keys(claims, request.as_blob().ok()) {
                filter.insert(key);
                young.growing.insert((key, lead));
            }
        }
        Ok(Self { filter, young: RwLock::new(young), due })
    }

    /// No means no; yes means look.
    pub(super) fn may_hold(&self, key: Digest) -> bool {
        self.filter.may_hold(key)
    }

    /// A lead with `key` is about to be committed. Called before, because a commit that reports a failure
    /// may have reached the disk all the same.
    pub(super) fn expect(&self, key: Digest) {
        self.filter.insert(key);
    }

    /// The keys of leads that were committed just now.
    pub(super) fn add(&self, made: Made) {
        let mut young = self.write();
        young.growing.extend(made.traces);
        young.last = made.last;
    }

    /// The leads of `key` that memory knows. To be asked before the index is read: a key that is merged
    /// meanwhile is then seen twice and not missed.
    pub(super) fn young(&self, key: Digest) -> BTreeSet<i64> {
        let young = self.read();
        let of = |traces: &BTreeSet<Trace>| {
            let found = traces.range((key, i64::MIN)..=(key, i64::MAX));
            found.map(|(_, lead)| *lead).collect::<Vec<_>>()
        };
        of(&young.growing).into_iter().chain(of(&young.merging)).collect()
    }

    pub(super) fn is_due(&self) -> bool {
        self.read().growing.len() >= self.due
    }

    pub(super) fn is_full(&self) -> bool {
        self.read().growing.len() >= 2 * self.due
    }

    pub(super) fn is_young(&self) -> bool {
        let young = self.read();
        !(young.growing.is_empty() && young.merging.is_empty())
    }

    /// The merge of what is young now; of what the last one left, if it failed.
    pub(super) fn merge(self: &Arc<Self>) -> Merge {
        let mut young = self.write();
        if young.merging.is_empty() {
            young.merging = std::mem::take(&mut young.growing);
            young.merging_to = young.last;
        }
        Merge { traces: Arc::clone(self), after: None, to: young.merging_to }
    }

    fn after(&self, last: Option<Trace>) -> Vec<Trace> {
        let from = last.map_or(Bound::Unbounded, Bound::Excluded);
        self.read().merging.range((from, Bound::Unbounded)).take(STEP).copied().collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Young> {
        self.young.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Young> {
        self.young.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds the leads of `key` that the index knows.
pub(super) fn indexed(
    db: &Connection,
    key: Digest,
    leads: &mut BTreeSet<i64>,
) -> Result<(), Fault> {
    let mut statement = db.prepare_cached("SELECT lead FROM traces WHERE key = ?1")?;
    let mut rows = statement.query([key.0])?;
    while let Some(row) = rows.next()? {
        leads.insert(row.get(0)?);
    }
    Ok(())
}

/// Whether the index leads from `key` to `lead`.
pub(super) fn leads_to(db: &Connection, key: Digest, lead: i64) -> Result<bool, Fault> {
    let mut statement = db.prepare_cached("SELECT 1 FROM traces WHERE key = ?1 AND lead = ?2")?;
    Ok(statement.exists(params![key.0, lead])?)
}

/// Up to which lead every key is in the index.
pub(super) fn traced(db: &Connection) -> Result<i64, Fault> {
    let stored: Option<[u8; 8]> = db.query_row(TRACED, [], |row| row.get(0)).optional()?;
    Ok(stored.map_or(0, i64::from_le_bytes))
}

/// Puts young keys into the index, in its order.
pub(super) struct Merge {
    traces: Arc<Traces>,
    after: Option<Trace>,
    to: i64,
}

impl Work for Merge {
    fn step(&mut self, db: &Connection, _: &Keys) -> Result<bool, Fault> {
        let traces = self.traces.after(self.after);
        let mut insert =
            db.prepare_cached("INSERT OR IGNORE INTO traces (key, lead) VALUES (?1, ?2)")?;
        for (key, lead) in &traces {
            insert.execute(params![key.0, lead])?;
        }
        self.after = traces.last().copied().or(self.after);
        if traces.len() == STEP {
            return Ok(true);
        }
        db.prepare_cached(SET_TRACED)?.execute(params![self.to.to_le_bytes()])?;
        Ok(false)
    }

    /// What failed stays in memory, for the next merge.
    fn end(self: Box<Self>, result: Result<(), Refused>, _: &Sender<Order>) {
        if result.is_ok() {
            self.traces.write().merging.clear();
        }
    }
}
