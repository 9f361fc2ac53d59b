//! A lead's row: its small columns, which its check number covers. What is sealed authenticates itself,
//! and whether it is there is among the small columns.

use jiff::Timestamp;
use lead::{
    Disposition, Door, LeadId, OfferOutcome, ProductId, PublisherId, RejectionReason, Sequence,
};
use rusqlite::{CachedStatement, Connection, params};
use rust_decimal::Decimal;

use super::columns::Columns;
use super::decisions::StoredDecisions;
use super::fault::Fault;
use crate::digest::{Keys, Text};
use crate::legality::End;
use crate::seal::WrappedKey;
use crate::{Answered, Claim, ClaimKind, Digest, Reopened, RequestKey};

/// The columns that [`LeadRow::read`] reads, first in their query.
macro_rules! lead_columns {
    () => {
        "leads.seq, leads.id, leads.publisher, leads.product, leads.door, leads.test, \
         leads.received_at, leads.market_version, leads.settled_at, leads.outcome, \
         leads.disposition, leads.reason, leads.answered, leads.erased, leads.posts, \
         leads.claims, leads.request, leads.decisions IS NOT NULL, leads.reasons IS NOT NULL, \
         leads.events, leads.signals, leads.offers, leads.least, leads.withdrawn_at, leads.mac"
    };
}
pub(super) use lead_columns;

const FIND: &str = concat!("SELECT ", lead_columns!(), " FROM leads WHERE id = ?1");
const NUMBERED: &str = concat!("SELECT ", lead_columns!(), " FROM leads WHERE seq = ?1");
const INSERT: &str = "INSERT INTO leads (seq, id, publisher, product, door, test, received_at, \
     market_version, settled_at, outcome, disposition, reason, answered, erased, posts, \
     claims, request, mac, decisions, reasons, sealed, events, signals) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, \
     ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)";
const INSERT_KEY: &str = "INSERT INTO keys (lead, wrapped) VALUES (?1, ?2)";
/// Once taken, rows of decisions are only ever replaced by others; `?10` says that they are.
const UPDATE: &str = "UPDATE leads SET settled_at = ?2, outcome = ?3, disposition = ?4, reason = ?5, \
     answered = ?6, erased = ?7, posts = ?8, mac = ?9, decisions = iif(?10, ?11, decisions), \
     reasons = iif(?10, ?12, reasons), events = ?13, market_version = ?14, offers = ?15, \
     least = ?16, withdrawn_at = ?17 WHERE seq = ?1";

/// A claim's bytes: its kind and its key.
const CLAIM: usize = 17;
/// A request's bytes: its key and its body.
const REQUEST: usize = 32;

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
    /// No two on one key.
    pub(super) claims: Vec<Claim>,
    pub(super) request: Option<RequestKey>,
    pub(super) has_decisions: bool,
    pub(super) has_reasons: bool,
    /// How many it has, so that none can go missing.
    pub(super) events: u32,
    /// Names with commas between.
    pub(super) signals: String,
    pub(super) offers: u32,
    /// Of the last offer, if it is not the first.
    pub(super) least: Option<Decimal>,
    pub(super) withdrawn_at: Option<Timestamp>,
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

    /// The row of the lead `seq`.
    pub(super) fn numbered(db: &Connection, keys: &Keys, seq: i64) -> Result<Option<Self>, Fault> {
        let mut statement = db.prepare_cached(NUMBERED)?;
        let mut rows = statement.query([seq])?;
        rows.next()?.map(|row| Self::read(&mut Columns::of(row), keys)).transpose()
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
            claims: claims(&columns.get::<Vec<u8>>()?)?,
            request: columns.get::<Option<Vec<u8>>>()?.map(|bytes| request(&bytes)).transpose()?,
            has_decisions: columns.flag()?,
            has_reasons: columns.flag()?,
            events: columns.get()?,
            signals: columns.get::<Option<String>>()?.unwrap_or_default(),
            offers: columns.get()?,
            least: columns.maybe_parsed()?,
            withdrawn_at: columns.maybe_time()?,
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

    /// The keys that lead to this row.
    pub(super) fn found_by(&self) -> impl Iterator<Item = Digest> {
        let claims = self.claims.iter().map(|claim| claim.key);
        claims.chain(self.request.map(|request| request.key))
    }

    /// Takes over how an offer or the lead ended.
    pub(super) fn end(&mut self, end: &End<'_>) {
        self.settled_at = Some(end.at);
        self.outcome = end.outcome.or(self.outcome);
        self.disposition = end.disposition.or(self.disposition);
        self.reason = end.reason.or(self.reason);
    }

    /// Takes over that the lead is offered once more.
    pub(super) fn reopen(&mut self, reopened: Reopened) {
        (self.settled_at, self.outcome, self.disposition) = (None, None, None);
        (self.least, self.market_version) = (reopened.least, reopened.market_version);
        self.offers = self.offers.saturating_add(1);
    }

    /// The columns that change; `None` leaves the decisions as they stand.
    pub(super) fn update(
        &mut self,
        (db, keys): (&Connection, &Keys),
        decisions: Option<StoredDecisions<'_>>,
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
            decisions.and_then(|decisions| decisions.clear),
            decisions.and_then(|decisions| decisions.reasons),
            self.events,
            self.market_version.cast_signed(),
            self.offers,
            self.least.map(|least| least.to_string()),
            self.withdrawn_at.map(Timestamp::as_millisecond),
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
            .bytes(&claims_bytes(&self.claims))
            .maybe(self.request.map(request_bytes), |text, bytes| text.bytes(&bytes))
            .int(self.has_decisions.into())
            .int(self.has_reasons.into());
        // As it was before there were events and signs of fraud, and leads could be offered again.
        let later = (self.offers, self.least, self.withdrawn_at);
        if (self.events, self.signals.as_str(), later) == (0, "", (1, None, None)) {
            return keys.check(&text);
        }
        let least = self.least.map(|least| least.to_string());
        let text = text
            .int(self.events.into())
            .bytes(self.signals.as_bytes())
            .int(self.offers.into())
            .maybe(least, |text, least| text.bytes(least.as_bytes()))
            .maybe(self.withdrawn_at.map(Timestamp::as_millisecond), Text::int);
        keys.check(&text)
    }
}

/// New leads, one after another: most of what a ledger writes, so its statements are looked up once.
pub(super) struct Insert<'a> {
    row: CachedStatement<'a>,
    key: CachedStatement<'a>,
}

impl<'a> Insert<'a> {
    pub(super) fn prepare(db: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self { row: db.prepare_cached(INSERT)?, key: db.prepare_cached(INSERT_KEY)? })
    }

    /// A new lead: its row and its key.
    pub(super) fn run(
        &mut self,
        keys: &Keys,
        row: &mut LeadRow,
        decisions: StoredDecisions<'_>,
        (sealed, wrapped): (&[u8], &WrappedKey),
    ) -> Result<(), Fault> {
        row.has_decisions = decisions.clear.is_some();
        row.has_reasons = decisions.reasons.is_some();
        self.row.execute(params![
            row.seq,
            row.id.0.as_bytes(),
            row.publisher.as_str(),
            row.product.as_str(),
            row.door.name(),
            row.test,
            row.received_at.as_millisecond(),
            row.market_version.cast_signed(),
            row.settled_at.map(Timestamp::as_millisecond),
            row.outcome.map(OfferOutcome::number),
            row.disposition.map(Disposition::number),
            row.reason.map(RejectionReason::number),
            row.answered.map(Answered::number),
            row.erased,
            row.posts,
            claims_bytes(&row.claims),
            row.request.map(request_bytes),
            row.check(keys),
            decisions.clear,
            decisions.reasons,
            sealed,
            row.events,
            Some(&row.signals).filter(|names| !names.is_empty()),
        ])?;
        self.key.execute(params![row.seq, wrapped])?;
        Ok(())
    }
}

/// As a row of these columns would say with [`LeadRow::found_by`], before anybody checked it.
pub(super) fn unchecked_keys(claims: &[u8], request: Option<&[u8]>) -> Vec<Digest> {
    let claimed = claims.chunks_exact(CLAIM).filter_map(|claim| claim.last_chunk());
    claimed.chain(request.and_then(|request| request.first_chunk())).copied().map(Digest).collect()
}

fn claims_bytes(claims: &[Claim]) -> Vec<u8> {
    let kind = |kind: ClaimKind| u8::try_from(kind.number()).unwrap_or(0);
    claims.iter().flat_map(|claim| std::iter::once(kind(claim.kind)).chain(claim.key.0)).collect()
}

fn claims(bytes: &[u8]) -> Result<Vec<Claim>, Fault> {
    let (chunks, rest) = bytes.as_chunks::<CLAIM>();
    let claim = |[kind, key @ ..]: &[u8; CLAIM]| {
        Some(Claim { kind: ClaimKind::numbered(i64::from(*kind))?, key: Digest(*key) })
    };
    let claims: Option<Vec<Claim>> = chunks.iter().map(claim).collect();
    claims.filter(|_| rest.is_empty()).ok_or_else(|| Fault::corrupt("a lead's claims"))
}

fn request_bytes(request: RequestKey) -> [u8; REQUEST] {
    let mut bytes = [0; REQUEST];
    let (key, body) = bytes.split_at_mut(REQUEST / 2);
    key.copy_from_slice(&request.key.0);
    body.copy_from_slice(&request.body.0);
    bytes
}

fn request(bytes: &[u8]) -> Result<RequestKey, Fault> {
    match bytes.as_chunks() {
        ([key, body], []) => Ok(RequestKey { key: Digest(*key), body: Digest(*body) }),
        _ => Err(Fault::corrupt("a lead's request")),
    }
}
