//! Each fault of the table, by the bytes that a caller sees and by what the buyer holds afterwards.

use std::io::ErrorKind;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// Nothing comes any more, for our purpose.
const SILENCE: Duration = Duration::from_millis(800);
/// More than this is endless.
const ENOUGH: usize = 1 << 20;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    NoConnection,
    NoHandshake,
    /// The connection stands and nothing comes.
    Silent,
    Closed,
    Reset,
    /// A whole reply of this status, as far as `content-length` tells, and nothing more.
    Reply(u16),
    /// More bytes than the reply should have.
    TooMuch,
}

fn base(url: &str) -> (&str, String, &str) {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    (scheme, host.to_owned(), path)
}

/// A post or ping as bytes, and what came back.
async fn exchange(authority: Option<String>, url: String, body: Value) -> (End, Vec<u8>) {
    let (scheme, host, path) = base(&url);
    let connected = timeout(SILENCE, TcpStream::connect(&host)).await;
    let Ok(Ok(stream)) = connected else { return (End::NoConnection, Vec::new()) };
    let body = body.to_string();
    let call =
        format!("POST /{path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    if scheme == "http" {
        return talk(stream, &call).await;
    }
    let mut roots = RootCertStore::empty();
    let pem = authority.unwrap();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    match timeout(SILENCE, connector.connect(name, stream)).await {
        Ok(Ok(stream)) => talk(stream, &call).await,
        _ => (End::NoHandshake, Vec::new()),
    }
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, call: &str) -> (End, Vec<u8>) {
    if stream.write_all(call.as_bytes()).await.is_err() {
        return (End::Reset, Vec::new());
    }
    let (mut seen, mut part) = (Vec::new(), vec![0; 65536]);
    loop {
        let end = match timeout(SILENCE, stream.read(&mut part)).await {
            Ok(Ok(0)) => End::Closed,
            Ok(Ok(count)) => {
                seen.extend_from_slice(&part[..count]);
                if seen.len() < ENOUGH {
                    continue;
                }
                End::TooMuch
            }
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionReset => End::Reset,
            Ok(Err(error)) => panic!("{error}"),
            Err(_) => End::Silent,
        };
        return (whole(&seen, end), seen);
    }
}

/// Whether the bytes are one reply, whatever the connection did afterwards.
fn whole(seen: &[u8], end: End) -> End {
    let text = String::from_utf8_lossy(seen);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return end };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let (Some(length), Some(status)) = (length, head.split(' ').nth(1)) else { return end };
    let (Ok(length), Ok(status)) = (length.parse::<usize>(), status.parse()) else { return end };
    match body.len().cmp(&length) {
        std::cmp::Ordering::Less => end,
        std::cmp::Ordering::Equal if end == End::Silent => End::Reply(status),
        std::cmp::Ordering::Equal => end,
        std::cmp::Ordering::Greater => End::TooMuch,
    }
}

/// What a caller sees of each fault, and a part of what is said; whether the buyer holds the lead.
fn expected(kind: Kind) -> (End, &'static str, bool) {
    use End::{Closed, NoConnection, NoHandshake, Reply, Reset, Silent, TooMuch};
    match kind {
        Kind::Dns | Kind::Refused | Kind::FullBacklog => (NoConnection, "", false),
        Kind::Unaccepted | Kind::HangAtAccept => (Silent, "", false),
        Kind::ResetAtAccept => (Reset, "", false),
        Kind::TlsExpired | Kind::TlsWrongHost | Kind::TlsUnknownCa | Kind::TlsStalled => {
            (NoHandshake, "", false)
        }
        Kind::Unread => (Closed, "", false),
        Kind::Close => (Closed, "", true),
        Kind::Hang | Kind::Late => (Silent, "", true),
        Kind::ResetAfterRequest => (Reset, "", true),
        Kind::HangInHead | Kind::Drip => (Silent, "H", true),
        Kind::HangAfterHead => (Silent, "\r\n\r\n", true),
        Kind::ResetInHead => (Reset, "HTTP/1.1 200 OK", true),
        Kind::MalformedHead => (Closed, "HTTP/9 yes", true),
        Kind::ManyHeaders => (Closed, "x-filling-9999: 9999\r\n", true),
        Kind::Redirect => (Reply(302), "location: http://169.254.169.254/", true),
        Kind::ResetInBody => (Reset, "{\"", true),
        Kind::Cut => (Closed, "{\"", true),
        Kind::Endless => (TooMuch, "aaaa", true),
        Kind::Huge => (TooMuch, "content-length: 1073741824\r\n", true),
        Kind::ShortLength | Kind::TwoAnswers => (TooMuch, "{\"", true),
        Kind::LongLength => (Silent, "\"}", true),
        Kind::AnswerThenReset => (Reset, "\"}", true),
        Kind::Garbage => (Reply(200), "<html>", true),
        Kind::Bom => (Reply(200), "\u{feff}{", true),
        Kind::DuplicateKeys => (Reply(200), "{\"status\":\"accepted\",", true),
        Kind::Deep => (Reply(200), "[[[[]]]]", true),
        Kind::NoVerdict => (Reply(200), "{}", true),
        Kind::BothVerdicts => (Reply(200), "\"rejected\"", true),
        Kind::PriceNan => (Reply(200), "{\"price\":NaN,", true),
        Kind::PriceNegative => (Reply(200), "{\"price\":\"-5.00\",", true),
        Kind::PriceOverflow => (Reply(200), "{\"price\":1e400,", true),
        Kind::PriceText => (Reply(200), "{\"price\":\"twelve fifty\",", true),
        Kind::PriceHuge => (Reply(200), "{\"price\":\"999999999999999\",", true),
        Kind::NoRedirect => (Reply(200), "\"reference\"", true),
        Kind::HttpRedirect => (Reply(200), "\"http://", true),
        Kind::Status(status) => (Reply(status), "status 500", true),
    }
}

/// Names of campaigns are slugs, which fault names are too.
async fn all(calls: Stage) -> Handle {
    let buyers = FAULTS.iter().filter(|known| known.calls.covers(calls)).map(|known| {
        let fault = Fault { kind: known.kind, calls };
        Buyer::new(known.name, Behaviour::new().fault(fault))
    });
    Buyers::start(ANY_PORT, buyers, Options::default()).await.unwrap()
}

/// Every buyer's ping or post, all at once.
async fn exchanges(
    buyers: &Handle,
    calls: Stage,
    of: Stage,
) -> BTreeMap<&'static str, (End, String)> {
    let mut running = JoinSet::new();
    for known in FAULTS.iter().filter(|known| known.calls.covers(calls)) {
        let (url, body) = match of {
            Stage::Ping => (buyers.ping_url(known.name), ping("p")),
            _ => (buyers.post_url(known.name), posted("l")),
        };
        let exchange = exchange(buyers.authority(), url, body);
        running.spawn(async move {
            let (end, seen) = exchange.await;
            (known.name, (end, String::from_utf8_lossy(&seen).into_owned()))
        });
    }
    running.join_all().await.into_iter().collect()
}

#[tokio::test]
async fn each_fault_of_the_table_does_what_it_says_to_posts() {
    let buyers = all(Stage::Post).await;
    let (posts, pings) = (
        exchanges(&buyers, Stage::Post, Stage::Post).await,
        exchanges(&buyers, Stage::Post, Stage::Ping).await,
    );
    for known in FAULTS {
        let (end, part, bought) = expected(known.kind);
        let (seen, text) = &posts[known.name];
        assert_eq!(*seen, end, "{}: {text}", known.name);
        assert!(text.contains(part), "{}: {text}", known.name);
        let posts = buyers.posts_to(known.name);
        assert_eq!(posts.iter().any(|post| post.bought), bought, "{}: {posts:?}", known.name);
        assert_eq!(pings[known.name].0, End::Reply(200), "{}: pings are not covered", known.name);
    }
}

#[tokio::test]
async fn each_fault_that_can_strike_a_ping_does() {
    let buyers = all(Stage::Ping).await;
    let (pings, posts) = (
        exchanges(&buyers, Stage::Ping, Stage::Ping).await,
        exchanges(&buyers, Stage::Ping, Stage::Post).await,
    );
    for known in FAULTS.iter().filter(|known| known.calls.covers(Stage::Ping)) {
        assert_eq!(pings[known.name].0, expected(known.kind).0, "{}", known.name);
        assert_eq!(posts[known.name].0, End::Reply(200), "{}: posts are not covered", known.name);
    }
}

#[tokio::test]
async fn a_listener_of_ones_own_is_sound_where_the_fault_does_not_strike() {
    let specs = ["expired:fault=tls-expired,faults=0", "resets:fault=reset-at-accept,faults=0"];
    let buyers = start(&specs, Options::default()).await;
    for name in ["expired", "resets"] {
        let (end, _) = exchange(buyers.authority(), buyers.ping_url(name), ping("p")).await;
        assert_eq!(end, End::Reply(200), "{name}");
    }
    assert!(buyers.ping_url("expired").starts_with("https://127.0.0.1:"));
    assert_eq!(buyers.apart(), ["expired", "resets"]);
    let (addr, url) = (buyers.addr(), buyers.post_url("resets"));
    assert!(!url.contains(&addr.to_string()), "{url}");
    buyers.stop().await;
    assert!(TcpStream::connect(base(&url).1).await.is_err(), "its port is free again");
}

#[tokio::test]
async fn a_fault_before_the_request_needs_a_name() {
    for fault in ["tls-expired", "dns-on-post", "unaccepted-on-ping"] {
        let anyone: Buyer = format!("*:fault={fault}").parse().unwrap();
        let refused = Buyers::start(ANY_PORT, [anyone], Options::default()).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput, "{fault}");
    }
}

#[tokio::test]
async fn the_same_attributes_meet_the_same_answers_under_any_id() {
    let options = Options { by_attributes: true, ..Options::default() };
    let buyers = start(&["nova:bid=5.00..30.00,bids=600"], options).await;
    let mut bids = std::collections::BTreeSet::new();
    for age in 0..40 {
        let of = |id: &str| {
            let mut call = ping(id);
            call["attributes"]["age"] = age.into();
            call
        };
        let first = json_of(&buyers, "/nova/ping", of("a")).await;
        assert_eq!(first, json_of(&buyers, "/nova/ping", of("b")).await, "{age}");
        bids.insert(first["price"].to_string());
    }
    assert!(bids.len() > 15, "other attributes, other bids: {bids:?}");
}
