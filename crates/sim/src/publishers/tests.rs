//! Loads against simulated buyers.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::buyers::{Buyers, Handle, Options};

async fn buyers(specs: &[&str], options: Options) -> Handle {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let buyers = specs.iter().map(|spec| spec.parse().unwrap()).collect::<Vec<_>>();
    Buyers::start(any_port, buyers, options).await.unwrap()
}

fn posts(to: &'static str) -> impl FnMut(u64) -> http::Result<Request<Bytes>> {
    move |index| post(to, &[], &json!({ "lead_id": index.to_string(), "bid": "1.00" }))
}

#[tokio::test]
async fn every_request_is_counted_by_how_it_ended() {
    let buyers = buyers(&["nova:accepts=500"], Options::default()).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let replies = Arc::clone(&seen);
    let load = Load::new(buyers.addr(), 2000, 300, posts("/nova/post"))
        .connections(4)
        .on_reply(move |reply| replies.lock().unwrap().push((reply.index, reply.status)));
    let report = run(load).await.unwrap();
    assert_eq!((report.sent(), report.unsent, report.latency.count()), (300, 0, 300));
    let (accepted, rejected) = (report.count(200, "accepted"), report.count(200, "rejected"));
    assert_eq!(accepted + rejected, 300, "{report}");
    assert!((100..=200).contains(&accepted));
    assert_eq!(u64::try_from(buyers.posts().iter().filter(|p| p.bought).count()), Ok(accepted));
    assert!(report.elapsed >= Duration::from_millis(149), "the last is due after 149.5 ms");
    let latency = &report.latency;
    assert!(latency.p50() <= latency.p90() && latency.p90() <= latency.p99());
    assert!(latency.p99() <= latency.max() && latency.p50() > Duration::ZERO);
    let mut indexes: Vec<_> = seen.lock().unwrap().iter().map(|reply| reply.0).collect();
    indexes.sort_unstable();
    assert_eq!(indexes, (0..300).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_stall_counts_against_every_request_that_had_to_wait() {
    // One connection, ten requests due within 10 ms, 20 ms each: the last waits for nine others.
    let buyers = buyers(&["slow:latency=20ms"], Options::default()).await;
    let load = Load::new(buyers.addr(), 1000, 10, posts("/slow/post")).connections(1);
    let report = run(load).await.unwrap();
    assert!(report.latency.max() >= Duration::from_millis(190), "{report}");
    assert!(report.latency.p50() >= Duration::from_millis(90), "{report}");
    assert!(report.late_max >= Duration::from_millis(170), "{report}");
}

#[tokio::test]
async fn a_request_that_follows_is_one_exchange_with_the_first() {
    let specs = ["slow:latency=20ms", "shy:bids=0"];
    let buyers = buyers(&specs, Options::default()).await;
    let ping = |index: u64| {
        let to = if index.is_multiple_of(2) { "/slow/ping" } else { "/shy/ping" };
        post(to, &[], &json!({ "ping_id": index.to_string() }))
    };
    let load = Load::new(buyers.addr(), 1000, 10, ping).follow(|reply| {
        let bid = reply.body.windows(5).any(|part| part == b"price");
        bid.then(|| posts("/slow/post")(reply.index))
    });
    let report = run(load).await.unwrap();
    assert_eq!((report.count(200, "accepted"), report.count(200, "no_bid")), (5, 5), "{report}");
    assert_eq!(buyers.posts().len(), 5);
    assert!(report.latency.max() >= Duration::from_millis(40), "both count: {report}");
}

#[tokio::test]
async fn failures_are_counted_by_kind_and_end_in_time() {
    let specs =
        ["mute:fault=hang-on-post", "closes:fault=close-after-post", "broken:fault=status-500"];
    let buyers = buyers(&specs, Options::default()).await;
    let cases =
        [("/mute/post", 0, "timeout"), ("/closes/post", 0, "closed"), ("/broken/post", 500, "")];
    for (path, http, status) in cases {
        // Only the first runs into its time; the others get plenty.
        let time = Duration::from_millis(if status == "timeout" { 40 } else { 10_000 });
        let load = Load::new(buyers.addr(), 1000, 5, posts(path)).timeout(time);
        let report = run(load).await.unwrap();
        assert_eq!(report.count(http, status), 5, "{path}: {report}");
    }
    let bad = |_| post("no path", &[], &json!({}));
    let report = run(Load::new(buyers.addr(), 1000, 2, bad)).await.unwrap();
    assert_eq!(report.count(0, "request"), 2);
    let addr = buyers.addr();
    buyers.stop().await;
    let report = run(Load::new(addr, 1000, 2, posts("/mute/post"))).await.unwrap();
    assert_eq!(report.count(0, "connect"), 2, "{report}");
}

#[tokio::test]
async fn a_run_ends_at_its_limit() {
    let buyers = buyers(&["nova"], Options::default()).await;
    let limit = Duration::from_millis(100);
    let report =
        run(Load::new(buyers.addr(), 100, 1000, posts("/nova/post")).limit(limit)).await.unwrap();
    assert!(report.elapsed < Duration::from_secs(5));
    assert!(report.unsent >= 980 && report.sent() + report.unsent == 1000, "{report}");
}

#[tokio::test]
async fn a_connection_that_idled_out_is_replaced() {
    let options = Options { idle_close: Duration::from_millis(20), ..Options::default() };
    let buyers = buyers(&["nova"], options).await;
    // A request that crosses the close on its way is rightly lost: so far apart even a busy machine
    // sends none then.
    let load = Load::new(buyers.addr(), 2, 3, posts("/nova/post")).connections(1);
    let report = run(load).await.unwrap();
    assert_eq!(report.count(200, "accepted"), 3, "{report}");
    assert_eq!(buyers.posts().len(), 3);
}

#[tokio::test]
async fn other_machines_are_refused() {
    for target in
        ["192.0.2.1:80", "0.0.0.0:80", "[::]:80", "[2001:db8::1]:80", "[::ffff:192.0.2.1]:80"]
    {
        let target: SocketAddr = target.parse().unwrap();
        let refused = run(Load::new(target, 1, 1, posts("/x/post"))).await.unwrap_err();
        assert_eq!(refused, Refused::NotLoopback(target));
        let text = format!(
            "{target} is not a loopback address: simulated publishers only post to this machine"
        );
        assert_eq!(refused.to_string(), text);
    }
    for target in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
        assert_eq!(Load::new(target.parse().unwrap(), 1, 1, posts("/x/post")).check(), Ok(()));
    }
}

#[test]
fn numbers_out_of_range_are_refused() {
    let load = |rate, total| {
        Load::new(SocketAddr::from(([127, 0, 0, 1], 1)), rate, total, posts("/x/post"))
    };
    let cases = [
        (load(0, 1), "rate must be 1 to 1000000"),
        (load(1, 0), "total must be 1 to 10000000"),
        (load(1, TOTAL_MAX + 1), "total must be 1 to 10000000"),
        (load(1, 1).connections(0), "connections must be 1 to 10000"),
    ];
    for (load, text) in cases {
        assert_eq!(load.check().unwrap_err().to_string(), text);
    }
}

#[test]
fn outcomes_read_the_doors_words() {
    let cases = [
        (
            r#"{"status":"rejected","rejection_reason":"age_restriction"}"#,
            "200 rejected age_restriction",
        ),
        (r#"{"disposition":"NO BUYERS","sold":0}"#, "200 NO BUYERS"),
        (
            r#"{"status":"201","data":{"lead_status":"accept","distribution_status":"sold"}}"#,
            "200 sold",
        ),
        (r#"{"status":"201","data":{"lead_status":"duplicate"}}"#, "200 duplicate"),
        (
            r#"{"status":"400","data":{"lead_status":"rejected","reason":"blacklisted"}}"#,
            "200 rejected blacklisted",
        ),
        (r#"{"status":"ok","data":17}"#, "200 ok"),
        (
            r#"{"status":"ok","data":{"distribution":{"status":"rejected","reason":"age_restriction"}}}"#,
            "200 rejected age_restriction",
        ),
        (
            r#"{"status":"error","data":{"code":"NO_PASSPORT_ERROR"}}"#,
            "200 error NO_PASSPORT_ERROR",
        ),
        (r#"{"status":"rejected","ping_id":null,"reason":"unsold"}"#, "200 rejected unsold"),
        (r#"{"status":7}"#, "200"),
        ("<html>", "200"),
    ];
    for (body, text) in cases {
        assert_eq!(Outcome::read(200, &Bytes::from(body)).to_string(), text);
    }
}
