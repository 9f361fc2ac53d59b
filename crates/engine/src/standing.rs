//! How a stored lead stands, as its publisher may see it. Pure.

use std::collections::BTreeMap;

use lead::{
    Answer, Currency, Disposition, Money, PayoutBasis, RejectionReason, Sale, Status, Submission,
};
use ledger::{Answered, Intent, LeadRecord, PostRecord, Posted, RESALE_SLOTS};
use rust_decimal::Decimal;

use crate::subject::Lead;

/// The answer that a stored lead gives now.
pub(crate) fn now(record: &LeadRecord, currency: Option<Currency>) -> Answer {
    if let Some((status, is_final)) = rehearsed(record, currency) {
        return answer(record, currency, status, is_final);
    }
    let status = match record.reason {
        Some(reason) => Status::Rejected(reason),
        None => of_record(record),
    };
    let is_final = !matches!(record.disposition, None | Some(Disposition::Indeterminate));
    answer(record, currency, status, is_final)
}

/// The answer that its publisher was given first, whatever has become of the lead since; `None` if it
/// was never answered.
pub(crate) fn first(record: &LeadRecord, currency: Option<Currency>) -> Option<Answer> {
    let answered = record.answered?;
    if let Some((status, is_final)) = rehearsed(record, currency) {
        return Some(answer(record, currency, status, is_final));
    }
    let (status, is_final) = match answered {
        Answered::Distributed => (of_record(record), true),
        Answered::NewFinal => (Status::New, true),
        Answered::New => (Status::New, false),
        Answered::Rejected => {
            let reason = record.reason.unwrap_or(RejectionReason::EligibilityFailed);
            (Status::Rejected(reason), true)
        }
    };
    Some(answer(record, currency, status, is_final))
}

/// What the publisher of a test lead asked to be told of it; once erased, nobody knows.
fn rehearsed(record: &LeadRecord, currency: Option<Currency>) -> Option<(Status, bool)> {
    let submission = record.submission.as_ref().filter(|submission| submission.test)?;
    Some(submission.requested?.status(submission.min_payout, currency?))
}

/// Whether a lead that is rejected so is refused before it is created: then nothing of it is stored.
pub(crate) fn is_refused_before(reason: RejectionReason) -> bool {
    use RejectionReason as Reason;
    match reason {
        Reason::CustomerAlreadyExists
        | Reason::DuplicateSubmission
        | Reason::ConsentsMissing
        | Reason::InvalidProduct
        | Reason::Blacklisted
        | Reason::FraudSuspected => true,
        Reason::EligibilityFailed
        | Reason::AgeRestriction
        | Reason::IncomeInsufficient
        | Reason::GeographicRestriction => false,
    }
}

/// What an answer is called in the ledger.
pub(crate) fn answered(status: &Status, is_final: bool) -> Answered {
    match status {
        Status::Distributed { .. } => Answered::Distributed,
        Status::New if is_final => Answered::NewFinal,
        Status::New => Answered::New,
        Status::Rejected(_) => Answered::Rejected,
    }
}

/// One accepted post.
pub(crate) struct Sold<'a> {
    slot: u16,
    price: Money,
    payout: Money,
    expected: Option<Money>,
    redirect_url: Option<&'a str>,
}

impl<'a> Sold<'a> {
    pub(crate) fn of(intent: &Intent, posted: &'a Posted) -> Self {
        let Posted { price, payout, .. } = *posted;
        let Intent { slot, expected, .. } = *intent;
        Self { slot, price, payout, expected, redirect_url: posted.redirect_url.as_deref() }
    }

    fn of_post(post: &'a PostRecord) -> Self {
        let PostRecord { slot, price, payout, expected, .. } = *post;
        Self { slot, price, payout, expected, redirect_url: post.redirect_url.as_deref() }
    }

    fn basis(&self) -> PayoutBasis {
        if self.expected.is_some() { PayoutBasis::Outcome } else { PayoutBasis::Sale }
    }

    /// By which sales compare.
    fn worth(&self) -> Decimal {
        self.expected.unwrap_or(self.price).amount
    }
}

/// What all of a lead's accepted posts mean to its publisher. There is one place to send the consumer
/// to: that of the sale that brings most, among those that name one. The payout is what is due at once;
/// only if nothing is, what its outcomes would bring.
pub(crate) fn sold(sales: &[Sold<'_>]) -> Status {
    let at_once = sales.iter().find(|sale| sale.basis() == PayoutBasis::Sale);
    let Some(basis) = at_once.or(sales.first()).map(Sold::basis) else { return Status::New };
    let due = sales.iter().filter(|sale| sale.basis() == basis).map(|sale| sale.payout);
    let Some(payout) = due.reduce(|sum, payout| sum.plus(payout).unwrap_or(sum)) else {
        return Status::New;
    };
    let placed = sales.iter().filter(|sale| sale.redirect_url.is_some());
    let best = placed.reduce(|a, b| if b.worth() > a.worth() { b } else { a });
    let owned = |url: Option<&str>| url.map(str::to_owned);
    let shared = sales.iter().filter(|sale| sale.slot % RESALE_SLOTS > 0).map(|sale| Sale {
        redirect_url: owned(sale.redirect_url),
        payout: sale.payout,
        basis: sale.basis(),
    });
    Status::Distributed {
        redirect_url: best.and_then(|sale| owned(sale.redirect_url)),
        payout,
        basis,
        sales: shared.collect(),
    }
}

/// The answer to a lead that is not in the ledger.
pub(crate) fn unstored(lead: &Lead<'_>, status: Status) -> Answer {
    Answer {
        lead: None,
        status,
        is_final: true,
        currency: Some(lead.product.currency),
        external_id: lead.submission.external_id.clone(),
        tags: lead.submission.tags.clone(),
    }
}

fn of_record(record: &LeadRecord) -> Status {
    sold(&record.sales().map(Sold::of_post).collect::<Vec<_>>())
}

fn answer(
    record: &LeadRecord,
    currency: Option<Currency>,
    status: Status,
    is_final: bool,
) -> Answer {
    // Once erased, nothing that the publisher sent is left to echo.
    let echo = record.submission.as_ref();
    let tags = |submission: &Submission| submission.tags.clone();
    Answer {
        lead: Some((record.id, record.sequence)),
        status,
        is_final,
        currency,
        external_id: echo.and_then(|submission| submission.external_id.clone()),
        tags: echo.map_or_else(BTreeMap::new, tags),
    }
}
