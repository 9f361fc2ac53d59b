//! Templates tried on leads that nobody sent: one that says everything and one that says nothing but
//! who it is. What a template makes of them must be readable, before it makes something of a real one.

use std::time::Duration;

use lead::{
    Address, Attributes, Consent, ConsentEntry, Contact, Kind, LeadId, Money, PingId, Reading,
    Value,
};
use market::{Call, CallKind, Campaign, Format, Product};
use rust_decimal::Decimal;

use crate::native::{PingShape, PostShape, StatusShape};
use crate::{Ping, Post, SharedAttributes, StatusQuery, find};

/// What is wrong with what a call's template makes. A specimen that does not fit says nothing: a real
/// lead may.
pub(crate) fn unreadable(
    campaign: &Campaign,
    product: &Product,
    (call, kind): (&Call, CallKind),
) -> Option<&'static str> {
    let specimens = [(everything(product), whole_contact()), Default::default()];
    specimens.into_iter().find_map(|(attributes, contact)| {
        let text = render((campaign, product), (call, kind), &attributes, &contact)?;
        match call.format {
            Format::Json if document::parse_json(&mut text.clone().into_bytes()).is_err() => {
                Some("must make JSON: what it makes of a specimen lead is none")
            }
            Format::Xml if find::parse_xml(&text).is_none() => {
                Some("must make XML: what it makes of a specimen lead is none")
            }
            Format::Query if format!("/?{text}").parse::<hyper::Uri>().is_err() => {
                Some("must make a query: what it makes of a specimen lead is none")
            }
            _ => None,
        }
    })
}

fn render(
    (campaign, product): (&Campaign, &Product),
    (call, kind): (&Call, CallKind),
    attributes: &Attributes,
    contact: &Contact,
) -> Option<String> {
    let template = call.body.as_ref()?;
    let lead = LeadId(Default::default());
    let terms = ["terms", "privacy_policy"].map(|kind| ConsentEntry {
        kind: kind.to_owned(),
        accepted: true,
        accepted_at: Some(jiff::Timestamp::UNIX_EPOCH),
        version: None,
    });
    let consent = Consent { entries: terms.into(), ..Consent::default() };
    let rendered = match kind {
        CallKind::Ping => {
            let shown = attributes.for_ping(|name| product.dictionary.declared_in_ping(name));
            template.render(&PingShape::of(&Ping {
                campaign,
                id: PingId::new([0; 16]),
                product: &product.id,
                currency: product.currency,
                test: false,
                attributes: &SharedAttributes::of(&shown),
                time_left: Duration::from_millis(100),
            }))
        }
        CallKind::Post => template.render(&PostShape::for_template(&Post {
            campaign,
            lead,
            event_token: "buyer~campaign~00000000000000000000000000000000",
            attempt: 0,
            again: false,
            ping: Some(PingId::new([0; 16])),
            bid_reference: None,
            price: Money { amount: Decimal::TEN, currency: product.currency },
            product: &product.id,
            test: false,
            external_id: None,
            attributes,
            contact,
            consent: &consent,
        })),
        CallKind::Status => {
            let test = false;
            let product = &product.id;
            template.render(&StatusShape::of(&StatusQuery {
                campaign,
                lead,
                attempt: 0,
                product,
                test,
            }))
        }
    };
    rendered.ok()
}

fn everything(product: &Product) -> Attributes {
    let mut attributes = Attributes::new();
    for definition in product.dictionary.definitions() {
        let text = definition.allowed.first().cloned().unwrap_or_else(|| "word".into());
        let value = match definition.kind {
            Kind::Text => Value::Text(text),
            Kind::Number => Value::Number(definition.least.unwrap_or(Decimal::TEN)),
            Kind::Bool => Value::Bool(true),
            Kind::Date => Value::Date(jiff::civil::date(2000, 1, 2)),
        };
        attributes.set(definition.attribute.clone(), Reading::Known(value));
    }
    attributes
}

fn whole_contact() -> Contact {
    let word = || Some("word".to_owned());
    Contact {
        first_name: word(),
        middle_name: word(),
        last_name: word(),
        second_last_name: word(),
        email: Some("word@example.org".to_owned()),
        phone: Some("+34600111222".to_owned()),
        birth_date: Some(jiff::civil::date(2000, 1, 2)),
        national_id: word(),
        address: Some(Address {
            street: word(),
            house: word(),
            city: word(),
            region: word(),
            postal_code: word(),
            country: word(),
        }),
        ..Contact::default()
    }
}
