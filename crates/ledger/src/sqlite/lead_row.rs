//! A lead's row: its small columns, which its check number covers. What is sealed authenticates itself,
//! and whether it is there is among the small columns.

use jiff::Timestamp;
use lead::{
    Disposition, Door, LeadId, OfferOutcome, ProductId, PublisherId, RejectionReason, Sequence,
};
use rusqlite::{Connection, params};

use super::columns::Columns;
use super::fault::Fault;
use crate::Answered;
use crate::digest::{Keys, Text};
use crate::legality::End;
use crate::seal::WrappedKey;

/// The columns that [`LeadRow::read`] reads, first in their query.
macro_rules! lead_columns {
    () => {
        "leads.seq, leads.id, leads.publisher, leads.product, leads.door, leads.test, \
         leads.received_at, leads.market_version, leads.settled_at, leads.outcome, \
         leads.disposition, leads.reason, leads.answered, leads.erased, leads.posts, \
         leads.decisions IS NOT NULL, leads.reasons IS NOT NULL, leads.mac"
    };
}
pub(super) use lead_columns;

const FIND: &str = concat!("SELECT ", lead_columns!(), " FROM leads WHERE id = ?1");
const INSERT: &str = "INSERT INTO leads (seq, id, publisher, product, door, test, received_at, \
     market_version, settled_at, outcome, disposition, reason, answered, erased, posts, mac, \
     decisions, reasons, sealed) VALUES \
     (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)";
/// Once taken, rows of decisions are only ever replaced by others; `?10` says that they are.
const UPDATE: &str = "UPDATE leads SET settled_at = ?2, outcome = ?3, disposition = ?4, reason = ?5, \
     answered = ?6, erased = ?7, posts = ?8, mac = ?9, decisions = iif(?10, ?11, decisions), \
     reasons = iif(?10, ?12, reasons) WHERE seq = ?1";

#[derive(Debug, Clone)]
pub(super) struct LeadRow {
    pub(super) seq: i64,
    pub(super) id: LeadId,
    pub(super) publisher: PublisherId,
    pub(super) product: ProductId,
    pub(super) door: Door,
    pub(super) test: bool,
    pub(super) received_at: Timestamp,
    pub(super) market_version: u64,
    pub(super) settled_at: Option<Timestamp>,
    pub(super) outcome: Option<OfferOutcome>,
    pub(super) disposition: Option<Disposition>,
    pub(super) reason: Option<RejectionReason>,
    pub(super) answered: Option<Answered>,
    pub(super) erased: bool,
    /// How many it has, so that none can go missing.
    pub(super) posts: u32,
    pub(super) has_decisions: bool,
    pub(super) has_reasons: bool,
}

/// A lead's decisions as they are stored: the clear part and the sealed one.
#[derive(Default)]
pub(super) struct StoredDecisions {
    pub(super) clear: Option<Vec<u8>>,
    pub(super) reasons: Option<Vec<u8>>,
}

impl LeadRow {
    /// The row of `id`.
    pub(super) fn find(db: &Connection, keys: &Keys, id: LeadId) -> Result<Option<Self>, Fault> {
        let mut statement = db.prepare_cached(FIND)?;
        let mut rows = statement.query(params![id.0.as_bytes()])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let found = Self::read(&mut Columns::of(row), keys)?;
        // A damaged index may lead elsewhere.
        if found.id == id { Ok(Some(found)) } else { Err(Fault::corrupt("the index of leads")) }
    }

    /// A row whose columns come next, if it is as it was written.
    pub(super) fn read(columns: &mut Columns<'_, '_>, keys: &Keys) -> Result<Self, Fault> {
        let row = Self {
            seq: columns.get()?,
            id: columns.lead_id()?,
            publisher: columns.parsed()?,
            product: columns.parsed()?,
            door: columns.text(|text| Door::ALL.iter().copied().find(|d| d.name() == text))?,
            test: columns.flag()?,
            received_at: columns.time()?,
            market_version: columns.get::<i64>()?.cast_unsigned(),
            settled_at: columns.maybe_time()?,
            outcome: columns.numbered(OfferOutcome::numbered)?,
            disposition: columns.numbered(Disposition::numbered)?,
            reason: columns.numbered(RejectionReason::numbered)?,
            answered: columns.numbered(Answered::numbered)?,
            erased: columns.flag()?,
            posts: columns.get()?,
            has_decisions: columns.flag()?,
            has_reasons: columns.flag()?,
        };
        if columns.get::<i64>()? == row.check(keys) {
            Ok(row)
        } else {
            Err(Fault::corrupt("a lead's row was changed"))
        }
    }

    pub(super) fn sequence(&self) -> Sequence {
        Sequence(self.seq)
    }

    /// Takes over how an offer or the lead ended.
    pub(super) fn end(&mut self, end: &End<'_>) {
        self.settled_at = Some(end.at);
        self.outcome = end.outcome.or(self.outcome);
        self.disposition = end.disposition.or(self.disposition);
        self.reason = end.reason.or(self.reason);
    }

    /// A new lead: its row and its key.
    pub(super) fn insert(
        &mut self,
        (db, keys): (&Connection, &Keys),
        decisions: &StoredDecisions,
        sealed: &[u8],
        wrapped: &WrappedKey,
    ) -> Result<(), Fault> {
        self.has_decisions = decisions.clear.is_some();
        self.has_reasons = decisions.reasons.is_some();
        db.prepare_cached(INSERT)?.execute(params![
            self.seq,
            self.id.0.as_bytes(),
            self.publisher.as_str(),
            self.product.as_str(),
            self.door.name(),
            self.test,
            self.received_at.as_millisecond(),
            self.market_version.cast_signed(),
            self.settled_at.map(Timestamp::as_millisecond),
            self.outcome.map(OfferOutcome::number),
            self.disposition.map(Disposition::number),
            self.reason.map(RejectionReason::number),
            self.answered.map(Answered::number),
            self.erased,
            self.posts,
            self.check(keys),
            decisions.clear,
            decisions.reasons,
            sealed,
        ])?;
        db.prepare_cached("INSERT INTO keys (lead, wrapped) VALUES (?1, ?2)")?
            .execute(params![self.seq, wrapped])?;
        Ok(())
    }

    /// The columns that change; `None` leaves the decisions as they stand.
    pub(super) fn update(
        &mut self,
        (db, keys): (&Connection, &Keys),
        decisions: Option<&StoredDecisions>,
    ) -> Result<(), Fault> {
        if let Some(decisions) = decisions {
            self.has_decisions = decisions.clear.is_some();
            self.has_reasons = decisions.reasons.is_some();
        }
        db.prepare_cached(UPDATE)?.execute(params![
            self.seq,
            self.settled_at.map(Timestamp::as_millisecond),
            self.outcome.map(OfferOutcome::number),
            self.disposition.map(Disposition::number),
            self.reason.map(RejectionReason::number),
            self.answered.map(Answered::number),
            self.erased,
            self.posts,
            self.check(keys),
            decisions.is_some(),
            decisions.and_then(|decisions| decisions.clear.as_deref()),
            decisions.and_then(|decisions| decisions.reasons.as_deref()),
        ])?;
        Ok(())
    }

    fn check(&self, keys: &Keys) -> i64 {
        let text = Text::of("leads")
            .int(self.seq)
            .bytes(self.id.0.as_bytes())
            .bytes(self.publisher.as_str().as_bytes())
            .bytes(self.product.as_str().as_bytes())
            .bytes(self.door.name().as_bytes())
            .int(self.test.into())
            .int(self.received_at.as_millisecond())
            .int(self.market_version.cast_signed())
            .maybe(self.settled_at.map(Timestamp::as_millisecond), Text::int)
            .maybe(self.outcome.map(OfferOutcome::number), Text::int)
            .maybe(self.disposition.map(Disposition::number), Text::int)
            .maybe(self.reason.map(RejectionReason::number), Text::int)
            .maybe(self.answered.map(Answered::number), Text::int)
            .int(self.erased.into())
            .int(self.posts.into())
            .int(self.has_decisions.into())
            .int(self.has_reasons.into());
        keys.check(&text)
    }
}
