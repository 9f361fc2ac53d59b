//! What calls say of their endpoint, and the bounds of what is read.

use lead::{Health, NoBid};

use super::*;
use crate::classify::retry_after;

async fn answer(buyers: &HttpBuyers, campaign: &Campaign) -> Result<lead::Bid, NoBid> {
    let attributes = SharedAttributes::of(&Attributes::new().for_ping(|_| false));
    let ping = Ping {
        campaign,
        id: PingId(Default::default()),
        product: &campaign.product,
        currency: "EUR".parse().unwrap(),
        test: false,
        attributes: &attributes,
        time_left: Duration::from_secs(1),
    };
    buyers.ping(&ping).await
}

fn with_head(status: u16, head: &str, body: &str) -> Script {
    let length = body.len();
    Script::Reply(format!("HTTP/1.1 {status} X\r\n{head}content-length: {length}\r\n\r\n{body}"))
}

#[tokio::test]
async fn replies_say_whether_the_endpoint_works() {
    use Health::{Fault, Fine, Throttled};
    let (reject, bid) = (r#"{"status":"rejected"}"#, r#"{"status":"bid","price":"2"}"#);
    let seven = Throttled(Some(Duration::from_secs(7)));
    let big = "x".repeat(65 * 1024);
    // The script, and what it says to a ping and to a post.
    let cases = [
        (ok(bid), Fine, Fault),
        (ok(reject), Fine, Fine),
        (ok(r#"{"status":"no_bid"}"#), Fine, Fault),
        (ok(r#"{"status":"duplicate"}"#), Fine, Fine),
        (ok("<html>"), Fine, Fault),
        (ok(&big), Fault, Fault),
        (status(204, ""), Fine, Fault),
        (status(302, ""), Fault, Fault),
        (status(400, ""), Fine, Fine),
        (status(401, ""), Fault, Fault),
        (status(404, reject), Fault, Fault),
        (status(409, ""), Fine, Fine),
        (status(422, ""), Fine, Fine),
        (status(429, ""), Throttled(None), Throttled(None)),
        (with_head(429, "retry-after: 7\r\n", ""), seven, seven),
        (with_head(503, "retry-after: 7\r\n", reject), seven, seven),
        (with_head(503, "retry-after: Mon, 02 Mar 2026 09:00:07 GMT\r\n", ""), seven, seven),
        (with_head(503, "retry-after: soon\r\n", reject), Throttled(None), Throttled(None)),
        (with_head(200, "content-encoding: gzip\r\n", bid), Fault, Fault),
        (with_head(200, "content-encoding: identity\r\n", reject), Fine, Fine),
        (with_head(200, &format!("x: {}\r\n", "y".repeat(17 * 1024)), reject), Fault, Fault),
        (status(500, ""), Fault, Fault),
        (Script::Close, Fault, Fault),
        (
            Script::ReplyAndClose("HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\n{".into()),
            Fault,
            Fault,
        ),
    ];
    for (number, (script, to_ping, to_post)) in cases.into_iter().enumerate() {
        let (port, _) = buyer(script).await;
        let market = market(port);
        let campaign = market.campaigns.values().next().unwrap();
        let health = answer(&wire(), campaign).await.map_or_else(|it| it.health, |_| Fine);
        assert_eq!(health, to_ping, "case {number}: ping");
        assert_eq!(post(&wire(), campaign).await.health, to_post, "case {number}: post");
    }
}

/// A body without an end, a byte at a time or as fast as it can: what is read of it is bounded, in bytes
/// or in time.
#[tokio::test]
async fn endless_replies_end() {
    for pause in [None, Some(Duration::from_millis(20))] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sent = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await.unwrap();
            let head = "HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n";
            stream.write_all(head.as_bytes()).await.unwrap();
            let size = if pause.is_some() { 1 } else { 4_096 };
            let chunk = format!("{size:x}\r\n{}\r\n", "x".repeat(size));
            while stream.write_all(chunk.as_bytes()).await.is_ok() {
                count.fetch_add(size, std::sync::atomic::Ordering::SeqCst);
                tokio::time::sleep(pause.unwrap_or_default()).await;
            }
        });
        let market = market(port);
        let campaign = market.campaigns.values().next().unwrap();
        let began = tokio::time::Instant::now();
        let reply = post(&wire(), campaign).await;
        assert_eq!((reply.class, reply.health), (PostClass::Unknown, Health::Fault));
        assert!(began.elapsed() < campaign.delivery.post.timeout * 3);
        // What the kernel's buffers hold counts too.
        assert!(sent.load(std::sync::atomic::Ordering::SeqCst) < 16 << 20);
    }
}

/// The bound on a reply's head is none on a post.
#[tokio::test]
async fn a_large_post_leaves_whole() {
    let (port, seen) = buyer(ok(r#"{"status":"accepted"}"#)).await;
    let market = market(port);
    let campaign = market.campaigns.values().next().unwrap();
    let email = "x".repeat(100 * 1024);
    let reply = post_of(&wire(), campaign, false, &email).await;
    assert_eq!(reply.class, PostClass::Accepted);
    assert!(seen.lock().unwrap()[0].contains(&email));
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now = "2026-03-02T09:00:00Z".parse().unwrap();
    let seconds = |value| retry_after(value, now).map(|wait| wait.as_secs());
    for (value, expected) in [
        ("0", Some(0)),
        (" 120 ", Some(120)),
        ("4294967295", Some(4_294_967_295)),
        ("Mon, 02 Mar 2026 09:01:00 GMT", Some(60)),
        ("Mon, 02 Mar 2026 08:59:00 GMT", Some(0)),
        ("99999999999999999999", None),
        ("-1", None),
        ("1.5", None),
        ("", None),
        ("tomorrow", None),
    ] {
        assert_eq!(seconds(value), expected, "{value}");
    }
}
