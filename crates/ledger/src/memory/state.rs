//! What the ledger in memory holds, and a write to it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use lead::{Door, LeadId};

use crate::legality::{self, Held, PostChange, Standing};
use crate::{
    ClaimKind, Digest, LeadRecord, NewLead, PostRecord, Receipt, Refused, StoredRequest, Write,
};

#[derive(Default)]
pub(super) struct State {
    /// In order of their sequences, which start at 1.
    pub(super) leads: Vec<LeadRecord>,
    pub(super) facts: Vec<Facts>,
    pub(super) places: HashMap<LeadId, usize>,
    pub(super) claims: BTreeMap<(Digest, usize), ClaimKind>,
    pub(super) requests: HashMap<Digest, StoredRequest>,
    /// By version.
    pub(super) markets: BTreeMap<u64, String>,
    pub(super) faults: VecDeque<Refused>,
    pub(super) trouble: Option<String>,
}

/// What outlives an erased submission.
pub(super) struct Facts {
    pub(super) test: bool,
    pub(super) door: Door,
}

impl State {
    pub(super) fn lead(&mut self, id: LeadId) -> Option<&mut LeadRecord> {
        let place = *self.places.get(&id)?;
        self.leads.get_mut(place)
    }

    pub(super) fn commit(&mut self, write: Write) -> Result<Receipt, Refused> {
        if let Some(trouble) = &self.trouble {
            return Err(Refused::Unavailable(trouble.clone()));
        }
        if let Some(fault) = self.faults.pop_front() {
            return Err(fault);
        }
        let Write { lead, created, entries } = write;
        let known = self.lead(lead).map(|record| Standing {
            disposition: record.disposition,
            withdrawn: record.withdrawn,
            posts: record.posts.iter().map(Held::from).collect(),
            events: record.events.iter().map(|event| event.mark).collect(),
        });
        let plan = legality::judge(known, created.is_some(), &entries)?;
        if let Some(new) = &created
            && let Some(request) = &new.request
        {
            legality::may_bring(self.requests.get(&request.key), new.received_at)?;
        }
        if let Some(new) = created {
            self.create(lead, *new);
        }
        let Some(record) = self.lead(lead) else {
            return Err(Refused::Corrupt(format!("lead {lead} is gone")));
        };
        for change in &plan.posts {
            apply(record, change);
        }
        record.answered = record.answered.or(plan.answered);
        record.events.extend(plan.events.iter().map(|(_, event)| legality::kept_report(event)));
        if let Some(reopened) = plan.reopened {
            (record.outcome, record.disposition) = (None, None);
            (record.least, record.market_version) = (reopened.least, reopened.market_version);
            record.offers = record.offers.saturating_add(1);
        }
        record.withdrawn |= plan.withdrawn.is_some();
        if let Some(end) = plan.end {
            record.outcome = end.outcome.or(record.outcome);
            record.disposition = end.disposition.or(record.disposition);
            record.reason = end.reason.or(record.reason);
            if let Some(rows) = end.decisions {
                record.decisions = rows.decisions.to_vec();
            }
        }
        if record.submission.is_none() {
            // An erased lead keeps nothing of its consumer that comes later.
            forget(record);
        }
        Ok(Receipt { sequence: record.sequence })
    }

    fn create(&mut self, id: LeadId, new: NewLead) {
        let NewLead { received_at, market_version, submission, claims, request, signals } = new;
        let (place, at) = (self.leads.len(), legality::kept(received_at));
        self.places.insert(id, place);
        for claim in claims {
            self.claims.entry((claim.key, place)).or_insert(claim.kind);
        }
        if let Some(request) = request {
            self.requests.insert(request.key, StoredRequest { body: request.body, lead: id, at });
        }
        self.facts.push(Facts { test: submission.test, door: submission.door });
        let sequence = i64::try_from(place).unwrap_or(i64::MAX).saturating_add(1);
        self.leads.push(LeadRecord {
            id,
            sequence: lead::Sequence(sequence),
            publisher: submission.publisher.clone(),
            product: submission.product.clone(),
            received_at: at,
            market_version,
            submission: Some(Arc::unwrap_or_clone(submission)),
            signals: signals.into_iter().map(str::to_owned).collect(),
            offers: 1,
            least: None,
            withdrawn: false,
            outcome: None,
            disposition: None,
            reason: None,
            answered: None,
            posts: Vec::new(),
            decisions: Vec::new(),
            events: Vec::new(),
        });
    }
}

fn apply(record: &mut LeadRecord, change: &PostChange<'_>) {
    match change {
        PostChange::Open { intent, .. } => record.posts.push(PostRecord::opened(intent)),
        PostChange::Class { ordinal, posted } => {
            if let Some(post) = record.posts.get_mut(*ordinal as usize) {
                post.classify(posted);
            }
        }
    }
}

/// What an erased lead's key had sealed besides the submission.
pub(super) fn forget(record: &mut LeadRecord) {
    for post in &mut record.posts {
        post.redirect_url = None;
        post.reference = None;
    }
    record.decisions.iter_mut().for_each(|decision| decision.reason = None);
    for event in &mut record.events {
        event.reference = None;
        event.metadata.clear();
    }
}
