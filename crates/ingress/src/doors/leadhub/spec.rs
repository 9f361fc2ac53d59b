//! What publishers at the Leadhub door are told: its fields as this door reads them.

use market::{Market, Product, Publisher};
use serde_json::json;

use super::{decode, encode, fault};
use crate::doors::Decoded;
use crate::spec::{self, Field, Purpose, Spec, words};

/// The requests of a publisher, one a product that has an id here.
pub(crate) fn spec(publisher: &Publisher, market: &Market) -> Vec<Spec> {
    let Some(ours) = publisher.leadhub_id.as_deref() else { return Vec::new() };
    let of = |product: &Product| {
        let fields = fields(product, product.leadhub_id.as_deref()?, ours);
        let word = |body: &mut [u8]| {
            let root = document::parse_json(body).ok()?;
            Some(match decode(&root, publisher, market) {
                Err(why) => fault(&why),
                Ok(Decoded::Rejected(answer)) => encode(&answer),
                Ok(Decoded::Lead(_)) => return None,
            })
        };
        let mut answers = spec::answers(product, |answer| encode(&spec::as_stored(answer)));
        answers.extend(spec::without_required(&fields, word));
        answers.extend(spec::faults(fault));
        Some(Spec {
            purpose: Purpose::Lead,
            door: lead::Door::Leadhub,
            title: product.name.clone(),
            method: "POST",
            path: "/api/v1/lead".to_owned(),
            headers: vec![
                ("content-type", "application/json".to_owned()),
                ("apikey", spec::KEY.to_owned()),
            ],
            fields,
            notes: words::notes(product),
            answers,
        })
    };
    market.products.values().filter_map(of).collect()
}

fn fields(product: &Product, product_id: &str, publisher_id: &str) -> Vec<Field> {
    let mut fields = vec![
        Field::new("product_id", "a UUID").required().like(product_id),
        Field::new("publisher_id", "a UUID").required().about("yours").like(publisher_id),
    ];
    fields.extend(customer(product));
    let consents: Vec<&str> = match product.consents.is_empty() {
        true => vec!["terms", "privacy_policy"],
        false => product.consents.iter().map(String::as_str).collect(),
    };
    let entry = |kind: &&str| json!({ "type": kind, "accepted": true, "accepted_at": "2026-03-01T09:00:00Z", "version": "v1" });
    let purposes =
        product.dictionary.named("purpose").filter(|purpose| !purpose.allowed.is_empty());
    let (purpose, like) = match purposes {
        Some(purpose) => (purpose.expected(), words::sample(purpose, product)),
        None => ("a string".to_owned(), json!("home_improvement")),
    };
    fields.extend([
        Field::new("product_data.loan_amount", "an integer from 500 to 75000")
            .required()
            .like(4_000),
        Field::new("product_data.loan_purpose", purpose).required().like(like),
        Field::new("product_data.loan_term_months", "an integer from 3 to 84").required().like(24),
        Field::new("consents.entries", "a list of {type, accepted, accepted_at, version}")
            .required()
            .about("accepted_at is an RFC 3339 time; it and version may be left out")
            .like(consents.iter().map(entry).collect::<Vec<_>>()),
        Field::new("consents.metadata.ip_address", "an IPv4 or IPv6 address")
            .required()
            .about("the consumer's")
            .like("203.0.113.9"),
        Field::new("consents.metadata.collected_at", "an RFC 3339 time")
            .like("2026-03-01T09:00:00Z"),
        Field::new("consents.metadata.user_agent", "a string"),
        Field::new("tracking.sub1", "any value").about("a string is your channel").like("fb-17"),
    ]);
    fields
}

fn customer(product: &Product) -> Vec<Field> {
    let phone = words::phone(product);
    let area = phone.len() - 10 + usize::from(product.country != "US");
    let (area, number) = phone.split_at_checked(area).unwrap_or((phone, ""));
    let text = |name: &str| Field::new(&format!("customer.{name}"), "a string");
    let number_of = |name: &str| Field::new(&format!("customer.{name}"), "a number of at least 0");
    vec![
        text("external_id").about("your own id of the lead").like("aff-123"),
        text("personal_data.first_name").required().like("Ana"),
        text("personal_data.last_name").required().like("Ejemplo"),
        text("personal_data.second_surname"),
        Field::new("customer.personal_data.birthday", "a date (YYYY-MM-DD)").like("1988-05-10"),
        text("personal_data.identification_number").about("national identity number"),
        text("personal_data.nacionality").about("spelt so; nationality is read too"),
        text("personal_data.gender"),
        Field::new("customer.contact.email.address", "an e-mail address")
            .required()
            .like("ana.ejemplo@example.org"),
        Field::new("customer.contact.phone.area_code", "a country code such as +34").like(area),
        Field::new("customer.contact.phone.number", "6 to 15 digits")
            .about("one that no phone has is passed on as given")
            .like(number),
        text("address.street"),
        text("address.house"),
        text("address.city"),
        text("address.region"),
        text("address.postal_code"),
        Field::new("customer.address.country", "an ISO 3166-1 code of two letters")
            .like(product.country.as_str()),
        text("profile.occupation"),
        number_of("profile.monthly_income").like(2_500),
        number_of("profile.monthly_expenses"),
        text("profile.marital_status"),
        Field::new("customer.profile.children", "a whole number from 0 to 100"),
        text("profile.education"),
        text("profile.housing_tenure"),
        Field::new("customer.financial_instruments", "a list of objects")
            .about("{type, currency, iban, status}"),
    ]
}
