//! What publishers at Gavel's own door are told: fields as this door reads them, attributes as the
//! product's dictionary has them.

use std::collections::BTreeMap;
use std::time::Duration;

use document::Node;
use jiff::Timestamp;
use lead::{
    Answer, Attribute, Code, Explanation, NoQuote, OfferOutcome, PingId, Quote, RejectionReason,
    Stage, Standard, Step,
};
use market::{Definition, Market, Product, Publisher};
use serde_json::json;

use super::ping::{decode_ping, decode_post, encode_quote};
use super::{decode, encode, explain, fault};
use crate::PingFault;
use crate::doors::Decoded;
use crate::reply::Fault;
use crate::spec::{self, Example, Field, Purpose, Spec, words};

/// Standard attributes that a sample shows although nobody requires them.
const SHOWN: &[Standard] = &[Standard::Country, Standard::Region, Standard::PostalCode];

/// What a ping had better say: campaigns ask for it, and there is no birth date to go by.
const ASKED: &[&str] = &["age", "monthly_income", "amount", "debt_amount"];

/// In the sample request, and echoed.
const EXTERNAL_ID: &str = "aff-123";
const TAG: (&str, &str) = ("click_id", "abc");

/// The requests of a publisher: for each product a lead, a ping, and the post of a ping.
pub(crate) fn spec(publisher: &Publisher, market: &Market) -> Vec<Spec> {
    let of = |product| {
        let desk = (publisher, market, product);
        [lead(desk), ping(desk), post(desk)]
    };
    let mut specs: Vec<Spec> = market.products.values().flat_map(of).collect();
    specs.extend(
        market
            .products
            .values()
            .next()
            .into_iter()
            .flat_map(|product| [find(product), why(product)]),
    );
    specs
}

/// How a lead stands: what its post was answered, and later news.
fn find(product: &Product) -> Spec {
    let mut answers = spec::answers(product, |it| encode(&echoed(spec::as_stored(it))));
    answers.retain(|answer| !answer.body["lead_id"].is_null());
    answers.extend(spec::faults_of_read("GET", true, fault));
    read("How a lead stands", format!("/v1/leads/{}", spec::LEAD_ID), answers)
}

/// Why a lead ended as it did.
fn why(product: &Product) -> Spec {
    let step = |tier, stage, code, payout| Step { tier, stage, code, payout };
    let payout = spec::example_payout(product.currency);
    let told = spec::LEAD.parse().ok().map(|lead| {
        explain(&Explanation {
            lead,
            outcome: Some(OfferOutcome::Sold),
            steps: vec![
                step(1, Stage::Post, Code::Sold, Some(payout)),
                step(1, Stage::Ping, Code::NoBid, None),
            ],
            not_matched: vec![(Code::Filter, 3)],
            gap: None,
        })
    });
    let mut answers: Vec<Example> = told
        .into_iter()
        .map(|told| Example::of("a row for every campaign that wanted it", told))
        .collect();
    answers.extend(spec::faults_of_read("GET", true, fault));
    read("Why a lead ended as it did", format!("/v1/leads/{}/decisions", spec::LEAD_ID), answers)
}

fn read(title: &str, path: String, answers: Vec<Example>) -> Spec {
    Spec {
        purpose: Purpose::Read,
        door: lead::Door::Native,
        title: title.to_owned(),
        method: "GET",
        path,
        headers: vec![("authorization", format!("Bearer {}", spec::KEY))],
        fields: Vec::new(),
        notes: Vec::new(),
        answers,
    }
}

/// What the sample request has is echoed.
fn echoed(answer: Answer) -> Answer {
    Answer {
        external_id: Some(EXTERNAL_ID.to_owned()),
        tags: BTreeMap::from([(TAG.0.to_owned(), TAG.1.to_owned())]),
        ..answer
    }
}

type Desk<'a> = (&'a Publisher, &'a Market, &'a Product);

fn lead(desk: Desk<'_>) -> Spec {
    let (publisher, market, product) = desk;
    let fields = fields(product);
    let mut answers = answers(product, &fields, |root| decode(root, publisher, market));
    answers.extend(spec::faults(fault));
    let mut notes = words::notes(product);
    notes.push(format!(
        "POST /v1/ping with these fields but contact says what a lead would bring, and reserves it \
         for {} s; POST /v1/post with its ping_id beside these fields is the lead. Your open pings hold \
         a tenth of what a cap leaves at most, but one may always be open.",
        product.ping_ttl.as_secs()
    ));
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
    Spec { fields, notes, answers, ..sheet(product, "") }
}

const HASH: &str = "a SHA-256 in 64 hexadecimal digits";

/// Why a ping may be refused; the first three need a hash of the consumer's.
const PING_REASONS: [RejectionReason; 9] = [
    RejectionReason::CustomerAlreadyExists,
    RejectionReason::DuplicateSubmission,
    RejectionReason::Blacklisted,
    RejectionReason::EligibilityFailed,
    RejectionReason::AgeRestriction,
    RejectionReason::IncomeInsufficient,
    RejectionReason::GeographicRestriction,
    RejectionReason::ConsentsMissing,
    RejectionReason::InvalidProduct,
];

fn ping((publisher, market, product): Desk<'_>) -> Spec {
    let mut fields = fields(product);
    fields.retain(|field| field.path.first().is_none_or(|first| first != "contact"));
    fields.extend([
        Field::new("hashes.email", HASH)
            .about("of the e-mail address, trimmed and in lower case, as UTF-8"),
        Field::new("hashes.phone", HASH)
            .about("of the phone number in E.164: a plus sign and digits alone"),
    ]);
    for field in &mut fields {
        let asked = |name: &&String| ASKED.contains(&name.as_str()) && field.path.len() == 2;
        let definition =
            field.path.last().filter(asked).and_then(|name| product.dictionary.named(name));
        if let Some(definition) = definition {
            field.sample = Some(words::sample(definition, product));
        }
    }
    let accepted = Quote::Accepted {
        ping: PingId::new([1; 16]),
        payout: spec::example_payout(product.currency),
        expires_at: Timestamp::UNIX_EPOCH,
    };
    let no = |when: &str, why| Example::of(when, encode_quote(&Quote::Rejected(why)));
    let mut answers = vec![
        Example::of("accepted: a campaign's cap and price are reserved", encode_quote(&accepted)),
        no("no campaign wants such leads now", NoQuote::Unmatched),
        no("campaigns were asked, and none takes it", NoQuote::Unsold),
        no("your open pings hold all of the caps that one publisher may hold", NoQuote::Reserved),
        no("too many pings are open", NoQuote::TooManyPings),
    ];
    answers.extend(
        PING_REASONS.map(|reason| {
            no(&format!("rejected: {}", words::reason(reason)), NoQuote::Lead(reason))
        }),
    );
    let word = |body: &mut [u8]| {
        let root = document::parse_json(body).ok()?;
        decode_ping(&root, publisher, market).err().map(|why| fault(&why))
    };
    answers.extend(spec::without_required(&fields, word));
    // A ping is not repeated: each one that is accepted reserves anew.
    let of_leads = [Fault::InFlight(Duration::ZERO), Fault::KeyReused].map(|it| fault(&it).body);
    answers.extend(spec::faults(fault).into_iter().filter(|it| !of_leads.contains(&it.body)));
    let ttl = product.ping_ttl.as_secs();
    let notes = vec![
        "Names no consumer: contact is refused. With hashes, a consumer who would be a duplicate or must \
         not be contacted is rejected here."
            .to_owned(),
        format!(
            "What is accepted is reserved for {ttl} s, for one POST /v1/post with its ping_id."
        ),
        "A ping is not idempotent: each one that is accepted reserves anew, whatever its Idempotency-Key."
            .to_owned(),
    ];
    Spec { fields, notes, answers, path: "/v1/ping".to_owned(), ..sheet(product, ", ping") }
}

fn post(desk: Desk<'_>) -> Spec {
    let (publisher, market, product) = desk;
    let id = Field::new("ping_id", "a string").required().about("of an accepted ping");
    let mut fields = fields(product);
    fields.insert(0, id.like(PingId::new([1; 16]).to_string()));
    let read = |root: &Node<'_>| decode_post(root, publisher, market).map(|(decoded, _)| decoded);
    let mut answers = answers(product, &fields, read);
    let no = |when: &str, why| Example::of(when, fault(&Fault::NoPing(why)));
    answers.extend([
        no("you have no such ping for this product", PingFault::Unknown),
        no("the ping expired", PingFault::Expired),
        no("the ping was posted already", PingFault::Used),
    ]);
    answers.extend(spec::faults(fault));
    let notes = vec![
        "The campaign that was promised is posted to first; if it refuses, others that pay as much."
            .to_owned(),
        "An attribute that is not as it was in the ping is matched and asked about anew.".to_owned(),
    ];
    Spec {
        fields,
        notes,
        answers,
        path: "/v1/post".to_owned(),
        ..sheet(product, ", post of a ping")
    }
}

/// What becomes of a lead, and of one that is not valid.
fn answers(
    product: &Product,
    fields: &[Field],
    read: impl Fn(&Node<'_>) -> Result<Decoded, Fault>,
) -> Vec<Example> {
    let word = |body: &mut [u8]| {
        let root = document::parse_json(body).ok()?;
        Some(match read(&root) {
            Err(why) => fault(&why),
            Ok(Decoded::Rejected(answer)) => encode(&answer),
            Ok(Decoded::Lead(_)) => return None,
        })
    };
    let mut answers = spec::answers(product, |it| encode(&echoed(spec::as_stored(it))));
    answers.extend(spec::without_required(fields, word));
    answers
}

fn sheet(product: &Product, what: &str) -> Spec {
    Spec {
        purpose: if what == ", ping" { Purpose::Ping } else { Purpose::Lead },
        door: lead::Door::Native,
        title: format!("{}{what}", product.name),
        method: "POST",
        path: "/v1/leads".to_owned(),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("authorization", format!("Bearer {}", spec::KEY)),
        ],
        fields: Vec::new(),
        notes: Vec::new(),
        answers: Vec::new(),
    }
}

fn fields(product: &Product) -> Vec<Field> {
    let text = |name: &str| Field::new(name, "a string");
    let mut fields = vec![
        text("product").required().like(product.id.as_str()),
        text("sub_id").about("your channel").like("fb-17"),
        text("external_id").about("your own id of the lead; echoed").like(EXTERNAL_ID),
        Field::new("min_payout", "a decimal such as \"5.00\"")
            .about("the least payout that you take for this lead"),
        Field::new("tags", "an object of strings").about("echoed").like(json!({ TAG.0: TAG.1 })),
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
