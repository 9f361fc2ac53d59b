//! What publishers at the Pingtree door are told: the door's fields, and those of the source's own.

use hyper::StatusCode;
use jiff::Timestamp;
use lead::{Answer, Attribute, Standard, Status, StoredLead, StoredLeads};
use market::{Market, PingtreeSource, Product, Publisher};

use super::{Ask, Dialect, decode, encode, fault};
use crate::doors::Decoded;
use crate::form;
use crate::reply::{Fault, Reply};
use crate::spec::{self, Example, Field, Purpose, Spec, words};

/// Attributes that the door reads from fields of its own.
const ELSEWHERE: &[Standard] = &[
    Standard::Country,
    Standard::Region,
    Standard::City,
    Standard::PostalCode,
    Standard::BirthDate,
    Standard::Age,
];

/// The requests of a publisher: its source under its id and under its slug; none while it takes nothing.
pub(crate) fn spec(publisher: &Publisher, market: &Market) -> Vec<Spec> {
    let Some(source) = publisher.pingtree.as_ref().filter(|source| source.active) else {
        return Vec::new();
    };
    let Some(product) = market.products.get(&source.product) else { return Vec::new() };
    let desk = (publisher, source, product);
    let mut specs = Vec::new();
    for dialect in Dialect::ALL {
        let create = sheet(dialect, desk, market);
        let query = (dialect == Dialect::Id).then(|| as_query(&create));
        specs.push(create);
        specs.extend(query);
        specs.push(fetch(dialect, desk, market));
    }
    specs
}

/// The same lead as a query.
fn as_query(create: &Spec) -> Spec {
    let headers = create.headers.iter().filter(|(name, _)| *name == "authorization");
    // What only a body can meet.
    let statuses = [StatusCode::PAYLOAD_TOO_LARGE, StatusCode::REQUEST_TIMEOUT];
    let of_body = |it: &&Example| {
        statuses.contains(&it.status)
            || ["the body stopped early", "the body cannot be read"].contains(&it.when.as_str())
    };
    let mut answers: Vec<Example> =
        create.answers.iter().filter(|it| !of_body(it)).cloned().collect();
    let broken = Fault::Form(form::BROKEN);
    answers.push(Example::of("the query cannot be read", fault(&broken, Dialect::Id)));
    Spec {
        title: format!("{}, as a query", create.title),
        method: "GET",
        headers: headers.cloned().collect(),
        answers,
        ..create.clone()
    }
}

/// What the source stored.
fn fetch(
    dialect: Dialect,
    (publisher, source, product): (&Publisher, &PingtreeSource, &Product),
    market: &Market,
) -> Spec {
    let (limit, most, from, to) = dialect.pages();
    let text = |name: &str| Field::new(name, "a string");
    let mut fields = vec![
        text("email").like("jj.mcclure@example.com"),
        Field::new(dialect.name("mobile"), "a number of 10 digits"),
        text("transaction_id"),
        Field::new("page", "a whole number").about("from 1, which it is if it is left out"),
        Field::new("limit", format!("a whole number up to {most}"))
            .about(format!("else {limit}"))
            .like(limit),
        Field::new(from, "a date (YYYY-MM-DD)").about("in UTC"),
        Field::new(to, "a date (YYYY-MM-DD)").about("in UTC, with that day"),
    ];
    if dialect == Dialect::Slug {
        fields.push(Field::new("status", "one of active, sold, duplicate, rejected"));
    }
    let mut answers: Vec<Example> = page(dialect, (publisher, source, product), market)
        .map(|told| Example::of("a page of what was stored, newest first", told))
        .into_iter()
        .collect();
    let unknown = document::Node::Object(vec![("lookup_id".into(), document::Node::Null)]);
    answers.extend(Ask::read(&unknown, dialect).err().map(|why| {
        Example::of("not valid: every filter that is wrong, here lookup_id", fault(&why, dialect))
    }));
    answers.extend(spec::faults_of_read("GET", false, |why| fault(why, dialect)));
    Spec {
        purpose: Purpose::Read,
        door: lead::Door::Pingtree,
        title: format!("{}: what was stored", product.name),
        method: "GET",
        path: dialect.create_path(source).replacen("create", "fetch", 1),
        headers: vec![("authorization", format!("Bearer {}", spec::KEY))],
        fields,
        notes: Vec::new(),
        answers,
    }
}

/// A page with the sample's lead.
fn page(
    dialect: Dialect,
    desk: (&Publisher, &PingtreeSource, &Product),
    market: &Market,
) -> Option<Reply> {
    let (publisher, source, _) = desk;
    let mut body = sheet(dialect, desk, market).sample().to_string().into_bytes();
    let root = document::parse_json(&mut body).ok()?;
    let Ok(Decoded::Lead(sent)) = decode(&root, dialect, (publisher, source), market) else {
        return None;
    };
    let lead = StoredLead {
        id: spec::LEAD.parse().ok()?,
        received_at: Timestamp::constant(1_772_355_600, 0),
        status: Status::New,
        is_final: true,
        submission: Some(*sent),
    };
    let found = StoredLeads { leads: vec![lead], more: false, cut_short: false };
    let none = document::Node::Object(Vec::new());
    Some(Ask::read(&none, dialect).ok()?.encode(&found, source))
}

fn sheet(
    dialect: Dialect,
    (publisher, source, product): (&Publisher, &PingtreeSource, &Product),
    market: &Market,
) -> Spec {
    let fields = fields(dialect, source, product);
    let encode = |answer: &Answer| encode(answer, dialect, source.distributes);
    let word = |body: &mut [u8]| {
        let root = document::parse_json(body).ok()?;
        match decode(&root, dialect, (publisher, source), market) {
            Err(why) => Some(fault(&why, dialect)),
            Ok(Decoded::Rejected(answer)) => Some(encode(&answer)),
            Ok(Decoded::Lead(_)) => None,
        }
    };
    // As the sample request has it; a repeat without one of its own is told none.
    let transaction = |answer: Answer| Answer { external_id: Some("tx-1".to_owned()), ..answer };
    let worded = |answer: &Answer| encode(&transaction(spec::as_stored(answer)));
    let mut answers = spec::answers(product, worded);
    // A lead that is only kept is never sold; one answer says that it is stored.
    answers.drain(..if source.distributes { 0 } else { 2 });
    answers.extend(spec::without_required(&fields, word));
    answers.extend(spec::faults(|why| fault(why, dialect)));
    Spec {
        purpose: Purpose::Lead,
        door: lead::Door::Pingtree,
        title: product.name.clone(),
        method: "POST",
        path: dialect.create_path(source),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("authorization", format!("Bearer {}", spec::KEY)),
        ],
        fields,
        notes: notes(dialect, source, product),
        answers,
    }
}

fn notes(dialect: Dialect, source: &PingtreeSource, product: &Product) -> Vec<String> {
    let mut notes = match source.distributes {
        true => words::notes(product),
        false => vec!["Leads are kept, and offered to nobody.".to_owned()],
    };
    notes.extend(source.dedupe.as_ref().map(|key| {
        let name = dialect.name(key.name());
        format!("A lead is a duplicate by {name} if the source has one with the same.")
    }));
    notes.push(match dialect {
        Dialect::Id => "A form is taken as JSON is, also as the query of a GET.".to_owned(),
        Dialect::Slug => "A form is taken as JSON is.".to_owned(),
    });
    notes.push("Any other field is kept, and passed on with the post.".to_owned());
    notes
}

fn fields(dialect: Dialect, source: &PingtreeSource, product: &Product) -> Vec<Field> {
    let text = |name: &str| Field::new(name, "a string");
    let mut fields = vec![
        text("first_name").like("JJ"),
        text("last_name").like("McClure"),
        Field::new("email", "an e-mail address").like("jj.mcclure@example.com"),
        Field::new(dialect.name("mobile"), "10 digits").like("7025550143"),
        Field::new("address", "a string of at most 200 characters").like("123 happy lane"),
        Field::new("city", "letters and spaces").like("Boulder City"),
        Field::new("state", "a state's abbreviation of 2 letters").like("NV"),
        Field::new(dialect.name("zip_code"), "5 digits").like("89002"),
        Field::new("date_of_birth", "a date (YYYY-MM-DD, MM/DD/YYYY or YYYY/MM/DD)")
            .like("1988-05-10"),
        text("transaction_id").about("your own id of the lead; echoed").like("tx-1"),
        text("sub1").about("your channel"),
        text("xxTrustedFormCertUrl").about("of TrustedForm"),
        text("xxTrustedFormToken").about("of TrustedForm"),
        text("xxTrustedFormPingUrl").about("of TrustedForm"),
        text("jornaya").about("a LeadiD"),
        Field::new("ip", "any value")
            .about("the consumer's address; also as ip_address")
            .like("203.0.113.9"),
        Field::new("country", "any value").about("US, USA or United States; else the product's"),
        Field::new("tcpa_consent", "any value").about("best a boolean"),
        Field::new("tcpa_consent_date", "any value").about("best a date or an RFC 3339 time"),
        Field::new("gclid", "any value").about("kept, as any other field is"),
    ];
    fields.extend(own(dialect, source, product, &fields));
    for field in &mut fields {
        field.required = source.required.iter().any(|name| dialect.name(name) == field.name());
    }
    fields
}

/// What the product has as attributes, and what the source requires of its own.
fn own(
    dialect: Dialect,
    source: &PingtreeSource,
    product: &Product,
    doors: &[Field],
) -> Vec<Field> {
    let is_new = |name: &str, known: &[Field]| !known.iter().any(|field| field.name() == name);
    let mut own = Vec::new();
    for definition in product.dictionary.definitions() {
        let name = match definition.attribute.name() {
            "amount" => "loan_amount",
            name => name,
        };
        let is_told = match &definition.attribute {
            Attribute::Standard(standard) => {
                !words::DERIVED.contains(standard) && !ELSEWHERE.contains(standard)
            }
            Attribute::Declared(_) => true,
        };
        if is_told && is_new(name, doors) {
            // Whatever stands there is kept; buyers' filters see it if it is one.
            let about = format!("best {}", definition.expected());
            let field = Field::new(name, "any value").about(about);
            own.push(field.like(words::sample(definition, product)));
        }
    }
    for name in source.required.iter().map(|name| dialect.name(name)) {
        if is_new(name, doors) && is_new(name, &own) {
            own.push(Field::new(name, "any value").like("abc"));
        }
    }
    own
}
