//! Rows to records. Must never repair what it cannot read: a value out of place is `Corrupt`.

use jiff::Timestamp;
use lead::{CampaignKey, LeadId};
use rusqlite::{Connection, params};

use super::columns::Columns;
use super::decisions::{self, StoredDecisions};
use super::event_row::StoredEvent;
use super::fault::Fault;
use super::lead_row::{LeadRow, lead_columns};
use super::post_row::{StoredPost, post_columns};
use crate::digest::Keys;
use crate::seal::LeadKey;
use crate::{LeadRecord, OpenIntent, PostRow, SourceQuery};

const BLOBS: &str = "SELECT decisions, reasons, sealed, wrapped FROM leads \
     LEFT JOIN keys ON keys.lead = leads.seq WHERE seq = ?1";
const OPEN: &str = concat!(
    "SELECT ",
    post_columns!(),
    ", id FROM posts LEFT JOIN leads ON leads.seq = posts.lead WHERE class IS NULL ORDER BY lead, ordinal"
);
const UNSETTLED: &str = "SELECT id FROM leads WHERE disposition IS NULL ORDER BY seq";
const POSTS: &str =
    concat!("SELECT ", post_columns!(), " FROM posts WHERE posts.lead BETWEEN ?1 AND ?2");
/// Posts that are shown together.
const AT_A_TIME: usize = 1024;

/// The door is written out: only then is its index used.
const OF_SOURCE: &str = concat!(
    "SELECT ",
    lead_columns!(),
    " FROM leads WHERE publisher = ?1 AND door = 'pingtree' AND seq < ?2 AND received_at >= ?3 \
     AND received_at < ?4 ORDER BY seq DESC LIMIT ?5"
);

const PINGS: &str = "SELECT id, received_at, decisions FROM leads WHERE id >= ?1 \
     AND received_at >= ?2 AND test = 0 AND decisions IS NOT NULL ORDER BY received_at, seq";

/// Everything about a lead. Run it inside a transaction: it reads more than once.
pub(super) fn lead(db: &Connection, keys: &Keys, id: LeadId) -> Result<Option<LeadRecord>, Fault> {
    match LeadRow::find(db, keys, id)? {
        Some(row) => record(db, keys, row).map(Some),
        None => Ok(None),
    }
}

/// Everything about the leads that `query` asks for.
pub(super) fn source_leads(
    db: &Connection,
    keys: &Keys,
    query: &SourceQuery,
) -> Result<Vec<LeadRecord>, Fault> {
    let mut statement = db.prepare_cached(OF_SOURCE)?;
    let millis = |at: Option<Timestamp>, none| at.map_or(none, Timestamp::as_millisecond);
    let mut rows = statement.query(params![
        query.publisher.as_str(),
        query.before.map_or(i64::MAX, |before| before.0),
        millis(query.since, i64::MIN),
        millis(query.until, i64::MAX),
        query.most,
    ])?;
    let mut leads = Vec::new();
    while let Some(row) = rows.next()? {
        leads.push(record(db, keys, LeadRow::read(&mut Columns::of(row), keys)?)?);
    }
    Ok(leads)
}

/// Everything about the lead of `row`.
pub(super) fn record(db: &Connection, keys: &Keys, row: LeadRow) -> Result<LeadRecord, Fault> {
    let mut statement = db.prepare_cached(BLOBS)?;
    let mut rows = statement.query([row.seq])?;
    let found = rows.next()?.ok_or_else(|| Fault::corrupt("a lead's row"))?;
    let mut columns = Columns::of(found);
    let (clear, reasons): (Option<Vec<u8>>, Option<Vec<u8>>) = (columns.get()?, columns.get()?);
    let stored = StoredDecisions { clear: clear.as_deref(), reasons: reasons.as_deref() };
    let sealed: Vec<u8> = columns.get()?;
    let key = unwrap(keys, &row, &columns.get::<Option<Vec<u8>>>()?.unwrap_or_default())?;
    let submission = key.as_ref().map(|key| key.open_submission(&sealed)).transpose()?;
    let decisions = decisions::read(keys, row.id, stored, key.as_ref())?;
    let posts = StoredPost::of_lead(db, keys, &row)?;
    let posts = posts.into_iter().map(|post| post.unseal(key.as_ref()));
    let events = StoredEvent::of_lead(db, keys, &row)?;
    let events = events.into_iter().map(|event| event.unseal(key.as_ref()));
    Ok(LeadRecord {
        id: row.id,
        sequence: row.sequence(),
        publisher: row.publisher,
        product: row.product,
        received_at: row.received_at,
        market_version: row.market_version,
        submission,
        signals: row
            .signals
            .split(',')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
        offers: row.offers,
        least: row.least,
        withdrawn: row.withdrawn_at.is_some(),
        outcome: row.outcome,
        disposition: row.disposition,
        reason: row.reason,
        answered: row.answered,
        posts: posts.collect::<Result<_, _>>()?,
        decisions,
        events: events.collect::<Result<_, _>>()?,
    })
}

/// A lead's key; `None` once erased.
pub(super) fn key(db: &Connection, keys: &Keys, row: &LeadRow) -> Result<Option<LeadKey>, Fault> {
    let mut statement = db.prepare_cached("SELECT wrapped FROM keys WHERE lead = ?1")?;
    let mut rows = statement.query([row.seq])?;
    let found = rows.next()?.ok_or_else(|| Fault::corrupt("a lead has no key"))?;
    unwrap(keys, row, &Columns::of(found).get::<Vec<u8>>()?)
}

/// Zeros in a key's place are an erasure only if the lead's row says so too.
fn unwrap(keys: &Keys, row: &LeadRow, wrapped: &[u8]) -> Result<Option<LeadKey>, Fault> {
    let key = LeadKey::unwrap(keys, row.id, wrapped)?;
    if key.is_none() == row.erased {
        Ok(key)
    } else {
        Err(Fault::corrupt("a lead's key was changed"))
    }
}

/// Every post that has no class yet.
pub(super) fn open_intents(db: &Connection, keys: &Keys) -> Result<Vec<OpenIntent>, Fault> {
    let mut statement = db.prepare(OPEN)?;
    let mut rows = statement.query([])?;
    let mut open = Vec::new();
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        // An open post has nothing sealed.
        let post = StoredPost::read(&mut columns, keys)?.record;
        open.push(OpenIntent { lead: columns.lead_id()?, post });
    }
    Ok(open)
}

/// Every lead that has no disposition yet.
pub(super) fn leads_unsettled(db: &Connection) -> Result<Vec<LeadId>, Fault> {
    let mut statement = db.prepare(UNSETTLED)?;
    let mut rows = statement.query([])?;
    let mut leads = Vec::new();
    while let Some(row) = rows.next()? {
        leads.push(Columns::of(row).lead_id()?);
    }
    Ok(leads)
}

/// The newest lead's number; 0 if there is none.
pub(super) fn last_lead(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT coalesce(max(seq), 0) FROM leads")?.query_row([], |row| row.get(0))
}

/// The newest one that has a post.
pub(super) fn last_posted(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT coalesce(max(lead), 0) FROM posts")?.query_row([], |row| row.get(0))
}

/// Shows every post of the leads from the first to the last.
pub(super) fn visit_posts(
    db: &Connection,
    keys: &Keys,
    (first, last): (i64, i64),
    visit: &dyn Fn(Vec<PostRow>),
) -> Result<(), Fault> {
    let mut statement = db.prepare(POSTS)?;
    let mut rows = statement.query([first, last])?;
    let mut posts = Vec::with_capacity(AT_A_TIME);
    while let Some(row) = rows.next()? {
        let post = StoredPost::read(&mut Columns::of(row), keys)?;
        let lead = post.record.is_unclear().then(|| {
            let lead = LeadRow::numbered(db, keys, post.lead)?;
            lead.map(|lead| lead.id).ok_or_else(|| Fault::corrupt("a post is of no lead"))
        });
        let lead = lead.transpose()?;
        let StoredPost { publisher, product, test, record, .. } = post;
        posts.push(PostRow {
            lead,
            campaign: record.campaign,
            publisher,
            product,
            class: record.class,
            price: record.price,
            payout: record.payout,
            expected: record.expected,
            intent_at: record.intent_at,
            test,
        });
        if posts.len() == AT_A_TIME {
            visit(std::mem::replace(&mut posts, Vec::with_capacity(AT_A_TIME)));
        }
    }
    visit(posts);
    Ok(())
}

/// Shows the pings of leads that came at or after `since`.
pub(super) fn visit_pings(
    db: &Connection,
    keys: &Keys,
    since: Timestamp,
    visit: &mut dyn FnMut(&CampaignKey, Timestamp),
) -> Result<(), Fault> {
    let mut statement = db.prepare(PINGS)?;
    // A time between two milliseconds is after the first.
    let millis = since.as_millisecond() + i64::from(since.subsec_nanosecond() % 1_000_000 > 0);
    // The least id of that time.
    let id = LeadId::new(since, [0; 10]);
    let mut rows = statement.query(params![id.0.as_bytes(), millis])?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let (id, at) = (columns.lead_id()?, columns.time()?);
        let clear: Vec<u8> = columns.get()?;
        let stored = StoredDecisions { clear: Some(&clear), reasons: None };
        let decisions = decisions::read(keys, id, stored, None)?;
        for decision in decisions.iter().filter(|decision| decision.ping_ms.is_some()) {
            visit(&decision.campaign, at);
        }
    }
    Ok(())
}
