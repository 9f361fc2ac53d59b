//! One post: sent once, never cut short by the budget, and what its answer means in money.

use fanout::{Buyers, Post, PostReply};
use lead::{Code, Money, PostClass};
use ledger::{Ledger, Posted};
use market::{Campaign, OnAmbiguous};

use crate::auction::{self, Offer};
use crate::budget::Budget;
use crate::doubt;
use crate::engine::{Inner, Refusal};
use crate::events;
use crate::journey::Waiter;
use crate::lines::{Room, Trial};
use crate::record::Record;
use crate::reserve::{Deal, Reservation};
use crate::subject::Lead;

/// Leave for one post: room at its campaign, and its part in what is known of the endpoint.
pub(crate) struct Leave {
    _room: Room,
    trial: Trial,
}

/// Leave to post to the campaign of an offer now, whose breaker may have opened since it was asked.
pub(crate) fn leave<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    offer: &Offer,
) -> Result<Leave, Code> {
    let campaign = lead.campaign(offer.place.index).ok_or(Code::Paused)?;
    let line = inner.lines.to(&campaign.key);
    let (room, trial) = line.post(campaign, !lead.submission.test, inner.clock.instant())?;
    Ok(Leave { _room: room, trial })
}

/// Whether a post to the campaign of an offer, as long as they have taken lately, would end in time. How
/// long they took while it was broken is no measure for the one that shows whether it still is.
pub(crate) fn fits_post<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    (offer, leave): (&Offer, &Leave),
    budget: &Budget,
) -> bool {
    let (now, usual) = (inner.clock.instant(), budget.usual_post());
    let left = budget.for_post(now);
    match lead.pace(&inner.paces, offer.place.index).filter(|_| !leave.trial.is_probe()) {
        Some(pace) => pace.fits_post(left, usual, now),
        None => usual <= left,
    }
}

/// Posts to one campaign whose intent is durable and notes what became of it. If the budget ends
/// first the publisher is answered and the post goes on, with everything that its policy does while
/// its answer is unknown.
pub(crate) async fn post<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    (offer, mut leave): (&Offer, Leave),
    budget: &Budget,
    (waiter, record): (&mut Waiter, &mut Record<B, L>),
) -> Result<Posted, Refusal> {
    let campaign =
        lead.campaign(offer.place.index).ok_or(Refusal::Bug("an offer names no campaign"))?;
    let submission = lead.submission;
    let token = events::token(&inner.ledger, record.id, &campaign.key);
    let post = Post {
        campaign,
        lead: record.id,
        event_token: &token,
        attempt: 0,
        again: false,
        ping: offer.place.ping,
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
    let pace = lead.pace(&inner.paces, offer.place.index);
    let judge = |health| {
        let has_healed = leave.trial.ended(health, inner.clock.instant());
        if let Some(pace) = pace.as_ref().filter(|_| has_healed) {
            pace.posts_healed();
        }
    };
    let mut delivery = std::pin::pin!(doubt::post(inner, &post, judge));
    let answer_by = tokio::time::Instant::from_std(budget.answer_by().0);
    let (reply, post_took) = match tokio::time::timeout_at(answer_by, &mut delivery).await {
        Ok(reply) => reply,
        Err(_) => {
            waiter.answer(record.answer_early(lead).await);
            delivery.await
        }
    };
    waiter.waited += inner.clock.instant().saturating_duration_since(started);
    inner.metrics.posted(reply.code, post_took);
    if let Some(pace) = &pace {
        pace.posted(post_took, inner.clock.instant());
    }
    let Offer { price, payout, expected, .. } = *offer;
    let agreed = Agreed { price, payout, expected, attempt: post.attempt };
    let posted = outcome(lead, campaign, agreed, &reply, inner.clock.timestamp());
    if posted.class == PostClass::Accepted && lead.is_crowded() {
        inner.form.won(&campaign.key, posted.at);
    }
    record.delivered(offer.place.row, post_took, &reply);
    record.posted(offer, posted.clone(), campaign.on_ambiguous == OnAmbiguous::NextBuyer);
    Ok(posted)
}

/// Settles what was taken for a post of `offer` by what is known of it.
pub(crate) fn settle_reservation(reservation: Option<Reservation>, offer: &Offer, posted: &Posted) {
    let Some(reservation) = reservation else { return };
    match posted.class {
        PostClass::Accepted => {
            reservation.commit(Deal::of(posted.price, posted.payout, offer.expected));
        }
        PostClass::Rejected => reservation.release(true),
        PostClass::NotSent => reservation.release(false),
        PostClass::Unknown => reservation.freeze(),
    }
}

/// Gives back what was taken for a post that is not made.
pub(crate) fn release_unsent(reservation: Option<Reservation>) {
    if let Some(reservation) = reservation {
        reservation.release(false);
    }
}

/// What an intent says.
#[derive(Clone, Copy)]
pub(crate) struct Agreed {
    pub(crate) price: Money,
    pub(crate) payout: Money,
    pub(crate) expected: Option<Money>,
    pub(crate) attempt: u32,
}

/// What a reply means in money: a lower price stated by the buyer is what is billed, unless the price is
/// due only with an outcome, of which the reply cannot know yet.
pub(crate) fn outcome(
    lead: &Lead<'_>,
    campaign: &Campaign,
    agreed: Agreed,
    reply: &PostReply,
    at: jiff::Timestamp,
) -> Posted {
    let rule = campaign.payout.unwrap_or(lead.payout_rule());
    let stated = reply.price.filter(|_| agreed.expected.is_none());
    let deal = (agreed.price, agreed.payout);
    let (price, payout) = auction::bill(deal, stated, rule, lead.product.min_margin);
    let fallback = campaign.redirect_url.as_ref().map(|url| url.as_str().to_owned());
    let accepted = reply.class == PostClass::Accepted;
    Posted {
        campaign: campaign.key.clone(),
        attempt: agreed.attempt,
        class: reply.class,
        code: reply.code,
        price,
        payout,
        redirect_url: reply.redirect_url.clone().or(fallback).filter(|_| accepted),
        reference: reply.reference.clone(),
        at,
    }
}
