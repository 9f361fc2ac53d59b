//! The posts whose answer nobody knows, and until when each is held. In memory; the ledger has them
//! all, and a start reads them from there. Settles nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lead::{CampaignKey, LeadId, Money, ProductId, PublisherId};

use crate::reserve::Deal;

/// A post whose answer is unknown, and what it keeps taken.
#[derive(Debug, Clone)]
pub(crate) struct Hold {
    pub(crate) lead: LeadId,
    pub(crate) campaign: CampaignKey,
    pub(crate) publisher: PublisherId,
    pub(crate) product: ProductId,
    /// What its reservation took.
    pub(crate) deal: Deal,
    /// When its intent was written and its reservation taken.
    pub(crate) since: Timestamp,
    /// A test lead takes nothing.
    pub(crate) test: bool,
}

/// A post that waits for somebody to say what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Of which lead.
    pub lead: LeadId,
    /// To which campaign.
    pub campaign: CampaignKey,
    /// Whose lead.
    pub publisher: PublisherId,
    /// For what.
    pub product: ProductId,
    /// What its sale would bring.
    pub price: Money,
    /// What the publisher would get.
    pub payout: Money,
    /// When it was posted.
    pub since: Timestamp,
    /// When it ends as not sold.
    pub until: Timestamp,
    /// A rehearsal.
    pub test: bool,
}

impl From<(Timestamp, Hold)> for Held {
    fn from((until, hold): (Timestamp, Hold)) -> Self {
        let Hold { lead, campaign, publisher, product, deal, since, test } = hold;
        let (price, payout) = (deal.price, deal.payout);
        Self { lead, campaign, publisher, product, price, payout, since, until, test }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Holds(Mutex<Book>);

type Key = (LeadId, CampaignKey);

#[derive(Debug, Default)]
struct Book {
    by_post: BTreeMap<Key, (Timestamp, Hold)>,
    by_end: BTreeSet<(Timestamp, Key)>,
}

impl Holds {
    /// Holds a post for so long after its intent.
    pub(crate) fn add(&self, hold: Hold, hold_for: Duration) {
        let span = SignedDuration::try_from(hold_for).unwrap_or(SignedDuration::MAX);
        let end = hold.since.checked_add(span).unwrap_or(Timestamp::MAX);
        let key = (hold.lead, hold.campaign.clone());
        self.remove(&hold);
        let mut book = self.book();
        book.by_end.insert((end, key.clone()));
        book.by_post.insert(key, (end, hold));
    }

    /// The hold on a post.
    pub(crate) fn of(&self, lead: LeadId, campaign: &CampaignKey) -> Option<Hold> {
        self.book().by_post.get(&(lead, campaign.clone())).map(|(_, hold)| hold.clone())
    }

    /// Those whose time is over at `now`, the first to end first.
    pub(crate) fn over(&self, now: Timestamp) -> Vec<Hold> {
        let book = self.book();
        let ended = book.by_end.iter().take_while(|(end, _)| *end <= now);
        ended.filter_map(|(_, key)| book.by_post.get(key)).map(|(_, hold)| hold.clone()).collect()
    }

    /// Those of the campaigns that `of` picks, the first to end first, at most `most`, each with its end;
    /// and how many there are.
    pub(crate) fn list(
        &self,
        of: impl Fn(&CampaignKey) -> bool,
        most: usize,
    ) -> (Vec<(Timestamp, Hold)>, usize) {
        let book = self.book();
        let picked = || book.by_end.iter().filter(|(_, (_, campaign))| of(campaign));
        let found = picked().take(most).filter_map(|(_, key)| book.by_post.get(key).cloned());
        (found.collect(), picked().count())
    }

    /// The campaigns with a hold on a lead.
    pub(crate) fn of_lead(&self, lead: LeadId) -> Vec<CampaignKey> {
        let book = self.book();
        let held = book.by_post.keys().filter(|(of, _)| *of == lead);
        held.map(|(_, campaign)| campaign.clone()).collect()
    }

    /// Somebody knows now.
    pub(crate) fn remove(&self, hold: &Hold) {
        let mut book = self.book();
        let key = (hold.lead, hold.campaign.clone());
        if let Some((end, _)) = book.by_post.remove(&key) {
            book.by_end.remove(&(end, key));
        }
    }

    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.book().by_post.len()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
