//! The journey: what happens to a lead, from top to bottom, in [`distribute`]. Everything that it
//! calls is a leaf; control flow is here and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use fanout::{Buyers, Ping, Post, PostReply, SharedAttributes, ping_all};
use lead::journey::OfferEvent;
use lead::{
    Answer, Code, Currency, Deadline, Disposition, LeadId, OfferOutcome, PayoutBasis, PingId,
    PostClass, RejectionReason, Status, Submission,
};
use ledger::{Decision, Intent, LeadRecord, Ledger, NewLead, PostRecord, Posted};
use market::{Campaign, Mode, PayoutRule, Product, Publisher, Tier};
use rules::Encoded;
use tokio::sync::oneshot;

use crate::auction::{self, Floors, Offer, Place};
use crate::budget::Budget;
use crate::engine::{Arrival, Inner, Refusal};
use crate::metrics::Ending;
use crate::record::Record;
use crate::{Tree, admit, enrich};

/// Takes one lead from submission to settlement: at most one sale, one disposition, durable before
/// it is answered.
async fn distribute<B: Buyers, L: Ledger>(
    inner: &Arc<Inner<B, L>>,
    arrival: Arrival,
    waiter: &mut Waiter,
) -> Result<Ended, Refusal> {
    let snapshot = inner.snapshot.load_full();
    let mut submission = arrival.submission;
    let (product, tree) = snapshot
        .tree(&submission.product)
        .ok_or(Refusal::NoProduct)?;
    let publisher = snapshot
        .market
        .publishers
        .get(&submission.publisher)
        .ok_or(Refusal::NoProduct)?;
    let whole = arrival.budget.unwrap_or(product.budget).min(product.budget);
    let budget = Budget::new(arrival.instant, whole, inner.reserves);

    if !product.active {
        return Ok(refused(
            RejectionReason::InvalidProduct,
            &submission,
            product,
        ));
    }
    submission.test |= publisher.mode == Mode::Test;
    enrich::derive(&mut submission, product, publisher, arrival.at);
    if let Err(reason) = admit::consents(product, &submission) {
        return Ok(refused(reason, &submission, product));
    }

    let created = NewLead {
        received_at: arrival.at,
        market_version: snapshot.version,
        submission: submission.clone(),
    };
    let mut record = Record::new(Arc::clone(inner), lead_id(inner, &arrival.at), created);
    if let Err(reason) = admit::eligibility(product, &submission) {
        let record = record.reject(reason).await?;
        return Ok(created_answer(
            &record,
            &submission,
            product,
            Status::Rejected(reason),
        ));
    }

    let lead = Lead {
        submission: &submission,
        publisher,
        product,
        tree,
    };
    let matched = lead.matched();
    record.decisions = matched
        .iter()
        .filter_map(|index| lead.decision(*index))
        .collect();
    let eligible = gate(&lead, &matched, &mut record);
    if eligible.is_empty() {
        return close(record, OfferEvent::NoneEligible, &lead, None).await;
    }

    let mut posts_left = product.max_posts;
    for (tier, number) in product.tiers.iter().zip(1u8..) {
        let Some(until) = budget.for_pings(inner.clock.instant(), tier.time_limit) else {
            return close(record, OfferEvent::OutOfTime, &lead, None).await;
        };
        let rung = Rung {
            tier,
            until,
            campaigns: lead.in_tier(number, &eligible),
        };
        for offer in ask(inner, &lead, &rung, waiter, &mut record).await {
            if !budget.fits_post(inner.clock.instant()) {
                return close(record, OfferEvent::OutOfTime, &lead, None).await;
            }
            let Some(left) = posts_left.checked_sub(1) else {
                break;
            };
            posts_left = left;
            record
                .intend(lead.intent(&offer, inner.clock.timestamp())?)
                .await?;
            let sale = post(inner, &lead, &offer, &budget, (waiter, &mut record)).await?;
            if record.is_over() {
                return close(record, OfferEvent::Exhausted, &lead, sale).await;
            }
        }
    }
    close(record, OfferEvent::Exhausted, &lead, None).await
}

/// Runs a journey and answers whoever waits for it; measures, counts and logs around it.
pub(crate) async fn run<B: Buyers, L: Ledger>(
    inner: Arc<Inner<B, L>>,
    arrival: Arrival,
    answer: oneshot::Sender<Result<Answer, Refusal>>,
) {
    let (door, started, budget) = (arrival.submission.door, arrival.instant, arrival.budget);
    let product = arrival.submission.product.clone();
    let mut waiter = Waiter {
        answer: Some(answer),
        waited: Duration::ZERO,
    };
    let result = distribute(&inner, arrival, &mut waiter).await;

    let took = inner.clock.instant().saturating_duration_since(started);
    let ending = result
        .as_ref()
        .map_or(Ending::Refused, |ended| ended.ending);
    inner.metrics.lead(door, ending);
    inner.metrics.journey_seconds.record(took);
    inner
        .metrics
        .own_seconds
        .record(took.saturating_sub(waiter.waited));
    let whole = inner
        .snapshot
        .load()
        .market
        .products
        .get(&product)
        .map(|product| product.budget);
    if let Some(whole) = whole {
        inner
            .metrics
            .answered(took <= budget.unwrap_or(whole).min(whole));
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

/// Whoever waits for the answer, and how much of the journey was spent waiting for buyers.
struct Waiter {
    answer: Option<oneshot::Sender<Result<Answer, Refusal>>>,
    waited: Duration,
}

impl Waiter {
    fn answer(&mut self, answer: Result<Answer, Refusal>) {
        if let Some(sender) = self.answer.take() {
            // Nobody waits any more when the publisher hung up; the record stands all the same.
            drop(sender.send(answer));
        }
    }
}

/// A lead and everything that its journey looks things up in.
struct Lead<'a> {
    submission: &'a Submission,
    publisher: &'a Publisher,
    product: &'a Product,
    tree: &'a Tree,
}

impl Lead<'_> {
    /// Positions of the campaigns whose filter wants the lead, in tree order.
    fn matched(&self) -> Vec<usize> {
        let encoded = Encoded::new(&self.submission.attributes, &self.product.dictionary);
        self.tree.book.matching(&encoded).collect()
    }

    fn campaign(&self, index: usize) -> Option<&Campaign> {
        self.tree.campaigns.get(index)
    }

    fn decision(&self, index: usize) -> Option<Decision> {
        let campaign = self.campaign(index)?;
        let code = Code::TierNotReached;
        let key = campaign.key.clone();
        Some(Decision {
            campaign: key,
            tier: campaign.tier,
            code,
            bid: None,
            ping_ms: None,
            post_ms: None,
            reason: None,
        })
    }

    fn in_tier(&self, number: u8, eligible: &[Candidate]) -> Vec<Candidate> {
        let here = |candidate: &&Candidate| {
            self.campaign(candidate.index)
                .is_some_and(|c| c.tier == number)
        };
        eligible.iter().filter(here).copied().collect()
    }

    fn floors(&self, tier: &Tier) -> Floors {
        let terms = self.publisher.terms.get(&self.product.id);
        let currency = self.product.currency;
        let floor = terms.and_then(|terms| terms.floor).unwrap_or_default();
        let asked = self
            .submission
            .min_payout
            .map_or(floor, |least| least.amount.max(floor));
        Floors {
            price: tier.floor,
            payout: lead::Money {
                amount: asked,
                currency,
            },
            margin: self.product.min_margin,
            rule: self.payout_rule(),
        }
    }

    fn payout_rule(&self) -> PayoutRule {
        let terms = self.publisher.terms.get(&self.product.id);
        terms
            .and_then(|terms| terms.payout)
            .unwrap_or(self.product.payout)
    }

    fn intent(&self, offer: &Offer, at: jiff::Timestamp) -> Result<Intent, Refusal> {
        let campaign = self
            .campaign(offer.index)
            .ok_or(Refusal::Bug("an offer names no campaign"))?
            .key
            .clone();
        Ok(Intent {
            campaign,
            attempt: 0,
            slot: 0,
            price: offer.price,
            payout: offer.payout,
            at,
        })
    }
}

/// A matched campaign: its place in the tree and its row in the record.
#[derive(Clone, Copy)]
struct Candidate {
    index: usize,
    row: usize,
}

/// The campaigns of one tier that are asked, and until when.
struct Rung<'a> {
    tier: &'a Tier,
    until: Deadline,
    campaigns: Vec<Candidate>,
}

/// Matched campaigns that may be asked now; the others get the code of the gate that stopped them.
fn gate<B: Buyers, L: Ledger>(
    lead: &Lead<'_>,
    matched: &[usize],
    record: &mut Record<B, L>,
) -> Vec<Candidate> {
    let mut eligible = Vec::with_capacity(matched.len());
    for (row, index) in matched.iter().copied().enumerate() {
        let Some(campaign) = lead.campaign(index) else {
            continue;
        };
        let reachable = !lead.submission.test || campaign.delivery.sandbox.is_some();
        if Tree::is_open(campaign) && reachable {
            eligible.push(Candidate { index, row });
        } else {
            record.note(row, Code::Paused);
        }
    }
    eligible
}

/// Pings a tier and returns the offers that may buy, best first.
async fn ask<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    rung: &Rung<'_>,
    waiter: &mut Waiter,
    record: &mut Record<B, L>,
) -> Vec<Offer> {
    let product = lead.product;
    let shown = lead
        .submission
        .attributes
        .for_ping(|name| product.dictionary.declared_in_ping(name));
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
            bids.push((
                *candidate,
                lead::Bid {
                    price: campaign.price.most(),
                    reference: None,
                },
                None,
            ));
            continue;
        };
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
        let code = asked
            .answer
            .as_ref()
            .map_or_else(|no_bid| no_bid.code, |_| Code::Sold);
        inner.metrics.pinged(code, asked.took);
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
        let Some(campaign) = lead.campaign(candidate.index) else {
            continue;
        };
        record.bid(candidate.row, &bid);
        let place = Place {
            index: candidate.index,
            row: candidate.row,
            ping,
        };
        match auction::appraise(place, campaign, bid, &floors) {
            Ok(offer) => {
                record.note(candidate.row, Code::Outbid);
                offers.push(offer);
            }
            Err(code) => record.note(candidate.row, code),
        }
    }
    auction::rank(record.id, &mut offers, &lead.tree.campaigns);
    offers
}

/// Posts to one campaign whose intent is durable and notes what became of it. If the budget ends
/// first the publisher is answered and the post goes on.
async fn post<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    offer: &Offer,
    budget: &Budget,
    (waiter, record): (&mut Waiter, &mut Record<B, L>),
) -> Result<Option<Status>, Refusal> {
    let campaign = lead
        .campaign(offer.index)
        .ok_or(Refusal::Bug("an offer names no campaign"))?;
    let submission = lead.submission;
    let post = Post {
        campaign,
        lead: record.id,
        attempt: 0,
        ping: offer.ping,
        bid_reference: offer.reference.as_deref(),
        price: offer.price,
        product: &lead.product.id,
        test: submission.test,
        external_id: submission.external_id.as_deref(),
        attributes: &submission.attributes,
        contact: &submission.contact,
        consent: &submission.consent,
    };
    let started = inner.clock.instant();
    let mut delivery = std::pin::pin!(inner.buyers.post(&post));
    let answer_by = tokio::time::Instant::from_std(budget.answer_by().0);
    let reply = match tokio::time::timeout_at(answer_by, &mut delivery).await {
        Ok(reply) => reply,
        Err(_) => {
            record.answered_early();
            let pending = created_answer(record, submission, lead.product, Status::New).answer;
            waiter.answer(Ok(Answer {
                is_final: false,
                ..pending
            }));
            delivery.await
        }
    };
    let took = inner.clock.instant().saturating_duration_since(started);
    waiter.waited += took;
    inner.metrics.posted(reply.code, took);
    let posted = outcome(lead, campaign, offer, &reply, inner.clock.timestamp());
    let sale = (posted.class == PostClass::Accepted).then(|| distributed(&posted));
    record.delivered(offer.row, took, &reply, posted);
    Ok(sale)
}

/// What a reply means in money: a lower price stated by the buyer is what is billed.
fn outcome(
    lead: &Lead<'_>,
    campaign: &Campaign,
    offer: &Offer,
    reply: &PostReply,
    at: jiff::Timestamp,
) -> Posted {
    let cut = reply
        .price
        .and_then(|amount| lead::Money::price(amount, offer.price.currency));
    let price = cut
        .filter(|price| price.amount < offer.price.amount)
        .unwrap_or(offer.price);
    let rule = campaign.payout.unwrap_or(lead.payout_rule());
    let payout = if price == offer.price {
        Some(offer.payout)
    } else {
        rule.payout(price)
    };
    let fallback = campaign
        .redirect_url
        .as_ref()
        .map(|url| url.as_str().to_owned());
    let accepted = reply.class == PostClass::Accepted;
    Posted {
        campaign: campaign.key.clone(),
        attempt: 0,
        class: reply.class,
        code: reply.code,
        price,
        payout: payout.unwrap_or(lead::Money::zero(price.currency)),
        redirect_url: reply.redirect_url.clone().or(fallback).filter(|_| accepted),
        reference: reply.reference.clone(),
        at,
    }
}

fn distributed(posted: &Posted) -> Status {
    Status::Distributed {
        redirect_url: posted.redirect_url.clone(),
        payout: posted.payout,
        basis: PayoutBasis::Sale,
    }
}

/// Settles the record and makes the answer.
async fn close<B: Buyers, L: Ledger>(
    record: Record<B, L>,
    event: OfferEvent,
    lead: &Lead<'_>,
    sale: Option<Status>,
) -> Result<Ended, Refusal> {
    let (record, outcome) = record.end(event).await?;
    let status = sale.unwrap_or(Status::New);
    let ended = created_answer(&record, lead.submission, lead.product, status);
    let is_final = outcome != OfferOutcome::Indeterminate;
    Ok(Ended {
        ending: outcome.into(),
        answer: Answer {
            is_final,
            ..ended.answer
        },
    })
}

/// A lead that was refused before it was created: nothing is stored.
fn refused(reason: RejectionReason, submission: &Submission, product: &Product) -> Ended {
    let answer = answer(
        None,
        submission,
        Some(product.currency),
        Status::Rejected(reason),
    );
    Ended {
        ending: Ending::Rejected,
        answer,
    }
}

fn created_answer<B: Buyers, L: Ledger>(
    record: &Record<B, L>,
    submission: &Submission,
    product: &Product,
    status: Status,
) -> Ended {
    let id = record.sequence.map(|sequence| (record.id, sequence));
    Ended {
        ending: Ending::Rejected,
        answer: answer(id, submission, Some(product.currency), status),
    }
}

fn answer(
    lead: Option<(LeadId, lead::Sequence)>,
    submission: &Submission,
    currency: Option<Currency>,
    status: Status,
) -> Answer {
    Answer {
        lead,
        status,
        is_final: true,
        currency,
        external_id: submission.external_id.clone(),
        tags: submission.tags.clone(),
    }
}

/// The answer that a stored lead gives now.
pub(crate) fn answer_of(
    record: &LeadRecord,
    submission: &Submission,
    currency: Option<Currency>,
) -> Answer {
    let sale = |post: &PostRecord| Status::Distributed {
        redirect_url: post.redirect_url.clone(),
        payout: post.payout,
        basis: PayoutBasis::Sale,
    };
    let status = match record.reason {
        Some(reason) => Status::Rejected(reason),
        None => record.sales().next().map_or(Status::New, sale),
    };
    let settled = !matches!(record.disposition, None | Some(Disposition::Indeterminate));
    let id = Some((record.id, record.sequence));
    Answer {
        is_final: settled,
        ..answer(id, submission, currency, status)
    }
}

fn lead_id<B: Buyers, L: Ledger>(inner: &Inner<B, L>, at: &jiff::Timestamp) -> LeadId {
    let mut bytes = [0; 10];
    (inner.entropy)(&mut bytes);
    LeadId::new(*at, bytes)
}

fn ping_ids<B: Buyers, L: Ledger>(inner: &Inner<B, L>, count: usize) -> Vec<PingId> {
    let mut bytes = vec![0; count * 16];
    (inner.entropy)(&mut bytes);
    bytes
        .as_chunks::<16>()
        .0
        .iter()
        .copied()
        .map(PingId::new)
        .collect()
}
