//! The record of a journey in flight: what must reach the ledger next, and the guard that settles a
//! journey which is dropped. Decides nothing.

use std::sync::Arc;
use std::time::Duration;

use lead::journey::{Held, OfferEvent, OfferState};
use lead::{
    Answer, Code, Disposition, LeadId, OfferOutcome, PostClass, RejectionReason, Sequence, Status,
};
use ledger::{Decision, Entry, Intent, Ledger, NewLead, Posted, Refused, Settled, Write};

use crate::auction::Offer;
use crate::engine::{Inner, Refusal};
use crate::metrics::Ending;
use crate::reserve::Stop;
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
    created: Option<Box<NewLead>>,
    pending: Vec<Entry>,
    pub(crate) decisions: Vec<Decision>,
    state: OfferState,
    open_intent: Option<Intent>,
    sales: Vec<(u16, Posted)>,
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
            created: Some(Box::new(created)),
            pending: Vec::new(),
            decisions: Vec::new(),
            state: OfferState::Asking(Held::Nothing),
            open_intent: None,
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

    /// Notes a bid.
    pub(crate) fn bid(&mut self, row: usize, bid: &lead::Bid) {
        if let Some(decision) = self.decisions.get_mut(row) {
            decision.bid = Some(bid.price.amount);
        }
    }

    /// Notes what became of the open intent, in the record and in the campaign's row.
    pub(crate) fn delivered(
        &mut self,
        offer: &Offer,
        took: Duration,
        reply: &fanout::PostReply,
        posted: Posted,
    ) {
        if let Some(decision) = self.decisions.get_mut(offer.place.row) {
            decision.code = reply.code;
            decision.post_ms = Some(millis(took));
            decision.reason.clone_from(&reply.reason);
        }
        let slot = self.slots.number(offer.part);
        let more = self.slots.settle(offer.part, offer.place.family, posted.class);
        self.posted(slot, posted, more);
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

    /// The next write carries it. `more` says that slots are left.
    fn posted(&mut self, slot: u16, posted: Posted, more: bool) {
        self.step(match (posted.class, more) {
            (PostClass::Accepted, false) => OfferEvent::Accepted,
            (PostClass::Accepted, true) => OfferEvent::SlotSold,
            (PostClass::Rejected | PostClass::NotSent, _) => OfferEvent::Refused,
            (PostClass::Unknown, false) => OfferEvent::Unknown,
            (PostClass::Unknown, true) => OfferEvent::SlotUnknown,
        });
        self.open_intent = None;
        if posted.class == PostClass::Accepted {
            self.sales.push((slot, posted.clone()));
        }
        self.pending.push(Entry::Posted(posted));
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
        let sales = self.sales.iter().map(|(slot, posted)| Sold::of(*slot, posted));
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
        if !matches!(self.state, OfferState::Ended(_)) {
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
        let decisions = std::mem::take(&mut self.decisions);
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
        match self.inner.ledger.commit(write.clone()).await {
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
