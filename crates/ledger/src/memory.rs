//! The ledger without a disk: the same rules, the same answers, at once, for tests under a paused clock.
//! Must never be the record of anything that was really sold.

mod state;

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use lead::{CampaignKey, Door, LeadId};

use crate::digest::Keys;
use crate::legality;
use crate::{
    ClaimKind, Claimant, Digest, KeptMarket, LeadRecord, Ledger, OpenIntent, PostRecord, PostRow,
    Receipt, Recovery, Refused, RootKey, SourceQuery, StoredRequest, Write,
};

use self::state::{Facts, State, forget};

/// A ledger in memory, with faults on demand.
pub struct MemoryLedger {
    state: Mutex<State>,
    keys: Keys,
}

/// An empty one.
impl Default for MemoryLedger {
    fn default() -> Self {
        Self { state: Mutex::default(), keys: Keys::new(&RootKey::from_bytes([0; 32])) }
    }
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
    pub async fn erase(&self, lead: LeadId) -> Result<(), Refused> {
        self.erase_all(vec![lead]).await
    }

    /// As [`Self::erase`], for many: all of them, or none if one is not known.
    ///
    /// # Errors
    /// When a lead is not known.
    #[expect(clippy::unused_async, reason = "as the other ledger does it")]
    pub async fn erase_all(&self, leads: Vec<LeadId>) -> Result<(), Refused> {
        let mut state = self.state();
        if leads.iter().any(|lead| !state.places.contains_key(lead)) {
            return Err(Refused::Illegal("the lead is not known".to_owned()));
        }
        for lead in leads {
            if let Some(record) = state.lead(lead) {
                record.submission = None;
                forget(record);
            }
        }
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

    async fn source_leads(&self, query: SourceQuery) -> Result<Vec<LeadRecord>, Refused> {
        let state = self.state();
        let asked = |(record, facts): &(&LeadRecord, &Facts)| {
            record.publisher == query.publisher
                && facts.door == Door::Pingtree
                && query.before.is_none_or(|before| record.sequence < before)
                && query.since.is_none_or(|since| record.received_at >= since)
                && query.until.is_none_or(|until| record.received_at < until)
        };
        let leads = state.leads.iter().zip(&state.facts).rev().filter(asked);
        Ok(leads.take(query.most.into()).map(|(record, _)| record.clone()).collect())
    }

    async fn numbered(&self, sequence: lead::Sequence) -> Result<Option<LeadId>, Refused> {
        let state = self.state();
        Ok(state.leads.iter().find(|lead| lead.sequence == sequence).map(|lead| lead.id))
    }

    async fn claimants(&self, keys: &[Digest]) -> Result<Vec<Claimant>, Refused> {
        let state = self.state();
        let keys: BTreeSet<Digest> = keys.iter().copied().collect();
        let claims =
            keys.into_iter().flat_map(|key| state.claims.range((key, 0)..=(key, usize::MAX)));
        let claimant = |((key, place), kind): (&(Digest, usize), &ClaimKind)| {
            let record = state.leads.get(*place)?;
            Some(Claimant {
                key: *key,
                kind: *kind,
                lead: record.id,
                publisher: record.publisher.clone(),
                received_at: record.received_at,
                disposition: record.disposition,
            })
        };
        Ok(claims.filter_map(claimant).collect())
    }

    async fn request(&self, key: Digest) -> Result<Option<StoredRequest>, Refused> {
        Ok(self.state().requests.get(&key).copied())
    }

    async fn newest_market(&self) -> Result<Option<KeptMarket>, Refused> {
        let state = self.state();
        let newest = state.markets.last_key_value();
        Ok(newest.map(|(version, source)| KeptMarket { version: *version, source: source.clone() }))
    }

    async fn market(&self, version: u64) -> Result<Option<String>, Refused> {
        Ok(self.state().markets.get(&version).cloned())
    }

    async fn keep_market(&self, market: KeptMarket) -> Result<(), Refused> {
        let KeptMarket { version, source } = market;
        let mut state = self.state();
        if let Some(trouble) = state.trouble.clone() {
            return Err(Refused::Unavailable(trouble));
        }
        match state.markets.entry(version) {
            Entry::Vacant(place) => drop(place.insert(source)),
            Entry::Occupied(kept) if *kept.get() == source => {}
            Entry::Occupied(_) => return Err(legality::another_market(version)),
        }
        Ok(())
    }

    /// Under a key that everybody knows.
    fn digest(&self, domain: &'static str, parts: &[&[u8]]) -> Digest {
        self.keys.digest(domain, parts)
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
            let posts = record.posts.iter().filter(|post| post.class.is_none()).cloned();
            posts.map(move |post| OpenIntent { lead: id, post }).collect::<Vec<_>>()
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

    fn visit_posts(&self, visit: &(dyn Fn(Vec<PostRow>) + Sync)) -> Result<(), Refused> {
        let state = self.state();
        for (record, facts) in state.leads.iter().zip(&state.facts) {
            let row = |post: &PostRecord| PostRow {
                lead: post.is_unclear().then_some(record.id),
                campaign: post.campaign.clone(),
                publisher: record.publisher.clone(),
                product: record.product.clone(),
                class: post.class,
                price: post.price,
                payout: post.payout,
                expected: post.expected,
                intent_at: post.intent_at,
                test: facts.test,
            };
            visit(record.posts.iter().map(row).collect());
        }
        Ok(())
    }

    fn visit_pings(
        &self,
        since: Timestamp,
        visit: &mut dyn FnMut(&CampaignKey, Timestamp),
    ) -> Result<(), Refused> {
        let state = self.state();
        let mut leads: Vec<_> = state.leads.iter().zip(&state.facts).collect();
        leads.retain(|(record, facts)| record.received_at >= since && !facts.test);
        leads.sort_by_key(|(record, _)| record.received_at);
        for (record, _) in leads {
            for decision in record.decisions.iter().filter(|row| row.ping_ms.is_some()) {
                visit(&decision.campaign, record.received_at);
            }
        }
        Ok(())
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
