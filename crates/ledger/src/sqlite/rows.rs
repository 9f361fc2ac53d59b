//! Rows to records. Must never repair what it cannot read: a value out of place is `Corrupt`.

use std::str::FromStr;

use jiff::Timestamp;
use lead::{
    BuyerId, CampaignId, CampaignKey, Code, Disposition, LeadId, Money, OfferOutcome, PostClass,
    RejectionReason, Sequence,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fault::Fault;
use crate::seal::LeadKey;
use crate::{LeadRecord, OpenIntent, PostRecord, RootKey};

macro_rules! post_columns {
    () => {
        "ordinal, buyer, campaign, attempt, slot, class, code, price, payout, currency, redirect, \
         reference, intent_at, posted_at"
    };
}

const LEAD: &str = "SELECT seq, received_at, market_version, outcome, disposition, reason, sealed, \
     decisions, wrapped FROM leads JOIN keys ON keys.lead = leads.seq WHERE id = ?1";
const POSTS: &str = concat!(
    "SELECT ",
    post_columns!(),
    " FROM posts WHERE lead = ?1 ORDER BY ordinal"
);
const OPEN: &str = concat!(
    "SELECT ",
    post_columns!(),
    ", id FROM posts JOIN leads ON leads.seq = posts.lead WHERE class IS NULL ORDER BY lead, ordinal"
);
const UNSETTLED: &str = "SELECT id FROM leads WHERE disposition IS NULL ORDER BY seq";

/// Everything about a lead. Run it inside a transaction: it reads twice.
pub(super) fn lead(
    db: &Connection,
    root: &RootKey,
    id: LeadId,
) -> Result<Option<LeadRecord>, Fault> {
    let mut statement = db.prepare_cached(LEAD)?;
    let mut rows = statement.query(params![id.0.as_bytes()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let key = LeadKey::unwrap(root, id, &row.get::<_, Vec<u8>>("wrapped")?)?;
    let submission = match &key {
        Some(key) => Some(key.open_submission(&row.get::<_, Vec<u8>>("sealed")?)?),
        None => None,
    };
    let decisions = match row.get::<_, Option<Vec<u8>>>("decisions")? {
        Some(json) => {
            serde_json::from_slice(&json).map_err(|_| Fault::corrupt("a lead's decisions"))?
        }
        None => Vec::new(),
    };
    let sequence = Sequence(row.get("seq")?);
    Ok(Some(LeadRecord {
        id,
        sequence,
        received_at: time(row.get("received_at")?)?,
        market_version: row.get::<_, i64>("market_version")?.cast_unsigned(),
        submission,
        outcome: numbered(row.get("outcome")?, OfferOutcome::numbered)?,
        disposition: numbered(row.get("disposition")?, Disposition::numbered)?,
        reason: numbered(row.get("reason")?, RejectionReason::numbered)?,
        posts: posts(db, sequence, key.as_ref())?,
        decisions,
    }))
}

/// The posts of a lead in order; without its key, without their redirects.
pub(super) fn posts(
    db: &Connection,
    lead: Sequence,
    key: Option<&LeadKey>,
) -> Result<Vec<PostRecord>, Fault> {
    let mut statement = db.prepare_cached(POSTS)?;
    let mut rows = statement.query([lead.0])?;
    let mut posts = Vec::new();
    while let Some(row) = rows.next()? {
        posts.push(post(row, key)?);
    }
    Ok(posts)
}

/// Every post that has no class yet.
pub(super) fn open_intents(db: &Connection) -> Result<Vec<OpenIntent>, Fault> {
    let mut statement = db.prepare(OPEN)?;
    let mut rows = statement.query([])?;
    let mut open = Vec::new();
    while let Some(row) = rows.next()? {
        // An open post has no redirect, so there is nothing to unseal.
        open.push(OpenIntent {
            lead: lead_id(row)?,
            post: post(row, None)?,
        });
    }
    Ok(open)
}

/// Every lead that has no disposition yet.
pub(super) fn leads_unsettled(db: &Connection) -> Result<Vec<LeadId>, Fault> {
    let mut statement = db.prepare(UNSETTLED)?;
    let mut rows = statement.query([])?;
    let mut leads = Vec::new();
    while let Some(row) = rows.next()? {
        leads.push(lead_id(row)?);
    }
    Ok(leads)
}

/// A lead's number and disposition.
pub(super) fn standing(
    db: &Connection,
    id: LeadId,
) -> Result<Option<(Sequence, Option<Disposition>)>, Fault> {
    let mut statement = db.prepare_cached("SELECT seq, disposition FROM leads WHERE id = ?1")?;
    let found = statement
        .query_row(params![id.0.as_bytes()], |row| {
            Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?))
        })
        .optional()?;
    let Some((seq, disposition)) = found else {
        return Ok(None);
    };
    Ok(Some((
        Sequence(seq),
        numbered(disposition, Disposition::numbered)?,
    )))
}

/// A lead's wrapped key.
pub(super) fn wrapped_key(db: &Connection, lead: Sequence) -> Result<Vec<u8>, Fault> {
    let mut statement = db.prepare_cached("SELECT wrapped FROM keys WHERE lead = ?1")?;
    let wrapped = statement.query_row([lead.0], |row| row.get(0)).optional()?;
    wrapped.ok_or_else(|| Fault::corrupt("a lead has no key"))
}

fn post(row: &Row<'_>, key: Option<&LeadKey>) -> Result<PostRecord, Fault> {
    let currency = parsed(row, "currency")?;
    let sealed: Option<Vec<u8>> = row.get("redirect")?;
    let redirect_url = match (key, sealed) {
        (Some(key), Some(sealed)) => Some(key.open_redirect(row.get("ordinal")?, &sealed)?),
        _ => None,
    };
    let buyer: BuyerId = parsed(row, "buyer")?;
    let campaign: CampaignId = parsed(row, "campaign")?;
    Ok(PostRecord {
        campaign: CampaignKey { buyer, campaign },
        attempt: row.get("attempt")?,
        slot: row.get("slot")?,
        class: numbered(row.get("class")?, PostClass::numbered)?,
        code: numbered(row.get("code")?, |number| {
            Code::numbered(u16::try_from(number).ok()?)
        })?,
        price: Money {
            amount: parsed(row, "price")?,
            currency,
        },
        payout: Money {
            amount: parsed(row, "payout")?,
            currency,
        },
        redirect_url,
        reference: row.get("reference")?,
        intent_at: time(row.get("intent_at")?)?,
        posted_at: row
            .get::<_, Option<i64>>("posted_at")?
            .map(time)
            .transpose()?,
    })
}

fn lead_id(row: &Row<'_>) -> Result<LeadId, Fault> {
    let bytes: Vec<u8> = row.get("id")?;
    Ok(LeadId(
        bytes
            .try_into()
            .map_err(|_| Fault::corrupt("a lead's id"))?,
    ))
}

fn parsed<T: FromStr>(row: &Row<'_>, column: &str) -> Result<T, Fault> {
    let text = row
        .get_ref(column)?
        .as_str()
        .map_err(|_| Fault::corrupt(column))?;
    text.parse().map_err(|_| Fault::corrupt(column))
}

fn numbered<T>(
    number: Option<i64>,
    value: impl FnOnce(i64) -> Option<T>,
) -> Result<Option<T>, Fault> {
    number
        .map(|number| value(number).ok_or_else(|| Fault::corrupt("an unknown number")))
        .transpose()
}

fn time(millis: i64) -> Result<Timestamp, Fault> {
    Timestamp::from_millisecond(millis).map_err(|_| Fault::corrupt("a time"))
}
