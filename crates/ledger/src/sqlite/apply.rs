//! One write to rows: first everything that may refuse it, then the changes, so that a refused write has
//! changed nothing and needs no undoing.

use std::sync::Arc;

use lead::{LeadId, Submission};
use rusqlite::{Connection, params};

use super::fault::Fault;
use super::lead_row::{LeadRow, StoredDecisions};
use super::post_row::StoredPost;
use super::{lookup, rows};
use crate::digest::Keys;
use crate::legality::{self, Held, Plan, PostChange, Standing};
use crate::seal::{ERASED, LeadKey, Reply, WrappedKey};
use crate::{Claim, Digest, Entry, NewLead, Posted, Receipt, Refused, RequestKey, Write};

/// A write as it waits for the writer: the submission sealed already, by the caller's own thread.
pub(super) struct Parcel {
    lead: LeadId,
    created: Option<Box<SealedLead>>,
    entries: Vec<Entry>,
}

struct SealedLead {
    submission: Arc<Submission>,
    received_at: jiff::Timestamp,
    market_version: u64,
    claims: Vec<Claim>,
    request: Option<RequestKey>,
    key: LeadKey,
    wrapped: WrappedKey,
    sealed: Vec<u8>,
}

impl Parcel {
    pub(super) fn seal(keys: &Keys, write: Write) -> Result<Self, Refused> {
        let Write { lead, created, entries } = write;
        let created = created.map(|new| SealedLead::new(keys, lead, *new)).transpose()?;
        Ok(Self { lead, created: created.map(Box::new), entries })
    }

    /// By which the lead will be found again.
    pub(super) fn keys(&self) -> impl Iterator<Item = Digest> {
        let claims = self.created.iter().flat_map(|new| new.claims.iter().map(|claim| claim.key));
        let request = self.created.iter().filter_map(|new| Some(new.request?.key));
        claims.chain(request)
    }
}

impl SealedLead {
    fn new(keys: &Keys, lead: LeadId, new: NewLead) -> Result<Self, Refused> {
        let NewLead { received_at, market_version, submission, claims, request } = new;
        let (key, wrapped) = LeadKey::create(&keys.root, lead)?;
        let sealed = key.seal_submission(&submission)?;
        let received_at = legality::kept(received_at);
        Ok(Self { submission, received_at, market_version, claims, request, key, wrapped, sealed })
    }

    fn row(&self, db: &Connection, id: LeadId) -> Result<LeadRow, Fault> {
        let mut next = db.prepare_cached("SELECT coalesce(max(seq), 0) + 1 FROM leads")?;
        Ok(LeadRow {
            seq: next.query_row([], |row| row.get(0))?,
            id,
            publisher: self.submission.publisher.clone(),
            product: self.submission.product.clone(),
            door: self.submission.door,
            test: self.submission.test,
            received_at: self.received_at,
            market_version: self.market_version,
            settled_at: None,
            outcome: None,
            disposition: None,
            reason: None,
            answered: None,
            erased: false,
            posts: 0,
            has_decisions: false,
            has_reasons: false,
        })
    }
}

/// Applies one write within the transaction that is open on `db`.
pub(super) fn write(db: &Connection, keys: &Keys, parcel: &Parcel) -> Result<Receipt, Fault> {
    let Parcel { lead: id, created, entries } = parcel;
    let found = LeadRow::find(db, keys, *id)?;
    let mut posts = match &found {
        Some(row) => StoredPost::of_lead(db, keys, row)?,
        None => Vec::new(),
    };
    let known = found.as_ref().map(|row| Standing {
        disposition: row.disposition,
        posts: posts.iter().map(|post| Held::from(&post.record)).collect(),
    });
    let plan = legality::judge(known, created.is_some(), entries)?;
    if let Some(new) = created
        && let Some(request) = new.request
    {
        legality::may_bring(lookup::request(db, keys, request.key)?.as_ref(), new.received_at)?;
    }
    let mut row = match (found, created) {
        (Some(row), _) => row,
        (None, Some(new)) => new.row(db, *id)?,
        (None, None) => return Err(Fault::corrupt("a lead that is not known was judged legal")),
    };
    let secret = secret(db, keys, &row, created.as_deref(), &plan)?;
    let before = posts.len();
    let changed = change_posts(&mut posts, row.seq, &plan, secret.get())?;
    let decisions = match plan.end.as_ref().and_then(|end| end.decisions) {
        Some(decisions) => Some(rows::stored(keys, *id, decisions, secret.get())?),
        None => None,
    };

    let grown = u32::try_from(posts.len()).map_err(|_| Fault::corrupt("too many posts"))?;
    let grows = std::mem::replace(&mut row.posts, grown) != grown;
    change_lead(db, keys, (&mut row, created.as_deref(), grows), &plan, decisions)?;
    for (place, post) in posts.iter().enumerate() {
        if place >= before {
            post.insert(db, keys)?;
        } else if changed.contains(&place) {
            post.update(db, keys)?;
        }
    }
    Ok(Receipt { sequence: row.sequence() })
}

/// Destroys a lead's key. Erasing twice is erasing once.
pub(super) fn erase(db: &Connection, keys: &Keys, lead: LeadId) -> Result<(), Fault> {
    let mut row = known(db, keys, lead)?;
    row.erased = true;
    row.update((db, keys), None)?;
    let mut statement = db.prepare_cached("UPDATE keys SET wrapped = ?2 WHERE lead = ?1")?;
    statement.execute(params![row.seq, ERASED])?;
    Ok(())
}

/// The row of a lead that must be there.
pub(super) fn known(db: &Connection, keys: &Keys, lead: LeadId) -> Result<LeadRow, Fault> {
    LeadRow::find(db, keys, lead)?
        .ok_or_else(|| Refused::Illegal("the lead is not known".to_owned()).into())
}

/// The key under which a write's words are sealed.
enum Secret<'a> {
    /// Of a lead that the write creates.
    New(&'a LeadKey),
    /// Of one that is known; `None` once erased, when nothing of its consumer is kept any more.
    Known(Option<LeadKey>),
    /// The write has nothing to seal.
    Idle,
}

impl Secret<'_> {
    fn get(&self) -> Option<&LeadKey> {
        match self {
            Self::New(key) => Some(key),
            Self::Known(key) => key.as_ref(),
            Self::Idle => None,
        }
    }
}

fn secret<'a>(
    db: &Connection,
    keys: &Keys,
    row: &LeadRow,
    created: Option<&'a SealedLead>,
    plan: &Plan<'_>,
) -> Result<Secret<'a>, Fault> {
    if let Some(new) = created {
        return Ok(Secret::New(&new.key));
    }
    let says = |change: &PostChange<'_>| match change {
        PostChange::Class { posted, .. } => reply(posted).is_some(),
        PostChange::Open { .. } => false,
    };
    let decisions = plan.end.as_ref().and_then(|end| end.decisions).unwrap_or_default();
    if plan.posts.iter().any(says) || decisions.iter().any(|row| row.reason.is_some()) {
        return Ok(Secret::Known(rows::key(db, keys, row)?));
    }
    Ok(Secret::Idle)
}

/// What of a post may name the consumer.
fn reply(posted: &Posted) -> Option<Reply> {
    let Posted { redirect_url, reference, .. } = posted;
    (redirect_url.is_some() || reference.is_some())
        .then(|| Reply { redirect_url: redirect_url.clone(), reference: reference.clone() })
}

/// Applies the plan to the posts in memory; says which were changed.
fn change_posts(
    posts: &mut Vec<StoredPost>,
    lead: i64,
    plan: &Plan<'_>,
    key: Option<&LeadKey>,
) -> Result<Vec<usize>, Fault> {
    let mut changed = Vec::new();
    for change in &plan.posts {
        match change {
            PostChange::Open { ordinal, intent } => {
                posts.push(StoredPost::open(lead, *ordinal, intent));
            }
            PostChange::Class { ordinal, posted } => {
                let place = *ordinal as usize;
                let post = posts.get_mut(place).ok_or_else(|| Fault::corrupt("a post is gone"))?;
                let sealed = key
                    .and_then(|key| Some(key.seal_reply(*ordinal, &reply(posted)?)))
                    .transpose()?;
                post.class(posted, sealed);
                changed.push(place);
            }
        }
    }
    Ok(changed)
}

/// The lead's row, with its end if that came in the same write: most leads are written once.
fn change_lead(
    db: &Connection,
    keys: &Keys,
    (row, created, grows): (&mut LeadRow, Option<&SealedLead>, bool),
    plan: &Plan<'_>,
    decisions: Option<StoredDecisions>,
) -> Result<(), Fault> {
    let answers = row.answered.is_none() && plan.answered.is_some();
    row.answered = row.answered.or(plan.answered);
    if let Some(end) = &plan.end {
        row.end(end);
    }
    match created {
        Some(new) => {
            row.insert((db, keys), &decisions.unwrap_or_default(), &new.sealed, &new.wrapped)?;
            lookup::insert_claims(db, keys, row.seq, &new.claims)?;
            if let Some(request) = new.request {
                lookup::insert_request(db, keys, row, request)?;
            }
        }
        None if grows || answers || plan.end.is_some() => {
            row.update((db, keys), decisions.as_ref())?
        }
        None => {}
    }
    Ok(())
}
