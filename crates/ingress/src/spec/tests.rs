//! A specification is true: its sample is a lead to the door's own decoder, what it calls required is,
//! what it says of a field holds, and its answers are the encoder's.

use document::{Node, parse_json};
use lead::Door;
use market::{KeyDigest, Market, Publisher, Sources};
use serde_json::{Value, json};

use super::{Field, KEY, Purpose, Spec, html, markdown, specs};
use crate::doors::{Decoded, brainysoft, bright_horizons, leadhub, native, pingtree};

const GOLDEN: &str = include_str!("../../tests/golden/market.toml");
const DEMO: &str = include_str!("../../../../config/demo/market.toml");

fn market(text: &str) -> Market {
    Sources::parse([("market.toml".to_owned(), text.to_owned())]).unwrap().market().unwrap()
}

/// What a door makes of a body: nothing if it is a lead, else its words.
fn read(spec: &Spec, market: &Market, publisher: &Publisher, body: &Value) -> Result<(), Value> {
    let mut bytes = with_key(publisher, body).to_string().into_bytes();
    let mut root = parse_json(&mut bytes).unwrap();
    match spec.door {
        Door::Leadhub => match leadhub::decode(&root, publisher, market) {
            Ok(Decoded::Lead(_)) => Ok(()),
            Ok(Decoded::Rejected(answer)) => Err(leadhub::encode(&answer).body),
            Err(fault) => Err(leadhub::fault(&fault).body),
        },
        Door::Native => {
            let decoded = match spec.path.as_str() {
                "/v1/ping" => native::ping::decode_ping(&root, publisher, market).map(|it| it.0),
                "/v1/post" => native::ping::decode_post(&root, publisher, market).map(|it| it.0),
                _ => native::decode(&root, publisher, market),
            };
            match decoded {
                Ok(Decoded::Lead(_)) => Ok(()),
                Ok(Decoded::Rejected(answer)) => Err(native::encode(&answer).body),
                Err(fault) => Err(native::fault(&fault).body),
            }
        }
        Door::BrightHorizons => read_bright_horizons(spec, (market, publisher), &root),
        Door::Pingtree => read_pingtree(spec, (market, publisher), &root),
        Door::BrainySoft => {
            brainysoft::scrub(&mut root);
            let at = jiff::Timestamp::UNIX_EPOCH;
            match brainysoft::decode(&root, publisher, market) {
                Ok(Decoded::Lead(_)) => Ok(()),
                Ok(Decoded::Rejected(answer)) => Err(brainysoft::encode(&answer, at).body),
                Err(fault) => Err(brainysoft::fault(&fault, at).body),
            }
        }
    }
}

fn read_pingtree(
    spec: &Spec,
    (market, publisher): (&Market, &Publisher),
    root: &Node<'_>,
) -> Result<(), Value> {
    let source = publisher.pingtree.as_ref().unwrap();
    let dialect =
        pingtree::Dialect::ALL.into_iter().find(|dialect| dialect.create_path(source) == spec.path);
    let dialect = dialect.unwrap();
    match pingtree::decode(root, dialect, (publisher, source), market) {
        Ok(Decoded::Lead(_)) => Ok(()),
        Ok(Decoded::Rejected(answer)) => {
            Err(pingtree::encode(&answer, dialect, source.distributes).body)
        }
        Err(fault) => Err(pingtree::fault(&fault, dialect).body),
    }
}

/// A path is asked with the keys that the markets of these tests know.
fn read_bright_horizons(
    spec: &Spec,
    (market, publisher): (&Market, &Publisher),
    root: &Node<'_>,
) -> Result<(), Value> {
    let mut parts = spec.path.trim_matches('/').splitn(2, '/');
    let (what, path) = (parts.next().unwrap(), parts.next().unwrap());
    let product = market.product_by_bright_horizons_path(path).unwrap();
    let label = &product.bright_horizons.as_ref().unwrap().label;
    let word = |why| bright_horizons::refused(&why, label, what == "ping").body;
    let desk = bright_horizons::authenticate(root, product, market).map_err(word)?;
    assert_eq!(desk.publisher.id, publisher.id);
    let read = match what {
        "ping" => bright_horizons::decode_ping(root, &desk),
        _ => bright_horizons::decode(root, &desk),
    };
    read.map(drop).map_err(word)
}

/// The body with the publisher's key in the place of what stands for it.
fn with_key(publisher: &Publisher, body: &Value) -> Value {
    let mut body = body.clone();
    let known = |key: &&str| {
        let digests = publisher.keys.get(&Door::BrightHorizons);
        digests.is_some_and(|digests| digests.contains(&KeyDigest::of(key)))
    };
    let own = ["zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz", "trusted-key", "test-affiliate-key"]
        .into_iter()
        .find(known);
    if let (Some(key), Some(own)) = (body.pointer_mut("/xauth/key"), own)
        && key == KEY
    {
        *key = own.into();
    }
    body
}

/// Every specification of both markets whose request has a lead in its body.
fn each(mut check: impl FnMut(&Market, &Publisher, &Spec)) {
    every(|market, publisher, spec| {
        if spec.purpose != Purpose::Read && spec.method == "POST" {
            check(market, publisher, spec);
        }
    });
}

/// Every specification of both markets.
fn every(mut check: impl FnMut(&Market, &Publisher, &Spec)) {
    let mut seen = Vec::new();
    for market in [market(GOLDEN), market(DEMO)] {
        for publisher in market.publishers.values() {
            for spec in specs(&market, publisher) {
                seen.push(spec.door);
                check(&market, publisher, &spec);
            }
        }
    }
    assert!(Door::ALL.iter().all(|door| seen.contains(door)), "{seen:?}");
}

fn with(body: &Value, field: &Field, value: Option<Value>) -> Value {
    let mut body = body.clone();
    let (last, parents) = field.path.split_last().unwrap();
    let mut at = &mut body;
    for step in parents {
        at = at.as_object_mut().unwrap().entry(step.clone()).or_insert_with(|| json!({}));
    }
    let members = at.as_object_mut().unwrap();
    match value {
        Some(value) => drop(members.insert(last.clone(), value)),
        None => drop(members.remove(last)),
    }
    body
}

#[test]
fn a_sample_request_is_a_lead_to_the_doors_own_decoder() {
    each(|market, publisher, spec| {
        let told = read(spec, market, publisher, &spec.sample());
        assert_eq!(told, Ok(()), "{} {}", publisher.id, spec.path);
    });
}

#[test]
fn what_is_called_required_is_and_what_is_not_may_be_left_out() {
    each(|market, publisher, spec| {
        let sample = spec.sample();
        for field in spec.fields.iter().filter(|field| field.sample.is_some()) {
            let told = read(spec, market, publisher, &with(&sample, field, None));
            assert_eq!(told.is_err(), field.required, "{} {}", spec.path, field.name());
        }
        let required = spec.fields.iter().filter(|field| field.required);
        assert!(required.clone().all(|field| field.sample.is_some()), "{}", spec.path);
    });
}

#[test]
fn every_field_is_one_that_the_decoder_reads() {
    // Nothing that any field may be: a list of lists.
    let stranger = json!([[0]]);
    each(|market, publisher, spec| {
        let sample = spec.sample();
        for field in spec.fields.iter().filter(|field| field.kind != "any value") {
            let told = read(spec, market, publisher, &with(&sample, field, Some(stranger.clone())));
            let told = told.map_err(|words| words.to_string());
            let unknown = ["is not a known field", "is not an attribute"];
            let is_read = told.is_err_and(|words| !unknown.iter().any(|it| words.contains(it)));
            assert!(is_read, "{} does not read {}", spec.path, field.name());
        }
    });
}

/// The paths of all values of a body; what is in a list is one value with it.
fn leaves(body: &Value, at: &str) -> Vec<String> {
    match body {
        Value::Object(members) => {
            let deeper = |(name, value): (&String, &Value)| leaves(value, &format!("{at}.{name}"));
            members.iter().flat_map(deeper).collect()
        }
        _ => vec![at.trim_start_matches('.').to_owned()],
    }
}

#[test]
fn every_field_of_the_documentations_own_samples_is_named() {
    let samples = [
        ("hub", include_str!("../../tests/golden/leadhub/sample.json")),
        ("shop", include_str!("../../tests/golden/native/sample.json")),
        ("affiliate", include_str!("../../tests/golden/bright_horizons/sample.json")),
        ("brainy", include_str!("../../tests/golden/brainysoft/sample.json")),
        ("store", include_str!("../../tests/golden/pingtree/sample.json")),
    ];
    let market = market(GOLDEN);
    for (id, sample) in samples {
        let publisher = market.publishers.get(&id.parse().unwrap()).unwrap();
        // The golden samples are of these products.
        let of = [
            "Personal loan",
            "Debt Sub10k Leads, post",
            "Personal loan, United States",
            "Short loan",
        ];
        let specs = specs(&market, publisher);
        let spec = specs.iter().find(|spec| of.contains(&spec.title.as_str())).unwrap();
        for leaf in leaves(&serde_json::from_str(sample).unwrap(), "") {
            let is_named = |field: &Field| {
                let name = field.name();
                leaf == name || leaf.strip_prefix(&name).is_some_and(|rest| rest.starts_with('.'))
            };
            assert!(spec.fields.iter().any(is_named), "{id} is not told of {leaf}");
        }
    }
}

#[test]
fn the_native_door_reads_nothing_that_its_specification_does_not_name() {
    let market = market(GOLDEN);
    let publisher = market.publishers.get(&"shop".parse().unwrap()).unwrap();
    for spec in specs(&market, publisher) {
        if spec.purpose == Purpose::Read {
            continue;
        }
        for object in ["", "contact", "contact.address", "consent"] {
            if spec.path == "/v1/ping" && object.starts_with("contact") {
                continue;
            }
            let path = format!("{object}.zqx");
            let stray = Field::new(path.trim_start_matches('.'), "");
            let body = with(&spec.sample(), &stray, Some(json!(1)));
            let words = read(&spec, &market, publisher, &body).unwrap_err();
            let detail = words.pointer("/errors/0/detail").unwrap().as_str().unwrap();
            for known in detail.split("known here: ").nth(1).unwrap().split(", ") {
                let name = format!("{object}.{known}");
                let name = name.trim_start_matches('.');
                let is_named = |field: &Field| {
                    let of = field.name();
                    of == name || of.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
                };
                assert!(spec.fields.iter().any(is_named), "{name} is not named");
            }
        }
    }
}

#[test]
fn every_disposition_and_status_of_a_door_is_among_its_answers() {
    each(|_, publisher, spec| {
        let keeps = publisher.pingtree.as_ref().is_some_and(|source| !source.distributes);
        let words: Vec<&str> = match (spec.door, spec.path.starts_with("/ping/")) {
            (Door::BrightHorizons, false) => {
                vec!["SOLD", "NO BUYERS", "PENDING", "DUPLICATE", "REJECTED"]
            }
            (Door::BrightHorizons, true) => vec!["\"passed\":1", "\"passed\":0", "NO BUYERS"],
            (Door::BrainySoft, _) => {
                vec!["\"ok\"", "CREDIT_PRODUCT_NOT_FOUND_ERROR", "fraud_suspected"]
            }
            (Door::Pingtree, _) if keeps => vec!["Lead created", "duplicate", "rejected"],
            (Door::Pingtree, _) => vec!["sold", "unsold", "pending", "duplicate", "rejected"],
            (Door::Native, _) if spec.path == "/v1/ping" => {
                vec!["accepted", "unmatched", "unsold", "reserved", "age_restriction"]
            }
            (Door::Leadhub | Door::Native, _) => {
                vec!["distributed", "new", "rejected", "fraud_suspected"]
            }
        };
        let all: String = spec.answers.iter().map(|answer| answer.body.to_string()).collect();
        for word in words {
            assert!(all.contains(word), "{word} is missing at {}", spec.path);
        }
        let done = if spec.path.starts_with("/api/lead/create/") { 201 } else { 200 };
        for status in [done, 400, 401, 405, 408, 409, 413, 422, 500, 503] {
            if status == 409 && spec.path == "/v1/ping" {
                continue;
            }
            let has = spec.answers.iter().any(|answer| answer.status.as_u16() == status);
            assert!(has, "{status} is missing at {}", spec.path);
        }
        if !spec.path.starts_with("/ping/") {
            let invalid = spec.answers.iter().find(|answer| answer.when.starts_with("not valid"));
            assert!(invalid.is_some(), "{}", spec.path);
        }
    });
}

#[test]
fn a_question_has_its_answers_and_its_query_is_read() {
    let mut seen = 0;
    every(|_, publisher, spec| {
        if spec.purpose == Purpose::Read {
            seen += 1;
            for status in [200, 401, 405, 503] {
                let has = spec.answers.iter().any(|answer| answer.status.as_u16() == status);
                assert!(has, "{status} is missing at {}", spec.path);
            }
        }
        if spec.door == Door::Pingtree && spec.method == "GET" {
            let target = spec.target();
            let query = target.split_once('?').unwrap().1;
            let root = crate::form::flat(query.as_bytes()).unwrap();
            let source = publisher.pingtree.as_ref().unwrap();
            let named = |dialect: &pingtree::Dialect| {
                let create = dialect.create_path(source);
                [create.replacen("create", "fetch", 1), create].contains(&spec.path)
            };
            let dialect = pingtree::Dialect::ALL.into_iter().find(named).unwrap();
            if spec.purpose == Purpose::Read {
                assert!(pingtree::Ask::read(&root, dialect).is_ok(), "{target}");
            } else {
                let market = market(DEMO);
                let read = pingtree::decode(&root, dialect, (publisher, source), &market);
                assert!(matches!(read, Ok(Decoded::Lead(_))), "{target}");
            }
        }
    });
    // In both markets.
    assert!(seen >= 2 * (2 + 2 + 4), "{seen}");
}

#[test]
fn a_publisher_is_told_of_its_own_doors_only() {
    let market = market(GOLDEN);
    let paths = |id: &str| -> Vec<String> {
        let publisher = market.publishers.get(&id.parse().unwrap()).unwrap();
        specs(&market, publisher).into_iter().map(|spec| spec.path).collect()
    };
    assert_eq!(paths("hub"), ["/api/v1/lead"]);
    assert_eq!(paths("trusted-affiliate"), ["/post/debt/sub10k/", "/ping/debt/sub10k/"]);
    // A lead, a ping and a post each; two questions.
    assert_eq!(paths("shop").len(), 3 * market.products.len() + 2);
    assert_eq!(paths("affiliate").len(), 4);
    assert_eq!(
        paths("store"),
        [
            "/api/lead/create/65f0c0ffee65f0c0ffee65f0",
            "/api/lead/create/65f0c0ffee65f0c0ffee65f0",
            "/api/lead/fetch/65f0c0ffee65f0c0ffee65f0",
            "/api/v1/database-source/us-loans/create",
            "/api/v1/database-source/us-loans/fetch",
        ]
    );
    // A source that takes nothing is not to be posted to.
    assert_eq!(paths("closed"), Vec::<String>::new());
}

#[test]
fn a_page_names_everything_and_no_key() {
    let market = market(DEMO);
    let id = "bright-horizons-demo".parse().unwrap();
    let publisher = market.publishers.get(&id).unwrap();
    let specs = specs(&market, publisher);
    let text = markdown(&publisher.name, "https://leads.example/", &specs);
    let page = html("A <b> & \"c\"", "https://leads.example", &specs);
    for expected in [
        "# Posting leads: Demo affiliate",
        "POST https://leads.example/post/debt/sub10k/\n",
        "curl -s 'https://leads.example/post/debt/sub10k/' \\\n  -H 'content-type: application/json' \\\n  -d '{",
        "- Not taken from: AK, CA, HI, ID, KS, ME, OR, WA.",
        "| `transaction.firstname` | yes | a string |",
        "| `transaction.credit.creditscore` |  | a number from 300 to 850 | 0 if you do not collect it |",
        "First Name (required): can not be empty",
    ] {
        assert!(text.contains(expected), "{expected} is missing in\n{text}");
    }
    assert!(text.contains(KEY) && !text.contains("zzzzzzzz"));
    assert!(page.contains("A &lt;b&gt; &amp; &quot;c&quot;") && !page.contains("<b>"), "{page}");
    assert!(page.contains("<code>transaction.firstname</code>"));
    assert!(markdown("Nobody", "https://x", &[]).contains("nothing that may be posted"));
}

#[test]
fn a_sample_pastes_into_a_shell() {
    let spec = Spec {
        purpose: Purpose::Lead,
        door: Door::Native,
        title: "x".to_owned(),
        method: "POST",
        path: "/v1/leads".to_owned(),
        headers: vec![("authorization", "Bearer K".to_owned())],
        fields: vec![Field::new("contact.last_name", "a string").like("O'Brien $(x) `y`")],
        notes: Vec::new(),
        answers: Vec::new(),
    };
    let text = markdown("x", "https://leads.example", &[spec]);
    assert!(text.contains(r#""last_name": "O'\''Brien $(x) `y`""#), "{text}");
}
