//! The real binary and buyers that break and heal, and one behind TLS.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::process::{Gavel, call, request};

const NATIVE: (&str, &str) = ("authorization", "Bearer demo-native");

/// What a broken buyer does with a request that it has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Hangs,
    Leaves,
    Says(u16),
}

/// A buyer that bids and accepts, but for one kind of call while it is broken.
struct Buyer {
    at: SocketAddr,
    is_broken: Arc<AtomicBool>,
    posts: Arc<AtomicUsize>,
}

async fn buyer(price: &'static str, fault: Option<(&'static str, Fault)>) -> Buyer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (is_broken, posts) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let (broken, count) = (Arc::clone(&is_broken), Arc::clone(&posts));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (broken, count) = (Arc::clone(&broken), Arc::clone(&count));
            tokio::spawn(async move {
                let fault = |path: &str| {
                    fault.filter(|(on, _)| path == *on && broken.load(Ordering::Relaxed))
                };
                serve(stream, price, &count, fault).await
            });
        }
    });
    Buyer { at, is_broken, posts }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    price: &str,
    posts: &AtomicUsize,
    fault: impl Fn(&str) -> Option<(&'static str, Fault)>,
) -> Option<()> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if stream.read_buf(&mut read).await.ok()? == 0 {
                return None;
            }
            continue;
        };
        let length = head.lines().find_map(|it| it.strip_prefix("content-length: ")?.parse().ok());
        if body.len() < length.unwrap_or(0) {
            stream.read_buf(&mut read).await.ok()?;
            continue;
        }
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let (mut status, mut says) = (200, format!(r#"{{"status":"bid","price":"{price}"}}"#));
        if path == "/post" {
            posts.fetch_add(1, Ordering::Relaxed);
            says = r#"{"status":"accepted"}"#.to_owned();
        }
        match fault(&path).map(|(_, fault)| fault) {
            None => {}
            Some(Fault::Hangs) => std::future::pending().await,
            Some(Fault::Leaves) => return None,
            Some(Fault::Says(code)) => (status, says) = (code, String::new()),
        }
        let reply = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{says}", says.len());
        stream.write_all(reply.as_bytes()).await.ok()?;
        read.clear();
    }
}

/// A product of its own for each of `campaigns`, which all of `buyers` want.
fn market(products: &[&str], campaigns: &[(String, String, &str)]) -> String {
    let mut text =
        "[publishers.demo]\nname = \"Demo\"\ndoors.native.keys = [\"demo-native\"]\n".to_owned();
    for name in products {
        write!(
            text,
            "[products.{name}]\nname = \"Loan\"\nvertical = \"loans\"\ncountry = \"ES\"\n\
             currency = \"EUR\"\ntimezone = \"UTC\"\nbudget_ms = 2000\n\
             tiers = [{{ mode = \"auction\" }}]\n"
        )
        .unwrap();
    }
    for (buyer, url, product) in campaigns {
        write!(
            text,
            "[buyers.{buyer}]\nname = \"B\"\nallowed_hosts = [\"127.0.0.1\"]\n\
             [buyers.{buyer}.campaigns.main]\nproduct = \"{product}\"\nfilter = {{}}\n\
             price.bid = {{ min = \"1.00\", max = \"60.00\" }}\n\
             delivery.ping = {{ url = \"{url}/ping\", timeout_ms = 250 }}\n\
             delivery.post = {{ url = \"{url}/post\", timeout_ms = 500 }}\n"
        )
        .unwrap();
    }
    text
}

async fn sell(gavel: SocketAddr, product: &str, number: usize) -> String {
    let contact = json!({ "email": format!("c{number}@{product}.example") });
    let lead = json!({ "product": product, "attributes": {}, "contact": contact });
    let (status, answer) = call(gavel, request("POST", "/v1/leads", NATIVE, &lead)).await;
    assert_eq!(status, 200, "{answer}");
    answer["status"].as_str().unwrap().to_owned()
}

/// Each buyer's breaker on its endpoint, as the engine's metrics show it.
async fn states(ops: SocketAddr) -> BTreeMap<(String, String), u8> {
    let get = Request::get("/metrics").header("host", "gavel.test");
    let (_, metrics) = call(ops, get.body(Full::new(Bytes::new())).unwrap()).await;
    let label = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!("{name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let lines = metrics.as_str().unwrap_or_default().lines();
    lines
        .filter(|line| line.starts_with("gavel_breaker_state{"))
        .filter_map(|line| {
            let state = line.rsplit(' ').next()?.parse().ok()?;
            Some(((label(line, "buyer")?, label(line, "call")?), state))
        })
        .collect()
}

/// Twenty leads a second for one product, until told to stop; how many were sold.
fn stream(gavel: SocketAddr, product: &'static str, stop: Arc<AtomicBool>) -> Stream {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        let mut leads = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            ticks.tick().await;
            leads.push(tokio::spawn(sell(gavel, product, leads.len())));
        }
        let (all, mut sold) = (leads.len(), 0);
        for lead in leads {
            sold += usize::from(lead.await.unwrap() == "distributed");
        }
        (all, sold)
    })
}

type Stream = tokio::task::JoinHandle<(usize, usize)>;

const FAULTS: [(&str, &str, Fault); 6] = [
    ("ping-hangs", "/ping", Fault::Hangs),
    ("ping-leaves", "/ping", Fault::Leaves),
    ("ping-500", "/ping", Fault::Says(500)),
    ("post-hangs", "/post", Fault::Hangs),
    ("post-leaves", "/post", Fault::Leaves),
    ("post-500", "/post", Fault::Says(500)),
];

/// Waits until the breakers of all buyers have that state, and says how long each took.
async fn until(ops: SocketAddr, is: impl Fn(u8) -> bool) -> BTreeMap<String, Duration> {
    let began = Instant::now();
    let mut took = BTreeMap::new();
    while took.len() < FAULTS.len() {
        assert!(began.elapsed() < Duration::from_secs(30), "{took:?}");
        let states = states(ops).await;
        for (name, path, _) in FAULTS {
            let key = (name.to_owned(), path.trim_start_matches('/').to_owned());
            if states.get(&key).is_some_and(|state| is(*state)) {
                took.entry(name.to_owned()).or_insert(began.elapsed());
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    took
}

/// Six buyers that bid highest and are broken in six ways, each beside a sound one: they are left alone
/// within two seconds, hold few leads, and are called again within ten seconds of healing.
#[tokio::test(flavor = "multi_thread")]
async fn buyers_that_break_are_left_alone_until_they_heal() {
    let dir = tempfile::tempdir().unwrap();
    let sound = buyer("5.00", None).await;
    let (mut broken, mut campaigns) = (Vec::new(), Vec::new());
    for (name, path, fault) in FAULTS {
        let buyer = buyer("9.00", Some((path, fault))).await;
        campaigns.push((name.to_owned(), format!("http://{}", buyer.at), name));
        campaigns.push((format!("sound-{name}"), format!("http://{}", sound.at), name));
        broken.push(buyer);
    }
    let gavel = Gavel::start(dir.path(), &market(&FAULTS.map(|(name, ..)| name), &campaigns));
    let stop = Arc::new(AtomicBool::new(false));
    let streams = FAULTS.map(|(name, ..)| stream(gavel.public, name, Arc::clone(&stop)));
    let opened = until(gavel.ops, |state| state == 2).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let posts: Vec<_> = broken.iter().map(|it| it.posts.load(Ordering::Relaxed)).collect();
    broken.iter().for_each(|buyer| buyer.is_broken.store(false, Ordering::Relaxed));
    let closed = until(gavel.ops, |state| state == 0).await;
    stop.store(true, Ordering::Relaxed);
    for (((name, path, _), stream), posts) in FAULTS.into_iter().zip(streams).zip(posts) {
        let (leads, sold) = stream.await.unwrap();
        let (opened, closed) = (opened[name], closed[name]);
        println!(
            "{name}: opened after {opened:?}, closed after {closed:?}, {sold} of {leads} leads sold"
        );
        assert!(opened <= Duration::from_secs(2), "{name} opened after {opened:?}");
        assert!(closed <= Duration::from_secs(10), "{name} closed after {closed:?}");
        let held = leads - sold;
        // Five faults, the leads under way by then (none of them waits longer than half a second), and
        // one a probe.
        let most = if path == "/post" { 5 + 12 + 4 } else { 0 };
        assert!(held <= most && posts <= most, "{name}: {held} leads held, {posts} posts");
    }
}

/// The market asks for https and a client certificate, the configuration brings the authority and the
/// certificate: leads are sold over connections that are kept. Without them nothing is sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_behind_tls_is_sold_to() {
    let dir = tempfile::tempdir().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let (at, connections, posts) = buyer_behind_tls(&ca).await;
    let key = KeyPair::generate().unwrap();
    let ours = CertificateParams::new(["gavel.example".to_owned()]).unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("ca.pem", &ca.pem());
    write("ours.pem", &ours.signed_by(&key, &ca).unwrap().pem());
    write("ours.key", &key.serialize_pem());

    let campaigns = [("nova".to_owned(), format!("https://{at}"), "loan")];
    let market = market(&["loan"], &campaigns)
        .replace("[buyers.nova]", "[buyers.nova]\nclient_certificate = \"ours\"");
    let allow = "allow = [{ network = \"127.0.0.1\" }]\n";
    let trusting = "ca_file = \"ca.pem\"\nclient_certificates.ours = { certificate = \"ours.pem\", key = \"ours.key\" }\n";
    let gavel = Gavel::start_reaching(dir.path(), &market, &format!("{allow}{trusting}"));
    for number in 0..10 {
        assert_eq!(sell(gavel.public, "loan", number).await, "distributed");
    }
    assert_eq!((posts.load(Ordering::Relaxed), connections.load(Ordering::Relaxed)), (10, 1));
    drop(gavel);

    for delivery in [trusting.to_owned(), format!("{allow}{}", trusting.replace("ca_file", "# "))] {
        let other = tempfile::tempdir().unwrap();
        for file in ["ca.pem", "ours.pem", "ours.key"] {
            std::fs::copy(dir.path().join(file), other.path().join(file)).unwrap();
        }
        let gavel = Gavel::start_reaching(other.path(), &market, &delivery);
        assert_eq!(sell(gavel.public, "loan", 99).await, "new", "{delivery}");
        assert_eq!(posts.load(Ordering::Relaxed), 10);
    }
}

/// Where it is, how many connections it took and how many posts.
async fn buyer_behind_tls(
    ca: &CertifiedIssuer<'_, KeyPair>,
) -> (SocketAddr, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(ca.der().clone()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, ca).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (connections, posts) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (Arc::clone(&connections), Arc::clone(&posts));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, posts) = (acceptor.clone(), Arc::clone(&counts.1));
            counts.0.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let stream = acceptor.accept(stream).await.ok()?;
                serve(stream, "9.00", &posts, |_| None).await
            });
        }
    });
    (at, connections, posts)
}
