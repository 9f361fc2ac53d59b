//! What open pings hold of caps and balances: taken like a sale, and no more than a tenth of what a cap
//! leaves by one publisher.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use lead::{CampaignKey, Code, Money, ProductId, PublisherId};
use ledger::Party;
use market::{CapLimit, CapOf};
use rust_decimal::Decimal;

use crate::reserve::{Deal, Headroom, Reservation, Reservations, Scope, Stop};

/// One part of so many of a cap's headroom may be held by one publisher's open pings.
const PART: u8 = 10;

/// What the open pings of every publisher hold.
#[derive(Debug, Default)]
pub(crate) struct Rooms(Mutex<HashMap<PublisherId, Vec<Held>>>);

#[derive(Debug)]
struct Held {
    number: u64,
    campaign: CampaignKey,
    product: ProductId,
    deal: Deal,
}

impl Rooms {
    /// Takes everything that a sale counts for, or nothing.
    ///
    /// # Errors
    /// The first cap, or the funds, that leave no room, or no room for another ping of this publisher.
    pub(crate) fn reserve(
        self: &Arc<Self>,
        reservations: &Reservations,
        scope: &Scope<'_>,
        deal: Deal,
        at: Timestamp,
    ) -> Result<Room, Stop> {
        let mut held = self.lock();
        let rows = held.get(scope.publisher).map_or(&[][..], Vec::as_slice);
        let headroom = reservations.headroom(scope, at);
        if let Some(full) = headroom.iter().find(|it| is_over(it, rows, scope, deal)) {
            let code = if full.cap.is_some() { Code::Cap } else { Code::Balance };
            return Err(Stop { code, limit: None });
        }
        let reservation = reservations.reserve(scope, deal, at)?;
        let number = rows.last().map_or(0, |last| last.number + 1);
        let (campaign, product) = (scope.key.clone(), scope.product.clone());
        let row = Held { number, campaign, product, deal };
        held.entry(scope.publisher.clone()).or_default().push(row);
        let place = Some((Arc::clone(self), scope.publisher.clone(), number));
        Ok(Room { reservation: Some(reservation), place })
    }

    fn let_go(&self, publisher: &PublisherId, number: u64) {
        let mut held = self.lock();
        if let Some(rows) = held.get_mut(publisher) {
            rows.retain(|row| row.number != number);
            if rows.is_empty() {
                held.remove(publisher);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PublisherId, Vec<Held>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether another ping of `deal` would hold more than its part of what a cap leaves. One ping may always
/// be open: else a cap of fewer than ten leads could not be pinged for at all.
fn is_over(headroom: &Headroom, rows: &[Held], scope: &Scope<'_>, deal: Deal) -> bool {
    let limit = match headroom.cap {
        Some(cap) if cap.of == CapOf::Pinged => return false,
        Some(cap) => cap.limit,
        None => scope.funds.map_or(CapLimit::Leads(u64::MAX), CapLimit::Spend),
    };
    let is_counted = |row: &&Held| match headroom.party {
        Party::Campaign => row.campaign == *scope.key,
        Party::Buyer => row.campaign.buyer == scope.key.buyer,
        Party::Publisher => row.product == *scope.product,
    };
    let counted: Vec<&Held> = rows.iter().filter(is_counted).collect();
    let size = |deal: Deal| match limit {
        CapLimit::Leads(_) => Decimal::ONE,
        CapLimit::Spend(most) => {
            let money = part(headroom.party, deal);
            if money.currency == most.currency { money.amount } else { Decimal::ZERO }
        }
    };
    let held: Decimal = counted.iter().map(|row| size(row.deal)).sum();
    let most = (headroom.left + held) / Decimal::from(PART);
    !counted.is_empty() && held + size(deal) > most
}

fn part(party: Party, deal: Deal) -> Money {
    match party {
        Party::Campaign | Party::Buyer => deal.price,
        Party::Publisher => deal.payout,
    }
}

/// What one open ping holds. Dropped, it is given back.
#[derive(Debug)]
pub(crate) struct Room {
    reservation: Option<Reservation>,
    place: Option<(Arc<Rooms>, PublisherId, u64)>,
}

impl Room {
    /// Of a test lead, which counts nowhere.
    pub(crate) fn of_test() -> Self {
        Self { reservation: None, place: None }
    }

    /// Hands what is held to a post.
    pub(crate) fn hand_over(mut self) -> Option<Reservation> {
        self.reservation.take()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Some(reservation) = self.reservation.take() {
            reservation.release(false);
        }
        if let Some((rooms, publisher, number)) = self.place.take() {
            rooms.let_go(&publisher, number);
        }
    }
}
