//! Caps, balances and what is taken of them. Everything that a sale counts for is taken together or
//! not at all before its post, and given back only when the post is known not to have sold.
//!
//! Counts are kept for every window whether a cap looks at them or not, so a cap that is new in the
//! market knows its past. One lock per buyer and one per publisher, always in that order, never held
//! across an await: nothing here is async. Time is an argument; nothing here reads a clock.

mod accounts;
mod check;
mod reservation;
mod scope;
mod tally;
mod window;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};

use dashmap::DashMap;
use jiff::Timestamp;
use lead::{BuyerId, Money, PostClass, PublisherId};
use ledger::Party;
use market::CapOf;

pub(crate) use check::{Headroom, Stop};
pub(crate) use reservation::Reservation;
pub(crate) use scope::{Deal, Scope};

use accounts::{Accounts, BuyerBook, Change, Places, PublisherBook, lock};
use check::Want;

/// What every buyer, campaign and publisher has used up. Shared by all journeys.
#[derive(Debug, Default)]
pub(crate) struct Reservations {
    buyers: DashMap<BuyerId, Arc<Mutex<BuyerBook>>>,
    publishers: DashMap<PublisherId, Arc<Mutex<PublisherBook>>>,
}

impl Reservations {
    /// The gate before a ping: whether a sale could be taken now. `price` is the least that the
    /// campaign may pay, if that is known. Takes nothing.
    ///
    /// # Errors
    /// The first cap, or the funds, that leave no room.
    pub(crate) fn admits(
        &self,
        scope: &Scope<'_>,
        price: Option<Money>,
        at: Timestamp,
    ) -> Result<(), Stop> {
        let limits = [scope.of_campaign, scope.of_buyer, scope.of_publisher];
        if scope.funds.is_none() && limits.iter().all(|limits| limits.caps.is_empty()) {
            return Ok(());
        }
        let accounts = self.accounts(scope);
        let want = Want { money: price, currency: scope.currency, of: &CapOf::ALL };
        accounts.buyer_admits(&lock(&accounts.buyer), scope, &want, at)?;
        if scope.of_publisher.caps.is_empty() {
            return Ok(());
        }
        // The payout follows from a bid that nobody has made yet.
        let want = Want { money: None, ..want };
        accounts.publisher_admits(&lock(&accounts.publisher), scope, &want, at)
    }

    /// Takes a ping.
    ///
    /// # Errors
    /// A cap of pings that another journey has used up since the gate; nothing is taken.
    pub(crate) fn pinged(&self, scope: &Scope<'_>, at: Timestamp) -> Result<(), Stop> {
        let accounts = self.accounts(scope);
        let mut buyer = lock(&accounts.buyer);
        let want = Want { money: None, currency: None, of: &[CapOf::Pinged] };
        want.caps(
            (Party::Campaign, &scope.of_campaign),
            buyer.campaigns.get(&accounts.campaign),
            at,
        )?;
        want.caps((Party::Buyer, &scope.of_buyer), Some(&buyer.whole), at)?;
        accounts.ping(&mut buyer, Places::now(scope), at);
        Ok(())
    }

    /// Takes a sale before its post: every cap, and the buyer's money.
    ///
    /// # Errors
    /// The first cap, or the funds, that leave no room; nothing is taken then.
    pub(crate) fn reserve(
        &self,
        scope: &Scope<'_>,
        deal: Deal,
        at: Timestamp,
    ) -> Result<Reservation, Stop> {
        let accounts = self.accounts(scope);
        {
            let mut buyer = lock(&accounts.buyer);
            let mut publisher = lock(&accounts.publisher);
            let of = &[CapOf::Sold, CapOf::Posted];
            let want = Want { money: Some(deal.price), currency: scope.currency, of };
            accounts.buyer_admits(&buyer, scope, &want, at)?;
            let want = Want { money: Some(deal.payout), ..want };
            accounts.publisher_admits(&publisher, scope, &want, at)?;
            let books = (&mut *buyer, &mut *publisher);
            accounts.write(books, Places::now(scope), at, Change::Hold(deal));
        }
        Ok(Reservation::new(accounts, deal, at))
    }

    /// Settles a sale that was frozen at `taken_at`, here or before a restart; `billed` is `None` if it
    /// was none.
    pub(crate) fn settle_frozen(
        &self,
        scope: &Scope<'_>,
        held: Deal,
        taken_at: Timestamp,
        billed: Option<Deal>,
    ) {
        let change = match billed {
            Some(billed) => Change::Bill { held, billed },
            None => Change::GiveBack { held, sent: true },
        };
        self.accounts(scope).change(Places::KEPT, taken_at, change);
    }

    /// Counts posts of the record; `class` is `None` while its intent is open, `at` is the time of
    /// its reservation. Posts may come in any order; those of windows long past count for ever only.
    pub(crate) fn restore(
        &self,
        scope: &Scope<'_>,
        posts: impl Iterator<Item = (Option<PostClass>, Deal, Timestamp)>,
    ) {
        let (accounts, places) = (self.accounts(scope), Places::past(scope));
        let (mut buyer, mut publisher) = (lock(&accounts.buyer), lock(&accounts.publisher));
        for (class, deal, at) in posts {
            let change = match class {
                None | Some(PostClass::Unknown | PostClass::Accepted) => Change::Hold(deal),
                Some(PostClass::Rejected) => Change::Refused,
                Some(PostClass::NotSent) => Change::NotSent,
            };
            accounts.write((&mut buyer, &mut publisher), places, at, change);
        }
    }

    /// Counts a ping of the record.
    pub(crate) fn restore_ping(&self, scope: &Scope<'_>, at: Timestamp) {
        let accounts = self.accounts(scope);
        let mut buyer = lock(&accounts.buyer);
        accounts.ping(&mut buyer, Places::past(scope), at);
    }

    /// What every cap of a scope, and the buyer's funds, still allow.
    pub(crate) fn headroom(&self, scope: &Scope<'_>, at: Timestamp) -> Vec<Headroom> {
        let accounts = self.accounts(scope);
        let mut rows = Vec::new();
        {
            let buyer = lock(&accounts.buyer);
            let campaign = buyer.campaigns.get(&accounts.campaign);
            rows.extend(check::headroom(Party::Campaign, &scope.of_campaign, campaign, at));
            rows.extend(check::headroom(Party::Buyer, &scope.of_buyer, Some(&buyer.whole), at));
            rows.extend(check::funds_left(scope, &buyer.whole, at));
        }
        let publisher = lock(&accounts.publisher);
        let product = publisher.products.get(&accounts.product);
        rows.extend(check::headroom(Party::Publisher, &scope.of_publisher, product, at));
        rows
    }

    fn accounts(&self, scope: &Scope<'_>) -> Accounts {
        Accounts {
            buyer: book(&self.buyers, &scope.key.buyer),
            campaign: scope.key.campaign.clone(),
            publisher: book(&self.publishers, scope.publisher),
            product: scope.product.clone(),
        }
    }
}

impl Accounts {
    fn buyer_admits(
        &self,
        book: &BuyerBook,
        scope: &Scope<'_>,
        want: &Want,
        at: Timestamp,
    ) -> Result<(), Stop> {
        want.caps((Party::Campaign, &scope.of_campaign), book.campaigns.get(&self.campaign), at)?;
        want.caps((Party::Buyer, &scope.of_buyer), Some(&book.whole), at)?;
        want.funds(scope, &book.whole, at)
    }

    fn publisher_admits(
        &self,
        book: &PublisherBook,
        scope: &Scope<'_>,
        want: &Want,
        at: Timestamp,
    ) -> Result<(), Stop> {
        want.caps((Party::Publisher, &scope.of_publisher), book.products.get(&self.product), at)
    }
}

/// The book of `id`, made when it is new. The map's own lock is let go before the book's is taken.
fn book<K: Clone + Eq + std::hash::Hash, B: Default>(
    books: &DashMap<K, Arc<Mutex<B>>>,
    id: &K,
) -> Arc<Mutex<B>> {
    if let Some(book) = books.get(id) {
        return Arc::clone(&book);
    }
    Arc::clone(&books.entry(id.clone()).or_default())
}
