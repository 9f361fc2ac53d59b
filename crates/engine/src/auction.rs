//! Who is offered the lead first. Pure: bids in, ranked offers and refusals out.

use std::cmp::Reverse;

use lead::{Bid, Code, LeadId, Money, PingId};
use market::{Campaign, PayoutRule, Price};
use rust_decimal::Decimal;

/// A bid that may buy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The campaign's position in its tree.
    pub(crate) index: usize,
    /// Its row in the record.
    pub(crate) row: usize,
    /// The ping that it answered, if it was asked.
    pub(crate) ping: Option<PingId>,
    /// What the buyer pays.
    pub(crate) price: Money,
    /// What the publisher gets.
    pub(crate) payout: Money,
    /// What it ranks by.
    pub(crate) score: Decimal,
    /// The buyer's own id of its bid.
    pub(crate) reference: Option<String>,
}

/// Whose bid it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) index: usize,
    pub(crate) row: usize,
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

/// Whether a bid may buy, and at what payout. Nothing is clipped: a bid outside its limits is refused.
pub(crate) fn appraise(
    place: Place,
    campaign: &Campaign,
    bid: Bid,
    floors: &Floors,
) -> Result<Offer, Code> {
    let price = match campaign.price {
        Price::Fixed(price) => price,
        Price::Bid { min, max } => {
            let price =
                Money::price(bid.price.amount, bid.price.currency).ok_or(Code::InvalidBid)?;
            let within = price.currency == min.currency
                && price.amount >= min.amount
                && price.amount <= max.amount;
            within.then_some(price).ok_or(Code::InvalidBid)?
        }
    };
    if price.amount < floors.price.amount {
        return Err(Code::TierFloor);
    }
    let payout = campaign.payout.unwrap_or(floors.rule).payout(price).ok_or(Code::Margin)?;
    if price.amount - payout.amount < floors.margin.amount {
        return Err(Code::Margin);
    }
    if payout.amount < floors.payout.amount {
        return Err(Code::PublisherFloor);
    }
    let score = score(campaign, price).ok_or(Code::InvalidBid)?;
    let Place { index, row, ping } = place;
    Ok(Offer { index, row, ping, price, payout, score, reference: bid.reference })
}

/// What a price ranks by; `None` if that cannot be counted with.
pub(crate) fn score(campaign: &Campaign, price: Money) -> Option<Decimal> {
    price.amount.checked_mul(campaign.score.multiplier)?.checked_sub(campaign.score.penalty)
}

/// Best score first; ties go to the higher priority, then to a hash of lead and campaign, so that no
/// campaign wins every tie and every run gives the same order.
pub(crate) fn rank(lead: LeadId, offers: &mut [Offer], campaigns: &[Campaign]) {
    offers.sort_by_cached_key(|offer| {
        let campaign = campaigns.get(offer.index);
        let priority = campaign.map_or(i32::MIN, |campaign| campaign.priority);
        let tie = campaign.map(|campaign| tie(lead, campaign));
        (Reverse(offer.score), Reverse(priority), tie, offer.index)
    });
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
