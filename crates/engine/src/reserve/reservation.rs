//! What one post has taken, until somebody knows what became of it.

use jiff::Timestamp;

use super::accounts::{Accounts, Change, Places};
use super::scope::Deal;

/// A slot in every cap, and the money, of one post. It belongs to the windows in which it was taken.
///
/// Dropping it undecided is [`Reservation::freeze`]: what a post may have sold stays taken.
#[derive(Debug)]
#[must_use = "dropped, it stays taken until the post is settled by hand"]
pub(crate) struct Reservation {
    accounts: Accounts,
    deal: Deal,
    at: Timestamp,
}

impl Reservation {
    pub(super) fn new(accounts: Accounts, deal: Deal, at: Timestamp) -> Self {
        Self { accounts, deal, at }
    }

    /// The post sold, for what was reserved or less; the difference is given back.
    pub(crate) fn commit(self, billed: Deal) {
        if billed != self.deal {
            self.change(Change::Bill { held: self.deal, billed });
        }
    }

    /// The post did not sell. It still counts as posted if any of it may have been `sent`.
    pub(crate) fn release(self, sent: bool) {
        self.change(Change::GiveBack { held: self.deal, sent });
    }

    /// Nobody knows: it stays taken, for `settle_frozen` to find.
    pub(crate) fn freeze(self) {}

    fn change(&self, change: Change) {
        self.accounts.change(Places::KEPT, self.at, change);
    }
}
