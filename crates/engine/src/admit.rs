//! Whether a product may be sold to this consumer at all. Pure; asks no campaign.

use lead::{RejectionReason, Standard, Submission};
use market::{Product, Range};

/// Consents without which the lead is refused before it is created.
pub(crate) fn consents(product: &Product, submission: &Submission) -> Result<(), RejectionReason> {
    let given = product
        .consents
        .iter()
        .all(|kind| submission.consent.accepts(kind));
    if given {
        Ok(())
    } else {
        Err(RejectionReason::ConsentsMissing)
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
        submission
            .attributes
            .number(standard)
            .is_none_or(|n| range.admits(n))
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
    let excluded = region.is_some_and(|region| {
        criteria
            .regions_excluded
            .iter()
            .any(|word| is(word, region))
    });
    in_country && !excluded
}
