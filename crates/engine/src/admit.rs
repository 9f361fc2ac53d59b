//! Whether a product may be sold to this consumer at all. Asks no campaign.

use jiff::Timestamp;
use lead::{Hash, Hashes, RejectionReason, Standard, Submission};
use ledger::Ledger;
use market::{DuplicateKey, Product, Range};

use crate::engine::Inner;
use crate::identity;
use crate::subject::Lead;

/// What refuses a lead before it is created: nothing of it is stored. Else the signs of fraud that it
/// shows and that do not refuse it.
pub(crate) fn admit<B: Send + Sync + 'static, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    at: Timestamp,
) -> Result<Vec<&'static str>, RejectionReason> {
    let submission = lead.submission;
    may_be_sold(inner, lead, |key| identity::hash(key, &submission.contact))?;
    let shown = inner.fraud.signals(submission, lead.product, at);
    shown.iter().for_each(|(place, _)| inner.metrics.suspected(*place));
    if shown.iter().any(|(_, signal)| signal.refuses) {
        return Err(RejectionReason::FraudSuspected);
    }
    Ok(shown.iter().map(|(_, signal)| signal.name).collect())
}

/// What refuses a ping. Of a consumer of whom it has no hash, only the post can tell whether it is
/// suppressed; and only the post is suspected.
pub(crate) fn admit_ping<B: Send + Sync + 'static, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    hashes: Hashes,
) -> Result<(), RejectionReason> {
    may_be_sold(inner, lead, |key| identity::said(key, hashes))
}

/// The product takes leads, its consents were given, and no list names the consumer, as far as `hash` knows
/// who that is.
fn may_be_sold<B: Send + Sync + 'static, L: Ledger>(
    inner: &Inner<B, L>,
    lead: &Lead<'_>,
    hash: impl Fn(DuplicateKey) -> Option<Hash>,
) -> Result<(), RejectionReason> {
    let product = lead.product;
    if !product.active {
        return Err(RejectionReason::InvalidProduct);
    }
    if !product.consents.iter().all(|kind| lead.submission.consent.accepts(kind)) {
        return Err(RejectionReason::ConsentsMissing);
    }
    match inner.suppressions.names(&inner.ledger, &product.suppress, hash) {
        true => Err(RejectionReason::Blacklisted),
        false => Ok(()),
    }
}

/// The product's own criteria, in the order in which publishers are told of them. What the lead does
/// not say is not held against it.
pub(crate) fn eligibility(
    product: &Product,
    submission: &Submission,
) -> Result<(), RejectionReason> {
    use RejectionReason as Reason;
    let criteria = &product.eligibility;
    let within = |range: Range, standard| {
        submission.attributes.number(standard).is_none_or(|n| range.admits(n))
    };
    if !within(criteria.age, Standard::Age) {
        return Err(Reason::AgeRestriction);
    }
    if !within(criteria.monthly_income, Standard::MonthlyIncome) {
        return Err(Reason::IncomeInsufficient);
    }
    if !is_served(product, submission) {
        return Err(Reason::GeographicRestriction);
    }
    if !within(criteria.amount, Standard::Amount)
        || !within(criteria.term_months, Standard::TermMonths)
    {
        return Err(Reason::EligibilityFailed);
    }
    Ok(())
}

fn is_served(product: &Product, submission: &Submission) -> bool {
    let criteria = &product.eligibility;
    let is = |word: &String, text: &str| word.eq_ignore_ascii_case(text.trim());
    let country = submission.attributes.text(Standard::Country);
    let region = submission.attributes.text(Standard::Region);
    let in_country = criteria.countries.is_empty()
        || country.is_none_or(|country| criteria.countries.iter().any(|word| is(word, country)));
    let excluded =
        region.is_some_and(|region| criteria.regions_excluded.iter().any(|word| is(word, region)));
    in_country && !excluded
}
