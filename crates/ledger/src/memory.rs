//! The ledger without a disk: the same rules, the same answers, at once, for tests under a paused clock.
//! Must never be the record of anything that was really sold.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lead::LeadId;

use crate::legality::{self, Held, PostChange, Standing};
use crate::{
    LeadRecord, Ledger, NewLead, OpenIntent, PostRecord, Receipt, Recovery, Refused, Write,
};

/// A ledger in memory, with faults on demand.
#[derive(Default)]
pub struct MemoryLedger {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// In order of their sequences, which start at 1.
    leads: Vec<LeadRecord>,
    places: HashMap<LeadId, usize>,
    faults: VecDeque<Refused>,
    trouble: Option<String>,
}

impl MemoryLedger {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the next commit fail with `fault`; called again, the one after it.
    pub fn fail_next(&self, fault: Refused) {
        self.state().faults.push_back(fault);
    }

    /// Sets or clears the trouble; while it is set, every commit is refused.
    pub fn set_trouble(&self, trouble: Option<String>) {
        self.state().trouble = trouble;
    }

    /// Every lead, in order.
    #[must_use]
    pub fn records(&self) -> Vec<LeadRecord> {
        self.state().leads.clone()
    }

    /// Erases who the consumer of `lead` is; amounts stay.
    ///
    /// # Errors
    /// When the lead is not known.
    #[expect(clippy::unused_async, reason = "as the other ledger does it")]
    pub async fn erase(&self, lead: LeadId) -> Result<(), Refused> {
        let mut state = self.state();
        let Some(record) = state.lead(lead) else {
            return Err(Refused::Illegal("the lead is not known".to_owned()));
        };
        record.submission = None;
        record
            .posts
            .iter_mut()
            .for_each(|post| post.redirect_url = None);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger for MemoryLedger {
    async fn commit(&self, write: Write) -> Result<Receipt, Refused> {
        self.state().commit(write)
    }

    async fn lead(&self, id: LeadId) -> Result<Option<LeadRecord>, Refused> {
        Ok(self.state().lead(id).cloned())
    }

    fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }
}

impl Recovery for MemoryLedger {
    async fn open_intents(&self) -> Result<Vec<OpenIntent>, Refused> {
        let state = self.state();
        let open = |record: &LeadRecord| {
            let id = record.id;
            let posts = record
                .posts
                .iter()
                .filter(|post| post.class.is_none())
                .cloned();
            posts
                .map(move |post| OpenIntent { lead: id, post })
                .collect::<Vec<_>>()
        };
        Ok(state.leads.iter().flat_map(open).collect())
    }

    async fn leads_unsettled(&self) -> Result<Vec<LeadId>, Refused> {
        let state = self.state();
        Ok(state
            .leads
            .iter()
            .filter(|lead| lead.disposition.is_none())
            .map(|lead| lead.id)
            .collect())
    }
}

impl State {
    fn lead(&mut self, id: LeadId) -> Option<&mut LeadRecord> {
        let place = *self.places.get(&id)?;
        self.leads.get_mut(place)
    }

    fn commit(&mut self, write: Write) -> Result<Receipt, Refused> {
        if let Some(trouble) = &self.trouble {
            return Err(Refused::Unavailable(trouble.clone()));
        }
        if let Some(fault) = self.faults.pop_front() {
            return Err(fault);
        }
        let Write {
            lead,
            created,
            entries,
        } = write;
        let known = self.lead(lead).map(|record| Standing {
            disposition: record.disposition,
            posts: record.posts.iter().map(Held::from).collect(),
        });
        let plan = legality::judge(known, created.is_some(), &entries)?;
        if let Some(new) = created {
            self.create(lead, *new);
        }
        let Some(record) = self.lead(lead) else {
            return Err(Refused::Corrupt(format!("lead {lead} is gone")));
        };
        for change in &plan.posts {
            apply(record, change);
        }
        if let Some(end) = plan.end {
            record.outcome = end.outcome.or(record.outcome);
            record.disposition = end.disposition.or(record.disposition);
            record.reason = end.reason.or(record.reason);
            if let Some(decisions) = end.decisions {
                record.decisions = decisions.to_vec();
            }
        }
        Ok(Receipt {
            sequence: record.sequence,
        })
    }

    fn create(&mut self, id: LeadId, new: NewLead) {
        self.places.insert(id, self.leads.len());
        let sequence = i64::try_from(self.leads.len())
            .unwrap_or(i64::MAX)
            .saturating_add(1);
        self.leads.push(LeadRecord {
            id,
            sequence: lead::Sequence(sequence),
            received_at: legality::kept(new.received_at),
            market_version: new.market_version,
            submission: Some(new.submission),
            outcome: None,
            disposition: None,
            reason: None,
            posts: Vec::new(),
            decisions: Vec::new(),
        });
    }
}

fn apply(record: &mut LeadRecord, change: &PostChange<'_>) {
    match change {
        PostChange::Open { intent, .. } => record.posts.push(PostRecord {
            campaign: intent.campaign.clone(),
            attempt: intent.attempt,
            slot: intent.slot,
            class: None,
            code: None,
            price: intent.price,
            payout: intent.payout,
            redirect_url: None,
            reference: None,
            intent_at: legality::kept(intent.at),
            posted_at: None,
        }),
        PostChange::Class { ordinal, posted } => {
            // An erased lead keeps nothing of its consumer that comes later.
            let erased = record.submission.is_none();
            let Some(post) = record.posts.get_mut(*ordinal as usize) else {
                return;
            };
            post.class = Some(posted.class);
            post.code = Some(posted.code);
            (post.price, post.payout) =
                legality::billed(posted).unwrap_or((post.price, post.payout));
            post.redirect_url = posted.redirect_url.clone().filter(|_| !erased);
            post.reference.clone_from(&posted.reference);
            post.posted_at = Some(legality::kept(posted.at));
        }
    }
}

/// Counts only: a record holds what a log must not.
impl fmt::Debug for MemoryLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLedger")
            .field("leads", &self.state().leads.len())
            .finish_non_exhaustive()
    }
}
