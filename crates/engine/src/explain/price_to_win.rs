//! What a campaign that lost by its price would have had to bid. Known only where price decided: in an
//! auction that sold the lead whole.

use std::collections::{BTreeMap, HashMap};

use lead::{CampaignKey, Code, Money};
use ledger::{Decision, LeadRecord, RESALE_SLOTS};
use market::{Campaign, Product, TierMode};
use rust_decimal::Decimal;

use super::{Row, is_sale};
use crate::{Tree, auction};

/// Who won which tier of a lead's tree.
pub(super) struct Winners<'a> {
    product: &'a Product,
    campaigns: HashMap<&'a CampaignKey, &'a Campaign>,
    by_tier: BTreeMap<u8, Winner<'a>>,
}

/// The best of the campaigns of a tier that bought.
struct Winner<'a> {
    campaign: &'a CampaignKey,
    score: Option<Decimal>,
    slot: u16,
}

impl<'a> Winners<'a> {
    pub(super) fn of(record: &'a LeadRecord, product: &'a Product, tree: &'a Tree) -> Self {
        let campaigns =
            tree.campaigns.iter().map(|campaign| (&campaign.key, &**campaign)).collect();
        let mut by_tier: BTreeMap<u8, Winner<'a>> = BTreeMap::new();
        for post in record.posts.iter().filter(|post| is_sale(post)) {
            let is = |row: &&Decision| row.campaign == post.campaign;
            let Some(row) = record.decisions.iter().find(is) else { continue };
            let winner = Winner { campaign: &row.campaign, score: row.score, slot: post.slot };
            match by_tier.get(&row.tier) {
                Some(better) if better.score >= winner.score => {}
                _ => drop(by_tier.insert(row.tier, winner)),
            }
        }
        Self { product, campaigns, by_tier }
    }

    /// The least price, in whole minor units, with which the campaign of `row` would have come first.
    pub(super) fn price_to_win(&self, row: &Row) -> Option<Money> {
        let lost = matches!(row.code?, Code::Outbid | Code::TierFloor);
        let tier = self.product.tiers.get(usize::from(row.tier).checked_sub(1)?)?;
        if !lost || tier.mode != TierMode::Auction {
            return None;
        }
        let campaign = self.campaigns.get(&row.campaign)?;
        campaign.whole_price()?;
        let floor = (row.code == Some(Code::TierFloor)).then_some(tier.floor);
        match self.by_tier.get(&row.tier) {
            Some(winner) if winner.slot.is_multiple_of(RESALE_SLOTS) => {
                let best = (*self.campaigns.get(winner.campaign)?, winner.score?);
                let price = over(campaign, best, tier.floor)?;
                Some(floor.filter(|floor| floor.amount > price.amount).unwrap_or(price))
            }
            // Slots are sold by what they bring together.
            Some(_) => None,
            None => floor,
        }
    }
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
