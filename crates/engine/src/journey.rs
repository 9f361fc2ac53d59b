//! The journey: what happens to a lead, from top to bottom, in [`distribute`] and then [`offer`].
//! Everything that they call is a leaf; control flow is here and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use fanout::Buyers;
use lead::journey::OfferEvent;
use lead::{Answer, Code, LeadId, RejectionReason, Status};
use ledger::{Ledger, NewLead, RequestKey};
use market::Mode;
use tokio::sync::oneshot;

use crate::ask::{Rung, ask, gate};
use crate::budget::Budget;
use crate::deliver::{fits_post, leave, post, release_unsent, settle_reservation};
use crate::delivery::Delivery;
use crate::engine::{Arrival, Inner, Refusal};
use crate::metrics::Ending;
use crate::record::Record;
use crate::repeats::{Request, Ticket};
use crate::subject::Lead;
use crate::{admit, choose, enrich, fraud, identity, standing};

/// Takes one lead from submission to settlement: at most one sale a slot, one disposition, durable
/// before it is answered.
async fn distribute<B: Buyers, L: Ledger>(
    inner: &Arc<Inner<B, L>>,
    arrival: Arrival,
    request: &Request,
    waiter: &mut Waiter,
) -> Result<Ended, Refusal> {
    let snapshot = inner.snapshot.load_full();
    let market = &*snapshot.market;
    let mut submission = arrival.submission;
    let (product, tree) = snapshot.tree(&submission.product).ok_or(Refusal::NoProduct)?;
    let publisher = market.publishers.get(&submission.publisher).ok_or(Refusal::NoProduct)?;
    let whole = arrival.budget.unwrap_or(product.budget).min(product.budget);
    let commit = inner.paces.commit_wait(arrival.instant);
    let budget = Budget::new(arrival.instant, whole, inner.reserves, commit);

    submission.test |= publisher.mode == Mode::Test;
    enrich::derive(&mut submission, product, publisher, arrival.at);
    let submission = Arc::new(submission);
    let lead = Lead { submission: &submission, market, publisher, product, tree };
    let signals = match admit::admit(inner, &lead, arrival.at) {
        Ok(signals) => signals,
        Err(reason) => return Ok(Ended::refused(&lead, reason)),
    };

    let mut created = NewLead {
        received_at: arrival.at,
        market_version: snapshot.version,
        submission: Arc::clone(&submission),
        claims: Vec::new(),
        request: request.keyed.then_some(RequestKey { key: request.key, body: request.body }),
    };
    let id = lead_id(inner, &arrival.at);
    fraud::tell(id, &signals);
    if lead.is_offered()
        && let Err(reason) = admit::eligibility(product, &submission)
    {
        let record = Record::new(Arc::clone(inner), id, product.slots, created);
        return record.reject(reason).await.map(|record| Ended::rejected(&lead, &record, reason));
    }

    // Held until this journey ends, so that a repeat is judged by how it ended.
    let claims = identity::claims(&inner.ledger, &lead);
    let until = budget.answer_by();
    let _held = inner.identities.hold(&claims, until).await.map_err(|_| Refusal::InFlight)?;
    let keys: Vec<_> = claims.iter().map(|claim| claim.key).collect();
    let claimants = inner.ledger.claimants(&keys).await.map_err(Refusal::Ledger)?;
    if let Some(reason) = identity::repeats(&claimants, &lead, arrival.at) {
        return Ok(Ended::refused(&lead, reason));
    }

    created.claims = claims;
    let record = Record::new(Arc::clone(inner), id, product.slots, created);
    if !lead.is_offered() {
        return close(record, OfferEvent::NoneEligible, &lead).await;
    }
    offer(inner, &lead, &budget, waiter, record).await
}

/// Takes an accepted lead through its product's tree, once: until it is sold whole, its slots are gone,
/// or nobody is left.
async fn offer<B: Buyers, L: Ledger>(
    inner: &Arc<Inner<B, L>>,
    lead: &Lead<'_>,
    budget: &Budget,
    waiter: &mut Waiter,
    mut record: Record<B, L>,
) -> Result<Ended, Refusal> {
    let matched = lead.matched();
    record.decisions = matched.iter().filter_map(|index| lead.decision(*index)).collect();
    let eligible = gate(inner, lead, &matched, &mut record);
    if eligible.is_empty() {
        return close(record, OfferEvent::NoneEligible, lead).await;
    }

    let mut posts_left = lead.product.max_posts;
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
        let mut offers = ask(inner, lead, &rung, waiter, &mut record).await;
        while let Some(offer) = choose::next(inner, lead, &rung, &mut offers, &mut record) {
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
            let at = inner.clock.timestamp();
            let reservation = match lead.reserve(&inner.reservations, &offer, at) {
                Ok(reservation) => reservation,
                Err(stop) => {
                    record.stopped(offer.place.row, stop);
                    continue;
                }
            };
            posts_left = posts_left.saturating_sub(1);
            choose::offered(inner, lead, &rung, (&offer, &mut offers));
            let slot = record.slots.number(offer.part);
            if let Err(refusal) = record.intend(lead.intent(&offer, slot, at)?).await {
                release_unsent(reservation);
                return Err(refusal);
            }
            let sent = (&offer, leave);
            let posted = post(inner, lead, sent, budget, (waiter, &mut record)).await?;
            settle_reservation(reservation, &offer, &posted);
            if record.is_over() || posts_left == 0 {
                return close(record, OfferEvent::Exhausted, lead).await;
            }
        }
    }
    close(record, OfferEvent::Exhausted, lead).await
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
    let result = distribute(&inner, arrival, &request, &mut waiter).await;

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
            if let Status::Rejected(reason) = ended.answer.status {
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

fn lead_id<B: Buyers, L: Ledger>(inner: &Inner<B, L>, at: &jiff::Timestamp) -> LeadId {
    let mut bytes = [0; 10];
    (inner.entropy)(&mut bytes);
    LeadId::new(*at, bytes)
}
