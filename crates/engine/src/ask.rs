//! Who is asked and what they bid: the gates before a ping, one tier's pings, and what of the answers
//! may buy. Posts nothing.

use fanout::{Buyers, Ping, SharedAttributes, ping_all};
use jiff::Timestamp;
use lead::{Code, Deadline, PingId};
use ledger::Ledger;
use market::{Campaign, Tier};

use crate::Tree;
use crate::auction::{self, Offer, Place};
use crate::choose;
use crate::engine::Inner;
use crate::journey::Waiter;
use crate::record::Record;
use crate::reserve::Stop;
use crate::slots::Part;
use crate::subject::Lead;

/// A matched campaign: its place in the tree and its row in the record.
#[derive(Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) index: usize,
    pub(crate) row: usize,
}

/// The campaigns of one tier that are asked, and until when.
pub(crate) struct Rung<'a> {
    pub(crate) tier: &'a Tier,
    pub(crate) until: Deadline,
    pub(crate) campaigns: Vec<Candidate>,
    /// Those that are not, because the tier is too wide.
    pub(crate) passed_over: Vec<Candidate>,
}

/// Matched campaigns that may be asked now; the others get the code of the gate that stopped them.
pub(crate) fn gate<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    matched: &[usize],
    record: &mut Record<B, L>,
) -> Vec<Candidate> {
    let now = inner.clock.timestamp();
    let mut eligible = Vec::with_capacity(matched.len());
    for (row, index) in matched.iter().copied().enumerate() {
        let Some(campaign) = lead.campaign(index) else {
            continue;
        };
        let reachable = !lead.submission.test || campaign.delivery.sandbox.is_some();
        if !Tree::is_open(campaign) || !reachable {
            record.note(row, Code::Paused);
            continue;
        }
        match has_room(inner, lead, campaign, now) {
            Ok(()) => eligible.push(Candidate { index, row }),
            Err(stop) => record.stopped(row, &stop),
        }
    }
    eligible
}

/// Whether caps and funds leave room for the least that a campaign may pay. Test leads count nowhere.
fn has_room<'a, B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'a>,
    campaign: &'a Campaign,
    now: Timestamp,
) -> Result<(), Stop> {
    if lead.submission.test {
        return Ok(());
    }
    inner.reservations.admits(&lead.scope(campaign), Some(campaign.least_price()), now)
}

fn count_ping<'a, B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'a>,
    campaign: &'a Campaign,
) -> Result<(), Stop> {
    if lead.submission.test {
        return Ok(());
    }
    inner.reservations.pinged(&lead.scope(campaign), inner.clock.timestamp())
}

/// Pings a tier and returns the offers that may buy, best first.
pub(crate) async fn ask<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    rung: &Rung<'_>,
    waiter: &mut Waiter,
    record: &mut Record<B, L>,
) -> Vec<Offer> {
    let product = lead.product;
    let shown =
        lead.submission.attributes.for_ping(|name| product.dictionary.declared_in_ping(name));
    let attributes = SharedAttributes::of(&shown);
    let now = inner.clock.instant();
    let ids = ping_ids(inner, rung.campaigns.len());
    let mut pings = Vec::with_capacity(rung.campaigns.len());
    let mut bids = Vec::with_capacity(rung.campaigns.len());
    for (candidate, id) in rung.campaigns.iter().zip(ids) {
        let Some(campaign) = lead.campaign(candidate.index) else {
            continue;
        };
        let Some(call) = &campaign.delivery.ping else {
            let bid = lead::Bid { price: campaign.price.most(), reference: None };
            bids.push((*candidate, bid, None));
            continue;
        };
        if let Err(stop) = count_ping(inner, lead, campaign) {
            record.stopped(candidate.row, &stop);
            continue;
        }
        let deadline = rung.until.or_sooner(Deadline::after(now, call.timeout));
        let ping = Ping {
            campaign,
            id,
            product: &product.id,
            currency: product.currency,
            test: lead.submission.test,
            attributes: &attributes,
            time_left: deadline.left(now),
            deadline,
        };
        pings.push((*candidate, ping));
    }
    let (asked_of, pings): (Vec<Candidate>, Vec<Ping<'_>>) = pings.into_iter().unzip();
    for asked in ping_all(&inner.buyers, &*inner.clock, &pings).await {
        let Some(candidate) = asked_of.get(asked.index) else {
            continue;
        };
        let code = asked.answer.as_ref().map_or_else(|no_bid| no_bid.code, |_| Code::Sold);
        inner.metrics.pinged(code, asked.took);
        choose::note_form(inner, lead, candidate.index, asked.answer.as_ref().ok());
        record.pinged(candidate.row, &asked);
        if let (Ok(bid), Some(ping)) = (asked.answer, pings.get(asked.index)) {
            bids.push((*candidate, bid, Some(ping.id)));
        }
    }
    waiter.waited += inner.clock.instant().saturating_duration_since(now);
    appraise(lead, rung, bids, record)
}

fn appraise<B: Buyers, L: Ledger>(
    lead: &Lead<'_>,
    rung: &Rung<'_>,
    bids: Vec<(Candidate, lead::Bid, Option<PingId>)>,
    record: &mut Record<B, L>,
) -> Vec<Offer> {
    let floors = lead.floors(rung.tier);
    let mut offers = Vec::with_capacity(bids.len());
    for (candidate, bid, ping) in bids {
        let campaign = lead.campaign(candidate.index).zip(lead.family(candidate.index));
        let Some((campaign, family)) = campaign else {
            continue;
        };
        record.bid(candidate.row, &bid);
        let place = Place { index: candidate.index, row: candidate.row, family, ping };
        let whole = campaign.whole_price().filter(|_| choose::sells_whole(rung.tier, record));
        let parts = [whole.map(|_| Part::Whole), campaign.slot_price().map(|_| Part::Slot)];
        let mut refusal = None;
        let standing = offers.len();
        for part in parts.into_iter().flatten() {
            match auction::appraise(place, (campaign, part), &bid, &floors) {
                Ok(offer) => offers.push(offer),
                Err(code) => refusal = refusal.or(Some(code)),
            }
        }
        let stands = offers.len() > standing;
        record.note(candidate.row, refusal.filter(|_| !stands).unwrap_or(Code::Outbid));
    }
    choose::rank(lead, rung.tier, &mut offers, record.id);
    offers
}

fn ping_ids<B: Buyers, L: Ledger>(inner: &Inner<B, L>, count: usize) -> Vec<PingId> {
    let mut bytes = vec![0; count * 16];
    (inner.entropy)(&mut bytes);
    bytes.as_chunks::<16>().0.iter().copied().map(PingId::new).collect()
}
