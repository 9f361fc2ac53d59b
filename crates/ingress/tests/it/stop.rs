//! The end: nothing new is taken, what is under way is finished.

use std::net::TcpStream;
use std::time::Duration;

use ingress::Limits;

use crate::edge::{Edge, LEAD};

const BODY: &str = r#"{"product":"personal-loan-es","attributes":{"amount":500},"contact":{}}"#;

fn lead() -> String {
    let head = "POST /v1/leads HTTP/1.1\r\nhost: edge\r\nauthorization: Bearer shop-native\r\n";
    format!("{head}content-length: {}\r\n\r\n{BODY}", BODY.len())
}

/// Whether the listener is gone, given time.
fn refuses_connections(edge: &Edge) -> bool {
    (0..2000).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        TcpStream::connect(edge.address).is_err()
    })
}

#[test]
fn a_request_under_way_is_answered_and_then_its_connection_closes() {
    let edge = Edge::start_holding(Limits::default());
    let (mut idle, mut fresh, mut busy) = (edge.connect(), edge.connect(), edge.connect());
    idle.send("GET /none HTTP/1.1\r\nhost: edge\r\n\r\n");
    assert_eq!(idle.reply().unwrap().status, 404);
    busy.send(lead());
    edge.until_entered();
    edge.stop();
    assert!(refuses_connections(&edge), "connections were still taken");
    assert!(idle.is_closed(), "an idle connection was kept");
    assert!(fresh.is_closed(), "a connection without a request was kept");
    // A second request on the same connection comes too late.
    busy.send(lead());
    edge.release();
    let reply = busy.reply().unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["lead_id"], LEAD);
    assert!(reply.closes());
    assert!(busy.is_closed());
    edge.until_ended();
    assert_eq!(edge.received().len(), 1);
}

#[test]
fn a_server_with_nothing_under_way_ends_at_once() {
    let edge = Edge::start(Limits::default());
    edge.stop();
    edge.until_ended();
    assert!(TcpStream::connect(edge.address).is_err());
}

#[test]
fn a_publisher_that_hangs_up_does_not_stop_the_server_from_ending() {
    let edge = Edge::start_holding(Limits::default());
    let mut client = edge.connect();
    client.send(lead());
    edge.until_entered();
    drop(client);
    edge.stop();
    edge.release();
    edge.until_ended();
}
