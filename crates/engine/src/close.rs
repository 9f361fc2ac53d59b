//! When a tier need not wait any longer: no campaign that has yet to answer could take the lead. Pure.
//! A tie waits, since another rule decides it; so does every tier whose winner is not one best score.

use market::{Campaign, Sells, TierMode};
use rust_decimal::Decimal;

use crate::auction::{self, Offer};

/// Whether one best score takes a whole lead of one slot, so that the others may be left unheard.
pub(crate) fn has_one_winner<'c>(
    mode: TierMode,
    slots: u16,
    mut campaigns: impl Iterator<Item = &'c Campaign>,
) -> bool {
    mode == TierMode::Auction
        && slots == 1
        && campaigns.all(|campaign| campaign.sells == Sells::Exclusive)
}

/// Whether the best offer in hand wins whatever the `open` campaigns may bid.
pub(crate) fn is_decided<'c>(
    offers: &[Offer],
    mut open: impl Iterator<Item = &'c Campaign>,
) -> bool {
    let Some(best) = offers.iter().map(|offer| offer.score).max() else { return false };
    open.all(|campaign| most(campaign).is_some_and(|most| most < best))
}

/// The best score that a campaign can have: a bid above its own limit is refused, and a higher bid never
/// ranks lower. `None` if it has none that can be counted with; then it is waited for.
fn most(campaign: &Campaign) -> Option<Decimal> {
    auction::score(campaign, campaign.price.most())
}
