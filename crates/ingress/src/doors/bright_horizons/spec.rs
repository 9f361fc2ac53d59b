//! What publishers at the Bright Horizons door are told: a path's fields as its schema has them.

use lead::{Attribute, Outlook};
use market::{Affiliate, Market, Meaning, PostField, Product, Publisher};
use serde_json::{Value, json};

use super::{Desk, Refused, decode, encode, encode_ping, fault, refused};
use crate::reply::Fault;
use crate::spec::{self, Example, Field, Purpose, Spec, words};

/// The requests of a publisher: a post and a ping for each path that it may post to.
pub(crate) fn spec(publisher: &Publisher, market: &Market) -> Vec<Spec> {
    let Some(affiliate) = &publisher.affiliate else { return Vec::new() };
    let of = |id| {
        let product: &Product = market.products.get(id)?;
        let desk = Desk { publisher, affiliate, product, door: product.bright_horizons.as_ref()? };
        Some([post(&desk), ping(&desk)])
    };
    affiliate.products.iter().filter_map(of).flatten().collect()
}

fn post(desk: &Desk<'_>) -> Spec {
    let label = &desk.door.label;
    let fields = fields(desk, false);
    let worded = |answer: &lead::Answer| encode(&spec::as_stored(answer), desk, Some("CA"));
    let mut answers = spec::answers(desk.product, worded);
    let word = |body: &mut [u8]| {
        let root = document::parse_json(body).ok()?;
        decode(&root, desk).err().map(|why| refused(&why, label, false))
    };
    let is_own = |field: &&Field| field.path.first().is_some_and(|first| first == "transaction");
    let own: Vec<Field> = fields.iter().filter(is_own).cloned().collect();
    answers.extend(spec::without_required(&own, word));
    answers.extend(faults(label, false));
    let what = ["post", &desk.door.path];
    Spec { fields, answers, ..sheet(desk, what) }
}

fn ping(desk: &Desk<'_>) -> Spec {
    let label = &desk.door.label;
    let payout = spec::example_payout(desk.product.currency);
    let id = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd";
    let word = |outlook: &Outlook| encode_ping(outlook, desk, Some("CA"), id);
    let mut answers = vec![
        Example::of("such a lead would be offered now", word(&Outlook::Open(Some(payout)))),
        Example::of("nobody would be asked", word(&Outlook::Nobody)),
    ];
    answers.extend(
        [
            lead::RejectionReason::AgeRestriction,
            lead::RejectionReason::IncomeInsufficient,
            lead::RejectionReason::GeographicRestriction,
            lead::RejectionReason::EligibilityFailed,
            lead::RejectionReason::InvalidProduct,
        ]
        .map(|reason| {
            Example::of(
                format!("not taken: {}", words::reason(reason)),
                word(&Outlook::Rejected(reason)),
            )
        }),
    );
    answers.extend(faults(label, true));
    let sheet = sheet(desk, ["ping", &desk.door.path]);
    let mut notes = sheet.notes;
    notes.push(
        "A ping needs no field but xauth; nothing of it is kept, and it promises nothing."
            .to_owned(),
    );
    Spec { fields: fields(desk, true), answers, notes, ..sheet }
}

fn sheet(desk: &Desk<'_>, [what, path]: [&str; 2]) -> Spec {
    Spec {
        purpose: if what == "ping" { Purpose::Ping } else { Purpose::Lead },
        door: lead::Door::BrightHorizons,
        title: format!("{} Leads, {what}", desk.door.label),
        method: "POST",
        path: format!("/{what}/{path}/"),
        headers: vec![("content-type", "application/json".to_owned())],
        fields: Vec::new(),
        notes: words::notes(desk.product),
        answers: Vec::new(),
    }
}

/// The door has its own words for credentials and for what a publisher may not post to.
fn faults(label: &str, is_ping: bool) -> Vec<Example> {
    let word = |why: &Refused| refused(why, label, is_ping);
    let mut all = vec![
        Example::of("the credentials are wrong", word(&Refused::Credentials)),
        Example::of("you may not post to this path", word(&Refused::NotEnabled)),
    ];
    let general = spec::faults(|it| match it {
        // Said before the path is looked at.
        Fault::Host => fault(it, None, is_ping),
        _ => fault(it, Some(label), is_ping),
    });
    all.extend(
        general.into_iter().filter(|example| example.status != hyper::StatusCode::UNAUTHORIZED),
    );
    all
}

fn fields(desk: &Desk<'_>, is_ping: bool) -> Vec<Field> {
    let mut fields = vec![
        Field::new("xauth.affiliateid", "an integer").required().like(desk.affiliate.id),
        Field::new("xauth.key", "a string").required().like(spec::KEY),
    ];
    fields.extend(desk.door.fields.iter().map(|field| {
        let (kind, about, sample) = meaning(field, desk);
        let own = Field::new(&format!("transaction.{}", field.name), kind).about(about);
        let is_contact = matches!(
            field.meaning,
            Meaning::FirstName
                | Meaning::LastName
                | Meaning::Phone
                | Meaning::Email
                | Meaning::Street
        );
        Field {
            required: field.required && !is_ping,
            sample: sample.filter(|_| !(is_ping && is_contact)),
            ..own
        }
    }));
    fields
}

/// What a field must be, what it is for, and a value.
fn meaning(field: &PostField, desk: &Desk<'_>) -> (String, String, Option<Value>) {
    let Desk { product, affiliate, .. } = *desk;
    let not_collected = if field.zero_is_missing { "0 if you do not collect it" } else { "" };
    let (kind, about, sample) = match &field.meaning {
        Meaning::FirstName => ("a string", "", Some(json!("JJ"))),
        Meaning::LastName => ("a string", "", Some(json!("McClure"))),
        Meaning::Phone => {
            ("a phone number of 10 digits, in any format", "", Some(json!("7025550143")))
        }
        Meaning::Email => ("an e-mail address", "", Some(json!("jj.mcclure@example.com"))),
        Meaning::Street => ("a string", "", Some(json!("123 happy lane"))),
        Meaning::House => ("a string", "", None),
        Meaning::City => ("a string", "", Some(json!("Boulder City"))),
        Meaning::State => ("a state's abbreviation of 2 letters", "", Some(json!("NV"))),
        Meaning::Zip => ("5 digits", "", Some(json!("89002"))),
        Meaning::BirthDate => ("a date (YYYY-MM-DD)", "", Some(json!("1988-05-10"))),
        Meaning::OptIn => ("a boolean", opt_in(affiliate), Some(json!(true))),
        Meaning::Ip => ("an IPv4 or IPv6 address", "the consumer's", Some(json!("203.0.113.9"))),
        Meaning::Source => (
            "a URL or a domain",
            "of the form's page, without a query string",
            Some(json!("yourdomain.com")),
        ),
        Meaning::Certificate => {
            let sample = "https://cert.trustedform.com/0123456789abcdef";
            ("a TrustedForm URL", "", Some(json!(sample)))
        }
        Meaning::SubId => ("a string", "your channel", Some(json!("yoursubid"))),
        Meaning::Tag => ("a string", "", None),
        Meaning::RangeOf(_) => ("a string such as \"5000-7500\"", "", Some(json!("5000-7500"))),
        Meaning::Kept => ("any value", "passed on with the post", None),
        Meaning::Attribute(name) => {
            let (kind, sample) = attribute(name, product);
            return (kind, not_collected.to_owned(), sample);
        }
    };
    (kind.to_owned(), about.to_owned(), sample)
}

fn opt_in(affiliate: &Affiliate) -> &'static str {
    match affiliate.takes_opt_out {
        true => "whether the consumer agreed to be contacted",
        false => {
            "must be true: the consumer agreed to be contacted; taken as true if it is left out"
        }
    }
}

fn attribute(name: &Attribute, product: &Product) -> (String, Option<Value>) {
    let definition = product.dictionary.named(name.name());
    definition.map_or_else(
        || ("any value".to_owned(), None),
        |definition| (definition.expected(), Some(words::sample(definition, product))),
    )
}
