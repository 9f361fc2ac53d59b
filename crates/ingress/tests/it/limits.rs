//! What a stranger can make us hold or wait for. Limits are short here; the tests' own patience is
//! long, so a limit that is missing fails by waiting, and a slow machine does not.

use std::time::Duration;

use ingress::Limits;

use crate::client::Client;
use crate::edge::{Edge, Script, Told};

const HEAD: &str = "POST /v1/leads HTTP/1.1\r\nhost: edge\r\nauthorization: Bearer shop-native\r\n";

const SHORT: Duration = Duration::from_millis(300);

/// How often a slow client sends a byte.
const DRIP: Duration = Duration::from_millis(30);

/// Sends a byte at a time until the other side says something, or for much longer than [`SHORT`].
fn drip(client: &mut Client, byte: &str) -> bool {
    client.wait_at_most(DRIP);
    let heard = (0..600).any(|_| client.try_send(byte).is_err() || client.ended().is_some());
    client.wait_at_most(crate::client::PATIENCE);
    heard
}

#[test]
fn a_header_that_never_ends_is_cut_off() {
    let edge = Edge::start(Limits { header_read: SHORT, ..Limits::default() });
    let mut silent = edge.connect();
    silent.send("POST /v1/leads HTTP/1.1\r\nhost: ed");
    let mut dripping = edge.connect();
    dripping.send("POST /v1/leads HTTP/1.1\r\nx: ");
    assert!(drip(&mut dripping, "y"), "a dripped header held on");
    assert!(silent.is_closed(), "an unfinished header got an answer");
}

#[test]
fn a_connection_without_a_request_is_closed_in_time_new_or_used() {
    let edge = Edge::start(Limits { header_read: SHORT, ..Limits::default() });
    let (mut fresh, mut used) = (edge.connect(), edge.connect());
    used.send("GET /none HTTP/1.1\r\nhost: edge\r\n\r\n");
    assert_eq!(used.reply().unwrap().status, 404);
    assert!(used.is_closed() && fresh.is_closed());
}

#[test]
fn a_body_that_never_ends_is_408_and_the_connection_closes() {
    let edge = Edge::start(Limits { body_read: SHORT, ..Limits::default() });
    for framing in ["content-length: 60000", "transfer-encoding: chunked"] {
        let mut client = edge.connect();
        client.send(format!("{HEAD}{framing}\r\n\r\n"));
        let byte = match framing.starts_with('t') {
            true => "1\r\n \r\n",
            false => " ",
        };
        assert!(drip(&mut client, byte), "{framing}: no answer");
        let reply = client.reply().unwrap();
        assert_eq!(reply.status, 408, "{framing}");
        assert!(reply.closes(), "{framing}");
        assert_eq!(reply.json()["code"], "body_timeout");
        assert!(client.is_closed(), "{framing}");
    }
    assert!(edge.received().is_empty());
}

#[test]
fn the_door_words_a_slow_or_large_body_in_its_own_format() {
    let edge = Edge::start(Limits { body_read: SHORT, body_bytes_max: 100, ..Limits::default() });
    let head = "POST /api/v1/lead HTTP/1.1\r\nhost: edge\r\napikey: hub-key\r\n";
    for (length, status, error) in [(50, 408, "body_timeout"), (101, 413, "body_too_large")] {
        let mut client = edge.connect();
        client.send(format!("{head}content-length: {length}\r\n\r\n"));
        let reply = client.reply().unwrap();
        assert_eq!(reply.status, status);
        assert_eq!(reply.json()["error"], error);
        assert!(client.is_closed());
    }
}

#[test]
fn a_body_over_the_limit_is_413_however_it_is_framed() {
    let edge = Edge::start(Limits::default());
    let most = Limits::default().body_bytes_max;
    let declared = format!("{HEAD}content-length: {}\r\n\r\n", most + 1);
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    let chunks = chunk.repeat(most / 0x1000);
    let chunked = format!("{HEAD}transfer-encoding: chunked\r\n\r\n{chunks}1\r\n \r\n");
    for request in [declared, chunked] {
        let mut client = edge.connect();
        // The refusal may come before everything is sent.
        drop(client.try_send(request));
        let reply = client.reply().unwrap();
        assert_eq!(reply.status, 413);
        assert!(reply.closes());
        assert_eq!(reply.json()["code"], "body_too_large");
        assert_eq!(reply.json()["detail"], "the body is larger than 65536 bytes");
        assert!(client.is_closed());
    }
    let mut client = edge.connect();
    let body = " ".repeat(most);
    client.send(format!("{HEAD}content-length: {most}\r\n\r\n{body}"));
    assert_eq!(client.reply().unwrap().status, 400, "the limit itself is read");
}

#[test]
fn a_body_that_stops_early_is_no_lead() {
    let edge = Edge::start(Limits::default());
    let mut client = edge.connect();
    client.send(format!("{HEAD}content-length: 9\r\n\r\n{{}}"));
    client.half_close();
    if let Some(reply) = client.reply() {
        assert_eq!(reply.status, 400);
    }
    assert!(client.is_closed());
    assert!(edge.received().is_empty());
}

#[test]
fn a_header_over_the_limit_is_431() {
    let edge = Edge::start(Limits::default());
    for (bytes, status) in [(15 * 1024, 404), (17 * 1024, 431), (40 * 1024, 431)] {
        let mut client = edge.connect();
        let padding = "x".repeat(bytes);
        let request = format!("GET /none HTTP/1.1\r\nhost: edge\r\nx: {padding}\r\n\r\n");
        drop(client.try_send(request));
        assert_eq!(client.reply().unwrap().status, status, "{bytes}");
    }
}

#[test]
fn connections_past_the_limit_are_closed_at_once_and_room_is_given_back() {
    let edge = Edge::start(Limits { connections_max: 2, ..Limits::default() });
    let ask = |client: &mut Client| {
        let sent = client.try_send("GET /none HTTP/1.1\r\nhost: edge\r\n\r\n");
        sent.ok().and_then(|()| client.reply()).map(|reply| reply.status)
    };
    let (mut first, mut second) = (edge.connect(), edge.connect());
    assert_eq!((ask(&mut first), ask(&mut second)), (Some(404), Some(404)));
    assert_eq!(ask(&mut edge.connect()), None);
    assert_eq!(ask(&mut second), Some(404));
    drop(first);
    // The edge learns of the end in its own time.
    let served = (0..2000).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        ask(&mut edge.connect()).is_some()
    });
    assert!(served, "a closed connection kept its place");
}

#[test]
fn a_connection_is_used_again_after_every_answer_whose_body_was_read() {
    let edge = Edge::start(Limits::default());
    let mut client = edge.connect();
    for (body, status) in [("{", 400), ("{}", 422), ("{}", 422), ("[]", 422)] {
        let length = body.len();
        client.send(format!("{HEAD}content-length: {length}\r\n\r\n{body}"));
        let reply = client.reply().unwrap();
        assert_eq!(reply.status, status);
        assert!(!reply.closes());
    }
    client.send("GET /none HTTP/1.1\r\nhost: edge\r\nconnection: close\r\n\r\n");
    assert!(client.reply().unwrap().closes());
    assert!(client.is_closed());
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let edge = Edge::start(Limits::default());
    edge.script(Script { distribute: Some(Ok(Told::new())), ..Script::default() });
    let ids = ["a", "b", "c", "d", "e"];
    let request = |id: &&str| {
        let body = format!(
            r#"{{"product":"personal-loan-es","external_id":"{id}","attributes":{{"amount":500}},"contact":{{}}}}"#
        );
        format!("{HEAD}content-length: {}\r\n\r\n{body}", body.len())
    };
    let all: String = ids.iter().map(request).collect();
    let mut client = edge.connect();
    client.send(all);
    for id in ids {
        assert_eq!(client.reply().unwrap().json()["external_id"], id);
    }
    let order: Vec<_> = edge.received();
    let order: Vec<_> =
        order.iter().filter_map(|arrival| arrival.submission.external_id.as_deref()).collect();
    assert_eq!(order, ids);
}

/// Every door's way in, and what a body needs before it is looked at.
const DOORS: &[(&str, &str, &str)] = &[
    ("/api/v1/lead", "apikey: hub-key", ""),
    ("/v1/leads", "authorization: Bearer shop-native", r#""product":"personal-loan-es","#),
    ("/v1/ping", "authorization: Bearer shop-native", r#""product":"personal-loan-es","#),
    ("/post/debt/sub10k/", "accept: application/json", XAUTH),
    ("/ping/debt/sub10k/", "accept: application/json", XAUTH),
    ("/api/lead/create/65f0c0ffee65f0c0ffee65f0", "authorization: Bearer store-key", ""),
    ("/api/v1/database-source/us-loans/create", "authorization: Bearer store-key", ""),
    ("/bs-core/main/leads", "bsauth: brainy-key", ""),
];

const XAUTH: &str =
    r#""xauth":{"affiliateid":123456,"key":"zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz"},"#;

/// What is wrong may stand under one long name, or have many names: neither makes an answer that is many times
/// as long as its request.
#[test]
fn an_answer_is_no_longer_than_its_request_gives_reason_for() {
    let edge = Edge::start(Limits::default());
    edge.script(Script { distribute: Some(Ok(Told::new())), ..Script::default() });
    let cards = vec![r#""4111111111111111""#; 1_900].join(",");
    let long = format!(r#""{}":[{cards}]"#, "k".repeat(25_000));
    let names: Vec<String> = (0..5_000).map(|name| format!(r#""u{name}":1"#)).collect();
    for (path, key, needed) in DOORS {
        for wrong in [&long, &names.join(","), &format!(r#""attributes":{{{}}}"#, names.join(","))]
        {
            let body = format!("{{{needed}{wrong}}}");
            let length = body.len();
            assert!(length < Limits::default().body_bytes_max);
            let mut client = edge.connect();
            client.send(format!(
                "POST {path} HTTP/1.1\r\nhost: e\r\n{key}\r\ncontent-length: {length}\r\n\r\n{body}"
            ));
            let reply = client.reply().unwrap();
            assert!(reply.status < 500);
            assert!(reply.body.len() <= 4 * length, "{path}: {} for {length}", reply.body.len());
        }
    }
}
