//! Whether an answer arrived: the engine hears of every one that did not, so that the publisher's next
//! try gets it again.

use ingress::{Limits, RequestId};

use crate::edge::{Edge, LEAD};

const BODY: &str = r#"{"product":"personal-loan-es","attributes":{"amount":500},"contact":{}}"#;

fn lead(extra: &str) -> String {
    let head = "POST /v1/leads HTTP/1.1\r\nhost: edge\r\nauthorization: Bearer shop-native\r\n";
    format!("{head}{extra}content-length: {}\r\n\r\n{BODY}", BODY.len())
}

#[test]
fn an_answer_that_was_written_to_somebody_who_is_there_arrived() {
    let edge = Edge::start(Limits::default());
    let mut client = edge.connect();
    for _ in 0..3 {
        client.send(lead(""));
        assert_eq!(client.reply().unwrap().json()["lead_id"], LEAD);
    }
    assert!(edge.lost_nothing(), "the last one, too, although nothing follows it");
    drop(client);
    edge.stop();
    edge.until_ended();
    assert!(edge.lost_nothing());
}

#[test]
fn an_answer_to_a_publisher_that_hung_up_is_lost() {
    let edge = Edge::start_holding(Limits::default());
    let mut client = edge.connect();
    client.send(lead(""));
    edge.until_entered();
    drop(client);
    // The engine still holds the lead: the edge has noticed the end by itself.
    edge.until_lost();
}

#[test]
fn the_key_and_the_body_tell_requests_apart() {
    let edge = Edge::start(Limits::default());
    let ask = |extra: &str| -> (u16, Option<RequestId>) {
        let mut client = edge.connect();
        client.send(lead(extra));
        let status = client.reply().unwrap().status;
        (status, edge.received().pop().map(|arrival| arrival.request))
    };
    let key = |extra: &str| ask(extra).1.and_then(|request| request.key);
    assert_eq!(key(""), None);
    assert_eq!(key("idempotency-key: abc-1\r\n").as_deref(), Some("abc-1"));
    assert_eq!(key("idempotency-key: \"abc-1\"\r\n").as_deref(), Some("abc-1"));
    let long = format!("idempotency-key: {}\r\n", "k".repeat(256));
    for bad in [
        "idempotency-key: \r\n",
        "idempotency-key: a b\r\n",
        "idempotency-key: \"\"\r\n",
        &long,
        "idempotency-key: a\r\nidempotency-key: a\r\n",
    ] {
        assert_eq!(ask(bad), (400, None), "{bad}");
    }
    assert_eq!(ask("").1.unwrap().body, ask("idempotency-key: x\r\n").1.unwrap().body);
}
