//! Whatever is posted, a door reads it or refuses it: it never panics, and it never blames itself.

mod faults;

use document::parse_json;
use market::{Market, Publisher, Sources};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::doors::{Decoded, brainysoft, bright_horizons, leadhub, native};
use crate::form;
use crate::reply::{Fault, Reply};

const MARKET: &str = include_str!("../tests/golden/market.toml");
const LEADHUB: &str = include_str!("../tests/golden/leadhub/sample.json");
const BRIGHT_HORIZONS: &str = include_str!("../tests/golden/bright_horizons/sample.json");
const NATIVE: &str = include_str!("../tests/golden/native/sample.json");
const BRAINYSOFT: &str = include_str!("../tests/golden/brainysoft/sample.json");

thread_local! {
    static READ: Market = Sources::parse([("market.toml".to_owned(), MARKET.to_owned())])
        .unwrap()
        .market()
        .unwrap();
}

fn publisher<'m>(market: &'m Market, id: &str) -> &'m Publisher {
    market.publishers.get(&id.parse().unwrap()).unwrap()
}

/// What the Bright Horizons door says to a body, read as JSON and as a form, and whether it took it.
fn read_bright_horizons(market: &Market, bytes: &[u8]) -> [(Reply, bool); 2] {
    let product = market.product_by_bright_horizons_path("debt/sub10k").unwrap();
    let say = |root: Result<document::Node<'_>, Fault>| {
        let refused = |why| (bright_horizons::refused(&why, "Debt", false), false);
        let root = match root {
            Ok(root) => root,
            Err(fault) => return (bright_horizons::fault(&fault, None, false), false),
        };
        let desk = match bright_horizons::authenticate(&root, product, market) {
            Ok(desk) => desk,
            Err(why) => return refused(why),
        };
        bright_horizons::decode_ping(&root, &desk).map_or_else(|_| (), drop);
        let taken = bright_horizons::decode(&root, &desk);
        taken.map_or_else(refused, |_| (Reply::json(hyper::StatusCode::OK, Value::Null), true))
    };
    let mut copy = bytes.to_vec();
    let json = parse_json(&mut copy).map_err(Fault::Unparsable);
    [say(json), say(form::nested(bytes))]
}

/// What the doors say to a body, and whether they took it as a lead.
fn read(bytes: &[u8]) -> [(Reply, bool); 5] {
    READ.with(|market| {
        let say = |decoded: Result<Decoded, Fault>,
                   encode: fn(&lead::Answer) -> Reply,
                   word: fn(&Fault) -> Reply| match decoded {
            Ok(Decoded::Rejected(answer)) => (encode(&answer), false),
            Ok(Decoded::Lead(_)) => (Reply::json(hyper::StatusCode::OK, Value::Null), true),
            Err(fault) => (word(&fault), false),
        };
        let (mut one, mut two, mut three) = (bytes.to_vec(), bytes.to_vec(), bytes.to_vec());
        let hub = parse_json(&mut one)
            .map_err(Fault::Unparsable)
            .and_then(|root| leadhub::decode(&root, publisher(market, "hub"), market));
        let shop = parse_json(&mut two)
            .map_err(Fault::Unparsable)
            .and_then(|root| native::decode(&root, publisher(market, "shop"), market));
        let brainy = parse_json(&mut three).map_err(Fault::Unparsable).and_then(|mut root| {
            brainysoft::scrub(&mut root);
            brainysoft::decode(&root, publisher(market, "brainy"), market)
        });
        let [json, form] = read_bright_horizons(market, bytes);
        let hub = say(hub, leadhub::encode, leadhub::fault);
        let brainy = say(
            brainy,
            |answer| brainysoft::encode(answer, jiff::Timestamp::UNIX_EPOCH),
            |fault| brainysoft::fault(fault, jiff::Timestamp::UNIX_EPOCH),
        );
        [hub, say(shop, native::encode, native::fault), json, form, brainy]
    })
}

/// Any tree, with names that the doors know among its names.
fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("personal-loan-es")),
        Just(json!("7f3c2a54-0c1b-4b6e-9f57-2d5f1b0a9c11")),
        Just(json!("0b9d6d0e-5a0e-4a8e-8f63-1c2f4f6a7788")),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        let name = prop_oneof![
            any::<String>(),
            proptest::sample::select(names(LEADHUB)),
            proptest::sample::select(names(NATIVE)),
            proptest::sample::select(names(BRIGHT_HORIZONS)),
            proptest::sample::select(names(BRAINYSOFT)),
        ];
        let members = proptest::collection::vec((name, inner.clone()), 0..8);
        prop_oneof![
            proptest::collection::vec(inner, 0..8).prop_map(Value::from),
            members.prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

/// Every name and array place in a sample.
fn names(sample: &str) -> Vec<String> {
    let all = places(&serde_json::from_str(sample).unwrap(), "");
    let last = |pointer: String| Some(pointer.rsplit_once('/')?.1.to_owned());
    all.into_iter().filter_map(last).collect()
}

fn places(value: &Value, at: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut visit = |key: String, value: &Value| {
        let place = format!("{at}/{key}");
        out.extend(places(value, &place));
        out.push(place);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, v)| visit(key.clone(), v)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, v)| visit(index.to_string(), v))
        }
        _ => {}
    }
    out
}

/// A sample with some of its values replaced by anything.
fn spoilt(sample: &'static str) -> impl Strategy<Value = Value> {
    let whole: Value = serde_json::from_str(sample).unwrap();
    let place = proptest::sample::select(places(&whole, ""));
    proptest::collection::vec((place, tree()), 0..4).prop_map(move |changes| {
        let mut body = whole.clone();
        for (place, value) in changes {
            if let Some(old) = body.pointer_mut(&place) {
                *old = value;
            }
        }
        body
    })
}

fn holds(bytes: &[u8]) -> Result<(), TestCaseError> {
    for (reply, _) in read(bytes) {
        let status = reply.status.as_u16();
        prop_assert!(matches!(status, 200 | 400 | 401 | 403 | 422), "{status}");
        prop_assert!(serde_json::to_vec(&reply.body).is_ok());
    }
    Ok(())
}

#[test]
fn the_samples_are_leads_at_their_own_doors() {
    let taken = |sample: &str| read(sample.as_bytes()).map(|(_, lead)| lead);
    assert_eq!(taken(LEADHUB), [true, false, false, false, false]);
    assert_eq!(taken(NATIVE), [false, true, false, false, false]);
    assert_eq!(taken(BRIGHT_HORIZONS), [false, false, true, false, false]);
    assert_eq!(taken(BRAINYSOFT), [false, false, false, false, true]);
}

/// The index is the door's place among the answers.
#[test]
fn a_number_past_64_bits_is_a_defect_where_it_is_read_and_nothing_where_it_is_not() {
    for (door, sample, unread, known, named) in [
        (0, LEADHUB, ("{", "{\"unheard_of\":N,"), ("4000", "N"), "product_data.loan_amount"),
        (
            1,
            NATIVE,
            ("\"note\":", "\"ref\":N,\"note\":"),
            ("2500", "N"),
            "/attributes/monthly_income",
        ),
        (
            2,
            BRIGHT_HORIZONS,
            ("\"ip\"", "\"odd\":N,\"ip\""),
            ("7500,", "N,"),
            "Unsecured Debt Amount",
        ),
        (4, BRAINYSOFT, ("{", "{\"unheardOf\":[N],"), ("15000", "N"), "\"field\":\"amount\""),
    ] {
        for number in ["18446744073709551616", "-9223372036854775809", &"7".repeat(40)] {
            let body =
                |(old, new): (&str, &str)| sample.replacen(old, &new.replace('N', number), 1);
            assert!(read(body(unread).as_bytes())[door].1, "{sample}");
            let (reply, taken) = &read(body(known).as_bytes())[door];
            let told = reply.body.to_string();
            assert!(!taken && told.contains(named) && !told.contains("JSON"), "{told}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        holds(&bytes)?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\]{}\",:0-9a-zé\\\\ \u{feff}\u{0}.+-]{0,200}") {
        holds(text.as_bytes())?;
    }

    #[test]
    fn any_tree_is_read_or_refused(tree in tree()) {
        holds(tree.to_string().as_bytes())?;
    }

    #[test]
    fn any_event_is_read_or_refused(
        tree in tree(), event in "[a-z_]{0,14}",
        pixel in "((token|event|ref|metadata|[a-z]{0,3})=?(approved|[a-z0-9+%~]{0,9})&){0,9}",
    ) {
        let body = json!({ "event": event, "advertiser_ref": tree, "metadata": tree }).to_string();
        for text in [tree.to_string(), body] {
            let mut bytes = text.into_bytes();
            let told = parse_json(&mut bytes).map_err(Fault::Unparsable);
            let told = told.and_then(|root| leadhub::events::decode(&root));
            prop_assert!(told.err().is_none_or(|fault| leadhub::fault(&fault).status == 400));
        }
        let told = form::flat(pixel.as_bytes()).and_then(|root| leadhub::events::decode(&root));
        prop_assert!(told.err().is_none_or(|fault| leadhub::fault(&fault).status == 400));
    }

    #[test]
    fn a_spoilt_leadhub_lead_is_read_or_refused(body in spoilt(LEADHUB)) {
        holds(body.to_string().as_bytes())?;
    }

    #[test]
    fn a_spoilt_native_lead_is_read_or_refused(body in spoilt(NATIVE)) {
        holds(body.to_string().as_bytes())?;
    }

    #[test]
    fn a_spoilt_brainysoft_lead_is_read_or_refused(body in spoilt(BRAINYSOFT)) {
        holds(body.to_string().as_bytes())?;
    }

    /// However a card is written and wherever it stands, two bodies that differ in nothing else are one.
    #[test]
    fn a_digest_knows_nothing_of_a_card(
        first in "[0-9]{12}", second in "[0-9]{12}", codes in ("[0-9]{3}", "[0-9]{3}"),
        gap in "[ -]?", deep in any::<bool>(),
    ) {
        let digest = |number: &str, code: &str| {
            let card = json!({"cardNumber": format!("{number}{gap}1234"), "cardCvc": code});
            let body = if deep { json!({"client": [card]}) } else { card };
            let mut bytes = body.to_string().into_bytes();
            let mut root = parse_json(&mut bytes).unwrap();
            let digest = brainysoft::scrub(&mut root);
            let left = crate::json::value(&root).to_string();
            assert!(!left.contains(number) && left.contains("1234"), "{left}");
            digest
        };
        prop_assert_eq!(digest(&first, &codes.0), digest(&second, &codes.1));
    }

    #[test]
    fn a_spoilt_bright_horizons_lead_is_read_or_refused(body in spoilt(BRIGHT_HORIZONS)) {
        holds(body.to_string().as_bytes())?;
    }

    #[test]
    fn any_form_is_read_or_refused(
        form in "((xauth|transaction|a)(\\[[a-z]{0,9}\\]){0,4}=?[a-z0-9+%&=]{0,9}&){0,9}",
    ) {
        holds(form.as_bytes())?;
    }

    #[test]
    fn a_lead_cut_short_or_with_a_byte_changed_is_read_or_refused(
        cut in 0..BRIGHT_HORIZONS.len(), at in 0..BRIGHT_HORIZONS.len(), byte in any::<u8>(),
    ) {
        for sample in [LEADHUB, NATIVE, BRIGHT_HORIZONS, BRAINYSOFT] {
            let mut bytes = sample.as_bytes().to_vec();
            if let Some(changed) = bytes.get_mut(at) {
                *changed = byte;
            }
            holds(&bytes)?;
            bytes.truncate(cut);
            holds(&bytes)?;
        }
    }
}
