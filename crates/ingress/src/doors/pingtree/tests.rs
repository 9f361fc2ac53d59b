//! Whatever is posted, the door reads it or refuses it, in both dialects; what it stored, it tells.

use lead::{StoredLead, StoredLeads, Submission};
use market::{Market, Sources};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Ask, Dialect, decode, encode, fault};
use crate::doors::Decoded;
use crate::form;
use crate::reply::Fault;

const MARKET: &str = include_str!("../../../tests/golden/market.toml");
const SAMPLE: &str = include_str!("../../../tests/golden/pingtree/sample.json");
const BOTH: [Dialect; 2] = [Dialect::Id, Dialect::Slug];

thread_local! {
    static READ: Market = Sources::parse([("market.toml".to_owned(), MARKET.to_owned())])
        .unwrap()
        .market()
        .unwrap();
}

/// The lead, or the status of what refuses it.
fn read(bytes: &[u8], dialect: Dialect, is_form: bool) -> Result<Submission, u16> {
    READ.with(|market| {
        let publisher = &market.publishers[&"store".parse().unwrap()];
        let own = (publisher, publisher.pingtree.as_ref().unwrap());
        let mut copy = bytes.to_vec();
        let decoded = match is_form {
            true => form::flat(bytes).and_then(|root| decode(&root, dialect, own, market)),
            false => document::parse_json(&mut copy)
                .map_err(Fault::Unparsable)
                .and_then(|root| decode(&root, dialect, own, market)),
        };
        match decoded {
            Ok(Decoded::Lead(lead)) => Ok(*lead),
            Ok(Decoded::Rejected(answer)) => Err(encode(&answer, dialect, true).status.as_u16()),
            Err(why) => Err(fault(&why, dialect).status.as_u16()),
        }
    })
}

fn holds(bytes: &[u8]) -> Result<(), TestCaseError> {
    for dialect in BOTH {
        for is_form in [false, true] {
            if let Err(status) = read(bytes, dialect, is_form) {
                prop_assert_eq!(status, 400);
            }
        }
        if let Ok(query) = form::flat(bytes)
            && let Err(why) = Ask::read(&query, dialect)
        {
            prop_assert_eq!(fault(&why, dialect).status.as_u16(), 400);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        holds(&bytes)?;
    }

    #[test]
    fn any_query_is_read_or_refused(
        query in "((page|limit|from|to|status|email|mobile|zip|city)=[0-9a-z%+é-]{0,8}&){0,6}",
    ) {
        holds(query.as_bytes())?;
    }

    #[test]
    fn a_spoilt_lead_is_read_or_refused(
        changes in proptest::collection::vec((0..15usize, "\\PC{0,20}|[0-9]{0,30}"), 1..4),
        number in any::<f64>(),
    ) {
        let mut body: Value = serde_json::from_str(SAMPLE).unwrap();
        let names: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
        for (index, (at, text)) in changes.into_iter().enumerate() {
            let value = if index == 0 { json!(number) } else { json!(text) };
            body[&names[at]] = value;
        }
        holds(body.to_string().as_bytes())?;
    }

    /// A form is read as the same lead that its fields are in JSON.
    #[test]
    fn a_form_and_json_are_one_lead(name in "[a-zA-Zé&=+% ]{0,20}", note in "\\PC{0,20}") {
        let fields = [
            ("first_name", format!("A{name}")), ("last_name", "B".to_owned()), ("note", note),
            ("email", "a@example.com".to_owned()), ("mobile", "2125550123".to_owned()), ("zip_code", "10001".to_owned()),
        ];
        let escape = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02x}")).collect() };
        let form: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        let object: serde_json::Map<String, Value> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let one = read(form.join("&").as_bytes(), Dialect::Id, true).unwrap();
        let two = read(Value::Object(object).to_string().as_bytes(), Dialect::Id, false).unwrap();
        prop_assert_eq!(one, two);
    }
}

#[test]
fn a_stored_lead_is_told_in_the_words_in_which_it_was_posted() {
    let sent = read(SAMPLE.as_bytes(), Dialect::Id, false).unwrap();
    let lead = StoredLead {
        id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        received_at: "2026-03-01T09:00:00Z".parse().unwrap(),
        status: lead::Status::New,
        is_final: true,
        submission: Some(sent),
    };
    let erased = StoredLead { submission: None, ..lead.clone() };
    let found = StoredLeads { leads: vec![lead, erased], more: false, cut_short: true };
    READ.with(|market| {
        let source = market.publishers[&"store".parse().unwrap()].pingtree.clone().unwrap();
        let ask = Ask::read(&form::flat(b"").unwrap(), Dialect::Id).unwrap();
        let data = ask.encode(&found, &source).body["data"].take();
        assert_eq!((&data["has_more"], data["cut_short"].is_string()), (&json!(true), true));
        let sample: Value = serde_json::from_str(SAMPLE).unwrap();
        for (name, value) in sample.as_object().unwrap() {
            let name = match name.as_str() {
                "xxTrustedFormToken" => "trusted_form_token",
                "xxTrustedFormCertUrl" => "trusted_form_cert_url",
                "xxTrustedFormPingUrl" => "trusted_form_ping_url",
                name => name,
            };
            assert_eq!(&data["leads"][0][name], value, "{name}");
        }
        let blank = json!({
            "erased": true, "transaction_id": "01890a5d-ac96-774b-bcce-b302099a8057", "lead_status": "accept",
            "lead_id": "01890a5d-ac96-774b-bcce-b302099a8057", "created_at": "2026-03-01T09:00:00Z",
            "distribution_status": "unsold",
        });
        assert_eq!(data["leads"][1], blank);
    });
}
