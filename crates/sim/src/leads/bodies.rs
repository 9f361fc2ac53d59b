//! A draft in a door's dialect. Must never decide anything about the lead but its form.

use fastrand::Rng;
use serde_json::{Value, json};

use super::draft::Draft;
use super::{AFFILIATE, AFFILIATE_KEY, LEADHUB_PRODUCT, LEADHUB_PUBLISHER, Product};

pub(super) fn native(product: Product, draft: &Draft) -> Value {
    let prefix = if product == Product::PersonalLoanEs { "+34" } else { "+1" };
    let mut contact = json!({
        "first_name": draft.first_name,
        "last_name": draft.last_name,
        "email": draft.email,
        "phone": format!("{prefix}{}", draft.phone),
        "address": {
            "street": draft.street,
            "house": draft.house.to_string(),
            "city": draft.place.city,
            "region": draft.place.region,
            "postal_code": draft.postal_code,
            "country": draft.place.country,
        },
    });
    // A debt lead's form asks for no date of birth.
    if product != Product::DebtSub10kUs {
        contact["birth_date"] = draft.birth_date.to_string().into();
    }
    json!({
        "product": product.id(),
        "sub_id": draft.channel,
        "external_id": format!("sim-{:06}", draft.number),
        "tags": { "click_id": format!("click-{:06}", draft.number) },
        "source_url": "https://loans.example/apply",
        "user_agent": "Mozilla/5.0 (synthetic)",
        "attributes": attributes(product, draft),
        "contact": contact,
        "consent": consent(product, draft),
        "test": false,
    })
}

fn attributes(product: Product, draft: &Draft) -> Value {
    let mut attributes = json!({
        "country": draft.place.country,
        "region": draft.place.region,
        "postal_code": draft.postal_code,
    });
    let more = match product {
        Product::DebtSub10kUs => json!({
            "debt_amount": draft.debt,
            "debt_type": draft.debt_type,
            "credit_score": draft.credit_score,
        }),
        Product::PersonalLoanEs | Product::PersonalLoanUs => json!({
            "age": draft.age,
            "monthly_income": draft.income,
            "amount": draft.amount,
            "term_months": draft.term,
            "purpose": draft.purpose,
            "employment": draft.employment,
        }),
    };
    add(&mut attributes, more);
    if product == Product::PersonalLoanUs {
        let more = json!({
            "credit_score": draft.credit_score,
            "pay_frequency": draft.pay_frequency,
        });
        add(&mut attributes, more);
    }
    attributes
}

fn add(to: &mut Value, more: Value) {
    if let (Value::Object(to), Value::Object(more)) = (to, more) {
        to.extend(more);
    }
}

fn entry(draft: &Draft, kind: &str, accepted: bool) -> Value {
    json!({ "type": kind, "accepted": accepted, "accepted_at": draft.consented_at, "version": "v1" })
}

fn consent(product: Product, draft: &Draft) -> Value {
    let mut entries =
        vec![entry(draft, "terms", true), entry(draft, "privacy_policy", draft.consents)];
    let mut partners = Vec::new();
    if product != Product::PersonalLoanEs {
        entries.push(entry(draft, "tcpa", draft.consents));
    }
    if product == Product::DebtSub10kUs {
        partners.push("Upside Legal, LLC");
    }
    let mut consent = json!({ "entries": entries, "ip": draft.ip, "partners": partners });
    if product == Product::DebtSub10kUs {
        let certificate = format!("https://cert.trustedform.example/{:040x}", draft.number);
        consent["certificate_url"] = certificate.into();
    }
    consent
}

pub(super) fn leadhub(draft: &Draft, rng: &mut Rng) -> Value {
    let married = if rng.bool() { "married" } else { "single" };
    json!({
        "product_id": LEADHUB_PRODUCT,
        "publisher_id": LEADHUB_PUBLISHER,
        "customer": {
            "external_id": format!("sim-{:06}", draft.number),
            "personal_data": {
                "first_name": draft.first_name,
                "last_name": draft.last_name,
                "second_surname": draft.second_last_name,
                "birthday": draft.birth_date.to_string(),
                "identification_number": identity_number(draft.number),
                "nacionality": draft.place.country,
                "gender": draft.gender,
            },
            "contact": {
                "email": { "address": draft.email },
                "phone": { "area_code": "+34", "number": draft.phone },
            },
            "address": {
                "street": draft.street,
                "house": draft.house.to_string(),
                "city": draft.place.city,
                "region": draft.place.region,
                "postal_code": draft.postal_code,
                "country": draft.place.country,
            },
            "profile": {
                "occupation": draft.employment,
                "monthly_income": draft.income,
                "monthly_expenses": draft.income * rng.u32(20..=60) / 100,
                "marital_status": married,
                "children": rng.u32(0..=3),
            },
        },
        "product_data": {
            "loan_amount": draft.amount,
            "loan_purpose": draft.purpose,
            "loan_term_months": draft.term,
        },
        "consents": {
            "entries": [entry(draft, "terms", true), entry(draft, "privacy_policy", draft.consents)],
            "metadata": { "ip_address": draft.ip, "collected_at": draft.consented_at },
        },
    })
}

/// As many forms: one in eight does not ask for the credit score, one in eight only for a range of debt.
pub(super) fn bright_horizons(draft: &Draft) -> Value {
    let (asks_score, asks_debt) = (draft.number % 8 != 3, draft.number % 8 != 5);
    let low = draft.debt / 2_500 * 2_500;
    json!({
        "xauth": { "affiliateid": AFFILIATE, "key": AFFILIATE_KEY },
        "transaction": {
            "firstname": draft.first_name,
            "lastname": draft.last_name,
            "email": draft.email,
            "phone": draft.phone,
            "address": format!("{} {}", draft.house, draft.street),
            "city": draft.place.city,
            "state": draft.place.region,
            "zip": draft.postal_code,
            "optin": draft.consents,
            "ip": draft.ip,
            "source": "debt.example/form",
            "sub1": draft.channel,
            "trustedformcertid": format!("https://cert.trustedform.com/{:040x}", draft.number),
            "finances": {
                "unsecureddebtamount": if asks_debt { draft.debt } else { 0 },
                "unsecureddebtamountrange": format!("{low}-{}", low + 2_500),
                "debttype": draft.debt_type,
            },
            "credit": { "creditscore": if asks_score { draft.credit_score } else { 0 } },
        },
    })
}

/// Rightly lettered, in a range that is not issued.
fn identity_number(number: u64) -> String {
    const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let digits = 99_000_000 + number % 1_000_000;
    let letter = usize::try_from(digits % 23).map_or('T', |rest| char::from(LETTERS[rest]));
    format!("{digits}{letter}")
}
