//! How a stored lead stands, as its publisher may see it. Pure.

use std::collections::BTreeMap;

use lead::{
    Answer, Currency, Disposition, Explanation, PayoutBasis, RejectionReason, Status, Step,
    Submission,
};
use ledger::{Answered, Decision, LeadRecord, PostRecord, Posted};

use crate::subject::Lead;

/// The answer that a stored lead gives now.
pub(crate) fn now(record: &LeadRecord, currency: Option<Currency>) -> Answer {
    let status = match record.reason {
        Some(reason) => Status::Rejected(reason),
        None => record.sales().next().map_or(Status::New, distributed),
    };
    let is_final = !matches!(record.disposition, None | Some(Disposition::Indeterminate));
    answer(record, currency, status, is_final)
}

/// The answer that its publisher was given first, whatever has become of the lead since; `None` if it
/// was never answered.
pub(crate) fn first(record: &LeadRecord, currency: Option<Currency>) -> Option<Answer> {
    let (status, is_final) = match record.answered? {
        Answered::Distributed => (record.sales().next().map_or(Status::New, distributed), true),
        Answered::NewFinal => (Status::New, true),
        Answered::New => (Status::New, false),
        Answered::Rejected => {
            let reason = record.reason.unwrap_or(RejectionReason::EligibilityFailed);
            (Status::Rejected(reason), true)
        }
    };
    Some(answer(record, currency, status, is_final))
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

/// What an accepted post means to a publisher.
pub(crate) fn sold(sale: &Posted) -> Status {
    let (redirect_url, payout) = (sale.redirect_url.clone(), sale.payout);
    Status::Distributed { redirect_url, payout, basis: PayoutBasis::Sale }
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

/// Why a stored lead ended as it did, without buyers' names and prices.
pub(crate) fn explanation(record: &LeadRecord) -> Explanation {
    let step = |decision: &Decision| Step {
        tier: decision.tier,
        code: decision.code,
        payout: record
            .sales()
            .find(|sale| sale.campaign == decision.campaign)
            .map(|sale| sale.payout),
    };
    Explanation {
        lead: record.id,
        outcome: record.outcome,
        steps: record.decisions.iter().map(step).collect(),
    }
}

fn distributed(sale: &PostRecord) -> Status {
    Status::Distributed {
        redirect_url: sale.redirect_url.clone(),
        payout: sale.payout,
        basis: PayoutBasis::Sale,
    }
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
