//! No error ever repeats a value of the body: it may be somebody's.

use ingress::Limits;
use serde_json::{Value, json};

use crate::edge::Edge;

/// No word of ours, and no number of ours.
const MARKER: &str = "zqxjkv";
const NUMBER: u64 = 918_273_645;

/// A door: its path and key, and its sample.
const DOORS: &[(&str, &str, &str)] = &[
    ("/api/v1/lead", "apikey: hub-key", include_str!("../golden/leadhub/sample.json")),
    (
        "/v1/leads",
        "authorization: Bearer shop-native",
        include_str!("../golden/native/sample.json"),
    ),
    (
        "/post/debt/sub10k/",
        "accept: application/json",
        include_str!("../golden/bright_horizons/sample.json"),
    ),
    (
        "/api/lead/create/65f0c0ffee65f0c0ffee65f0",
        "authorization: Bearer store-key",
        include_str!("../golden/pingtree/sample.json"),
    ),
];

/// Values that are wrong almost everywhere, each with a marker inside.
fn strangers() -> [Value; 5] {
    [
        json!(MARKER),
        json!(NUMBER),
        json!(-918_273_645.5),
        json!([MARKER, NUMBER]),
        json!({"type": MARKER, "accepted": MARKER, "x": [NUMBER]}),
    ]
}

/// The body with `stranger` in the place of every value below the top level, and of each value alone.
fn spoilt(sample: &Value, stranger: &Value) -> Vec<Value> {
    let mut bodies = Vec::new();
    for pointer in pointers(sample, "") {
        let mut body = sample.clone();
        *body.pointer_mut(&pointer).unwrap() = stranger.clone();
        bodies.push(body);
    }
    let mut whole = sample.clone();
    spoil(&mut whole, stranger);
    bodies.push(whole);
    bodies
}

fn pointers(value: &Value, at: &str) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(members) => {
            members.iter().map(|(key, value)| (format!("{at}/{key}"), value)).collect()
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, value)| (format!("{at}/{index}"), value))
            .collect(),
        _ => Vec::new(),
    };
    let deeper = below.iter().flat_map(|(pointer, value)| pointers(value, pointer));
    deeper.chain(below.iter().map(|(pointer, _)| pointer.clone())).collect()
}

/// Every leaf but the ids without which nothing else is read.
fn spoil(value: &mut Value, stranger: &Value) {
    match value {
        Value::Object(members) => members
            .iter_mut()
            .filter(|(key, _)| {
                !["product", "product_id", "publisher_id", "xauth"].contains(&key.as_str())
            })
            .for_each(|(_, value)| spoil(value, stranger)),
        Value::Array(items) => items.iter_mut().for_each(|item| spoil(item, stranger)),
        leaf => *leaf = stranger.clone(),
    }
}

#[test]
fn an_error_never_repeats_a_value_of_the_body() {
    let edge = Edge::start(Limits::default());
    let mut refused = 0;
    for (path, key, sample) in DOORS {
        let sample: Value = serde_json::from_str(sample).unwrap();
        let spoilt = strangers().map(|stranger| spoilt(&sample, &stranger));
        let whole = spoilt.iter().flatten().map(Value::to_string);
        let torn = sample.to_string().replace("Lucia", MARKER);
        let torn = [
            torn.replace('}', ""),
            torn.replacen('{', "{\"a\":1,\"a\":2,", 1),
            torn.replace("Ferrer", "\\u0000"),
            format!("{torn}{MARKER}"),
        ];
        let mut client = edge.connect();
        for body in whole.chain(torn) {
            let length = body.len();
            client.send(format!(
                "POST {path} HTTP/1.1\r\nhost: e\r\n{key}\r\ncontent-length: {length}\r\n\r\n{body}"
            ));
            let reply = client.reply().unwrap();
            // One door answers 200 to what is not valid, too.
            if matches!(reply.status, 200 | 201) && !reply.body.starts_with(br#"{"accepted":0"#) {
                continue;
            }
            refused += 1;
            let shown = format!("{:?} {}", reply.headers, String::from_utf8_lossy(&reply.body));
            let number = NUMBER.to_string();
            let leaks = shown.contains(MARKER) || shown.contains(&number);
            assert!(!leaks, "{body}\n{shown}");
        }
    }
    assert!(refused > 300, "only {refused} bodies were refused");
}
