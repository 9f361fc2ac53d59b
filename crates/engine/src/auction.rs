//! Who is offered the lead first, whole or shared. Pure: bids in, ranked offers and refusals out.

use std::borrow::Borrow;
use std::cmp::Reverse;

use lead::{Bid, Code, LeadId, Money, PingId};
use market::{Campaign, PayoutRule, Price, TierMode};
use rust_decimal::Decimal;

use crate::reserve::Deal;
use crate::slots::{Family, Part, Slots};

/// A bid that may buy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Whose.
    pub(crate) place: Place,
    /// For how much of the lead.
    pub(crate) part: Part,
    /// What the buyer pays.
    pub(crate) price: Money,
    /// What the publisher gets.
    pub(crate) payout: Money,
    /// Both are due only with an outcome; this is what it brings on average.
    pub(crate) expected: Option<Money>,
    /// What it ranks by.
    pub(crate) score: Decimal,
    /// The buyer's own id of its bid.
    pub(crate) reference: Option<String>,
}

impl Offer {
    /// What its sale would count for.
    pub(crate) fn deal(&self) -> Deal {
        Deal::of(self.price, self.payout, self.expected)
    }
}

/// Whose bid it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The campaign's position in its tree.
    pub(crate) index: usize,
    /// Its row in the record.
    pub(crate) row: usize,
    /// The buyer with its sister brands.
    pub(crate) family: Family,
    /// The ping that it answered, if it was asked.
    pub(crate) ping: Option<PingId>,
}

/// What a bid must clear.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floors {
    /// The tier's, on price.
    pub(crate) price: Money,
    /// The publisher's, on payout.
    pub(crate) payout: Money,
    /// The house's, on what is left.
    pub(crate) margin: Money,
    /// The publisher's part, unless the campaign says otherwise.
    pub(crate) rule: PayoutRule,
}

/// Whether a bid may buy that part of the lead, and at what payout. Nothing is clipped: a bid outside its
/// limits is refused.
pub(crate) fn appraise(
    place: Place,
    (campaign, part): (&Campaign, Part),
    bid: &Bid,
    floors: &Floors,
) -> Result<Offer, Code> {
    let (price, expected) = price(campaign, part, bid).ok_or(Code::InvalidBid)?;
    if expected.unwrap_or(price).amount < floors.price.amount {
        return Err(Code::TierFloor);
    }
    let payout = campaign.payout.unwrap_or(floors.rule).payout(price).ok_or(Code::Margin)?;
    let deal = Deal::of(price, payout, expected);
    if deal.price.amount - deal.payout.amount < floors.margin.amount {
        return Err(Code::Margin);
    }
    if deal.payout.amount < floors.payout.amount {
        return Err(Code::PublisherFloor);
    }
    let score = score(campaign, deal.price).ok_or(Code::InvalidBid)?;
    Ok(Offer { place, part, price, payout, expected, score, reference: bid.reference.clone() })
}

/// What is billed, and what is expected of it if it is due only with an outcome.
fn price(campaign: &Campaign, part: Part, bid: &Bid) -> Option<(Money, Option<Money>)> {
    let price = match part {
        Part::Whole => campaign.whole_price(),
        Part::Slot => campaign.slot_price(),
    };
    match price? {
        Price::Fixed(price) => Some((*price, None)),
        Price::Outcome(outcome) => Some((outcome.amount, Some(outcome.expected))),
        Price::Bid { min, max } => {
            let price = Money::price(bid.price.amount, bid.price.currency)?;
            let within = price.currency == min.currency
                && price.amount >= min.amount
                && price.amount <= max.amount;
            within.then_some((price, None))
        }
    }
}

/// What is billed and paid out once a buyer accepts at a price that was `agreed` and states one: a lower
/// one counts, a higher or absurd one does not. A publisher's payout never eats into the margin.
pub(crate) fn bill(
    (agreed, payout): (Money, Money),
    stated: Option<Decimal>,
    rule: PayoutRule,
    margin: Money,
) -> (Money, Money) {
    let stated = stated.and_then(|amount| Money::price(amount, agreed.currency));
    let Some(cut) = stated.filter(|price| price.amount < agreed.amount) else {
        return (agreed, payout);
    };
    let most = cut.amount.saturating_sub(margin.amount).max(Decimal::ZERO);
    let payout = rule.payout_of_cut(cut);
    (cut, Money { amount: payout.amount.min(most), ..payout })
}

/// What a price ranks by; `None` if that cannot be counted with.
pub(crate) fn score(campaign: &Campaign, price: Money) -> Option<Decimal> {
    price.amount.checked_mul(campaign.score.multiplier)?.checked_sub(campaign.score.penalty)
}

/// Best score first; ties go to the higher priority, then to a hash of lead and campaign, so that no
/// campaign wins every tie and every run gives the same order.
pub(crate) fn rank(lead: LeadId, offers: &mut [Offer], campaigns: &[impl Borrow<Campaign>]) {
    offers.sort_by_cached_key(|offer| {
        let campaign = campaigns.get(offer.place.index).map(Borrow::borrow);
        let priority = campaign.map_or(i32::MIN, |campaign| campaign.priority);
        let tie = campaign.map(|campaign| tie(lead, campaign));
        (Reverse(offer.score), Reverse(priority), tie, offer.place.index, offer.part)
    });
}

/// Takes the offer that is posted to next out of `ranked`.
///
/// While nothing of the lead is sold or held, an auction takes the better of the best offer for all of
/// it and of the best ones for its slots together, and the other modes go by rank. From then on only
/// slots are left.
pub(crate) fn next(ranked: &mut Vec<Offer>, slots: &Slots, mode: TierMode) -> Option<Offer> {
    let first = |part: Part| ranked.iter().position(|offer| offer.part == part);
    let (whole, slot) = (first(Part::Whole).filter(|_| !slots.is_shared()), first(Part::Slot));
    let place = match (whole, slot) {
        (Some(whole), Some(slot)) => match mode {
            TierMode::Auction | TierMode::Broadcast => {
                let best = ranked.get(whole)?.score;
                if worth_shared(ranked, slots.left()) > Some(best) { slot } else { whole }
            }
            TierMode::Waterfall | TierMode::Weighted => whole.min(slot),
        },
        (whole, slot) => whole.or(slot)?,
    };
    Some(ranked.remove(place))
}

/// The greatest sum of scores that at most `slots` families can bring together.
fn worth_shared(ranked: &[Offer], slots: u16) -> Option<Decimal> {
    let mut families = Vec::new();
    let mut worth: Option<Decimal> = None;
    for offer in ranked.iter().filter(|offer| offer.part == Part::Slot) {
        if families.len() == usize::from(slots) {
            break;
        }
        if families.contains(&offer.place.family) {
            continue;
        }
        families.push(offer.place.family);
        worth = Some(match worth {
            None => offer.score,
            Some(sum) => sum.saturating_add(offer.score.max(Decimal::ZERO)),
        });
    }
    worth
}

/// Takes the offers of those who hold a slot already out of `ranked`; gives their rows.
pub(crate) fn drop_served(ranked: &mut Vec<Offer>, slots: &Slots) -> Vec<usize> {
    let served = ranked.extract_if(.., |offer| slots.serves(offer.place.family));
    served.map(|offer| offer.place.row).collect()
}

fn tie(lead: LeadId, campaign: &Campaign) -> [u8; 32] {
    *blake3::Hasher::new()
        .update(lead.0.as_bytes())
        .update(campaign.key.to_string().as_bytes())
        .finalize()
        .as_bytes()
}

#[cfg(test)]
mod tests;
