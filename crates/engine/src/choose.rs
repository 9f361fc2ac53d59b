//! Whom a tier prefers: who is pinged where not all may be, and who is posted to next. Posts nothing.

use std::cmp::Reverse;

use fanout::Buyers;
use lead::{Bid, Code, LeadId, Money};
use ledger::Ledger;
use market::{Tier, TierMode};
use rust_decimal::Decimal;

use crate::ask::{Candidate, Rung};
use crate::auction::{self, Offer};
use crate::engine::Inner;
use crate::record::Record;
use crate::shares::Contender;
use crate::subject::Lead;

/// The candidates of a tier that may still buy. Those whose buyer or group has the lead, or may have it,
/// are coded; once a slot is taken, campaigns that buy whole leads only are not reached.
pub(crate) fn unserved<B: Buyers, L: Ledger>(
    lead: &Lead<'_>,
    mut campaigns: Vec<Candidate>,
    record: &mut Record<B, L>,
) -> Vec<Candidate> {
    let shared = record.slots.is_shared();
    campaigns.retain(|candidate| {
        let served = lead.family(candidate.index).is_some_and(|it| record.slots.serves(it));
        if served {
            record.note(candidate.row, Code::SameBuyer);
        }
        let shares = lead.campaign(candidate.index).is_some_and(|it| it.slot_price().is_some());
        (shares || !shared) && !served
    });
    campaigns
}

/// Leaves as many campaigns in a rung as may be pinged: in a weighted tier those whose turn it is, else
/// those of the highest priority and then of the greatest expected value. The others are coded. Who has
/// no ping call takes no room.
pub(crate) fn narrow<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    rung: &mut Rung<'_>,
    record: &mut Record<B, L>,
) {
    let width = lead.product.fanout_width;
    let is_pinged = |candidate: &Candidate| {
        lead.campaign(candidate.index).is_some_and(|campaign| campaign.delivery.ping.is_some())
    };
    if rung.campaigns.iter().filter(|candidate| is_pinged(candidate)).count() <= width {
        return;
    }
    let (mut pinged, free): (Vec<_>, Vec<_>) = rung.campaigns.iter().partition(|it| is_pinged(it));
    let worth = worth(inner, lead, rung.tier, &pinged);
    let mut order: Vec<_> = worth.into_iter().zip(pinged.drain(..)).collect();
    order.sort_by_key(|(worth, candidate)| (Reverse(*worth), candidate.index));
    let cut = order.split_off(width).into_iter().map(|(_, candidate)| candidate);
    rung.passed_over = cut.inspect(|candidate| record.note(candidate.row, Code::Width)).collect();
    let kept = order.into_iter().map(|(_, candidate)| candidate);
    rung.campaigns = free.into_iter().chain(kept).collect();
}

/// What asking each of `candidates` is worth, in their order.
fn worth<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    tier: &Tier,
    candidates: &[Candidate],
) -> Vec<(i64, Decimal)> {
    let now = inner.clock.timestamp();
    if tier.mode == TierMode::Weighted {
        let contenders = contenders(lead, candidates.iter().map(|candidate| candidate.index));
        let due = inner.shares.due(&contenders, now);
        return due.into_iter().map(|due| (due, Decimal::ZERO)).collect();
    }
    let campaigns = candidates.iter().filter_map(|candidate| lead.campaign(candidate.index));
    let value = |campaign: &market::Campaign| {
        let value = inner.form.value(&campaign.key, campaign.price.most(), now);
        (campaign.priority.into(), value)
    };
    campaigns.map(value).collect()
}

/// Notes how a campaign answered a ping, where that may decide who is asked next time.
pub(crate) fn note_form<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    index: usize,
    bid: Option<&Bid>,
) {
    if let Some(campaign) = lead.campaign(index).filter(|_| lead.is_crowded()) {
        let price = bid.and_then(|bid| Money::price(bid.price.amount, bid.price.currency));
        inner.form.asked(&campaign.key, price, inner.clock.timestamp());
    }
}

/// Whether a tier may sell a lead whole: a broadcast never does, and nobody may once a slot is taken.
pub(crate) fn sells_whole<B: Send + Sync + 'static, L: Ledger>(
    tier: &Tier,
    record: &Record<B, L>,
) -> bool {
    tier.mode != TierMode::Broadcast && !record.slots.is_shared()
}

/// Puts a tier's offers in the order in which they are posted to, but for a weighted tier, whose turn
/// changes with every post: see [`next`].
pub(crate) fn rank(lead: &Lead<'_>, tier: &Tier, offers: &mut [Offer], id: LeadId) {
    let campaigns = &lead.tree.campaigns;
    if tier.mode == TierMode::Waterfall {
        for offer in offers.iter_mut() {
            let campaign = campaigns.get(offer.place.index);
            offer.score = campaign.map_or(Decimal::MIN, |campaign| campaign.priority.into());
        }
    }
    auction::rank(id, offers, campaigns);
}

/// Takes the offer that is posted to next out of `offers`. Those of buyers and groups that hold a slot
/// already are coded and dropped.
pub(crate) fn next<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    rung: &Rung<'_>,
    offers: &mut Vec<Offer>,
    record: &mut Record<B, L>,
) -> Option<Offer> {
    for row in auction::drop_served(offers, &record.slots) {
        record.note(row, Code::SameBuyer);
    }
    if rung.tier.mode == TierMode::Weighted {
        let standing = standing(rung, offers);
        let contenders = contenders(lead, standing.iter().copied());
        let due = inner.shares.due(&contenders, inner.clock.timestamp());
        for offer in offers.iter_mut() {
            let place = standing.binary_search(&offer.place.index).ok();
            let due = place.and_then(|place| due.get(place));
            offer.score = due.map_or(Decimal::MIN, |due| Decimal::from(*due));
        }
        auction::rank(record.id, offers, &lead.tree.campaigns);
    }
    auction::next(offers, &record.slots, rung.tier.mode)
}

/// A post is about to be made of `offer`: its campaign has no other offer any more, and a weighted tier
/// counts it against `others`, who could have had it. Test leads count nowhere.
pub(crate) fn offered<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    rung: &Rung<'_>,
    (offer, others): (&Offer, &mut Vec<Offer>),
) {
    others.retain(|other| other.place.index != offer.place.index);
    if rung.tier.mode != TierMode::Weighted || lead.submission.test {
        return;
    }
    let Some(taker) = lead.campaign(offer.place.index) else { return };
    let mut standing = standing(rung, others);
    standing.push(offer.place.index);
    let contenders = contenders(lead, standing.into_iter());
    inner.shares.offered(&taker.key, &contenders, inner.clock.timestamp());
}

/// The campaigns that could have the next post of a weighted tier, each once, in the tree's order: those
/// with an offer, and those that would have been asked were the tier not too wide.
fn standing(rung: &Rung<'_>, offers: &[Offer]) -> Vec<usize> {
    let offering = offers.iter().map(|offer| offer.place.index);
    let passed_over = rung.passed_over.iter().map(|candidate| candidate.index);
    let mut standing: Vec<usize> = offering.chain(passed_over).collect();
    standing.sort_unstable();
    standing.dedup();
    standing
}

fn contenders<'a>(lead: &Lead<'a>, indexes: impl Iterator<Item = usize>) -> Vec<Contender<'a>> {
    let campaigns = indexes.filter_map(|index| lead.campaign(index));
    campaigns.map(|it| Contender { key: &it.key, weight: it.weight }).collect()
}
