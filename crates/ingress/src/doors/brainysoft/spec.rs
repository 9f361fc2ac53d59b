//! What publishers at the BrainySoft door are told: the door's field map, for each credit product.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lead::{Answer, PayoutBasis, RejectionReason, Sequence, Status};
use market::{Market, Product, Publisher};
use serde_json::{Value, json};

use super::fields::{self, Kind};
use super::{MANY, decode, encode, fault, of_list, ok, record, scrub, statuses, unready};
use crate::Stored;
use crate::doors::Decoded;
use crate::reply::Fault;
use crate::spec::{self, Example, Field, Purpose, Spec, words};

/// When examples are answered.
const AT: Timestamp = Timestamp::constant(1_772_355_600, 123_000_000);

/// The example's number.
const NUMBER: i64 = 123_456_789;

/// Without these nothing is taken.
const REQUIRED: &[&str] = &["firstName", "mobilePhone"];

/// The requests of a publisher, one a product that the door knows.
pub(crate) fn spec(publisher: &Publisher, market: &Market) -> Vec<Spec> {
    let of = |product: &Product| {
        let id = *product.credit_products.first()?;
        Some(sheet((publisher, product, id), market))
    };
    let mut specs: Vec<Spec> = market.products.values().filter_map(of).collect();
    let example = specs.first().and_then(|create| example(create, publisher, market));
    specs.extend(example.iter().flat_map(reads));
    specs.extend(publisher.brainysoft.login.map(|_| login()));
    specs
}

/// The sample's lead, sold.
fn example(create: &Spec, publisher: &Publisher, market: &Market) -> Option<Stored> {
    let mut body = create.sample().to_string().into_bytes();
    let mut root = document::parse_json(&mut body).ok()?;
    let _digest = scrub(&mut root);
    let Ok(Decoded::Lead(sent)) = decode(&root, publisher, market) else { return None };
    let product = market.products.get(&sent.product)?;
    let answer = Answer {
        lead: Some((spec::LEAD.parse().ok()?, Sequence(NUMBER))),
        status: Status::Distributed {
            redirect_url: Some("https://buyer.example/apply?ref=abc".to_owned()),
            payout: spec::example_payout(product.currency),
            basis: PayoutBasis::Sale,
            sales: Vec::new(),
        },
        is_final: true,
        currency: Some(product.currency),
        external_id: sent.external_id.clone(),
        tags: BTreeMap::new(),
    };
    Some(Stored { answer, received_at: AT, submission: Some(*sent) })
}

/// What is asked of a lead once it is stored.
fn reads(stored: &Stored) -> [Spec; 4] {
    let told = |when: &str, data: Value| Example::of(when, ok(data, AT));
    let one = record(stored, Some(NUMBER.unsigned_abs()), false);
    let denied = Answer {
        status: Status::Rejected(RejectionReason::AgeRestriction),
        ..stored.answer.clone()
    };
    let unsold = Answer { status: Status::New, ..stored.answer.clone() };
    let bare = |documents: Vec<Value>| {
        let mut stored = stored.clone();
        stored.submission.iter_mut().for_each(|it| it.contact.documents.clone_from(&documents));
        stored
    };
    let mut checks = vec![told("the lead is checked", NUMBER.into())];
    for (when, stored, first) in [
        ("it was checked before", stored.clone(), false),
        ("it has no passport", bare(Vec::new()), true),
        ("its passport has no date of issue", bare(vec![json!({ "no": "112233" })]), true),
    ] {
        let reply = unready(&stored, AT, || first);
        checks.extend(reply.map(|reply| Example::of(when, reply)));
    }
    let many = Fault::Request(MANY);
    let mut several = vec![
        told(
            "those of them that are yours, by their ids",
            of_list(vec![(NUMBER, one.clone())], false),
        ),
        Example::of("no ids, or more than 100", fault(&many, AT)),
    ];
    several.extend(spec::faults_of_read("GET", false, |why| fault(why, AT)));
    let with_faults = |method, mut answers: Vec<Example>| {
        answers.extend(spec::faults_of_read(method, true, |why| fault(why, AT)));
        answers
    };
    let at = |what: &str| format!("/bs-core/main/leads/{}{what}", spec::LEAD_ID);
    let ways = vec![
        told("sold", statuses(&stored.answer, false)),
        told("rejected: too young or too old", statuses(&denied, false)),
        told("nobody bought it, and it was not checked yet", statuses(&unsold, false)),
        told("nobody bought it, and it was checked", statuses(&unsold, true)),
    ];
    let order = Field::new("preserveOrder", "true or false");
    let order = order.about("true: in the order of the path").like("true");
    let find = read(
        "GET",
        "A lead as it stands",
        at(""),
        with_faults("GET", vec![told("its record", one)]),
    );
    let find_many = read(
        "GET",
        "Several leads",
        format!("/bs-core/main/leads/find/{0},{0}", spec::LEAD_ID),
        several,
    );
    [
        find,
        read("POST", "A check of a lead", at("/check"), with_faults("POST", checks)),
        read("GET", "A lead's way", at("/statuses"), with_faults("GET", ways)),
        Spec { fields: vec![order], ..find_many },
    ]
}

/// A token for the header bsauth.
fn login() -> Spec {
    let text = |name: &str| Field::new(name, "a string").required();
    let mut answers = vec![Example::of(
        "the token stands in the header bsauth, good for 12 h",
        ok(Value::Null, AT),
    )];
    let missing = [("the user, the password or the header is wrong", Fault::Unauthorized)];
    answers.extend(missing.map(|(when, why)| Example::of(when, fault(&why, AT))));
    let general = spec::faults_of_read("POST", false, |why| fault(why, AT));
    answers.extend(general.into_iter().filter(|it| it.status != hyper::StatusCode::UNAUTHORIZED));
    Spec {
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("customer-key", "YOUR-CUSTOMER-KEY".to_owned()),
        ],
        fields: vec![text("userName").like("YOUR-USER"), text("password").like("YOUR-PASSWORD")],
        ..read("POST", "A token for the header bsauth", "/bs-core/main/login".to_owned(), answers)
    }
}

fn read(method: &'static str, title: &str, path: String, answers: Vec<Example>) -> Spec {
    Spec {
        purpose: Purpose::Read,
        door: lead::Door::BrainySoft,
        title: title.to_owned(),
        method,
        path,
        headers: vec![("bsauth", spec::KEY.to_owned())],
        fields: Vec::new(),
        notes: Vec::new(),
        answers,
    }
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
        if name == "mobilePhone" {
            "a phone number of 10 to 15 digits".clone_into(&mut field.kind);
            "best in international form".clone_into(&mut field.about);
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
        "Any other field is kept, and passed on with the post.".to_owned(),
    ]);
    Spec {
        purpose: Purpose::Lead,
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
