//! What a product asks of a lead, in words, and values that a sample may have. Invents no rule.

use std::time::Duration;

use lead::{Kind, RejectionReason, Requested, Standard};
use market::{Definition, DuplicateKey, Product, Range};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// A rejection in words.
pub(crate) fn reason(reason: RejectionReason) -> &'static str {
    match reason {
        RejectionReason::CustomerAlreadyExists => "this consumer is known already",
        RejectionReason::DuplicateSubmission => "this lead was sent before",
        RejectionReason::EligibilityFailed => "a criterion of the product is not met",
        RejectionReason::AgeRestriction => "too young or too old",
        RejectionReason::IncomeInsufficient => "the income is too low",
        RejectionReason::GeographicRestriction => "not offered where the consumer lives",
        RejectionReason::ConsentsMissing => "a required consent was not given",
        RejectionReason::InvalidProduct => "no such product, or it takes no leads now",
        RejectionReason::Blacklisted => "the consumer must not be contacted",
        RejectionReason::FraudSuspected => "signs of fraud",
    }
}

/// What there is to know of a product, a sentence each.
pub(crate) fn notes(product: &Product) -> Vec<String> {
    let criteria = &product.eligibility;
    let mut notes = vec![format!("Answers come within {} ms.", product.budget.as_millis())];
    for (what, range) in [
        ("Ages", criteria.age),
        ("Monthly incomes", criteria.monthly_income),
        ("Amounts", criteria.amount),
        ("Terms in months", criteria.term_months),
    ] {
        notes.extend(limits(range).map(|limits| format!("{what} taken: {limits}.")));
    }
    if !criteria.countries.is_empty() {
        notes.push(format!("Countries taken: {}.", criteria.countries.join(", ")));
    }
    if !criteria.regions_excluded.is_empty() {
        notes.push(format!("Not taken from: {}.", criteria.regions_excluded.join(", ")));
    }
    if !product.consents.is_empty() {
        notes.push(format!("Consents required: {}.", product.consents.join(", ")));
    }
    notes.extend(product.duplicates.keys.iter().map(|key| {
        let window = match key {
            DuplicateKey::Email => product.duplicates.customer_window,
            DuplicateKey::Phone | DuplicateKey::NationalId => {
                Some(product.duplicates.duplicate_window)
            }
        };
        let name = key.name();
        match window {
            Some(window) => format!("A lead is a duplicate by {name} for {}.", days(window)),
            None => format!("A lead is a duplicate by {name} for ever."),
        }
    }));
    notes.push(format!(
        "A test lead ends as the header Gavel-Test-Outcome asks, and nobody is contacted: {}. What it \
         pays is what it asks for at the least, else 10. Of a live lead it is an error.",
        Requested::words()
    ));
    notes
}

fn limits(range: Range) -> Option<String> {
    match (range.min, range.max) {
        (Some(min), Some(max)) => Some(format!("{min} to {max}")),
        (Some(min), None) => Some(format!("{min} and more")),
        (None, Some(max)) => Some(format!("up to {max}")),
        (None, None) => None,
    }
}

fn days(window: Duration) -> String {
    let seconds = window.as_secs();
    match seconds % 86_400 {
        0 => format!("{} days", seconds / 86_400),
        _ => format!("{} hours", seconds.div_ceil(3_600)),
    }
}

/// What the engine says of a lead by itself, whatever a publisher claims.
pub(crate) const DERIVED: &[Standard] = &[
    Standard::Publisher,
    Standard::SubId,
    Standard::Product,
    Standard::Vertical,
    Standard::LeadAgeMinutes,
    Standard::EmailDomain,
];

/// A value that the product's dictionary admits.
pub(crate) fn sample(definition: &Definition, product: &Product) -> Value {
    match definition.kind {
        Kind::Bool => json!(true),
        Kind::Date => json!("1988-05-10"),
        Kind::Number => number(definition, product),
        Kind::Text => match definition.allowed.first() {
            Some(word) => json!(&**word),
            None => json!(text(definition.attribute.name(), product)),
        },
    }
}

fn number(definition: &Definition, product: &Product) -> Value {
    let criteria = &product.eligibility;
    let (typical, range) = match definition.attribute.name() {
        "age" => (38, criteria.age),
        "monthly_income" => (2_500, criteria.monthly_income),
        "amount" => (10_000, criteria.amount),
        "term_months" => (36, criteria.term_months),
        "credit_score" => (650, Range::default()),
        "debt_amount" => (7_500, Range::default()),
        _ => (1, Range::default()),
    };
    let least = definition.least.max(range.min).unwrap_or(Decimal::MIN);
    let most = [definition.most, range.max].into_iter().flatten().min().unwrap_or(Decimal::MAX);
    let within = Decimal::from(typical).min(most).max(least);
    within.normalize().to_string().parse().map_or(Value::Null, Value::Number)
}

fn text<'a>(attribute: &str, product: &'a Product) -> &'a str {
    let [region, postal_code, city] = match product.country.as_str() {
        "US" => ["NV", "89002", "Boulder City"],
        "RU" => ["Тверская", "170000", "Тверь"],
        _ => ["Madrid", "28001", "Madrid"],
    };
    match attribute {
        "country" => &product.country,
        "region" => region,
        "postal_code" => postal_code,
        "city" => city,
        "debt_type" => "Credit Cards",
        "purpose" => "home_improvement",
        _ => "abc",
    }
}

/// A phone number of the product's country, in international form.
pub(crate) fn phone(product: &Product) -> &'static str {
    match product.country.as_str() {
        "US" => "+17025550143",
        "RU" => "+79031112233",
        _ => "+34600111222",
    }
}
