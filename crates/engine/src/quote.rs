//! A ping's journey: a lead without its consumer is matched, gated and asked about like any other, and
//! what would buy it is reserved and promised instead of posted to. Stores nothing.

use std::sync::Arc;
use std::time::Duration;

use fanout::Buyers;
use lead::{Deadline, Hashes, LeadId, Money, NoQuote, PingId, Quote, RejectionReason, Requested};
use ledger::{Ledger, NewLead};

use crate::Snapshot;
use crate::ask::{Rung, ask, gate};
use crate::auction::Offer;
use crate::engine::{Arrival, Inner, Refusal};
use crate::promise::{Promise, Quoted, Room};
use crate::record::Record;
use crate::reserve::Stop;
use crate::subject::Lead;
use crate::{admit, choose, enrich, identity};

/// Answers a ping. Asks tier after tier until an offer can be promised.
pub(crate) async fn quote<B: Buyers, L: Ledger>(
    inner: Arc<Inner<B, L>>,
    arrival: Arrival,
    hashes: Hashes,
) -> Result<Quote, Refusal> {
    if inner.promises.is_full() {
        return Ok(Quote::Rejected(NoQuote::TooManyPings));
    }
    let snapshot = inner.snapshot.load_full();
    let market = &*snapshot.market;
    let mut submission = arrival.submission;
    let (product, tree) = snapshot.tree(&submission.product).ok_or(Refusal::NoProduct)?;
    let publisher = market.publishers.get(&submission.publisher).ok_or(Refusal::NoProduct)?;
    let budget = inner.budget(product, arrival.instant, arrival.budget);

    enrich::receive(&mut submission, product, publisher, arrival.at);
    let submission = Arc::new(submission);
    let lead = Lead { submission: &submission, market, publisher, product, tree };
    if let Some(outcome) = lead.requested() {
        return Ok(rehearse(&inner, &lead, outcome, &snapshot));
    }
    if let Some(reason) = refuses(&inner, &lead, (hashes, arrival.at)).await? {
        return Ok(Quote::Rejected(NoQuote::Lead(reason)));
    }

    let mut record = unwritten(&inner, &lead, (&arrival.at, snapshot.version), &submission);
    let matched = lead.matched();
    record.decisions = matched.iter().filter_map(|index| lead.decision(*index)).collect();
    let eligible = gate(&inner, &lead, &matched, &mut record);
    if eligible.is_empty() {
        return Ok(Quote::Rejected(NoQuote::Unmatched));
    }
    let (mut why, mut waited) = (NoQuote::Unsold, Duration::ZERO);
    for (tier, number) in product.tiers.iter().zip(1u8..) {
        let campaigns = lead.in_tier(number, &eligible);
        let Some(until) = budget.for_pings(inner.clock.instant(), tier.time_limit) else { break };
        if campaigns.is_empty() {
            continue;
        }
        let mut rung = Rung { tier, until, campaigns, passed_over: Vec::new() };
        choose::narrow(&inner, &lead, &mut rung, &mut record);
        let offers = ask(&inner, &lead, &rung, &mut waited, &mut record).await;
        let mut left = offers.clone();
        while let Some(offer) = choose::next(&inner, &lead, &rung, &mut left, &mut record) {
            let at = inner.clock.timestamp();
            let room = match reserve(&inner, &lead, &offer, at) {
                Ok(room) => room,
                Err(stop) => {
                    record.stopped(offer.place.row, stop);
                    why = NoQuote::Reserved;
                    continue;
                }
            };
            let payout = offer.payout;
            let quoted = Quoted {
                test: submission.test,
                shown: submission
                    .attributes
                    .for_ping(|name| product.dictionary.declared_in_ping(name)),
                tier: number,
                decisions: std::mem::take(&mut record.decisions),
                others: others(offers, &offer),
                offer,
                room,
                at,
            };
            return Ok(accept(&inner, (&lead, &snapshot), payout, Some(quoted)));
        }
    }
    Ok(Quote::Rejected(why))
}

/// Why the lead that follows would be rejected, as far as the ping tells, also of who its consumer is.
async fn refuses<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    (hashes, at): (Hashes, jiff::Timestamp),
) -> Result<Option<RejectionReason>, Refusal> {
    let admitted = admit::admit_ping(inner, lead, hashes);
    if let Err(reason) = admitted.and_then(|()| admit::eligibility(lead.product, lead.submission)) {
        return Ok(Some(reason));
    }
    let claims = identity::claims_of_ping(&inner.ledger, lead, hashes);
    let keys: Vec<_> = claims.iter().map(|claim| claim.key).collect();
    let claimants = inner.ledger.claimants(&keys).await.map_err(Refusal::Ledger)?;
    Ok(identity::reason(&identity::counting(&claimants, lead, at)))
}

/// The answer to a test ping whose publisher says what it is to be; nobody is asked.
fn rehearse<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    outcome: Requested,
    snapshot: &Arc<Snapshot>,
) -> Quote {
    match (outcome, outcome.rejection()) {
        (_, Some(reason)) => Quote::Rejected(NoQuote::Lead(reason)),
        (Requested::Sold | Requested::Pending, None) => {
            let payout = Requested::payout(lead.submission.min_payout, lead.product.currency);
            accept(inner, (lead, snapshot), payout, None)
        }
        (_, None) => Quote::Rejected(NoQuote::Unsold),
    }
}

/// Keeps a promise for its time.
fn accept<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    (lead, snapshot): (&Lead<'_>, &Arc<Snapshot>),
    payout: Money,
    quoted: Option<Quoted>,
) -> Quote {
    let mut bytes = [0; 16];
    (inner.entropy)(&mut bytes);
    let ping = PingId::new(bytes);
    let ttl = lead.product.ping_ttl;
    let promise = Promise {
        publisher: lead.publisher.id.clone(),
        product: lead.product.id.clone(),
        min_payout: lead.submission.min_payout,
        snapshot: Arc::clone(snapshot),
        quoted,
    };
    let ends = inner.clock.timestamp().checked_add(ttl);
    let expires_at = ends.unwrap_or(jiff::Timestamp::MAX);
    inner.promises.open(ping, promise, Deadline::after(inner.clock.instant(), ttl).0);
    Quote::Accepted { ping, payout, expires_at }
}

/// The offers beside the promised one that pay the publisher at least as much.
fn others(mut offers: Vec<Offer>, promised: &Offer) -> Vec<Offer> {
    let least = promised.deal().payout.amount;
    offers.retain(|it| it.place != promised.place && it.deal().payout.amount >= least);
    offers
}

fn reserve<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    offer: &Offer,
    at: jiff::Timestamp,
) -> Result<Room, Stop> {
    match lead.campaign(offer.place.index).filter(|_| !lead.submission.test) {
        Some(campaign) => {
            let (scope, rooms) = (lead.scope(campaign), &inner.promises.rooms);
            rooms.reserve(&inner.reservations, &scope, offer.deal(), at)
        }
        None => Ok(Room::of_test()),
    }
}

/// Notes are taken in a record that is never written.
fn unwritten<B: Buyers, L: Ledger>(
    inner: &Arc<Inner<B, L>>,
    lead: &Lead<'_>,
    (at, market_version): (&jiff::Timestamp, u64),
    submission: &Arc<lead::Submission>,
) -> Record<B, L> {
    let mut bytes = [0; 10];
    (inner.entropy)(&mut bytes);
    let created = NewLead {
        signals: Vec::new(),
        received_at: *at,
        market_version,
        submission: Arc::clone(submission),
        claims: Vec::new(),
        request: None,
    };
    Record::new(Arc::clone(inner), LeadId::new(*at, bytes), lead.product.slots, created)
}
