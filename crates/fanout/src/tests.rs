//! The wire against real sockets that answer by script.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lead::{
    Attributes, Clock, Code, Consent, Contact, Deadline, LeadId, Money, PingId, PostClass, Standard,
};
use market::{Campaign, Market, Sources};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::{
    Allowed, Buyers, Guard, HttpBuyers, Limits, Ping, Pings, Post, PostReply, SharedAttributes,
    StatusQuery, Tls, TlsFiles,
};

mod health;
mod reach;
mod secure;

struct TestClock;

impl Clock for TestClock {
    fn timestamp(&self) -> jiff::Timestamp {
        "2026-03-02T09:00:00Z".parse().unwrap()
    }

    fn instant(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

/// What a scripted buyer does with each request it has read whole.
#[derive(Clone)]
enum Script {
    /// Writes these bytes and keeps the connection.
    Reply(String),
    /// Writes these bytes and closes.
    ReplyAndClose(String),
    /// Writes these bytes, keeps the connection for a moment and closes it.
    ReplyAndCloseLater(String),
    /// Reads the request and closes without a byte.
    Close,
    /// Reads the request and never answers.
    Hang,
}

fn ok(body: &str) -> Script {
    status(200, body)
}

fn status(status: u16, body: &str) -> Script {
    let length = body.len();
    Script::Reply(format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}"))
}

async fn buyer(script: Script) -> (u16, Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let journal = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, script.clone(), Arc::clone(&journal)));
        }
    });
    (port, seen)
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    script: Script,
    journal: Arc<std::sync::Mutex<Vec<String>>>,
) {
    while let Some(request) = read_request(&mut stream).await {
        journal.lock().unwrap().push(request);
        match &script {
            Script::Reply(bytes) => stream.write_all(bytes.as_bytes()).await.unwrap(),
            Script::ReplyAndClose(bytes) => {
                stream.write_all(bytes.as_bytes()).await.unwrap();
                return stream.shutdown().await.unwrap_or_default();
            }
            Script::ReplyAndCloseLater(bytes) => {
                stream.write_all(bytes.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
                tokio::time::sleep(Duration::from_millis(3)).await;
                return stream.shutdown().await.unwrap_or_default();
            }
            Script::Close => return,
            Script::Hang => std::future::pending().await,
        }
    }
}

async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).to_string();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
}

fn market(port: u16) -> Market {
    market_with(port, "")
}

/// The same with more said of its campaign.
fn market_with(port: u16, more: &str) -> Market {
    let text = format!(
        r#"
        [products.loan]
        name = "Loan"
        vertical = "loans"
        country = "ES"
        currency = "EUR"
        timezone = "UTC"
        budget_ms = 1000
        tiers = [{{ mode = "auction" }}]
        [buyers.nova]
        name = "Nova"
        allowed_hosts = ["127.0.0.1"]
        [buyers.nova.campaigns.prime]
        product = "loan"
        filter = {{}}
        price.bid = {{ min = "1.00", max = "99.00" }}
        delivery.ping.url = "http://127.0.0.1:{port}/ping"
        delivery.ping.headers = {{ X-Key = "k" }}
        delivery.post.url = "http://127.0.0.1:{port}/post?a=1"
        delivery.post.timeout_ms = 300
        delivery.status = {{ url = "http://127.0.0.1:{port}/status?a=1", timeout_ms = 300 }}
        {more}
        "#
    );
    Sources::parse([("m".to_owned(), text)]).unwrap().market().unwrap()
}

fn wire() -> HttpBuyers {
    HttpBuyers::new(Limits::default(), loopback(), tls(&TlsFiles::default()), Arc::new(TestClock))
}

/// This machine may be dialled, without TLS too.
fn loopback() -> Guard {
    let allowed = ["127.0.0.0/8", "::1"]
        .map(|network| Allowed { network: network.parse().unwrap(), ports: Vec::new() });
    Guard { allowed: allowed.into(), plain_http: true }
}

fn tls(files: &TlsFiles) -> Tls {
    let clock: Arc<dyn Clock> = Arc::new(TestClock);
    Tls::new(files, &clock).unwrap()
}

async fn post(buyers: &HttpBuyers, campaign: &Campaign) -> PostReply {
    post_once_more(buyers, campaign, false).await
}

async fn post_once_more(buyers: &HttpBuyers, campaign: &Campaign, again: bool) -> PostReply {
    post_of(buyers, campaign, again, "marker@example.org").await
}

async fn post_of(buyers: &HttpBuyers, campaign: &Campaign, again: bool, email: &str) -> PostReply {
    let contact = Contact { email: Some(email.to_owned()), ..Contact::default() };
    let (attributes, consent) = (Attributes::new(), Consent::default());
    let post = Post {
        campaign,
        lead: LeadId(Default::default()),
        event_token: "a-token",
        attempt: 0,
        again,
        ping: None,
        bid_reference: Some("their-id"),
        price: Money { amount: "12.5".parse().unwrap(), currency: "EUR".parse().unwrap() },
        product: &campaign.product,
        test: false,
        external_id: Some("aff-1"),
        attributes: &attributes,
        contact: &contact,
        consent: &consent,
    };
    buyers.post(&post).await
}

async fn ping(buyers: &HttpBuyers, campaign: &Campaign, limit: Duration) -> Result<String, Code> {
    let mut attributes = Attributes::new();
    attributes.set_number(Standard::Age, 30);
    let attributes = SharedAttributes::of(&attributes.for_ping(|_| false));
    let ping = Ping {
        campaign,
        id: PingId::new([1; 16]),
        product: &campaign.product,
        currency: "EUR".parse().unwrap(),
        test: false,
        attributes: &attributes,
        time_left: limit,
    };
    let now = TestClock.instant();
    let one = [(Deadline::after(now, limit), async { (0, buyers.ping(&ping).await) })];
    let asked = Pings::send(one, now).next(&TestClock).await.unwrap();
    asked.answer.map(|bid| bid.price.to_wire()).map_err(|no_bid| no_bid.code)
}

#[tokio::test]
async fn every_way_to_answer_a_post_has_its_class() {
    use PostClass::{Accepted, Rejected, Unknown};
    let accept =
        r#"{"status":"accepted","redirect_url":"https://nova.example/a","reference":"r1"}"#;
    let reject = r#"{"status":"rejected","reason":"no"}"#;
    let big = format!(r#"{{"status":"accepted","x":"{}"}}"#, "y".repeat(70_000));
    let cut =
        Script::ReplyAndClose(format!("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{accept}"));
    let zipped = Script::Reply(format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n{accept}",
        accept.len()
    ));
    let mut cases = vec![
        (ok(accept), Accepted, Code::Sold),
        (status(201, accept), Accepted, Code::Sold),
        (ok(&format!("\u{feff}{accept}")), Accepted, Code::Sold),
        (ok(reject), Rejected, Code::PostRejected),
        (ok(r#"{"status":"duplicate"}"#), Rejected, Code::BuyerDuplicate),
        (status(409, r#"{"status":"duplicate"}"#), Rejected, Code::BuyerDuplicate),
        (status(503, reject), Rejected, Code::PostRejected),
        (status(500, reject), Unknown, Code::Unknown),
        (status(400, accept), Unknown, Code::Unknown),
        (ok("<html>sorry</html>"), Unknown, Code::Unknown),
        (ok(""), Unknown, Code::Unknown),
        (ok(r#"{"status":"accepted","status":"rejected"}"#), Unknown, Code::Unknown),
        (ok(&big), Unknown, Code::Unknown),
        (cut, Unknown, Code::Unknown),
        (zipped, Unknown, Code::Unknown),
        (Script::Close, Unknown, Code::Unknown),
        (Script::Hang, Unknown, Code::Unknown),
        (Script::ReplyAndClose("HTTP/1.1 2".to_owned()), Unknown, Code::Unknown),
        (Script::ReplyAndClose("garbage\r\n\r\n".to_owned()), Unknown, Code::Unknown),
    ];
    cases.extend([400, 409, 410, 422].map(|code| (status(code, ""), Rejected, Code::PostRejected)));
    cases.extend(
        [401, 403, 404, 405, 413, 415, 429]
            .map(|code| (status(code, ""), Rejected, Code::HttpStatus)),
    );
    cases.extend(
        [302, 402, 408, 418, 425, 500, 502, 503, 504]
            .map(|code| (status(code, ""), Unknown, Code::Unknown)),
    );
    for (number, (script, class, code)) in cases.into_iter().enumerate() {
        let (port, seen) = buyer(script).await;
        let market = market(port);
        let campaign = market.campaigns.values().next().unwrap();
        let reply = post(&wire(), campaign).await;
        assert_eq!((reply.class, reply.code), (class, code), "case {number}");
        assert_eq!(seen.lock().unwrap().len(), 1, "case {number}: a post leaves once");
    }
}

#[tokio::test]
async fn a_refused_connection_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let market = market(port);
    let campaign = market.campaigns.values().next().unwrap();
    let reply = post(&wire(), campaign).await;
    assert_eq!((reply.class, reply.code), (PostClass::NotSent, Code::Connect));
    assert_eq!(ping(&wire(), campaign, Duration::from_secs(1)).await, Err(Code::Connect));
}

#[tokio::test]
async fn every_way_to_answer_a_ping_has_its_code() {
    for (script, expected) in [
        (ok(r#"{"status":"bid","price":"12.50","ping_id":"p"}"#), Ok("12.50")),
        (ok(r#"{"status":"bid","price":12.5}"#), Ok("12.50")),
        (ok(r#"{"status":"bid","price":-1}"#), Ok("-1.00")),
        (ok(r#"{"status":"no_bid","reason":"x"}"#), Err(Code::NoBid)),
        (status(204, ""), Err(Code::NoBid)),
        (ok(r#"{"status":"bid"}"#), Err(Code::Unreadable)),
        (ok(r#"{"status":"bid","price":"NaN"}"#), Err(Code::Unreadable)),
        (ok(r#"{"status":"bid","price":1e400}"#), Err(Code::Unreadable)),
        (ok("<html>"), Err(Code::Unreadable)),
        (ok(&format!("{}1{}", "[".repeat(1_025), "]".repeat(1_025))), Err(Code::Unreadable)),
        (status(500, ""), Err(Code::HttpStatus)),
        (status(302, ""), Err(Code::HttpStatus)),
        (Script::Close, Err(Code::Unreadable)),
        (Script::Hang, Err(Code::Timeout)),
    ] {
        let (port, _) = buyer(script).await;
        let market = market(port);
        let campaign = market.campaigns.values().next().unwrap();
        let answer = ping(&wire(), campaign, Duration::from_millis(250)).await;
        assert_eq!(answer.as_deref().map_err(|code| *code), expected);
    }
}

#[tokio::test]
async fn requests_carry_what_the_contract_says_and_a_ping_no_contact() {
    let (port, seen) = buyer(ok(r#"{"status":"bid","price":"2","ping_id":"p"}"#)).await;
    let market = market(port);
    let campaign = market.campaigns.values().next().unwrap();
    let wire = wire();
    ping(&wire, campaign, Duration::from_secs(1)).await.unwrap();
    post(&wire, campaign).await;
    let seen = seen.lock().unwrap();
    let (ping, post) = (&seen[0], &seen[1]);
    assert!(ping.starts_with("POST /ping HTTP/1.1\r\n") && ping.contains("x-key: k\r\n"), "{ping}");
    assert!(
        ping.contains("gavel-timeout-ms: 1000\r\n") && ping.contains("accept-encoding: identity")
    );
    assert!(
        ping.ends_with(
            r#""product":"loan","test":false,"timeout_ms":1000,"attributes":{"age":30}}"#
        )
    );
    assert!(!ping.contains("marker@") && !ping.contains("contact"));
    assert!(post.starts_with("POST /post?a=1 HTTP/1.1\r\n"));
    assert!(
        post.contains("idempotency-key: \"00000000-0000-0000-0000-000000000000-prime-0\"\r\n"),
        "{post}"
    );
    assert!(post.contains(
        r#""ping_id":"their-id","bid":"12.50","product":"loan","test":false,"external_id":"aff-1""#
    ));
    assert!(post.contains(r#""contact":{"email":"marker@example.org"}"#));
}

/// A buyer that closes its idle connections must not turn posts into unknowns: the close is seen
/// before anything is sent.
#[tokio::test]
async fn a_connection_closed_while_idle_is_replaced_before_a_post() {
    let accept = r#"{"status":"accepted"}"#;
    let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{accept}", accept.len());
    let (port, _) = buyer(Script::ReplyAndClose(reply)).await;
    let market = market(port);
    let campaign = market.campaigns.values().next().unwrap();
    let wire = wire();
    for round in 0..200 {
        assert_eq!(post(&wire, campaign).await.class, PostClass::Accepted, "round {round}");
    }
}

/// What a second reply may say of a first post: to the same post again, and to a status call.
#[tokio::test]
async fn only_a_plain_verdict_says_what_became_of_an_earlier_post() {
    use PostClass::{Accepted, Rejected, Unknown};
    let (accept, reject) = (r#"{"status":"accepted","price":"9"}"#, r#"{"status":"rejected"}"#);
    let mut cases = vec![
        (ok(accept), Accepted),
        (ok(reject), Rejected),
        (ok(r#"{"status":"duplicate"}"#), Unknown),
        (ok(r#"{"status":"unknown"}"#), Unknown),
        (ok(r#"{"status":"accepted","status":"rejected"}"#), Unknown),
        (ok("<html>"), Unknown),
        (Script::Close, Unknown),
        (Script::Hang, Unknown),
    ];
    let refusals = [400, 404, 409, 410, 422, 429, 500, 503];
    cases.extend(refusals.map(|code| (status(code, reject), Unknown)));
    cases.push((status(404, accept), Unknown));
    for (number, (script, class)) in cases.into_iter().enumerate() {
        let (port, seen) = buyer(script).await;
        let market = market(port);
        let campaign = market.campaigns.values().next().unwrap();
        let (again, asked) = (
            post_once_more(&wire(), campaign, true).await,
            wire().status(&query(campaign, false)).await,
        );
        assert_eq!((again.class, asked.class), (class, class), "case {number}");
        if class == Accepted {
            assert_eq!((again.price, asked.price), (Some(9.into()), Some(9.into())));
        }
        assert_eq!(seen.lock().unwrap().len(), 2, "case {number}");
    }
}

fn query(campaign: &Campaign, test: bool) -> StatusQuery<'_> {
    let lead = LeadId(Default::default());
    StatusQuery { campaign, lead, attempt: 0, product: &campaign.product, test }
}

#[tokio::test]
async fn a_status_call_names_the_post_and_nobody_else() {
    let (port, seen) = buyer(ok(r#"{"status":"unknown"}"#)).await;
    let mut market = market(port);
    let campaign = Arc::make_mut(market.campaigns.values_mut().next().unwrap());
    wire().status(&query(campaign, false)).await;
    let call = campaign.delivery.status.as_mut().unwrap();
    (call.method, call.format) = (market::Method::Get, market::Format::Query);
    call.headers.clear();
    wire().status(&query(campaign, false)).await;
    let (lead, key) =
        ("00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000-prime-0");
    {
        let seen = seen.lock().unwrap();
        assert!(seen[0].starts_with("POST /status?a=1 HTTP/1.1\r\n"), "{}", seen[0]);
        let body = format!(r#"{{"lead_id":"{lead}","idempotency_key":"{key}","product":"loan"}}"#);
        assert!(seen[0].ends_with(&body), "{}", seen[0]);
        assert!(!seen[1].contains("content-type"), "{}", seen[1]);
        let line = format!(
            "GET /status?a=1&lead_id={lead}&idempotency_key={key}&product=loan HTTP/1.1\r\n"
        );
        assert!(seen[1].starts_with(&line) && seen[1].ends_with("\r\n\r\n"), "{}", seen[1]);
    }
    wire().status(&query(campaign, true)).await;
    assert_eq!(seen.lock().unwrap().len(), 2, "nobody is asked about a test lead");
}

/// Each ping ends at its own deadline, whatever the others do; what comes later is told as late.
#[tokio::test(start_paused = true)]
async fn pings_end_one_by_one_and_late_answers_are_told_apart() {
    let now = TestClock.instant();
    let ms = Duration::from_millis;
    let ping = |index: usize, limit: u64, after: u64| {
        let answer = async move {
            tokio::time::sleep(ms(after)).await;
            (index, Err(lead::NoBid::new(Code::NoBid)))
        };
        (Deadline::after(now, ms(limit)), answer)
    };
    let sent = [ping(0, 100, 50), ping(1, 60, 80), ping(2, 100, 500), ping(3, 60, 60)];
    let mut pings = Pings::send(sent, now);
    let mut told = Vec::new();
    while let Some(asked) = pings.next(&TestClock).await {
        told.push((asked.index, asked.answer.unwrap_err().code, asked.took, asked.late));
        let open: Vec<_> = pings.open().collect();
        assert!(told.iter().all(|(index, ..)| !open.contains(index)));
    }
    let expected = [
        (0, Code::NoBid, ms(50), false),
        (3, Code::NoBid, ms(60), false),
        (1, Code::Timeout, ms(60), false),
        (1, Code::NoBid, ms(80), true),
        (2, Code::Timeout, ms(100), false),
    ];
    assert_eq!(told, expected);
    assert!(!pings.is_done() && pings.unanswered().eq([2]));
    let last = pings.next_late(&TestClock).await.unwrap();
    assert_eq!((last.index, last.took, last.late), (2, ms(500), true));
    assert!(pings.is_done() && pings.next_late(&TestClock).await.is_none());
}
