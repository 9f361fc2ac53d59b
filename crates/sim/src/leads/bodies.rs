//! A draft in a door's dialect. Must never decide anything about the lead but its form.

use fastrand::Rng;
use serde_json::{Value, json};

use super::draft::Draft;
use super::tables::PATRONYMICS;
use super::{
    AFFILIATE, AFFILIATE_KEY, CREDIT_PRODUCT, LEADHUB_PRODUCT, LEADHUB_PUBLISHER, Product,
};

pub(super) fn native(product: Product, draft: &Draft) -> Value {
    let prefix = match product {
        Product::PersonalLoanEs => "+34",
        Product::PersonalLoanUs | Product::DebtSub10kUs => "+1",
        Product::ShortLoanRu => "+7",
    };
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
        Product::ShortLoanRu => json!({
            "age": draft.age,
            "monthly_income": draft.income,
            "amount": draft.amount,
            "term_days": draft.term_days,
            "employment": draft.employment,
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
    if matches!(product, Product::PersonalLoanUs | Product::DebtSub10kUs) {
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

pub(super) fn pingtree(draft: &Draft) -> Value {
    let certificate = format!("https://cert.trustedform.example/{:040x}", draft.number);
    json!({
        "first_name": draft.first_name,
        "last_name": draft.last_name,
        "email": draft.email,
        "mobile": draft.phone,
        "address": format!("{} {}", draft.house, draft.street),
        "city": draft.place.city,
        "state": draft.place.region,
        "zip_code": draft.postal_code,
        "date_of_birth": draft.birth_date.to_string(),
        "transaction_id": format!("{}-{}", draft.channel, draft.email),
        "sub1": draft.channel,
        "xxTrustedFormToken": format!("{:040x}", draft.number),
        "xxTrustedFormCertUrl": certificate,
        "xxTrustedFormPingUrl": format!("{certificate}/ping"),
        "tcpa_consent": draft.consents,
        "loan_amount": draft.amount,
        "term_months": draft.term,
        "monthly_income": draft.income,
        "credit_score": draft.credit_score,
        "employment": draft.employment,
        "pay_frequency": draft.pay_frequency,
    })
}

pub(super) fn brainysoft(draft: &Draft) -> Value {
    let of = usize::try_from(draft.number).unwrap_or(0) % PATRONYMICS.len();
    let (his, hers) = PATRONYMICS[of];
    let (patronymic, sex) = if draft.gender == "male" { (his, 101_251) } else { (hers, 101_252) };
    let country = if draft.place.country == "RU" { 101_042 } else { 101_041 };
    let address = json!({
        "countryId": country,
        "regionName": draft.place.region,
        "localityName": draft.place.city,
        "streetName": draft.street,
        "houseNo": draft.house.to_string(),
        "postalCode": draft.postal_code,
    });
    json!({
        "channel": "GENERATOR",
        "firstName": draft.first_name,
        "lastName": draft.last_name,
        "patronymic": patronymic,
        "mobilePhone": format!("7{}", draft.phone),
        "email": draft.email,
        "birthDate": draft.birth_date.to_string(),
        "birthCountryId": country,
        "sexId": sex.to_string(), // as its publishers write it
        "passport": {
            "seria": "0000", // no region issues it
            "no": format!("{:06}", draft.number % 1_000_000),
            "issueDate": "2015-05-20",
        },
        "addressData": address,
        "registrationAddressData": address,
        "amount": draft.amount,
        "period": draft.term_days,
        "periodUnit": "DAYS",
        "creditProductId": CREDIT_PRODUCT,
        "meanIncome": draft.income,
        "averageMonthlyCost": draft.income / 3,
        "ipAddress": draft.ip,
        "orderCode": format!("sim-{:06}", draft.number),
        "storeCode": draft.channel,
        "relatives": [], "leadDebts": [], "goods": [], "extraFields": [],
    })
}

/// Rightly lettered, in a range that is not issued.
fn identity_number(number: u64) -> String {
    const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let digits = 99_000_000 + number % 1_000_000;
    let letter = usize::try_from(digits % 23).map_or('T', |rest| char::from(LETTERS[rest]));
    format!("{digits}{letter}")
}
