//! When a tier need not wait any longer: no campaign that has yet to answer could take the lead. Pure.
//! A tie waits, since another rule decides it.

use market::Campaign;
use rust_decimal::Decimal;

use crate::auction::{self, Offer};

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
