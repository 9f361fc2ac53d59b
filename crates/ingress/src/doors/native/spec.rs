//! What publishers at Gavel's own door are told: fields as this door reads them, attributes as the
//! product's dictionary has them.

use lead::{Attribute, Standard};
use market::{Definition, Market, Product, Publisher};
use serde_json::json;

use super::{decode, encode, fault};
use crate::doors::Decoded;
use crate::spec::{self, Field, Spec, words};

/// Standard attributes that a sample shows although nobody requires them.
const SHOWN: &[Standard] = &[Standard::Country, Standard::Region, Standard::PostalCode];

/// The requests of a publisher, one a product.
pub(crate) fn spec(publisher: &Publisher, market: &Market) -> Vec<Spec> {
    let of = |product: &Product| {
        let fields = fields(product);
        let word = |body: &mut [u8]| {
            let root = document::parse_json(body).ok()?;
            Some(match decode(&root, publisher, market) {
                Err(why) => fault(&why),
                Ok(Decoded::Rejected(answer)) => encode(&answer),
                Ok(Decoded::Lead(_)) => return None,
            })
        };
        let mut answers = spec::answers(product, encode);
        answers.extend(spec::without_required(&fields, word));
        answers.extend(spec::faults(fault));
        let mut notes = words::notes(product);
        notes.push(format!(
            "POST /v1/ping with these fields but contact says what a lead would bring, and reserves it \
             for {} s; POST /v1/post with its ping_id beside these fields is the lead. Your open pings hold \
             a tenth of what a cap leaves at most, but one may always be open.",
            product.ping_ttl.as_secs()
        ));
        notes.push(
            "A ping may say who its consumer is without saying it: hashes.email is the SHA-256, in 64 \
             hexadecimal digits, of the e-mail address trimmed and in lower case; hashes.phone that of the \
             phone number in E.164 with its plus sign and nothing between its digits; both as UTF-8. A \
             consumer who would be a duplicate, or must not be contacted, is rejected there, with the \
             reason."
                .to_owned(),
        );
        notes.push("GET /v1/leads/{lead_id} says how a lead stands, …/decisions why.".to_owned());
        notes.push(
            "A lead that ended unsold may be posted again for less: with the same external_id, contact and \
             attributes and a lower min_payout, or none, the same lead is offered once more, under its \
             lead_id and to nobody who was posted to before. Anything else is a duplicate. This takes a \
             product that knows duplicates; the post of a ping is always a new lead."
                .to_owned(),
        );
        notes.push(
            "POST /v1/leads/{lead_id}/withdraw, without a body, ends an unsold lead for good: 200 with how it \
             stands, also when repeated; 409 not_unsold if it is sold, still open or rejected."
                .to_owned(),
        );
        Spec {
            door: lead::Door::Native,
            title: product.name.clone(),
            method: "POST",
            path: "/v1/leads".to_owned(),
            headers: vec![
                ("content-type", "application/json".to_owned()),
                ("authorization", format!("Bearer {}", spec::KEY)),
            ],
            fields,
            notes,
            answers,
        }
    };
    market.products.values().map(of).collect()
}

fn fields(product: &Product) -> Vec<Field> {
    let text = |name: &str| Field::new(name, "a string");
    let mut fields = vec![
        text("product").required().like(product.id.as_str()),
        text("sub_id").about("your channel").like("fb-17"),
        text("external_id").about("your own id of the lead; echoed").like("aff-123"),
        Field::new("min_payout", "a decimal such as \"5.00\"")
            .about("the least payout that you take for this lead"),
        Field::new("tags", "an object of strings").about("echoed").like(json!({"click_id": "abc"})),
        text("source_url").about("the page of the form"),
        text("user_agent").about("the consumer's browser"),
    ];
    let given = |definition: &&Definition| match &definition.attribute {
        Attribute::Standard(standard) => !words::DERIVED.contains(standard),
        Attribute::Declared(_) => true,
    };
    let attributes = product.dictionary.definitions().iter().filter(given);
    fields.extend(attributes.map(|definition| attribute(definition, product)));
    fields.extend(contact(product));
    let kinds = product.consents.iter().map(|kind| json!({"type": kind, "accepted": true}));
    fields.extend([
        Field::new("consent.entries", "a list of {type, accepted, accepted_at, version}")
            .about("accepted_at and version may be left out")
            .like(kinds.collect::<Vec<_>>()),
        Field::new("consent.ip", "an IPv4 or IPv6 address")
            .about("the consumer's")
            .like("203.0.113.9"),
        Field::new("consent.collected_at", "an RFC 3339 time"),
        Field::new("consent.partners", "a list of strings")
            .about("companies named to the consumer"),
        text("consent.certificate_url").about("of TrustedForm or the like"),
        Field::new("test", "a boolean, or an object {outcome}").about(
            "true: a rehearsal, which only sandboxes see; with an outcome nobody sees it, and it ends \
             as the header Gavel-Test-Outcome would have it",
        ),
    ]);
    fields
}

fn attribute(definition: &Definition, product: &Product) -> Field {
    let shown = matches!(&definition.attribute, Attribute::Standard(s) if SHOWN.contains(s));
    let field = Field::new("attributes", definition.expected());
    let name = definition.attribute.name().to_owned();
    let path = field.path.iter().cloned().chain([name]).collect();
    let field = Field { path, required: definition.required, ..field };
    match shown || definition.required {
        true => field.like(words::sample(definition, product)),
        false => field,
    }
}

fn contact(product: &Product) -> Vec<Field> {
    let text = |name: &str| Field::new(&format!("contact.{name}"), "a string");
    vec![
        text("first_name").like("Ana"),
        text("middle_name"),
        text("last_name").like("Ejemplo"),
        text("second_last_name"),
        Field::new("contact.email", "an e-mail address").like("ana.ejemplo@example.org"),
        Field::new("contact.phone", "a phone number of 6 to 15 digits").like(words::phone(product)),
        Field::new("contact.birth_date", "a date (YYYY-MM-DD)").like("1988-05-10"),
        text("national_id"),
        text("address.street"),
        text("address.house"),
        text("address.city"),
        text("address.region"),
        text("address.postal_code"),
        text("address.country"),
        Field::new("contact.bank", "an object"),
        Field::new("contact.employer", "an object"),
        Field::new("contact.documents", "a list of objects"),
        Field::new("contact.extra", "an object").about("passed on with the post"),
    ]
}
