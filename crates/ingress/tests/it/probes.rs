//! Requests that two readers could read as two: none may reach the engine twice, and none may leave
//! its connection open with bytes that a second reader would take for a request. The table is
//! `tests/golden/probes.json`: name, head, body, and what becomes of it.

use ingress::Limits;

use crate::edge::{Edge, Script, Told};

const PROBES: &str = include_str!("../golden/probes.json");

const LEAD: &str = r#"{"product":"personal-loan-es","attributes":{"amount":500},"contact":{}}"#;

/// The table's shorthands: the usual head, the path, the key (with a bare line feed too), the lead, its
/// length, and the lead as one chunk without its end.
fn fill(template: &str) -> String {
    let length = LEAD.len();
    template
        .replace("{H}", "POST {P} HTTP/1.1\r\nHost: e\r\n{K}")
        .replace("{P}", "/v1/leads")
        .replace("{K}", "Authorization: Bearer shop-native\r\n")
        .replace("{N}", "Authorization: Bearer shop-native\n")
        .replace("{C}", &format!("{length:x}\r\n{LEAD}\r\n"))
        .replace("{L}", &length.to_string())
        .replace("{B}", LEAD)
}

/// The status of the answer, of a second answer, and how many leads the engine was handed.
fn outcome(fate: &str) -> (Option<u16>, Option<u16>, usize) {
    match fate {
        // What follows is a request without a key.
        "taken" => (Some(200), Some(401), 1),
        "taken, then closed" => (Some(200), None, 1),
        "closed" => (None, None, 0),
        status => (Some(status.parse().unwrap()), None, 0),
    }
}

#[test]
fn no_request_is_two_requests() {
    let edge = Edge::start(Limits::default());
    edge.script(Script { distribute: Some(Ok(Told::new())), ..Script::default() });
    let probes: Vec<[String; 4]> = serde_json::from_str(PROBES).unwrap();
    // What a smuggler hopes will be served as well.
    let smuggled = "GET /v1/leads/smuggled HTTP/1.1\r\nHost: e\r\n\r\n";
    let play = |[name, head, body, fate]: &[String; 4]| {
        let mut client = edge.connect();
        client.send(format!("{}{}{smuggled}", fill(head), fill(body)));
        let mut status = || client.reply().map(|reply| reply.status);
        let seen = (status(), status(), edge.received().len());
        (seen != outcome(fate)).then(|| format!("{name}: {seen:?}, not {fate}"))
    };
    let faults: Vec<String> = probes.iter().filter_map(play).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn more_headers_than_anybody_needs_are_431() {
    let edge = Edge::start(Limits::default());
    for (count, status) in [(99, 404), (101, 431)] {
        let headers = "x: y\r\n".repeat(count - 1);
        let mut client = edge.connect();
        client.send(format!("GET /none HTTP/1.1\r\nhost: e\r\n{headers}\r\n"));
        assert_eq!(client.reply().unwrap().status, status, "{count} headers");
    }
}
