//! What a campaign that lost by its price would have had to bid. Known only where price decided: in an
//! auction that sold the lead whole.

use lead::{Code, Money};
use ledger::{LeadRecord, RESALE_SLOTS};
use market::{Campaign, Product, TierMode};
use rust_decimal::Decimal;

use super::{Row, is_sale};
use crate::{Tree, auction};

/// The least price, in whole minor units, with which the campaign of `row` would have come first.
pub(super) fn of(
    row: &Row,
    record: &LeadRecord,
    (product, tree): (&Product, &Tree),
) -> Option<Money> {
    let tier = product.tiers.get(usize::from(row.tier).checked_sub(1)?)?;
    let lost = matches!(row.code?, Code::Outbid | Code::TierFloor);
    let campaign = tree.campaigns.iter().find(|campaign| campaign.key == row.campaign)?;
    if !lost || tier.mode != TierMode::Auction || campaign.whole_price().is_none() {
        return None;
    }
    let floor = (row.code == Some(Code::TierFloor)).then_some(tier.floor);
    match best_sale(record, row.tier) {
        Some((best, slot)) if slot.is_multiple_of(RESALE_SLOTS) => {
            let winner = tree.campaigns.iter().find(|it| it.key == best.campaign)?;
            let price = over(campaign, (winner, best.score?), tier.floor)?;
            Some(floor.filter(|floor| floor.amount > price.amount).unwrap_or(price))
        }
        // Slots are sold by what they bring together.
        Some(_) => None,
        None => floor,
    }
}

/// The best of the campaigns of a tier that bought, and the slot that it bought.
fn best_sale(record: &LeadRecord, tier: u8) -> Option<(&ledger::Decision, u16)> {
    let sale = |row: &ledger::Decision| {
        let post = record.posts.iter().find(|it| is_sale(it) && it.campaign == row.campaign)?;
        Some(post.slot)
    };
    let rows = record.decisions.iter().filter(|row| row.tier == tier);
    rows.filter_map(|row| Some((row, sale(row)?))).max_by_key(|(row, _)| row.score)
}

/// The least price of `campaign` that ranks before a winner's score; an equal score does only with a
/// higher priority.
fn over(campaign: &Campaign, (winner, best): (&Campaign, Decimal), floor: Money) -> Option<Money> {
    let unit = Decimal::new(1, floor.currency.minor_digits());
    let wins = |amount: Decimal| {
        let price = Money { amount, currency: floor.currency };
        auction::score(campaign, price).is_some_and(|score| {
            score > best || (score == best && campaign.priority > winner.priority)
        })
    };
    let about = best.checked_add(campaign.score.penalty)?.checked_div(campaign.score.multiplier)?;
    let least = about.checked_div(unit)?.floor().checked_mul(unit)?.max(Decimal::ZERO);
    // A division may be off by less than a unit on either side, and a tie asks for one more.
    let tries = (-1..=2).map(|step| least + unit * Decimal::from(step));
    let amount = tries.filter(|amount| *amount >= Decimal::ZERO).find(|amount| wins(*amount))?;
    Some(Money { amount, currency: floor.currency })
}
