//! Who is asked and what they bid: the gates before a ping, one tier's pings, and what of the answers
//! may buy. Posts nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fanout::{Asked, Buyers, Heard, Ping, Pings, SharedAttributes};
use jiff::Timestamp;
use lead::{Bid, Code, Currency, Deadline, NoBid, PingId, ProductId};
use ledger::Ledger;
use market::{Campaign, Tier};

use crate::Tree;
use crate::auction::{self, Offer, Place};
use crate::choose;
use crate::engine::Inner;
use crate::late::Asking;
use crate::lines::{Room, Trial};
use crate::pace::{Chance, Pace};
use crate::record::Record;
use crate::reserve::Stop;
use crate::slots::Part;
use crate::subject::Lead;
use crate::{close, late};

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
    let (now, instant) = (inner.clock.timestamp(), inner.clock.instant());
    let mut eligible = Vec::with_capacity(matched.len());
    for (row, index) in matched.iter().copied().enumerate() {
        let Some(campaign) = lead.campaign(index) else {
            continue;
        };
        match admits(inner, lead, campaign, (now, instant)) {
            Ok(()) => eligible.push(Candidate { index, row }),
            Err(stop) => record.stopped(row, stop),
        }
    }
    eligible
}

/// Whether a campaign whose filter wants a lead may be asked.
pub(crate) fn admits<'a, B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'a>,
    campaign: &'a Campaign,
    (at, now): (Timestamp, Instant),
) -> Result<(), Stop> {
    is_open(lead, campaign, at)?;
    let line = inner.lines.to(&campaign.key);
    if let Some(code) = line.refusal(campaign, !lead.submission.test, now) {
        return Err(Stop { code, limit: None });
    }
    has_room(inner, lead, campaign, at)
}

/// Whether a campaign takes part at that time, as far as its market alone says.
pub(crate) fn is_open(lead: &Lead<'_>, campaign: &Campaign, at: Timestamp) -> Result<(), Stop> {
    let refused = |code| Err(Stop { code, limit: None });
    let reachable = !lead.submission.test || campaign.delivery.sandbox.is_some();
    if !Tree::is_open(campaign) || !reachable {
        return refused(Code::Paused);
    }
    if lead.is_in_hours(campaign, at) { Ok(()) } else { refused(Code::Schedule) }
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

/// Pings a tier and returns the offers that may buy, best first. What has yet to answer when the tier
/// is closed is read on in the background.
pub(crate) async fn ask<B: Buyers, L: Ledger>(
    inner: &Arc<Inner<B, L>>,
    lead: &Lead<'_>,
    rung: &Rung<'_>,
    waited: &mut Duration,
    record: &mut Record<B, L>,
) -> Vec<Offer> {
    let now = inner.clock.instant();
    let mut offers = Vec::with_capacity(rung.campaigns.len());
    let mut asked_of = targets(inner, (lead, rung, now), &mut offers, record);
    let mut pings = Pings::send(questions(inner, lead, (&mut asked_of, now)), now);
    let one_winner = has_one_winner(lead, rung);
    let is_over = |offers: &[Offer], asked_of: &[Target], pings: &Pings<_>| {
        let open = pings.open().filter_map(|index| asked_of.get(index));
        let open = open.filter_map(|target| lead.campaign(target.candidate.index));
        one_winner && close::is_decided(offers, open)
    };
    while !is_over(&offers, &asked_of, &pings)
        && let Some(asked) = pings.next(&*inner.clock).await
    {
        if let Some(target) = asked_of.get_mut(asked.index) {
            offers.extend(hear(inner, (lead, rung, target), asked, record));
        }
    }
    let took = inner.clock.instant().saturating_duration_since(now);
    *waited += took;
    let unneeded: Vec<&Target> = pings.open().filter_map(|index| asked_of.get(index)).collect();
    for target in &unneeded {
        record.not_awaited(target.candidate.row, took);
        inner.metrics.pinged(Code::EarlyClose, took);
    }
    inner.metrics.early_closes.increment(u64::from(!unneeded.is_empty()));
    let asking = asked_of.into_iter().map(|target| {
        let Target { candidate, pace, trial, .. } = target;
        Asking { row: candidate.row, pace, trial }
    });
    late::read_on(inner, pings, asking.collect(), record.late.clone());
    choose::rank(lead, rung.tier, &mut offers, record.id);
    offers
}

fn has_one_winner(lead: &Lead<'_>, rung: &Rung<'_>) -> bool {
    let campaigns = rung.campaigns.iter().filter_map(|candidate| lead.campaign(candidate.index));
    close::has_one_winner(rung.tier.mode, lead.product.slots, campaigns)
}

/// A campaign that is pinged.
struct Target {
    candidate: Candidate,
    ping: PingId,
    deadline: Deadline,
    pace: Option<Arc<Pace>>,
    /// Until the ping is sent, which takes it.
    room: Option<Room>,
    trial: Trial,
    /// It has all the time that its campaign gives, not just what its tier or its lead has left.
    is_unhurried: bool,
}

/// The campaigns of a tier that are pinged, and the offers of those that need not be. Nobody is pinged
/// who could not beat those offers.
fn targets<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    (lead, rung, now): (&Lead<'_>, &Rung<'_>, Instant),
    offers: &mut Vec<Offer>,
    record: &mut Record<B, L>,
) -> Vec<Target> {
    let mut to_ping = Vec::with_capacity(rung.campaigns.len());
    for candidate in rung.campaigns.iter().copied() {
        match lead.campaign(candidate.index).map(|campaign| (campaign, &campaign.delivery.ping)) {
            Some((campaign, Some(call))) => to_ping.push((candidate, campaign, call.timeout)),
            Some((campaign, None)) => {
                let bid = Bid { price: campaign.price.most(), reference: None };
                offers.extend(appraise((lead, rung, candidate), None, &bid, record));
            }
            None => {}
        }
    }
    if has_one_winner(lead, rung)
        && close::is_decided(offers, to_ping.iter().map(|(_, campaign, _)| *campaign))
    {
        to_ping.drain(..).for_each(|(candidate, ..)| record.note(candidate.row, Code::EarlyClose));
    }
    let ids = ping_ids(inner, to_ping.len());
    let mut targets = Vec::with_capacity(to_ping.len());
    for ((candidate, campaign, limit), ping) in to_ping.into_iter().zip(ids) {
        let deadline = rung.until.or_sooner(Deadline::after(now, limit));
        let line = inner.lines.to(&campaign.key);
        let (room, trial) = match line.ping(campaign, !lead.submission.test, now) {
            Ok((room, trial)) => (Some(room), trial),
            Err(code) => {
                record.note(candidate.row, code);
                continue;
            }
        };
        let pace = lead.pace(&inner.paces, candidate.index);
        if !trial.is_probe() && !is_in_time(inner, pace.as_deref(), deadline, now) {
            record.note(candidate.row, Code::NoTime);
            continue;
        }
        let is_unhurried = deadline.left(now) >= limit;
        match count_ping(inner, lead, campaign) {
            Ok(()) => {
                targets.push(Target { candidate, ping, deadline, pace, room, trial, is_unhurried });
            }
            Err(stop) => record.stopped(candidate.row, stop),
        }
    }
    targets
}

/// Whether a campaign is fast enough for a ping, or it is time to see whether it is again.
fn is_in_time<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    pace: Option<&Pace>,
    deadline: Deadline,
    now: Instant,
) -> bool {
    match pace.map_or(Chance::Fits, |pace| pace.ping(deadline.left(now), now)) {
        Chance::Fits => true,
        Chance::Probe => {
            inner.metrics.pings_probing.increment(1);
            true
        }
        Chance::TooSlow => {
            inner.metrics.pings_skipped.increment(1);
            false
        }
    }
}

/// What every ping of a tier shares with those that outlive the journey.
struct Shared<B: Send + Sync + 'static, L: Ledger> {
    inner: Arc<Inner<B, L>>,
    tree: Arc<Tree>,
    product: ProductId,
    currency: Currency,
    test: bool,
    attributes: SharedAttributes,
}

/// The pings, each with its deadline.
fn questions<B: Buyers, L: Ledger>(
    inner: &Arc<Inner<B, L>>,
    lead: &Lead<'_>,
    (targets, now): (&mut [Target], Instant),
) -> Vec<(Deadline, impl Future<Output = Heard> + Send + 'static + use<B, L>)> {
    let product = lead.product;
    let shown =
        lead.submission.attributes.for_ping(|name| product.dictionary.declared_in_ping(name));
    let shared = Arc::new(Shared {
        inner: Arc::clone(inner),
        tree: Arc::clone(lead.tree),
        product: product.id.clone(),
        currency: product.currency,
        test: lead.submission.test,
        attributes: SharedAttributes::of(&shown),
    });
    let question = |(position, target): (usize, &mut Target)| {
        let room = target.room.take();
        let (shared, deadline) = (Arc::clone(&shared), target.deadline);
        let (index, id, time_left) = (target.candidate.index, target.ping, deadline.left(now));
        let answer = async move {
            let Some(campaign) = shared.tree.campaigns.get(index) else {
                return (position, Err(NoBid::new(Code::Connect)));
            };
            let Shared { ref product, ref attributes, currency, test, .. } = *shared;
            let ping = Ping { campaign, id, product, currency, test, attributes, time_left };
            let answer = shared.inner.buyers.ping(&ping).await;
            drop(room);
            (position, answer)
        };
        (deadline, answer)
    };
    targets.iter_mut().enumerate().map(question).collect()
}

/// Notes an answer, or that there was none in time; says what it offers.
fn hear<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    (lead, rung, target): (&Lead<'_>, &Rung<'_>, &mut Target),
    asked: Asked,
    record: &mut Record<B, L>,
) -> Vec<Offer> {
    let Target { candidate, ping, pace, trial, is_unhurried, .. } = target;
    if asked.late {
        late::heard_late(inner, (pace.as_deref(), trial), &asked);
        record.late.add(candidate.row, asked);
        return Vec::new();
    }
    let code = asked.answer.as_ref().map_or_else(|no_bid| no_bid.code, |_| Code::Sold);
    // Whether silence in a hurry is a fault shows later.
    if code != Code::Timeout || *is_unhurried {
        late::judge(inner, (pace.as_deref(), trial), asked.health());
    }
    inner.metrics.pinged(code, asked.took);
    choose::note_form(inner, lead, candidate.index, asked.answer.as_ref().ok());
    record.pinged(candidate.row, &asked);
    // How slow it is shows once it answers, or is given up.
    if let Some(pace) = pace.as_ref().filter(|_| code != Code::Timeout) {
        pace.answered(asked.took, inner.clock.instant());
    }
    match asked.answer {
        Ok(bid) => appraise((lead, rung, *candidate), Some(*ping), &bid, record),
        Err(_) => Vec::new(),
    }
}

/// What a bid may buy: the whole lead, a slot of it, either or nothing; and the code of its row.
fn appraise<B: Buyers, L: Ledger>(
    (lead, rung, candidate): (&Lead<'_>, &Rung<'_>, Candidate),
    ping: Option<PingId>,
    bid: &Bid,
    record: &mut Record<B, L>,
) -> Vec<Offer> {
    let campaign = lead.campaign(candidate.index).zip(lead.family(candidate.index));
    let Some((campaign, family)) = campaign else { return Vec::new() };
    record.bid(candidate.row, bid);
    let place = Place { index: candidate.index, row: candidate.row, family, ping };
    let whole = campaign.whole_price().filter(|_| choose::sells_whole(rung.tier, record));
    let parts = [whole.map(|_| Part::Whole), campaign.slot_price().map(|_| Part::Slot)];
    let floors = lead.floors(rung.tier);
    let (mut offers, mut refusal) = (Vec::new(), None);
    for part in parts.into_iter().flatten() {
        match auction::appraise(place, (campaign, part), bid, &floors) {
            Ok(offer) => offers.push(offer),
            Err(code) => refusal = refusal.or(Some(code)),
        }
    }
    record.scored(candidate.row, &offers);
    record.note(candidate.row, refusal.filter(|_| offers.is_empty()).unwrap_or(Code::Outbid));
    offers
}

fn ping_ids<B: Buyers, L: Ledger>(inner: &Inner<B, L>, count: usize) -> Vec<PingId> {
    let mut bytes = vec![0; count * 16];
    (inner.entropy)(&mut bytes);
    bytes.as_chunks::<16>().0.iter().copied().map(PingId::new).collect()
}
