//! Reposts: which lead a repeat opens again, because its publisher now takes less for it; and the way to
//! end that for good. Must never open a lead that is sold, or that anybody may have.

use fanout::Buyers;
use lead::{Answer, Code, Door, LeadId, PostClass, PublisherId, Status, Submission};
use ledger::{Claimant, Entry, LeadRecord, Ledger, Refused, Reopened, Write};
use rust_decimal::Decimal;

use crate::engine::{Inner, Refusal};
use crate::subject::Lead;
use crate::{Engine, standing};

/// What a repeat is, if it is more than a duplicate.
pub(crate) enum Repost {
    /// It asks for less than before: the earlier lead is offered once more.
    Lower(Box<Earlier>),
    /// It asks for what the last repost asked for: the answer to that.
    Same(Answer),
}

/// A lead that is offered once more.
pub(crate) struct Earlier {
    pub(crate) record: LeadRecord,
    /// As it was posted first, but for what it must pay.
    pub(crate) submission: Submission,
    pub(crate) reopened: Reopened,
}

/// What the publisher of a withdrawn lead is told.
#[derive(Debug)]
pub enum Withdrawal {
    /// It is withdrawn: how it stands.
    Done(Box<Answer>),
    /// It is sold, held or under way, or was never accepted.
    NotUnsold,
}

/// What a repeat of `counting` is: a repost of the publisher's own lead, with the same id of the
/// publisher's, the same contact and the same attributes. Anything else is a duplicate.
pub(crate) async fn of<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    counting: &[&Claimant],
    market_version: u64,
) -> Result<Option<Repost>, Refusal> {
    let posted = lead.submission;
    // Only Gavel's own door lets a publisher say what it asks for.
    if posted.door != Door::Native {
        return Ok(None);
    }
    let Some(first) = counting.first() else { return Ok(None) };
    let is_alone = counting.iter().all(|claimant| claimant.lead == first.lead);
    if !is_alone || first.publisher != posted.publisher || posted.external_id.is_none() {
        return Ok(None);
    }
    let record = inner.ledger.lead(first.lead).await.map_err(Refusal::Ledger)?;
    let Some(mut record) = record else { return Ok(None) };
    let Some(stored) = record.submission.take().filter(|stored| is_same(stored, posted)) else {
        return Ok(None);
    };
    let asked = posted.min_payout.map(|least| least.amount);
    let before = match record.offers {
        1 => stored.min_payout.map(|least| least.amount),
        _ => record.least,
    };
    if record.offers > 1 && asked == before {
        record.submission = Some(stored);
        let currency = Some(lead.product.currency);
        return Ok(Some(Repost::Same(standing::now(&record, currency))));
    }
    if !is_lower(asked, before) || !is_free(&record) {
        return Ok(None);
    }
    let submission = Submission { min_payout: posted.min_payout, ..stored };
    let reopened = Reopened { least: asked, market_version };
    Ok(Some(Repost::Lower(Box::new(Earlier { record, submission, reopened }))))
}

/// Whether a lead's publisher took it back.
pub(crate) async fn is_withdrawn<B: Buyers, L: Ledger>(inner: &Inner<B, L>, id: LeadId) -> bool {
    matches!(inner.ledger.lead(id).await, Ok(Some(record)) if record.withdrawn)
}

/// Whether two posts are of one lead, whatever they ask for it.
fn is_same(stored: &Submission, posted: &Submission) -> bool {
    stored.product == posted.product
        && stored.external_id == posted.external_id
        && stored.contact == posted.contact
        && stored.attributes == posted.attributes
}

fn is_lower(asked: Option<Decimal>, before: Option<Decimal>) -> bool {
    before.is_some_and(|before| asked.is_none_or(|asked| asked < before))
}

/// Whether nobody has the lead or may have it. A post of which nobody ever said what became of it keeps
/// its lead from everybody else for good.
fn is_free(record: &LeadRecord) -> bool {
    let refused = |class| matches!(class, Some(PostClass::Rejected | PostClass::NotSent));
    record.disposition == Some(lead::Disposition::Unsold)
        && !record.withdrawn
        && record.posts.iter().all(|it| refused(it.class) && it.code != Some(Code::Unknown))
}

impl<B: Buyers, L: Ledger> Engine<B, L> {
    /// Ends a publisher's unsold lead for good: it is never offered again. Doing so twice is doing it
    /// once. `None` if the publisher has no such lead.
    ///
    /// # Errors
    /// The ledger cannot be read or written; nothing is changed then.
    pub async fn withdraw(
        &self,
        publisher: &PublisherId,
        id: LeadId,
    ) -> Result<Option<Withdrawal>, Refused> {
        let ledger = &self.0.ledger;
        let own = |record: &LeadRecord| record.publisher == *publisher;
        let Some(record) = ledger.lead(id).await?.filter(own) else { return Ok(None) };
        let answer = standing::now(&record, self.currency(&record));
        if answer.status != Status::New || !answer.is_final {
            return Ok(Some(Withdrawal::NotUnsold));
        }
        if !record.withdrawn {
            let entries = vec![Entry::Withdrawn(self.0.clock.timestamp())];
            match ledger.commit(Write { lead: id, created: None, entries }).await {
                Ok(_) => {}
                // It was opened again in the meantime.
                Err(Refused::Illegal(_)) => return Ok(Some(Withdrawal::NotUnsold)),
                Err(refused) => return Err(refused),
            }
        }
        Ok(Some(Withdrawal::Done(Box::new(answer))))
    }
}
