//! The books of one buyer and one publisher, and the order of their locks: buyer, then publisher.
//! Nothing here waits with a lock held.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use lead::{CampaignId, Money, ProductId};
use market::CapOf;

use super::scope::{Deal, Scope};
use super::tally::{Counts, Place, Tallies};

/// What was counted for a buyer and each of its campaigns.
#[derive(Debug, Default)]
pub(super) struct BuyerBook {
    /// Over all of them.
    pub(super) whole: Tallies,
    /// Each.
    pub(super) campaigns: HashMap<CampaignId, Tallies>,
}

/// What was counted for a publisher, by product.
#[derive(Debug, Default)]
pub(super) struct PublisherBook {
    /// Each.
    pub(super) products: HashMap<ProductId, Tallies>,
}

/// The books that one sale is written into.
#[derive(Debug)]
pub(super) struct Accounts {
    /// Locked first.
    pub(super) buyer: Arc<Mutex<BuyerBook>>,
    /// Of the buyer's.
    pub(super) campaign: CampaignId,
    /// Locked second.
    pub(super) publisher: Arc<Mutex<PublisherBook>>,
    /// Of the publisher's.
    pub(super) product: ProductId,
}

/// Where each party counts a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'z> {
    /// The campaign's clock.
    pub(super) campaign: Place<'z>,
    /// The buyer's.
    pub(super) buyer: Place<'z>,
    /// The publisher's.
    pub(super) publisher: Place<'z>,
}

impl<'z> Places<'z> {
    /// Windows that are kept, by any clock.
    pub(super) const KEPT: Places<'static> =
        Places { campaign: Place::Kept, buyer: Place::Kept, publisher: Place::Kept };

    /// As it happens.
    pub(super) fn now(scope: &Scope<'z>) -> Self {
        Self {
            campaign: Place::Now(scope.of_campaign.zone),
            buyer: Place::Now(scope.of_buyer.zone),
            publisher: Place::Now(scope.of_publisher.zone),
        }
    }

    /// From the record.
    pub(super) fn past(scope: &Scope<'z>) -> Self {
        Self {
            campaign: Place::Past(scope.of_campaign.zone),
            buyer: Place::Past(scope.of_buyer.zone),
            publisher: Place::Past(scope.of_publisher.zone),
        }
    }
}

/// What happens to a sale in every book; each party has its own part of the money.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    /// A post leaves and its money is held.
    Hold(Deal),
    /// It was billed, for no more than was held.
    Bill {
        /// What was held.
        held: Deal,
        /// What is billed.
        billed: Deal,
    },
    /// It was not sold; a post that never left does not count as one.
    GiveBack {
        /// What was held.
        held: Deal,
        /// Whether it may have left.
        sent: bool,
    },
    /// A post that left and was refused.
    Refused,
    /// A post that never left: nothing, in a window that it began.
    NotSent,
}

impl Change {
    fn apply(self, counts: &mut Counts, part: fn(Deal) -> Money) {
        match self {
            Self::Hold(deal) => {
                counts.add(CapOf::Sold);
                counts.add(CapOf::Posted);
                counts.pay(part(deal));
            }
            Self::Bill { held, billed } => {
                counts.pay_back(part(held));
                counts.pay(least(part(held), part(billed)));
            }
            Self::GiveBack { held, sent } => {
                counts.take_back(CapOf::Sold);
                counts.pay_back(part(held));
                if !sent {
                    counts.take_back(CapOf::Posted);
                }
            }
            Self::Refused => counts.add(CapOf::Posted),
            Self::NotSent => {}
        }
    }
}

/// A bill above what was held, or in other money, is what was held.
fn least(held: Money, billed: Money) -> Money {
    let lower = billed.currency == held.currency && billed.amount < held.amount;
    if lower { billed } else { held }
}

impl Accounts {
    /// Writes a change into every book, under both locks.
    pub(super) fn change(&self, places: Places<'_>, at: Timestamp, change: Change) {
        let mut buyer = lock(&self.buyer);
        let mut publisher = lock(&self.publisher);
        self.write((&mut buyer, &mut publisher), places, at, change);
    }

    /// As [`Accounts::change`], for who holds both locks.
    pub(super) fn write(
        &self,
        (buyer, publisher): (&mut BuyerBook, &mut PublisherBook),
        places: Places<'_>,
        at: Timestamp,
        change: Change,
    ) {
        let to_buyer = |counts: &mut Counts| change.apply(counts, |deal| deal.price);
        let to_publisher = |counts: &mut Counts| change.apply(counts, |deal| deal.payout);
        entry(&mut buyer.campaigns, &self.campaign).change(places.campaign, at, to_buyer);
        buyer.whole.change(places.buyer, at, to_buyer);
        entry(&mut publisher.products, &self.product).change(places.publisher, at, to_publisher);
    }

    /// Counts a ping; a publisher's caps never count those.
    pub(super) fn ping(&self, buyer: &mut BuyerBook, places: Places<'_>, at: Timestamp) {
        let ping = |counts: &mut Counts| counts.add(CapOf::Pinged);
        entry(&mut buyer.campaigns, &self.campaign).change(places.campaign, at, ping);
        buyer.whole.change(places.buyer, at, ping);
    }
}

/// The value of a key, which is made when it is new. Ids are cheap to clone.
fn entry<'m, K: Hash + Eq + Clone, V: Default>(map: &'m mut HashMap<K, V>, key: &K) -> &'m mut V {
    map.entry(key.clone()).or_default()
}

/// A book whose last writer died is still the best there is: each change is a few additions.
pub(super) fn lock<T>(book: &Mutex<T>) -> MutexGuard<'_, T> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}
