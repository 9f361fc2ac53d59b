//! One write to rows: first everything that may refuse it, then the changes, so that a refused write has
//! changed nothing and needs no undoing.

use std::sync::Arc;

use lead::{LeadId, Submission};
use rusqlite::{Connection, params};

use super::decisions::{self, StoredDecisions};
use super::event_row::{self, StoredEvent};
use super::fault::Fault;
use super::lead_row::{Insert, LeadRow};
use super::post_row::StoredPost;
use super::traces::{Made, Trace, Traces};
use super::{lookup, rows};
use crate::digest::Keys;
use crate::legality::{self, Held, Plan, PostChange, Standing};
use crate::seal::{ERASED, LeadKey, Reply, WrappedKey};
use crate::{Claim, Entry, NewLead, Posted, Receipt, Refused, RequestKey, Write};

/// A write as it waits for the writer: whatever needs no look at the database was done before, by the
/// caller's own thread.
pub(super) struct Parcel {
    lead: LeadId,
    created: Option<Box<SealedLead>>,
    entries: Vec<Entry>,
    offers: Vec<Offer>,
}

/// The rows of an offer, as they are stored.
struct Offer {
    /// The place of their entry.
    entry: usize,
    clear: Vec<u8>,
    /// Under the key of a new lead; that of a known one is in the database.
    reasons: Option<Vec<u8>>,
}

struct SealedLead {
    submission: Arc<Submission>,
    received_at: jiff::Timestamp,
    market_version: u64,
    claims: Vec<Claim>,
    request: Option<RequestKey>,
    signals: Vec<&'static str>,
    key: LeadKey,
    wrapped: WrappedKey,
    sealed: Vec<u8>,
}

impl Parcel {
    pub(super) fn seal(keys: &Keys, write: Write) -> Result<Self, Refused> {
        let Write { lead, created, entries } = write;
        let created = created.map(|new| SealedLead::new(keys, lead, *new)).transpose()?;
        let key = created.as_ref().map(|new| &new.key);
        let mut offers = Vec::new();
        for (entry, settled) in entries.iter().enumerate() {
            let Entry::Settled(settled) = settled else { continue };
            let clear = decisions::clear(keys, lead, &settled.decisions)?;
            let reasons = decisions::reasons(&settled.decisions, key)?;
            offers.push(Offer { entry, clear, reasons });
        }
        Ok(Self { lead, created: created.map(Box::new), entries, offers })
    }
}

impl SealedLead {
    fn new(keys: &Keys, lead: LeadId, new: NewLead) -> Result<Self, Refused> {
        let NewLead { received_at, market_version, submission, mut claims, request, signals } = new;
        let (key, wrapped, sealed) = LeadKey::create(keys, lead, &submission)?;
        let received_at = legality::kept(received_at);
        // Of two claims on one key the first counts.
        for place in (1..claims.len()).rev() {
            let (before, rest) = claims.split_at(place);
            if rest.first().is_some_and(|claim| before.iter().any(|other| other.key == claim.key)) {
                claims.remove(place);
            }
        }
        Ok(Self {
            submission,
            received_at,
            market_version,
            claims,
            request,
            signals,
            key,
            wrapped,
            sealed,
        })
    }

    fn row(&self, seq: i64, id: LeadId) -> LeadRow {
        LeadRow {
            seq,
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
            claims: self.claims.clone(),
            request: self.request,
            has_decisions: false,
            has_reasons: false,
            events: 0,
            signals: self.signals.join(","),
            offers: 1,
            least: None,
            withdrawn_at: None,
        }
    }
}

/// The writes of the transaction that is open on `db`.
pub(super) struct Batch<'a> {
    db: &'a Connection,
    keys: &'a Keys,
    traces: &'a Traces,
    /// The newest lead's number.
    last: i64,
    /// By which its leads will be found again.
    made: Vec<Trace>,
    insert: Insert<'a>,
    /// A write was refused by the database; the next ones are looked at twice.
    alone: bool,
}

impl<'a> Batch<'a> {
    pub(super) fn begin(
        db: &'a Connection,
        keys: &'a Keys,
        traces: &'a Traces,
    ) -> rusqlite::Result<Self> {
        let last = rows::last_lead(db)?;
        Ok(Self {
            db,
            keys,
            traces,
            last,
            made: Vec::new(),
            insert: Insert::prepare(db)?,
            alone: false,
        })
    }

    /// Applies one write.
    pub(super) fn write(&mut self, parcel: &Parcel) -> Result<Receipt, Fault> {
        let (db, keys) = (self.db, self.keys);
        let Parcel { lead: id, created, entries, .. } = parcel;
        let found = match created {
            // That its id is new, the database sees to.
            Some(_) if !self.alone => None,
            _ => LeadRow::find(db, keys, *id)?,
        };
        let mut posts = match &found {
            Some(row) => StoredPost::of_lead(db, keys, row)?,
            None => Vec::new(),
        };
        let reports = entries.iter().any(|entry| matches!(entry, Entry::Reported(_)));
        let events = match &found {
            Some(row) if reports => StoredEvent::of_lead(db, keys, row)?,
            _ => Vec::new(),
        };
        let known = found.as_ref().map(|row| Standing {
            disposition: row.disposition,
            withdrawn: row.withdrawn_at.is_some(),
            posts: posts.iter().map(|post| Held::from(&post.record)).collect(),
            events: events.iter().map(|event| event.record.mark).collect(),
        });
        let plan = legality::judge(known, created.is_some(), entries)?;
        let mut row = match (found, created) {
            (Some(row), _) => row,
            (None, Some(new)) => self.create(*id, new)?,
            (None, None) => {
                return Err(Fault::corrupt("a lead that is not known was judged legal"));
            }
        };
        let secret = secret(db, keys, &row, created.as_deref(), &plan)?;
        let before = posts.len();
        let changed = change_posts(&mut posts, &row, &plan, secret.get())?;
        let grown = u32::try_from(posts.len()).map_err(|_| Fault::corrupt("too many posts"))?;
        let grows = std::mem::replace(&mut row.posts, grown) != grown || !plan.events.is_empty();
        row.events += u32::try_from(plan.events.len()).unwrap_or(0);
        self.change_lead((&mut row, grows), parcel, &plan, secret.get())?;
        for (place, post) in posts.iter().enumerate() {
            if place >= before {
                post.insert(db, keys)?;
            } else if changed.contains(&place) {
                post.update(db, keys)?;
            }
        }
        for event in &plan.events {
            StoredEvent::new(&row, *event, secret.get())?.insert(db, keys)?;
        }
        Ok(Receipt { sequence: row.sequence() })
    }

    /// The row of a new lead, if its request may bring one.
    fn create(&mut self, id: LeadId, new: &SealedLead) -> Result<LeadRow, Fault> {
        if let Some(request) = new.request
            && self.traces.may_hold(request.key)
        {
            let mut leads = self.traces.young(request.key);
            let here = self.made.iter().filter(|(key, _)| *key == request.key);
            leads.extend(here.map(|(_, lead)| *lead));
            let stored = lookup::request(self.db, self.keys, (request.key, leads))?;
            legality::may_bring(stored.as_ref(), new.received_at)?;
        }
        self.last += 1;
        let row = new.row(self.last, id);
        for key in row.found_by() {
            self.traces.expect(key);
            self.made.push((key, row.seq));
        }
        Ok(row)
    }

    /// The lead's row, with its end if that came in the same write: most leads are written once.
    fn change_lead(
        &mut self,
        (row, grows): (&mut LeadRow, bool),
        parcel: &Parcel,
        plan: &Plan<'_>,
        key: Option<&LeadKey>,
    ) -> Result<(), Fault> {
        let answers = row.answered.is_none() && plan.answered.is_some();
        row.answered = row.answered.or(plan.answered);
        if let Some(reopened) = &plan.reopened {
            row.reopen(*reopened);
        }
        row.withdrawn_at = row.withdrawn_at.or(plan.withdrawn);
        if let Some(end) = &plan.end {
            row.end(end);
        }
        let changes = plan.end.is_some() || plan.reopened.is_some() || plan.withdrawn.is_some();
        let rows = plan.end.as_ref().and_then(|end| end.decisions);
        let offer = rows.and_then(|rows| parcel.offers.iter().find(|of| of.entry == rows.entry));
        let reasons = match (rows, &parcel.created) {
            (Some(rows), None) => decisions::reasons(rows.decisions, key)?,
            _ => None,
        };
        let decisions = offer.map(|offer| StoredDecisions {
            clear: Some(&offer.clear),
            reasons: offer.reasons.as_deref().or(reasons.as_deref()),
        });
        let at = (self.db, self.keys);
        match &parcel.created {
            Some(new) => {
                let sealed = (new.sealed.as_slice(), &new.wrapped);
                self.insert.run(self.keys, row, decisions.unwrap_or_default(), sealed)
            }
            None if grows || answers || changes => row.update(at, decisions),
            None => Ok(()),
        }
    }

    /// How far it is, so that a write can be taken back.
    pub(super) fn mark(&mut self) -> Mark {
        self.alone = true;
        Mark { last: self.last, made: self.made.len() }
    }

    /// Forgets what came after `mark`, with what the database forgets.
    pub(super) fn back_to(&mut self, mark: Mark) {
        self.last = mark.last;
        self.made.truncate(mark.made);
    }

    /// By which the new leads will be found again, and how far they go: for when they are committed.
    pub(super) fn made(self) -> Made {
        Made { traces: self.made, last: self.last }
    }

    pub(super) fn db(&self) -> &'a Connection {
        self.db
    }
}

/// A place in a batch.
pub(super) struct Mark {
    last: i64,
    made: usize,
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
    let rows = plan.end.as_ref().and_then(|end| end.decisions);
    let said = rows.is_some_and(|rows| rows.decisions.iter().any(|row| row.reason.is_some()));
    let reported = plan.events.iter().any(|(_, event)| event_row::said(event).is_some());
    if said || reported || plan.posts.iter().any(says) {
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
    lead: &LeadRow,
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
