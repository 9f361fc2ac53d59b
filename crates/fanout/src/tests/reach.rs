//! Which addresses a call reaches, and that none is reached that must not be.

use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::dial::{Connect, Dialler};
use crate::resolve::Lookup;

/// Public, and never answers.
const SILENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(93, 184, 216, 35));

/// A wire whose names have the addresses that `lookup` says, and what it dialled.
fn hooked(
    guard: Guard,
    lookup: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static,
) -> (HttpBuyers, Arc<Mutex<Vec<SocketAddr>>>) {
    let dialled = Arc::new(Mutex::new(Vec::new()));
    let journal = Arc::clone(&dialled);
    let lookup: Lookup = Arc::new(move |name| Ok(lookup(name)));
    let connect: Connect = Arc::new(move |to| {
        journal.lock().unwrap().push(to);
        match to.ip().is_loopback() {
            true => Box::pin(TcpStream::connect(to)),
            false if to.ip() == SILENT => Box::pin(std::future::pending()),
            false => Box::pin(std::future::ready(Err(std::io::Error::other("not in a test")))),
        }
    });
    let dialler = Dialler::with(guard, tls(&TlsFiles::default()), (lookup, connect));
    (HttpBuyers::over(dialler, Limits::default(), Arc::new(TestClock)), dialled)
}

fn campaign(url: &str) -> Option<Campaign> {
    let mut market = market(9);
    let campaign = Arc::make_mut(market.campaigns.values_mut().next().unwrap());
    let url: market::Url = url.parse().ok()?;
    campaign.delivery.post.url = url.clone();
    campaign.delivery.ping.as_mut().unwrap().url = url;
    Some(campaign.clone())
}

/// Counts the connections to a port of this machine.
async fn counting() -> (u16, Arc<AtomicUsize>) {
    let both = TcpListener::bind("[::]:0").await;
    let listener = both.or(TcpListener::bind("127.0.0.1:0").await).unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((_stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (port, count)
}

/// Hosts as a buyer may write them: of this machine, of the network it stands in, of clouds' metadata.
const FORBIDDEN: &str = "\
    127.0.0.1 127.0.0.2 127.255.255.254 0.0.0.0 0.0.0.1 10.0.0.1 100.64.0.1 100.100.100.200 \
    168.63.129.16 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.254 192.0.0.192 \
    192.168.1.1 198.18.0.1 224.0.0.1 240.0.0.1 255.255.255.255 2130706433 3232235777 \
    017700000001 0177.0.0.1 0x7f000001 0x7f.0.0.1 0x7f.1 127.1 127.0.1 127.0.0.1. 127.0.0.01 \
    00127.0.0.1 2852039166 0xa9fea9fe 0251.0376.0251.0376 169.254.43518 [::] [::1] \
    [0:0:0:0:0:0:0:1] [::127.0.0.1] [::ffff:127.0.0.1] [::ffff:7f00:1] \
    [::ffff:169.254.169.254] [::ffff:0:127.0.0.1] [64:ff9b::127.0.0.1] [64:ff9b::a9fe:a9fe] \
    [64:ff9b:1::1] [2002:7f00:1::] [2002:a9fe:a9fe::] [2001:0:7f00:1::] [2001:db8::1] \
    [fc00::1] [fd00:ec2::254] [fe80::1] [fe80::a9fe:a9fe] [fe80::1%25lo] [ff02::1] localhost \
    localhost. LOCALHOST a.localhost metadata.google.internal rebound.example mixed.example \
    mapped.example nat64.example 127%2e0.0.1 １２７.0.0.1 user@127.0.0.1";

/// What the names among them come to, and any that a resolver might take for an address.
fn bad_dns(name: &str) -> Vec<IpAddr> {
    let addresses: &[&str] = match name {
        "metadata.google.internal" => &["169.254.169.254"],
        "rebound.example" => &["10.0.0.1", "192.168.0.1"],
        "mixed.example" => &["fd00::1", "127.0.0.1", "::"],
        "mapped.example" => &["::ffff:127.0.0.1", "::127.0.0.1"],
        "nat64.example" => &["64:ff9b::7f00:1"],
        _ => &["127.0.0.1", "::1"],
    };
    addresses.iter().map(|address| address.parse().unwrap()).collect()
}

#[tokio::test]
async fn what_is_not_public_is_never_dialled() {
    let (port, count) = counting().await;
    let guard = Guard { plain_http: true, ..Guard::default() };
    let (wire, dialled) = hooked(guard.clone(), bad_dns);
    // The system's own resolver and real sockets beside the hooks.
    let real =
        HttpBuyers::new(Limits::default(), guard, tls(&TlsFiles::default()), Arc::new(TestClock));
    let mut calls = 0;
    for host in FORBIDDEN.split_whitespace() {
        for scheme in ["http", "https"] {
            let Some(campaign) = campaign(&format!("{scheme}://{host}:{port}/")) else { continue };
            calls += 1;
            let reply = post(&wire, &campaign).await;
            assert_eq!((reply.class, reply.code), (PostClass::NotSent, Code::Connect), "{host}");
            let bid = ping(&wire, &campaign, Duration::from_secs(1)).await;
            assert_eq!(bid, Err(Code::Connect), "{host}");
            if !host.contains("example") && !host.contains("internal") {
                let reply = post(&real, &campaign).await;
                assert_eq!(reply.class, PostClass::NotSent, "{host}");
            }
        }
    }
    assert!(FORBIDDEN.split_whitespace().count() >= 60 && calls > 60, "{calls}");
    assert_eq!(*dialled.lock().unwrap(), []);
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

/// What is checked is what is dialled: the name is not asked again between the two.
#[tokio::test]
async fn a_name_that_changes_its_address_is_dialled_where_it_was_checked() {
    let asked = AtomicUsize::new(0);
    let (wire, dialled) = hooked(Guard { plain_http: true, ..Guard::default() }, move |_| {
        match asked.fetch_add(1, Ordering::SeqCst) {
            0 => vec![[93, 184, 216, 34].into()],
            _ => vec![[127, 0, 0, 1].into()],
        }
    });
    let campaign = campaign("http://rebinding.example:8080/").unwrap();
    assert_eq!(post(&wire, &campaign).await.class, PostClass::NotSent);
    assert_eq!(*dialled.lock().unwrap(), ["93.184.216.34:8080".parse().unwrap()]);
}

/// Of a name's addresses those that are refused are left out, and one that fails or hangs does not keep
/// the next from being tried.
#[tokio::test]
async fn the_addresses_of_a_name_are_tried_in_turn() {
    let accept = r#"{"status":"accepted"}"#;
    let (port, _) = buyer(ok(accept)).await;
    let (wire, dialled) = hooked(loopback(), |_| {
        ["10.0.0.1", "93.184.216.34", "93.184.216.35", "127.0.0.1"]
            .map(|it| it.parse().unwrap())
            .into()
    });
    let campaign = campaign(&format!("http://buyer.example:{port}/")).unwrap();
    assert_eq!(post(&wire, &campaign).await.class, PostClass::Accepted);
    let expected: Vec<SocketAddr> = ["93.184.216.34", "93.184.216.35", "127.0.0.1"]
        .map(|it| SocketAddr::new(it.parse().unwrap(), port))
        .into();
    assert_eq!(*dialled.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_call_is_not_sent_in_the_clear_unless_that_is_allowed() {
    let (port, count) = counting().await;
    let (wire, dialled) = hooked(Guard { plain_http: false, ..loopback() }, bad_dns);
    let campaign = campaign(&format!("http://127.0.0.1:{port}/")).unwrap();
    assert_eq!(post(&wire, &campaign).await.class, PostClass::NotSent);
    assert_eq!((dialled.lock().unwrap().len(), count.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (port, count) = counting().await;
    for target in [
        format!("http://127.0.0.1:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "//[::1]/".to_owned(),
    ] {
        for status in [301, 302, 303, 307, 308] {
            let script = Script::Reply(format!(
                "HTTP/1.1 {status} X\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n"
            ));
            let (at, seen) = buyer(script).await;
            let (wire, dialled) = hooked(loopback(), bad_dns);
            let campaign = campaign(&format!("http://127.0.0.1:{at}/")).unwrap();
            let reply = post(&wire, &campaign).await;
            assert_eq!((reply.class, reply.redirect_url), (PostClass::Unknown, None));
            let bid = ping(&wire, &campaign, Duration::from_secs(1)).await;
            assert_eq!(bid, Err(Code::HttpStatus));
            assert!(dialled.lock().unwrap().iter().all(|to| to.port() == at));
            assert_eq!(seen.lock().unwrap().len(), 2);
        }
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

/// A name that does not resolve, and one whose look-up hangs: not sent, within the call's own limit, and
/// nobody else's call waits for it.
#[tokio::test]
async fn names_that_fail_or_hang_are_not_sent_and_delay_nobody() {
    let (port, _) = buyer(ok(r#"{"status":"accepted"}"#)).await;
    let (gate, closed) = std::sync::mpsc::channel::<()>();
    let closed = Mutex::new(closed);
    let (wire, _) = hooked(loopback(), move |name| {
        if name == "hangs.example" {
            assert!(closed.lock().unwrap().recv().is_err());
        }
        if name == "fine.example" { vec![[127, 0, 0, 1].into()] } else { Vec::new() }
    });
    let [none, hangs, fine] = ["none", "hangs", "fine"]
        .map(|name| campaign(&format!("http://{name}.example:{port}/")).unwrap());
    let reply = post(&wire, &none).await;
    assert_eq!((reply.class, reply.code), (PostClass::NotSent, Code::Connect));
    let began = tokio::time::Instant::now();
    let hung = async { (post(&wire, &hangs).await, began.elapsed()) };
    let served = async { (post(&wire, &fine).await, began.elapsed()) };
    let ((hung, after), (served, before)) = tokio::join!(hung, served);
    assert_eq!((hung.class, hung.code), (PostClass::NotSent, Code::Connect));
    assert_eq!(served.class, PostClass::Accepted);
    let limit = hangs.delivery.post.timeout;
    assert!(after >= limit && after < limit * 3 && before < limit, "{after:?} {before:?}");
    drop(gate);
}

/// Every connection of a destination is in use: the next call is not sent, and does not wait.
#[tokio::test]
async fn a_destination_has_only_so_many_connections() {
    let (port, seen) = buyer(Script::Hang).await;
    let dialler = Dialler::new(loopback(), tls(&TlsFiles::default()));
    let limits = Limits { connections_max: 2, ..Limits::default() };
    let wire = HttpBuyers::over(dialler, limits, Arc::new(TestClock));
    let campaign = campaign(&format!("http://127.0.0.1:{port}/")).unwrap();
    let calls = (0..5).map(|_| post(&wire, &campaign));
    let replies = futures_util::future::join_all(calls).await;
    let of = |class, code| {
        replies.iter().filter(|reply| (reply.class, reply.code) == (class, code)).count()
    };
    assert_eq!(of(PostClass::Unknown, Code::Unknown), 2);
    assert_eq!(of(PostClass::NotSent, Code::Concurrency), 3);
    let untold = replies.iter().filter(|reply| reply.health == lead::Health::Untold).count();
    assert_eq!(untold, 3, "which is no fault of the buyer's");
    assert_eq!(seen.lock().unwrap().len(), 2);
}

/// A connection that was idle for too long, or is too old, is not used again.
#[tokio::test(start_paused = true)]
async fn connections_are_kept_only_so_long() {
    let limits = Limits {
        keep: Duration::from_secs(15),
        age_max: Duration::from_secs(60),
        ..Limits::default()
    };
    for (pause, calls, opened) in [(14, 4, 1), (16, 4, 4), (14, 12, 2)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let script = ok(r#"{"status":"no_bid"}"#);
                tokio::spawn(serve(stream, script, Arc::default()));
            }
        });
        let dialler = Dialler::new(loopback(), tls(&TlsFiles::default()));
        let wire = HttpBuyers::over(dialler, limits.clone(), Arc::new(TestClock));
        let campaign = campaign(&format!("http://127.0.0.1:{port}/")).unwrap();
        for _ in 0..calls {
            assert_eq!(ping(&wire, &campaign, Duration::from_secs(9)).await, Err(Code::NoBid));
            tokio::time::sleep(Duration::from_secs(pause)).await;
        }
        assert_eq!(connections.load(Ordering::SeqCst), opened, "{calls} calls every {pause} s");
    }
}
