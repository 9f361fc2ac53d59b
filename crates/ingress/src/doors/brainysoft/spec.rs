//! What publishers at the BrainySoft door are told: the door's field map, for each credit product.

use jiff::Timestamp;
use lead::Answer;
use market::{Market, Product, Publisher};
use serde_json::{Value, json};

use super::fields::{self, Kind};
use super::{decode, encode, fault, scrub};
use crate::doors::Decoded;
use crate::spec::{self, Field, Spec, words};

/// When examples are answered.
const AT: Timestamp = Timestamp::constant(1_772_355_600, 123_000_000);

/// Without these nothing is taken.
const REQUIRED: &[&str] = &["firstName", "mobilePhone"];

/// The requests of a publisher, one a product that the door knows.
pub(crate) fn spec(publisher: &Publisher, market: &Market) -> Vec<Spec> {
    let of = |product: &Product| {
        let id = *product.credit_products.first()?;
        Some(sheet((publisher, product, id), market))
    };
    market.products.values().filter_map(of).collect()
}

fn sheet((publisher, product, id): (&Publisher, &Product, i64), market: &Market) -> Spec {
    let mut fields = Vec::new();
    describe("", fields::LEAD, &mut fields);
    for field in &mut fields {
        let name = field.name();
        field.sample = sample(&name, product, id);
        field.required = REQUIRED.contains(&name.as_str())
            || (name == "creditProductId" && publisher.brainysoft.credit_product.is_none());
        if name == "cardNumber" {
            // Whatever stands there is cut first.
            "any value".clone_into(&mut field.kind);
            "only the last four digits are kept".clone_into(&mut field.about);
        }
    }
    let word = |body: &mut [u8]| {
        let mut root = document::parse_json(body).ok()?;
        let _digest = scrub(&mut root);
        match decode(&root, publisher, market) {
            Err(why) => Some(fault(&why, AT)),
            Ok(Decoded::Rejected(answer)) => Some(encode(&answer, AT)),
            Ok(Decoded::Lead(_)) => None,
        }
    };
    let worded = |answer: &Answer| encode(&spec::as_stored(answer), AT);
    let mut answers = spec::answers(product, worded);
    answers.extend(spec::without_required(&fields, word));
    answers.extend(spec::faults(|why| fault(why, AT)));
    let mut notes = words::notes(product);
    notes.extend([
        "The headers X-Lead-Status and X-Redirect-Url tell of the sale.".to_owned(),
        "GET /bs-core/main/leads/{id} says how a lead stands.".to_owned(),
        "Any other field is kept, and passed on with the post.".to_owned(),
    ]);
    Spec {
        door: lead::Door::BrainySoft,
        title: product.name.clone(),
        method: "POST",
        path: "/bs-core/main/leads".to_owned(),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("bsauth", spec::KEY.to_owned()),
        ],
        fields,
        notes,
        answers,
    }
}

/// Every documented name under `parent`.
fn describe(parent: &str, known: &[fields::Field], found: &mut Vec<Field>) {
    for (name, kind) in known {
        let path = match parent {
            "" => (*name).to_owned(),
            parent => format!("{parent}.{name}"),
        };
        match kind {
            Kind::Object(known) => describe(&path, known, found),
            kind => found.push(Field::new(&path, told(*kind))),
        }
    }
}

fn told(kind: Kind) -> String {
    match kind {
        Kind::Text(most) => format!("a string of at most {most} characters"),
        Kind::Double => "a number".to_owned(),
        Kind::Whole => "a whole number".to_owned(),
        Kind::Bool => "true or false".to_owned(),
        Kind::Date => "a date (YYYY-MM-DD)".to_owned(),
        Kind::Word(words) => format!("one of {}", words.join(", ")),
        Kind::Object(_) => "an object".to_owned(),
        Kind::List(_) => "a list of objects".to_owned(),
    }
}

fn sample(name: &str, product: &Product, id: i64) -> Option<Value> {
    Some(match name {
        "firstName" => json!("Ana"),
        "lastName" => json!("Ejemplo"),
        "mobilePhone" => json!(words::phone(product)),
        "email" => json!("ana.ejemplo@example.org"),
        "birthDate" => json!("1988-05-10"),
        "creditProductId" => json!(id),
        "amount" => json!(15_000),
        "period" => json!(21),
        "periodUnit" => json!("DAYS"),
        "orderCode" => json!("aff-123"),
        "channel" => json!("SITE"),
        "passport.seria" => json!("2809"),
        "passport.no" => json!("112233"),
        "passport.issueDate" => json!("2009-05-20"),
        _ => return None,
    })
}
