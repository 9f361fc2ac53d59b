//! Rows to records. Must never repair what it cannot read: a value out of place is `Corrupt`.

use std::borrow::Cow;

use jiff::Timestamp;
use lead::{CampaignKey, Code, LeadId};
use rusqlite::{Connection, params};
use rust_decimal::Decimal;
use serde::Serialize;

use super::columns::Columns;
use super::fault::Fault;
use super::lead_row::{LeadRow, StoredDecisions, lead_columns};
use super::post_row::{StoredPost, post_columns};
use crate::digest::{Keys, Text};
use crate::seal::{LeadKey, Reasons};
use crate::{Decision, LeadRecord, OpenIntent, PostRow};

const BLOBS: &str = "SELECT decisions, reasons, sealed, wrapped FROM leads \
     LEFT JOIN keys ON keys.lead = leads.seq WHERE seq = ?1";
const OPEN: &str = concat!(
    "SELECT ",
    post_columns!(),
    ", id FROM posts LEFT JOIN leads ON leads.seq = posts.lead WHERE class IS NULL ORDER BY lead, ordinal"
);
const UNSETTLED: &str = "SELECT id FROM leads WHERE disposition IS NULL ORDER BY seq";
const POSTS: &str = concat!(
    "SELECT ",
    post_columns!(),
    ", ",
    lead_columns!(),
    " FROM posts LEFT JOIN leads ON leads.seq = posts.lead ORDER BY posts.lead, posts.ordinal"
);
const PINGS: &str = "SELECT id, received_at, decisions FROM leads \
     WHERE received_at >= ?1 AND test = 0 AND decisions IS NOT NULL ORDER BY received_at, seq";

/// The number before the decisions' JSON.
const CHECK: usize = 8;

/// Everything about a lead. Run it inside a transaction: it reads more than once.
pub(super) fn lead(db: &Connection, keys: &Keys, id: LeadId) -> Result<Option<LeadRecord>, Fault> {
    match LeadRow::find(db, keys, id)? {
        Some(row) => record(db, keys, row).map(Some),
        None => Ok(None),
    }
}

/// Everything about the lead of `row`.
pub(super) fn record(db: &Connection, keys: &Keys, row: LeadRow) -> Result<LeadRecord, Fault> {
    let mut statement = db.prepare_cached(BLOBS)?;
    let mut rows = statement.query([row.seq])?;
    let found = rows.next()?.ok_or_else(|| Fault::corrupt("a lead's row"))?;
    let mut columns = Columns::of(found);
    let stored = StoredDecisions { clear: columns.get()?, reasons: columns.get()? };
    let sealed: Vec<u8> = columns.get()?;
    let key = unwrap(keys, &row, &columns.get::<Option<Vec<u8>>>()?.unwrap_or_default())?;
    let submission = key.as_ref().map(|key| key.open_submission(&sealed)).transpose()?;
    let decisions = decisions(keys, row.id, &stored, key.as_ref())?;
    let posts = StoredPost::of_lead(db, keys, &row)?;
    let posts = posts.into_iter().map(|post| post.unseal(key.as_ref()));
    Ok(LeadRecord {
        id: row.id,
        sequence: row.sequence(),
        received_at: row.received_at,
        market_version: row.market_version,
        submission,
        outcome: row.outcome,
        disposition: row.disposition,
        reason: row.reason,
        answered: row.answered,
        posts: posts.collect::<Result<_, _>>()?,
        decisions,
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
    let key = LeadKey::unwrap(&keys.root, row.id, wrapped)?;
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

/// Shows every post.
pub(super) fn visit_posts(
    db: &Connection,
    keys: &Keys,
    visit: &mut dyn FnMut(PostRow),
) -> Result<(), Fault> {
    let mut statement = db.prepare(POSTS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let post = StoredPost::read(&mut columns, keys)?.record;
        let lead = LeadRow::read(&mut columns, keys)?;
        visit(PostRow {
            campaign: post.campaign,
            publisher: lead.publisher,
            product: lead.product,
            class: post.class,
            price: post.price,
            payout: post.payout,
            intent_at: post.intent_at,
            test: lead.test,
        });
    }
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
    let since = since.as_millisecond() + i64::from(since.subsec_nanosecond() % 1_000_000 > 0);
    let mut rows = statement.query(params![since])?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let (id, at) = (columns.lead_id()?, columns.time()?);
        let stored = StoredDecisions { clear: columns.get()?, reasons: None };
        let decisions = decisions(keys, id, &stored, None)?;
        for decision in decisions.iter().filter(|decision| decision.ping_ms.is_some()) {
            visit(&decision.campaign, at);
        }
    }
    Ok(())
}

/// A decision without the buyer's own word.
#[derive(Serialize)]
struct Clear<'a> {
    campaign: &'a CampaignKey,
    tier: u8,
    code: Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    bid: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ping_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_ms: Option<u32>,
}

/// Decisions as they are stored; without the lead's key, without the buyers' own words.
pub(super) fn stored(
    keys: &Keys,
    id: LeadId,
    decisions: &[Decision],
    key: Option<&LeadKey>,
) -> Result<StoredDecisions, Fault> {
    let clear: Vec<Clear<'_>> = decisions
        .iter()
        .map(|Decision { campaign, tier, code, bid, ping_ms, post_ms, reason: _ }| Clear {
            campaign,
            tier: *tier,
            code: *code,
            bid: *bid,
            ping_ms: *ping_ms,
            post_ms: *post_ms,
        })
        .collect();
    let mut bytes = vec![0; CHECK];
    serde_json::to_writer(&mut bytes, &clear).map_err(|_| Fault::corrupt("decisions"))?;
    if let Some((check, json)) = bytes.split_first_chunk_mut::<CHECK>() {
        *check = decisions_check(keys, id, json);
    }
    let reasons = decisions.iter().enumerate();
    let reasons: Reasons<'_> = reasons
        .filter_map(|(place, row)| Some((place, Cow::Borrowed(row.reason.as_deref()?))))
        .collect();
    let reasons = match key {
        Some(key) if !reasons.is_empty() => Some(key.seal_reasons(&reasons)?),
        _ => None,
    };
    Ok(StoredDecisions { clear: Some(bytes), reasons })
}

fn decisions(
    keys: &Keys,
    id: LeadId,
    stored: &StoredDecisions,
    key: Option<&LeadKey>,
) -> Result<Vec<Decision>, Fault> {
    let Some(bytes) = &stored.clear else {
        return Ok(Vec::new());
    };
    let corrupt = || Fault::corrupt("a lead's decisions");
    let (check, json) = bytes.split_first_chunk::<CHECK>().ok_or_else(corrupt)?;
    if *check != decisions_check(keys, id, json) {
        return Err(corrupt());
    }
    let mut decisions: Vec<Decision> = serde_json::from_slice(json).map_err(|_| corrupt())?;
    if let (Some(key), Some(sealed)) = (key, &stored.reasons) {
        for (place, reason) in key.open_reasons(sealed)? {
            decisions.get_mut(place).ok_or_else(corrupt)?.reason = Some(reason.into_owned());
        }
    }
    Ok(decisions)
}

fn decisions_check(keys: &Keys, id: LeadId, json: &[u8]) -> [u8; CHECK] {
    keys.check(&Text::of("decisions").bytes(id.0.as_bytes()).bytes(json)).to_le_bytes()
}
