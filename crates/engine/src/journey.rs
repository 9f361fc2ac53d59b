//! The journey: what happens to a lead, from top to bottom, in [`distribute`] and then [`offer`].
//! Everything that they call is a leaf; control flow is here and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use fanout::Buyers;
use jiff::Timestamp;
use lead::journey::OfferEvent;
use lead::{Answer, Code, LeadId, Money, RejectionReason, Requested, Status};
use ledger::{Claimant, Ledger, NewLead, Refused, RequestKey};
use tokio::sync::oneshot;

use crate::ask::{Rung, ask, gate};
use crate::auction::Offer;
use crate::budget::Budget;
use crate::deliver::{fits_post, leave, post, release_unsent, settle_reservation};
use crate::delivery::Delivery;
use crate::engine::{Arrival, Inner, Refusal};
use crate::metrics::Ending;
use crate::promise::{Promise, Quoted, Room, Taken};
use crate::record::Record;
use crate::repeats::{Request, Ticket};
use crate::repost::{Repost, is_withdrawn};
use crate::subject::Lead;
use crate::{admit, choose, enrich, fraud, identity, repost, standing};

/// Takes one lead from submission to settlement: at most one sale a slot, one disposition, durable
/// before it is answered.
async fn distribute<B: Buyers, L: Ledger>(
    inner: &Arc<Inner<B, L>>,
    arrival: Arrival,
    request: &Request,
    waiter: &mut Waiter,
    ping: &mut Option<Taken>,
) -> Result<Ended, Refusal> {
    let mut submission = arrival.submission;
    *ping = arrival
        .ping
        .map(|id| inner.promises.take(id, &submission))
        .transpose()
        .map_err(Refusal::NoPing)?;
    let promised = ping.as_ref().and_then(Taken::promise);
    // A ping and its post are one journey, which keeps the market that it began with.
    let begun = promised.map(|promise| Arc::clone(&promise.snapshot));
    let snapshot = begun.unwrap_or_else(|| inner.snapshot.load_full());
    let market = &*snapshot.market;
    let least = promised.and_then(|promise| promise.min_payout);
    submission.min_payout = at_least(submission.min_payout, least);
    let (product, tree) = snapshot.tree(&submission.product).ok_or(Refusal::NoProduct)?;
    let publisher = market.publishers.get(&submission.publisher).ok_or(Refusal::NoProduct)?;
    let budget = inner.budget(product, arrival.instant, arrival.budget);

    enrich::receive(&mut submission, product, publisher, arrival.at);
    let submission = Arc::new(submission);
    let lead = Lead { submission: &submission, market, publisher, product, tree };
    let mut created = NewLead {
        received_at: arrival.at,
        market_version: snapshot.version,
        submission: Arc::clone(&submission),
        claims: Vec::new(),
        request: request.keyed.then_some(RequestKey { key: request.key, body: request.body }),
        signals: Vec::new(),
    };
    if let Some(outcome) = lead.requested() {
        return rehearse(inner, &lead, outcome, created).await;
    }
    created.signals = match admit::admit(inner, &lead, arrival.at) {
        Ok(signals) => signals,
        Err(reason) => return Ok(Ended::refused(&lead, reason)),
    };

    let id = lead_id(inner, &arrival.at);
    fraud::tell(id, &created.signals);
    if lead.is_offered()
        && let Err(reason) = admit::eligibility(product, &submission)
    {
        let record = Record::new(Arc::clone(inner), id, product.slots, created);
        return record.reject(reason).await.map(|record| Ended::rejected(&lead, &record, reason));
    }

    // Held until this journey ends, so that a repeat is judged by how it ended.
    let claims = identity::claims(&inner.ledger, &lead);
    let until = budget.answer_by();
    let held = inner.identities.hold(&claims, until).await;
    let keys = identity::known_keys(&inner.ledger, &lead, &claims);
    let claimants = inner.ledger.claimants(&keys).await.map_err(Refusal::Ledger)?;
    let counting = identity::counting(&claimants, &lead, arrival.at);
    if let Some(reason) = identity::reason(&counting) {
        // What a ping was promised, it was promised for a new lead; and one under way is not opened again.
        if promised.is_some() || held.is_err() {
            return Ok(Ended::refused(&lead, reason));
        }
        let repeated = (counting.as_slice(), reason, snapshot.version);
        return repeat(inner, (lead, &budget), repeated, waiter).await;
    }
    let _held = held.map_err(|_| Refusal::InFlight)?;

    created.claims = claims;
    let record = Record::new(Arc::clone(inner), id, product.slots, created);
    if !lead.is_offered() {
        return close(record, OfferEvent::NoneEligible, &lead).await;
    }
    let promise = ping.as_mut().and_then(Taken::spend);
    offer(inner, (&lead, promise), &budget, waiter, record).await
}

/// Ends a test lead as its publisher asks: no buyer hears of it, nothing counts. Where the real thing is
/// stored it is stored, so that it is found and answered alike again.
async fn rehearse<B: Buyers, L: Ledger>(
    inner: &Arc<Inner<B, L>>,
    lead: &Lead<'_>,
    outcome: Requested,
    created: NewLead,
) -> Result<Ended, Refusal> {
    let (status, is_final) = outcome.status(lead.submission.min_payout, lead.product.currency);
    let reason = outcome.rejection();
    if reason.is_some_and(standing::is_refused_before) {
        return Ok(Ended { ending: Ending::Test, answer: standing::unstored(lead, status) });
    }
    let id = lead_id(inner, &created.received_at);
    let mut record = Record::new(Arc::clone(inner), id, lead.product.slots, created);
    if let Some(reason) = reason {
        let record = record.reject(reason).await?;
        return Ok(Ended { ending: Ending::Test, answer: record.answer(lead, status, is_final) });
    }
    record.decisions = lead.matched().iter().filter_map(|it| lead.decision(*it)).collect();
    let (record, _) = record.end(OfferEvent::NoneEligible).await?;
    Ok(Ended { ending: Ending::Test, answer: record.answer(lead, status, is_final) })
}

/// Ends a lead that repeats others. One that asks less than its unsold first is that one, offered again.
async fn repeat<B: Buyers, L: Ledger>(
    inner: &Arc<Inner<B, L>>,
    (lead, budget): (Lead<'_>, &Budget),
    (counting, reason, version): (&[&Claimant], RejectionReason, u64),
    waiter: &mut Waiter,
) -> Result<Ended, Refusal> {
    match repost::of(inner, &lead, counting, version).await? {
        None => Ok(Ended::refused(&lead, reason)),
        Some(Repost::Same(answer)) => Ok(Ended { ending: Ending::Repeated, answer }),
        Some(Repost::Lower(earlier)) => {
            let submission = earlier.submission.clone();
            let lead = Lead { submission: &submission, ..lead };
            let id = earlier.record.id;
            let record = Record::reopened(Arc::clone(inner), lead.product.slots, *earlier);
            match offer(inner, (&lead, None), budget, waiter, record).await {
                // Its publisher took it back while buyers were asked; nobody was posted to.
                Err(Refusal::Ledger(Refused::Illegal(_))) if is_withdrawn(inner, id).await => {
                    Ok(Ended::refused(&lead, reason))
                }
                ended => ended,
            }
        }
    }
}

/// Takes an accepted lead through its product's tree, once: until it is sold whole, its slots are gone,
/// or nobody is left.
async fn offer<B: Buyers, L: Ledger>(
    inner: &Arc<Inner<B, L>>,
    (lead, promise): (&Lead<'_>, Option<Promise>),
    budget: &Budget,
    waiter: &mut Waiter,
    mut record: Record<B, L>,
) -> Result<Ended, Refusal> {
    let matched = lead.matched();
    let mut posts_left = lead.product.max_posts;
    let quoted = promise.and_then(|it| it.quoted);
    if let Some(quoted) = quoted.and_then(|it| it.for_lead(lead, &matched)) {
        let Quoted { tier: number, decisions, offer, others, room, at, .. } = quoted;
        record.decisions = decisions;
        let tier = lead.product.tiers.get(usize::from(number) - 1);
        let tier = tier.ok_or(Refusal::Bug("a promise names no tier"))?;
        let until = budget.answer_by();
        let rung = Rung { tier, until, campaigns: Vec::new(), passed_over: Vec::new() };
        let hand = Hand { rung: &rung, promised: Some((offer, room, at)), offers: others };
        sell(inner, (lead, budget), hand, (waiter, &mut record), &mut posts_left).await?;
        return close(record, OfferEvent::Exhausted, lead).await;
    }
    record.decisions = matched.iter().filter_map(|index| lead.decision(*index)).collect();
    let eligible = gate(inner, lead, &matched, &mut record);
    let eligible = record.unposted(eligible);
    if eligible.is_empty() {
        return close(record, OfferEvent::NoneEligible, lead).await;
    }

    for (tier, number) in lead.product.tiers.iter().zip(1u8..) {
        let campaigns = lead.in_tier(number, &eligible);
        let campaigns = choose::unserved(lead, campaigns, &mut record);
        if campaigns.is_empty() {
            continue;
        }
        let Some(until) = budget.for_pings(inner.clock.instant(), tier.time_limit) else {
            campaigns.iter().for_each(|candidate| record.note(candidate.row, Code::NoTime));
            return close(record, OfferEvent::OutOfTime, lead).await;
        };
        let mut rung = Rung { tier, until, campaigns, passed_over: Vec::new() };
        choose::narrow(inner, lead, &mut rung, &mut record);
        let offers = ask(inner, lead, &rung, &mut waiter.waited, &mut record).await;
        let hand = Hand { rung: &rung, promised: None, offers };
        if sell(inner, (lead, budget), hand, (waiter, &mut record), &mut posts_left).await? {
            return close(record, OfferEvent::Exhausted, lead).await;
        }
    }
    close(record, OfferEvent::Exhausted, lead).await
}

/// A tier's offers that may buy, and the one among them that a ping was promised.
struct Hand<'a> {
    rung: &'a Rung<'a>,
    promised: Option<(Offer, Room, Timestamp)>,
    offers: Vec<Offer>,
}

/// Posts to one offer of a tier after another, the promised one first; says whether nothing can follow.
async fn sell<B: Buyers, L: Ledger>(
    inner: &Arc<Inner<B, L>>,
    (lead, budget): (&Lead<'_>, &Budget),
    Hand { rung, mut promised, mut offers }: Hand<'_>,
    (waiter, record): (&mut Waiter, &mut Record<B, L>),
    posts_left: &mut u32,
) -> Result<bool, Refusal> {
    loop {
        let (offer, room) = match promised.take() {
            Some((offer, room, at)) => (offer, Some((room, at))),
            None => match choose::next(inner, lead, rung, &mut offers, record) {
                Some(offer) => (offer, None),
                None => return Ok(false),
            },
        };
        let leave = match leave(inner, lead, &offer) {
            Ok(leave) => leave,
            Err(code) => {
                record.note(offer.place.row, code);
                continue;
            }
        };
        if !fits_post(inner, lead, (&offer, &leave), budget) {
            record.ran_out(offer.place.row);
            continue;
        }
        // A reservation belongs to the moment at which it was taken, and so does its intent.
        let taken = match room {
            Some((room, at)) => Ok((room.hand_over(), at)),
            None => {
                let at = inner.clock.timestamp();
                lead.reserve(&inner.reservations, &offer, at).map(|taken| (taken, at))
            }
        };
        let (reservation, at) = match taken {
            Ok(taken) => taken,
            Err(stop) => {
                record.stopped(offer.place.row, stop);
                continue;
            }
        };
        *posts_left = posts_left.saturating_sub(1);
        choose::offered(inner, lead, rung, (&offer, &mut offers));
        let slot = record.slots.number(offer.part);
        if let Err(refusal) = record.intend(lead.intent(&offer, slot, at)?).await {
            release_unsent(reservation);
            return Err(refusal);
        }
        let sent = (&offer, leave);
        let posted = post(inner, lead, sent, budget, (waiter, record)).await?;
        settle_reservation(reservation, &offer, &posted);
        if record.is_over() || *posts_left == 0 {
            return Ok(true);
        }
    }
}

/// The greater of what a post and its ping ask for.
fn at_least(posted: Option<Money>, pinged: Option<Money>) -> Option<Money> {
    match (posted, pinged) {
        (Some(posted), Some(pinged)) if pinged.amount > posted.amount => Some(pinged),
        (posted, pinged) => posted.or(pinged),
    }
}

/// Settles the record and makes the answer.
async fn close<B: Buyers, L: Ledger>(
    record: Record<B, L>,
    event: OfferEvent,
    lead: &Lead<'_>,
) -> Result<Ended, Refusal> {
    let (record, outcome) = record.end(event).await?;
    let answer = record.answer(lead, record.status(), outcome.disposition().is_some_and(is_final));
    Ok(Ended { ending: outcome.into(), answer })
}

fn is_final(disposition: lead::Disposition) -> bool {
    disposition != lead::Disposition::Indeterminate
}

/// Runs a journey and answers whoever waits for it; measures, counts and logs around it.
pub(crate) async fn run<B: Buyers, L: Ledger>(
    inner: Arc<Inner<B, L>>,
    arrival: Arrival,
    request: Request,
    mut waiter: Waiter,
) {
    let (door, started, budget) = (arrival.submission.door, arrival.instant, arrival.budget);
    let product = arrival.submission.product.clone();
    let mut ping = None;
    let result = distribute(&inner, arrival, &request, &mut waiter, &mut ping).await;
    if let Some(taken) = ping.filter(|_| result.is_err()) {
        taken.put_back();
    }

    let took = inner.clock.instant().saturating_duration_since(started);
    let ending = result.as_ref().map_or(Ending::Refused, |ended| ended.ending);
    inner.metrics.lead(door, ending);
    inner.metrics.journey_seconds.record(took);
    inner.metrics.own_seconds.record(took.saturating_sub(waiter.waited));
    let whole = inner.snapshot.load().market.products.get(&product).map(|product| product.budget);
    if let Some(whole) = whole {
        inner.metrics.answered(took <= budget.unwrap_or(whole).min(whole));
    }
    match &result {
        Ok(ended) => {
            if let Status::Rejected(reason) = ended.answer.status
                && ended.ending != Ending::Test
            {
                inner.metrics.rejected(reason);
            }
            let lead = ended.answer.lead.map(|(id, _)| id.to_string());
            tracing::info!(lead, %door, %product, outcome = ?ended.ending, took_us = took.as_micros(), "lead");
        }
        Err(refusal) => tracing::warn!(%door, %product, %refusal, "lead refused"),
    }
    waiter.answer(result.map(|ended| ended.answer));
}

/// How a journey ended: counted, and told to the publisher.
struct Ended {
    ending: Ending,
    answer: Answer,
}

impl Ended {
    /// Refused before it was created: nothing is stored.
    fn refused(lead: &Lead<'_>, reason: RejectionReason) -> Self {
        let answer = standing::unstored(lead, Status::Rejected(reason));
        Self { ending: Ending::Rejected, answer }
    }

    /// Created, stored and rejected.
    fn rejected<B: Buyers, L: Ledger>(
        lead: &Lead<'_>,
        record: &Record<B, L>,
        reason: RejectionReason,
    ) -> Self {
        let answer = record.answer(lead, Status::Rejected(reason), true);
        Self { ending: Ending::Rejected, answer }
    }
}

/// Whoever waits for the answer, and how much of the journey was spent waiting for buyers.
pub(crate) struct Waiter {
    answer: Option<oneshot::Sender<Result<Delivery, Refusal>>>,
    ticket: Arc<Ticket>,
    deliver: Box<dyn Fn(Answer) -> Delivery + Send + Sync>,
    pub(crate) waited: Duration,
}

impl Waiter {
    /// Someone who waits with `ticket`; `deliver` wraps what is sent.
    pub(crate) fn new(
        answer: oneshot::Sender<Result<Delivery, Refusal>>,
        ticket: Ticket,
        deliver: impl Fn(Answer) -> Delivery + Send + Sync + 'static,
    ) -> Self {
        let (ticket, deliver) = (Arc::new(ticket), Box::new(deliver));
        Self { answer: Some(answer), ticket, deliver, waited: Duration::ZERO }
    }

    /// Tells whoever waits, and every twin. Only the first answer is told.
    pub(crate) fn answer(&mut self, answer: Result<Answer, Refusal>) {
        let Some(sender) = self.answer.take() else { return };
        if let Ok(answer) = &answer {
            self.ticket.finish(answer);
        }
        // Unheard, it is dropped here or in the channel, and so kept for the next try.
        let deliver = |answer| (self.deliver)(answer).of(Arc::clone(&self.ticket));
        drop(sender.send(answer.map(deliver)));
    }
}

fn lead_id<B: Buyers, L: Ledger>(inner: &Inner<B, L>, at: &Timestamp) -> LeadId {
    let mut bytes = [0; 10];
    (inner.entropy)(&mut bytes);
    LeadId::new(*at, bytes)
}
