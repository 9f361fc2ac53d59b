//! One write to rows: first everything that may refuse it, then the changes, so that a refused write has
//! changed nothing and needs no undoing.

use jiff::Timestamp;
use lead::{LeadId, Money, Sequence};
use rusqlite::{Connection, params};

use super::fault::Fault;
use super::rows;
use crate::legality::{self, End, Held, Plan, PostChange, Standing};
use crate::seal::{ERASED, LeadKey, WrappedKey};
use crate::{Entry, Intent, NewLead, Posted, Receipt, Refused, RootKey, Write};

/// A write as it waits for the writer: the submission sealed already, by the caller's own thread.
pub(super) struct Parcel {
    lead: LeadId,
    created: Option<SealedLead>,
    entries: Vec<Entry>,
}

struct SealedLead {
    publisher: lead::PublisherId,
    product: lead::ProductId,
    door: lead::Door,
    received_at: Timestamp,
    market_version: u64,
    wrapped: WrappedKey,
    sealed: Vec<u8>,
}

impl Parcel {
    pub(super) fn seal(root: &RootKey, write: Write) -> Result<Self, Refused> {
        let Write {
            lead,
            created,
            entries,
        } = write;
        let created = created
            .map(|new| SealedLead::new(root, lead, *new))
            .transpose()?;
        Ok(Self {
            lead,
            created,
            entries,
        })
    }
}

impl SealedLead {
    fn new(root: &RootKey, lead: LeadId, new: NewLead) -> Result<Self, Refused> {
        let NewLead {
            received_at,
            market_version,
            submission,
        } = new;
        let (key, wrapped) = LeadKey::create(root, lead)?;
        let sealed = key.seal_submission(&submission)?;
        let lead::Submission {
            publisher,
            product,
            door,
            ..
        } = submission;
        Ok(Self {
            publisher,
            product,
            door,
            received_at,
            market_version,
            wrapped,
            sealed,
        })
    }
}

/// Applies one write within the transaction that is open on `db`.
pub(super) fn write(db: &Connection, root: &RootKey, parcel: &Parcel) -> Result<Receipt, Fault> {
    let found = rows::standing(db, parcel.lead)?;
    let known = match found {
        Some((sequence, disposition)) => {
            let posts = rows::posts(db, sequence, None)?
                .iter()
                .map(Held::from)
                .collect();
            Some(Standing { disposition, posts })
        }
        None => None,
    };
    let plan = legality::judge(known, parcel.created.is_some(), &parcel.entries)?;
    let redirects = redirects(db, root, parcel, found.map(|(sequence, _)| sequence), &plan)?;
    let decisions = decisions(&plan)?;
    let end = plan.end.as_ref();

    let sequence = match (found, &parcel.created) {
        (None, Some(new)) => create(db, parcel.lead, new, end, decisions)?,
        (Some((sequence, _)), _) => {
            if let Some(end) = end {
                settle(db, sequence, end, decisions)?;
            }
            sequence
        }
        (None, None) => return Err(Fault::corrupt("a lead that is not known was judged legal")),
    };
    for (change, redirect) in plan.posts.iter().zip(redirects) {
        match change {
            PostChange::Open { ordinal, intent } => open(db, sequence, *ordinal, intent)?,
            PostChange::Class { ordinal, posted } => {
                class(db, sequence, *ordinal, posted, redirect)?
            }
        }
    }
    Ok(Receipt { sequence })
}

/// Destroys a lead's key. Erasing twice is erasing once.
pub(super) fn erase(db: &Connection, lead: LeadId) -> Result<Receipt, Fault> {
    let Some((sequence, _)) = rows::standing(db, lead)? else {
        return Err(Refused::Illegal("the lead is not known".to_owned()).into());
    };
    let mut statement = db.prepare_cached("UPDATE keys SET wrapped = ?2 WHERE lead = ?1")?;
    statement.execute(params![sequence.0, ERASED])?;
    Ok(Receipt { sequence })
}

/// The sealed redirect of each post's change. A lead that was erased keeps none that comes later.
fn redirects(
    db: &Connection,
    root: &RootKey,
    parcel: &Parcel,
    known: Option<Sequence>,
    plan: &Plan<'_>,
) -> Result<Vec<Option<Vec<u8>>>, Fault> {
    let url = |change: &PostChange<'_>| match change {
        PostChange::Class { ordinal, posted } => Some((*ordinal, posted.redirect_url.clone()?)),
        PostChange::Open { .. } => None,
    };
    let urls: Vec<_> = plan.posts.iter().map(url).collect();
    if urls.iter().all(Option::is_none) {
        return Ok(vec![None; urls.len()]);
    }
    let wrapped = match (known, &parcel.created) {
        (Some(sequence), _) => rows::wrapped_key(db, sequence)?,
        (None, Some(new)) => new.wrapped.to_vec(),
        (None, None) => return Err(Fault::corrupt("a lead has no key")),
    };
    let Some(key) = LeadKey::unwrap(root, parcel.lead, &wrapped)? else {
        return Ok(vec![None; urls.len()]);
    };
    let seal = |url: Option<(u32, String)>| {
        url.map(|(ordinal, url)| key.seal_redirect(ordinal, &url))
            .transpose()
    };
    Ok(urls.into_iter().map(seal).collect::<Result<_, _>>()?)
}

fn decisions(plan: &Plan<'_>) -> Result<Option<Vec<u8>>, Refused> {
    let rows = plan.end.as_ref().and_then(|end| end.decisions);
    let json = rows.map(serde_json::to_vec).transpose();
    json.map_err(|_| Refused::Illegal("the decisions cannot be written as JSON".to_owned()))
}

/// The lead's row, with its end if that came in the same write: most leads are written once.
fn create(
    db: &Connection,
    id: LeadId,
    new: &SealedLead,
    end: Option<&End<'_>>,
    decisions: Option<Vec<u8>>,
) -> Result<Sequence, Fault> {
    let mut statement = db.prepare_cached(
        "INSERT INTO leads (id, publisher, product, door, received_at, market_version, sealed, \
         settled_at, outcome, disposition, reason, decisions) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    let sequence = statement.insert(params![
        id.0.as_bytes(),
        new.publisher.as_str(),
        new.product.as_str(),
        new.door.name(),
        new.received_at.as_millisecond(),
        new.market_version.cast_signed(),
        new.sealed,
        end.map(|end| end.at.as_millisecond()),
        end.and_then(|end| end.outcome)
            .map(lead::OfferOutcome::number),
        end.and_then(|end| end.disposition)
            .map(lead::Disposition::number),
        end.and_then(|end| end.reason)
            .map(lead::RejectionReason::number),
        decisions,
    ])?;
    let mut statement = db.prepare_cached("INSERT INTO keys (lead, wrapped) VALUES (?1, ?2)")?;
    statement.execute(params![sequence, new.wrapped])?;
    Ok(Sequence(sequence))
}

fn settle(
    db: &Connection,
    lead: Sequence,
    end: &End<'_>,
    decisions: Option<Vec<u8>>,
) -> Result<(), Fault> {
    let mut statement = db.prepare_cached(
        "UPDATE leads SET settled_at = ?2, outcome = coalesce(?3, outcome), \
         disposition = coalesce(?4, disposition), reason = coalesce(?5, reason), \
         decisions = coalesce(?6, decisions) WHERE seq = ?1",
    )?;
    statement.execute(params![
        lead.0,
        end.at.as_millisecond(),
        end.outcome.map(lead::OfferOutcome::number),
        end.disposition.map(lead::Disposition::number),
        end.reason.map(lead::RejectionReason::number),
        decisions,
    ])?;
    Ok(())
}

fn open(db: &Connection, lead: Sequence, ordinal: u32, intent: &Intent) -> Result<(), Fault> {
    let mut statement = db.prepare_cached(
        "INSERT INTO posts (lead, ordinal, buyer, campaign, attempt, slot, price, payout, currency, \
         intent_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    statement.execute(params![
        lead.0,
        ordinal,
        intent.campaign.buyer.as_str(),
        intent.campaign.campaign.as_str(),
        intent.attempt,
        intent.slot,
        amount(intent.price),
        amount(intent.payout),
        intent.price.currency.as_str(),
        intent.at.as_millisecond(),
    ])?;
    Ok(())
}

fn class(
    db: &Connection,
    lead: Sequence,
    ordinal: u32,
    posted: &Posted,
    redirect: Option<Vec<u8>>,
) -> Result<(), Fault> {
    let billed = legality::billed(posted);
    let mut statement = db.prepare_cached(
        "UPDATE posts SET class = ?3, code = ?4, price = coalesce(?5, price), \
         payout = coalesce(?6, payout), redirect = ?7, reference = ?8, posted_at = ?9 \
         WHERE lead = ?1 AND ordinal = ?2",
    )?;
    statement.execute(params![
        lead.0,
        ordinal,
        posted.class.number(),
        posted.code.number(),
        billed.map(|(price, _)| amount(price)),
        billed.map(|(_, payout)| amount(payout)),
        redirect,
        posted.reference,
        posted.at.as_millisecond(),
    ])?;
    Ok(())
}

/// Exactly: with the zeros that it was given.
fn amount(money: Money) -> String {
    money.amount.to_string()
}
