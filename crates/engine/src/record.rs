//! The record of a journey in flight: what must reach the ledger next, and the guard that settles a
//! journey which is dropped. Decides nothing.

mod rows;
mod write;

use std::sync::Arc;

use lead::journey::{Held, OfferEvent, OfferState};
use lead::{
    Answer, Code, Disposition, LeadId, OfferOutcome, PostClass, ProductId, PublisherId,
    RejectionReason, Sequence, Status,
};
use ledger::{Decision, Entry, Intent, Ledger, NewLead, Posted, RESALE_SLOTS, Settled};

use crate::ask::Candidate;
use crate::auction::Offer;
use crate::engine::{Inner, Refusal};
use crate::holds::Hold;
use crate::late::LateAnswers;
use crate::repost::Earlier;
use crate::reserve::Deal;
use crate::slots::Slots;
use crate::standing::{self, Sold};
use crate::subject::Lead;

/// One lead's unwritten record. Dropped unsettled, it settles itself: as `Indeterminate` if a post may
/// have left, else as expired.
pub(crate) struct Record<B: Send + Sync + 'static, L: Ledger> {
    inner: Arc<Inner<B, L>>,
    pub(crate) id: LeadId,
    pub(crate) sequence: Option<Sequence>,
    test: bool,
    /// Whose lead, and for what.
    origin: (PublisherId, ProductId),
    created: Option<Box<NewLead>>,
    /// The ledger has heard of this offer.
    begun: bool,
    /// A row for each campaign that an earlier offer was posted to.
    posted_before: Vec<Decision>,
    pending: Vec<Entry>,
    pub(crate) decisions: Vec<Decision>,
    state: OfferState,
    open_intent: Option<Intent>,
    /// Answers that came after their deadline.
    pub(crate) late: LateAnswers,
    /// A bid was left alone for want of time.
    out_of_time: bool,
    sales: Vec<(Intent, Posted)>,
    pub(crate) slots: Slots,
    answered: bool,
    settled: bool,
}

impl<B: Send + Sync + 'static, L: Ledger> Record<B, L> {
    /// Of a lead that may be sold `slots` times.
    pub(crate) fn new(inner: Arc<Inner<B, L>>, id: LeadId, slots: u16, created: NewLead) -> Self {
        Self {
            inner,
            id,
            sequence: None,
            test: created.submission.test,
            origin: (created.submission.publisher.clone(), created.submission.product.clone()),
            created: Some(Box::new(created)),
            begun: false,
            posted_before: Vec::new(),
            pending: Vec::new(),
            decisions: Vec::new(),
            state: OfferState::Asking(Held::Nothing),
            open_intent: None,
            late: LateAnswers::default(),
            out_of_time: false,
            sales: Vec::new(),
            slots: Slots::new(slots),
            answered: false,
            settled: false,
        }
    }

    /// Of a lead that is offered once more, which is written with the first thing that happens to it.
    pub(crate) fn reopened(inner: Arc<Inner<B, L>>, slots: u16, earlier: Earlier) -> Self {
        let Earlier { record: known, submission, reopened } = earlier;
        let created = NewLead {
            received_at: known.received_at,
            market_version: reopened.market_version,
            submission: Arc::new(submission),
            claims: Vec::new(),
            request: None,
            signals: Vec::new(),
        };
        let mut record = Self::new(inner, known.id, slots, created);
        record.created = None;
        record.sequence = Some(known.sequence);
        record.pending.push(Entry::Reopened(reopened));
        record.posted_before = rows::of_posted(&known);
        record
    }

    /// Leaves out whom an earlier offer was posted to: no campaign sees a lead twice.
    pub(crate) fn unposted(&mut self, mut candidates: Vec<Candidate>) -> Vec<Candidate> {
        for (place, row) in self.decisions.iter_mut().enumerate() {
            let before = self.posted_before.iter().find(|it| it.campaign == row.campaign);
            if let Some(before) = before {
                *row = Decision { tier: row.tier, ..before.clone() };
                candidates.retain(|candidate| candidate.row != place);
            }
        }
        candidates
    }

    /// Nothing can follow: nothing of the lead is left to sell, or a post ended after the publisher was
    /// answered.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, OfferState::Ended(_))
    }

    /// Makes an intent durable, with everything that waits to be written.
    pub(crate) async fn intend(&mut self, intent: Intent) -> Result<(), Refusal> {
        self.step(OfferEvent::IntentWritten);
        self.open_intent = Some(intent.clone());
        self.pending.push(Entry::Intent(intent));
        self.flush().await
    }

    /// Notes what became of the open intent, made of `offer`; the next write carries it. An unknown post
    /// is passed on only if the seller takes that `risk`, and its publisher still waits.
    pub(crate) fn posted(&mut self, offer: &Offer, posted: Posted, risk: bool) {
        let intent = self.open_intent.take();
        let waits = matches!(self.state, OfferState::Posting(_));
        if posted.class == PostClass::Unknown && risk && waits {
            self.step(OfferEvent::PassedOn);
            self.slots.pass_on(offer.part, offer.place.family);
            self.inner.metrics.passed_on.increment(1);
        } else {
            let more = self.slots.settle(offer.part, offer.place.family, posted.class);
            self.step(match (posted.class, more) {
                (PostClass::Accepted, false) => OfferEvent::Accepted,
                (PostClass::Accepted, true) => OfferEvent::SlotSold,
                (PostClass::Rejected | PostClass::NotSent, _) => OfferEvent::Refused,
                (PostClass::Unknown, false) => OfferEvent::Unknown,
                (PostClass::Unknown, true) => OfferEvent::SlotUnknown,
            });
        }
        match (posted.class, intent) {
            (PostClass::Accepted, Some(intent)) => self.sold(intent, &posted),
            (PostClass::Unknown, Some(intent)) => self.hold(&intent),
            _ => {}
        }
        self.pending.push(Entry::Posted(posted));
    }

    fn sold(&mut self, intent: Intent, posted: &Posted) {
        self.inner.metrics.sold_at_risk.increment(u64::from(intent.slot >= RESALE_SLOTS));
        self.sales.push((intent, posted.clone()));
    }

    /// From now on somebody has to say what became of a post.
    fn hold(&self, intent: &Intent) {
        let (publisher, product) = self.origin.clone();
        self.inner.hold(Hold {
            lead: self.id,
            campaign: intent.campaign.clone(),
            publisher,
            product,
            deal: Deal::of(intent.price, intent.payout, intent.expected),
            since: intent.at,
            test: self.test,
        });
    }

    /// The budget ends while a post runs: what the publisher is told, once that is durable.
    pub(crate) async fn answer_early(&mut self, lead: &Lead<'_>) -> Result<Answer, Refusal> {
        self.step(OfferEvent::OutOfTime);
        self.answered = true;
        let status = self.status();
        self.pending.push(Entry::Answered(standing::answered(&status, false)));
        self.flush().await?;
        Ok(self.answer(lead, status, false))
    }

    /// How the lead stands with its publisher now.
    pub(crate) fn status(&self) -> Status {
        let sales = self.sales.iter().map(|(intent, posted)| Sold::of(intent, posted));
        standing::sold(&sales.collect::<Vec<_>>())
    }

    /// What its publisher is told.
    pub(crate) fn answer(&self, lead: &Lead<'_>, status: Status, is_final: bool) -> Answer {
        let id = self.sequence.map(|sequence| (self.id, sequence));
        Answer { lead: id, is_final, ..standing::unstored(lead, status) }
    }

    /// Ends a lead that is not eligible.
    pub(crate) async fn reject(mut self, reason: RejectionReason) -> Result<Self, Refusal> {
        self.settle(None, Some(Disposition::Rejected), Some(reason)).await?;
        Ok(self)
    }

    /// Ends the offer.
    pub(crate) async fn end(mut self, event: OfferEvent) -> Result<(Self, OfferOutcome), Refusal> {
        if !self.is_over() {
            let event = if self.out_of_time { OfferEvent::OutOfTime } else { event };
            self.step(event);
        }
        let OfferState::Ended(outcome) = self.state else {
            return Err(Refusal::Bug("an offer was settled before it ended"));
        };
        self.settle(Some(outcome), outcome.disposition(), None).await?;
        Ok((self, outcome))
    }

    async fn settle(
        &mut self,
        outcome: Option<OfferOutcome>,
        disposition: Option<Disposition>,
        reason: Option<RejectionReason>,
    ) -> Result<(), Refusal> {
        let entry = self.ending(outcome, disposition, reason);
        self.pending.push(entry);
        self.settled = true;
        self.flush().await
    }

    fn ending(
        &mut self,
        outcome: Option<OfferOutcome>,
        disposition: Option<Disposition>,
        reason: Option<RejectionReason>,
    ) -> Entry {
        // A rejected lead is a rejected lead, rehearsal or not: its reason must stand.
        let rehearsal = self.test && reason.is_none();
        let disposition = if rehearsal { Some(Disposition::Test) } else { disposition };
        let mut decisions = std::mem::take(&mut self.decisions);
        self.late.show_in(&mut decisions);
        let status = reason.map_or_else(|| self.status(), Status::Rejected);
        let is_final = disposition.is_some_and(|d| d != Disposition::Indeterminate);
        // What was answered early stays the first answer.
        let answered = (!self.answered).then(|| standing::answered(&status, is_final));
        let at = self.inner.clock.timestamp();
        Entry::Settled(Settled { outcome, disposition, reason, decisions, answered, at })
    }

    /// An illegal step is a bug: it is counted, and the state stays where it was.
    fn step(&mut self, event: OfferEvent) {
        match self.state.after(event) {
            Some(next) => self.state = next,
            None => {
                debug_assert!(false, "{event:?} in {:?}", self.state);
                self.inner.metrics.illegal_steps.increment(1);
            }
        }
    }
}

fn unknown(intent: Intent, at: jiff::Timestamp) -> Posted {
    Posted {
        campaign: intent.campaign,
        attempt: intent.attempt,
        class: PostClass::Unknown,
        code: Code::Unknown,
        price: intent.price,
        payout: intent.payout,
        redirect_url: None,
        reference: None,
        at,
    }
}
