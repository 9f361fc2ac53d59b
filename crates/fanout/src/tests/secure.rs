//! Buyers over TLS, each with a certificate of a small authority of our own.

use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{HandshakeKind, RootCertStore, ServerConfig, SupportedProtocolVersion, version};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::ClientCertificate;
use crate::dial::Dialler;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    named_authority("gavel test authority")
}

fn named_authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for `name` that ends in June of `year`, and its key.
fn certificate(
    by: &Authority,
    name: &str,
    year: i32,
    client: bool,
) -> (rcgen::Certificate, KeyPair) {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(year, 6, 1);
    let usage = if client {
        ExtendedKeyUsagePurpose::ClientAuth
    } else {
        ExtendedKeyUsagePurpose::ServerAuth
    };
    params.extended_key_usages = vec![usage];
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, by).unwrap(), key)
}

struct Server {
    name: &'static str,
    year: i32,
    /// Whose client certificate it asks for.
    wants: Option<Vec<u8>>,
    version: &'static SupportedProtocolVersion,
    /// What it does once a request has come.
    script: Script,
}

impl Default for Server {
    fn default() -> Self {
        let script = ok(r#"{"status":"accepted"}"#);
        Self { name: "127.0.0.1", year: 2030, wants: None, version: &version::TLS13, script }
    }
}

/// What a server saw.
#[derive(Default)]
struct Seen {
    requests: Arc<std::sync::Mutex<Vec<String>>>,
    connections: AtomicUsize,
    resumed: AtomicUsize,
}

impl Seen {
    fn counts(&self) -> (usize, usize, usize) {
        let requests = self.requests.lock().unwrap().len();
        (requests, self.connections.load(Ordering::SeqCst), self.resumed.load(Ordering::SeqCst))
    }
}

fn config(by: &Authority, server: &Server) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[server.version])
        .unwrap();
    let builder = match &server.wants {
        None => builder.with_no_client_auth(),
        Some(der) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from(der.clone())).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let (certificate, key) = certificate(by, server.name, server.year, false);
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    builder.with_single_cert(vec![certificate.der().clone()], key).unwrap()
}

async fn serve_tls(by: &Authority, server: Server) -> (u16, Arc<Seen>) {
    let acceptor = TlsAcceptor::from(Arc::new(config(by, &server)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Seen::default());
    let told = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            told.connections.fetch_add(1, Ordering::SeqCst);
            let (acceptor, told, script) =
                (acceptor.clone(), Arc::clone(&told), server.script.clone());
            tokio::spawn(async move {
                match acceptor.accept(stream).into_fallible().await {
                    Ok(stream) => {
                        let resumed =
                            stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
                        told.resumed.fetch_add(usize::from(resumed), Ordering::SeqCst);
                        serve(stream, script, Arc::clone(&told.requests)).await;
                    }
                    // Its alert is read before the end of the stream.
                    Err((_, mut stream)) => {
                        drop(tokio::io::copy(&mut stream, &mut tokio::io::sink()).await);
                    }
                }
            });
        }
    });
    (port, seen)
}

/// A wire that trusts `by`, and has a client certificate of `by` too.
fn wire_of(by: &Authority) -> HttpBuyers {
    let (ours, key) = certificate(by, "gavel.example", 2030, true);
    let certificate =
        ClientCertificate { chain: ours.pem().into_bytes(), key: key.serialize_pem().into_bytes() };
    let files = TlsFiles {
        authorities: Some(by.pem().into_bytes()),
        certificates: [("ours".to_owned(), certificate)].into(),
    };
    let guard = Guard { plain_http: false, ..loopback() };
    HttpBuyers::over(Dialler::new(guard, tls(&files)), Limits::default(), Arc::new(TestClock))
}

fn campaign(port: u16) -> Campaign {
    let mut market = market(9);
    let campaign = Arc::make_mut(market.campaigns.values_mut().next().unwrap());
    let url = format!("https://127.0.0.1:{port}/");
    campaign.delivery.post.url = url.parse().unwrap();
    // A handshake on a busy machine is no stalled one.
    campaign.delivery.post.timeout = Duration::from_secs(1);
    campaign.delivery.ping.as_mut().unwrap().url = url.parse().unwrap();
    campaign.clone()
}

#[tokio::test]
async fn a_connection_is_kept_over_tls_too() {
    let by = authority();
    for version in [&version::TLS13, &version::TLS12] {
        let (port, seen) = serve_tls(&by, Server { version, ..Server::default() }).await;
        let (wire, campaign) = (wire_of(&by), campaign(port));
        assert_eq!(ping(&wire, &campaign, Duration::from_secs(1)).await, Err(Code::Unreadable));
        for _ in 0..20 {
            assert_eq!(post(&wire, &campaign).await.class, PostClass::Accepted);
        }
        assert_eq!(seen.counts(), (21, 1, 0), "requests, connections, resumed sessions");
    }
}

/// The buyer closes each connection after its reply: every post gets a fresh one, is sent once, and
/// resumes the session.
#[tokio::test]
async fn a_post_over_tls_never_meets_a_closed_connection() {
    let by = authority();
    for version in [&version::TLS13, &version::TLS12] {
        let accept = r#"{"status":"accepted"}"#;
        let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{accept}", accept.len());
        let server = Server { version, script: Script::ReplyAndClose(reply), ..Server::default() };
        let (port, seen) = serve_tls(&by, server).await;
        let (wire, campaign) = (wire_of(&by), campaign(port));
        for round in 0..100 {
            let reply = post(&wire, &campaign).await;
            assert_eq!(reply.class, PostClass::Accepted, "round {round}");
        }
        let (requests, connections, resumed) = seen.counts();
        assert_eq!((requests, connections), (100, 100));
        assert!(resumed >= 95, "{resumed} sessions were resumed");
    }
}

/// The buyer closes a kept connection at some moment of its own, and our side has had no time to notice:
/// the look at the socket does.
#[tokio::test]
async fn a_farewell_under_tls_is_seen_before_a_post() {
    let by = Arc::new(authority());
    let reply = "HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\n{\"status\":\"accepted\"}";
    let script = Script::ReplyAndCloseLater(reply.to_owned());
    let (says, port) = std::sync::mpsc::channel();
    let theirs = Arc::clone(&by);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (port, _seen) = serve_tls(&theirs, Server { script, ..Server::default() }).await;
            says.send(port).unwrap();
            std::future::pending::<()>().await;
        });
    });
    let (wire, campaign) = (wire_of(&by), campaign(port.recv().unwrap()));
    for round in 0..30 {
        assert_eq!(post(&wire, &campaign).await.class, PostClass::Accepted, "round {round}");
        // Blocks, so that nothing of ours runs meanwhile.
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn whom_we_do_not_trust_gets_nothing() {
    let (ours, theirs) = (authority(), authority());
    // By the engine's clock it is March 2026, whatever the machine says.
    let (port, _) = serve_tls(&ours, Server { year: 2026, ..Server::default() }).await;
    assert_eq!(post(&wire_of(&ours), &campaign(port)).await.class, PostClass::Accepted);
    let servers = [
        ("expired", &ours, Server { year: 2025, ..Server::default() }),
        ("wrong host", &ours, Server { name: "other.example", ..Server::default() }),
        ("wrong address", &ours, Server { name: "127.0.0.2", ..Server::default() }),
        ("unknown authority", &theirs, Server::default()),
    ];
    for (what, by, server) in servers {
        let (port, seen) = serve_tls(by, server).await;
        let (wire, campaign) = (wire_of(&ours), campaign(port));
        let reply = post(&wire, &campaign).await;
        assert_eq!((reply.class, reply.code), (PostClass::NotSent, Code::Tls), "{what}");
        assert_eq!(ping(&wire, &campaign, Duration::from_secs(1)).await, Err(Code::Tls), "{what}");
        assert_eq!(seen.requests.lock().unwrap().len(), 0, "{what}");
    }
}

/// A buyer that speaks no TLS, hangs in the handshake, or goes away in the middle of it.
#[tokio::test]
async fn a_handshake_that_fails_or_stalls_is_not_sent() {
    for (what, says) in
        [("plain", Some("HTTP/1.1 400 X\r\n\r\n")), ("stalls", None), ("leaves", Some(""))]
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let journal = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let journal = Arc::clone(&journal);
                tokio::spawn(async move {
                    if let Some(says) = says {
                        let mut hello = [0; 64];
                        stream.read_exact(&mut hello).await.unwrap();
                        return stream.write_all(says.as_bytes()).await.unwrap();
                    }
                    let mut all = Vec::new();
                    drop(stream.read_to_end(&mut all).await);
                    journal.lock().unwrap().extend(all);
                });
            }
        });
        let (wire, campaign) = (wire_of(&authority()), campaign(port));
        let began = tokio::time::Instant::now();
        let reply = post(&wire, &campaign).await;
        assert_eq!((reply.class, reply.code), (PostClass::NotSent, Code::Tls), "{what}");
        assert!(began.elapsed() < campaign.delivery.post.timeout * 3, "{what}");
        let code = ping(&wire, &campaign, Duration::from_millis(200)).await;
        // A stalled handshake and the ping itself run out of time at once.
        let may = |code| code == Code::Tls || says.is_none() && code == Code::Timeout;
        assert!(code.clone().is_err_and(may), "{what}: {code:?}");
        let seen = String::from_utf8_lossy(&seen.lock().unwrap()).into_owned();
        assert!(!seen.contains("marker@") && !seen.contains("POST"), "{what}");
    }
}

#[tokio::test]
async fn a_buyer_may_want_a_client_certificate() {
    let (by, other) = (authority(), named_authority("another"));
    for version in [&version::TLS13, &version::TLS12] {
        let wants = |by: &Authority| Some(by.der().to_vec());
        let (port, seen) =
            serve_tls(&by, Server { version, wants: wants(&by), ..Server::default() }).await;
        let (wire, mut campaign) = (wire_of(&by), campaign(port));
        for certificate in [None, Some("none of ours".into())] {
            campaign.client_certificate = certificate;
            let reply = post(&wire, &campaign).await;
            assert_eq!((reply.class, reply.code), (PostClass::NotSent, Code::Tls), "{version:?}");
            assert_eq!(ping(&wire, &campaign, Duration::from_secs(1)).await, Err(Code::Tls));
        }
        assert_eq!(seen.requests.lock().unwrap().len(), 0);
        campaign.client_certificate = Some("ours".into());
        assert_eq!(post(&wire, &campaign).await.class, PostClass::Accepted);

        // One of an authority that this buyer does not know.
        let server = Server { version, wants: wants(&other), ..Server::default() };
        let (port, seen) = serve_tls(&by, server).await;
        campaign.delivery.post.url = format!("https://127.0.0.1:{port}/").parse().unwrap();
        let reply = post(&wire, &campaign).await;
        assert_eq!((reply.class, reply.code), (PostClass::NotSent, Code::Tls), "{version:?}");
        assert_eq!(seen.requests.lock().unwrap().len(), 0);
    }
}

#[test]
fn bad_files_are_refused_and_keys_never_shown() {
    let by = authority();
    let clock: Arc<dyn Clock> = Arc::new(TestClock);
    let (one, key) = certificate(&by, "a.example", 2030, true);
    let (_, other_key) = certificate(&by, "a.example", 2030, true);
    let files = |chain: String, key: String| TlsFiles {
        authorities: None,
        certificates: [(
            "nova".to_owned(),
            ClientCertificate { chain: chain.into_bytes(), key: key.into_bytes() },
        )]
        .into(),
    };
    let fault = |files: &TlsFiles| Tls::new(files, &clock).err().map(|fault| fault.to_string());
    assert_eq!(fault(&files(one.pem(), key.serialize_pem())), None);
    let bad = Some(
        "the client certificate nova must be a PEM chain and the PEM key that belongs to it"
            .to_owned(),
    );
    assert_eq!(fault(&files(one.pem(), other_key.serialize_pem())), bad);
    assert_eq!(fault(&files(String::new(), key.serialize_pem())), bad);
    assert_eq!(fault(&files(one.pem(), "no key".to_owned())), bad);
    for text in
        ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
    {
        let files = TlsFiles { authorities: Some(text.into()), ..TlsFiles::default() };
        assert_eq!(fault(&files).as_deref(), Some("the CA file must hold PEM certificates"));
    }
    let shown = format!("{:?}", files(one.pem(), key.serialize_pem()));
    assert_eq!(shown, r#"TlsFiles { certificates: ["nova"] }"#);
}
