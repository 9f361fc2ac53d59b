//! The record of a journey in flight: what must reach the ledger next, and the guard that settles a
//! journey which is dropped. Decides nothing.

use std::sync::Arc;
use std::time::Duration;

use lead::journey::{Held, OfferEvent, OfferState};
use lead::{
    Answer, Code, Disposition, LeadId, OfferOutcome, PostClass, ProductId, PublisherId,
    RejectionReason, Sequence, Status,
};
use ledger::{
    Decision, Entry, Intent, Ledger, NewLead, Posted, RESALE_SLOTS, Refused, Settled, Write,
};

use crate::auction::Offer;
use crate::engine::{Inner, Refusal};
use crate::holds::Hold;
use crate::late::LateAnswers;
use crate::metrics::Ending;
use crate::reserve::{Deal, Stop};
use crate::slots::Slots;
use crate::standing::{self, Sold};
use crate::subject::Lead;

/// How long a write that failed waits for its next try.
const WRITE_AGAIN_AFTER: Duration = Duration::from_secs(1);

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

    /// Notes the code at which a campaign stands now.
    pub(crate) fn note(&mut self, position: usize, code: Code) {
        if let Some(decision) = self.decisions.get_mut(position) {
            decision.code = code;
        }
    }

    /// Notes the answer to a ping.
    pub(crate) fn pinged(&mut self, row: usize, asked: &fanout::Asked) {
        let Some(decision) = self.decisions.get_mut(row) else {
            return;
        };
        decision.ping_ms = Some(millis(asked.took));
        if let Err(no_bid) = &asked.answer {
            decision.code = no_bid.code;
            decision.reason.clone_from(&no_bid.reason);
        }
    }

    /// Notes that the answer to a ping was not waited for any longer. That it was sent stays on record: a
    /// cap of pings counts it.
    pub(crate) fn not_awaited(&mut self, row: usize, took: Duration) {
        if let Some(decision) = self.decisions.get_mut(row) {
            decision.code = Code::EarlyClose;
            decision.ping_ms = Some(millis(took));
        }
    }

    /// Notes that there is no time left to post to a campaign that bid.
    pub(crate) fn ran_out(&mut self, row: usize) {
        self.note(row, Code::NoTime);
        self.inner.metrics.posts_skipped.increment(1);
        self.out_of_time = true;
    }

    /// Notes a bid.
    pub(crate) fn bid(&mut self, row: usize, bid: &lead::Bid) {
        if let Some(decision) = self.decisions.get_mut(row) {
            decision.bid = Some(bid.price.amount);
        }
    }

    /// Notes how a post went in its campaign's row.
    pub(crate) fn delivered(&mut self, row: usize, took: Duration, reply: &fanout::PostReply) {
        if let Some(decision) = self.decisions.get_mut(row) {
            decision.code = reply.code;
            decision.post_ms = Some(millis(took));
            decision.reason.clone_from(&reply.reason);
        }
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

    /// Notes that a cap or the buyer's funds stopped a campaign, and which.
    pub(crate) fn stopped(&mut self, row: usize, stop: &Stop) {
        if let Some(decision) = self.decisions.get_mut(row) {
            decision.code = stop.code;
            decision.reason = Some(format!("{} ({} used)", stop.cap, stop.used));
        }
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

    async fn flush(&mut self) -> Result<(), Refusal> {
        let known = self.created.is_none();
        let write = self.take_write();
        let started = self.inner.clock.instant();
        let committed = self.inner.ledger.commit(write.clone()).await;
        let now = self.inner.clock.instant();
        self.inner.paces.committed(now.saturating_duration_since(started), now);
        match committed {
            Ok(receipt) => {
                self.sequence = Some(receipt.sequence);
                Ok(())
            }
            Err(refused) => {
                self.settled = true;
                if known {
                    let write = self.without_post(write);
                    write_later(Arc::clone(&self.inner), write);
                }
                Err(Refusal::Ledger(refused))
            }
        }
    }

    /// A post whose intent is not durable is never made, and the offer ends there.
    fn without_post(&mut self, mut write: Write) -> Write {
        if write.entries.pop_if(|entry| matches!(entry, Entry::Intent(_))).is_some() {
            let outcome = self.state.if_stopped();
            write.entries.push(self.ending(Some(outcome), outcome.disposition(), None));
        }
        write
    }

    fn take_write(&mut self) -> Write {
        Write {
            lead: self.id,
            created: self.created.take(),
            entries: std::mem::take(&mut self.pending),
        }
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

impl<B: Send + Sync + 'static, L: Ledger> Drop for Record<B, L> {
    fn drop(&mut self) {
        // A lead that the ledger has never seen, and no publisher heard of, leaves no trace.
        if self.settled || self.created.is_some() {
            return;
        }
        if let Some(intent) = self.open_intent.take() {
            self.step(OfferEvent::Unknown);
            self.hold(&intent);
            self.pending.push(Entry::Posted(unknown(intent, self.inner.clock.timestamp())));
        }
        let outcome = self.state.if_stopped();
        let entry = self.ending(Some(outcome), outcome.disposition(), None);
        self.pending.push(entry);
        let (inner, write) = (Arc::clone(&self.inner), self.take_write());
        self.inner.metrics.ended(Ending::Abandoned);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let tasks = inner.tasks.clone();
            let settling = async move {
                if let Err(refused) = inner.ledger.commit(write).await {
                    tracing::error!(%refused, "an abandoned journey could not be settled");
                }
            };
            drop(tasks.spawn_on(settling, &runtime));
        }
    }
}

/// Tries again and again to write what happened to a lead that the ledger knows already: a sale that is
/// not written down is a sale all the same. What is still unwritten when the process ends, the next
/// start finds as an open intent.
fn write_later<B: Send + Sync + 'static, L: Ledger>(inner: Arc<Inner<B, L>>, write: Write) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    drop(runtime.spawn(async move {
        loop {
            tokio::time::sleep(WRITE_AGAIN_AFTER).await;
            match inner.ledger.commit(write.clone()).await {
                Err(Refused::Full | Refused::Unavailable(_)) => {}
                Err(refused) => {
                    tracing::error!(lead = %write.lead, %refused, "an outcome could not be written");
                    return;
                }
                Ok(_) => return,
            }
        }
    }));
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
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
