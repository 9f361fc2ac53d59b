//! Campaigns registered, paused and taken away through the real binary while leads are sold: no lead
//! fails, the next lead sees the change, caps go on counting, and a crash forgets nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sim::buyers::{Buyer, Buyers, Handle, Options};

use crate::process::{Gavel, call, request};

const NATIVE: (&str, &str) = ("authorization", "Bearer demo-native");
const NOVA: (&str, &str) = ("authorization", "Bearer nova-key");
const AT: &str = "/v1/buyers/nova/campaigns/";

fn market(buyers: &Handle) -> String {
    let post = format!("http://{}/nova/post", buyers.addr());
    format!(
        r#"
        [publishers.demo]
        name = "Demo"
        doors.native.keys = ["demo-native"]
        [products.loan]
        name = "Loan"
        vertical = "loans"
        country = "ES"
        currency = "EUR"
        timezone = "Europe/Madrid"
        budget_ms = 5000
        tiers = [{{ mode = "auction" }}]
        [buyers.nova]
        name = "Nova"
        keys = ["nova-key"]
        allowed_hosts = ["127.0.0.1"]
        [buyers.orion]
        name = "Orion"
        allowed_hosts = ["127.0.0.1"]
        campaigns.base = {{ product = "loan", filter = {{}}, price.fixed = "5.00", delivery.post.url = "{post}" }}
        "#
    )
}

fn campaign(buyers: &Handle, price: &str, more: &Value) -> Value {
    let mut object = json!({"product": "loan", "filter": {}, "price": {"fixed": price},
        "delivery": {"post": {"url": format!("http://{}/nova/post", buyers.addr())}}});
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

/// Sells a lead and says what it paid.
async fn sell(public: SocketAddr, email: String) -> String {
    let contact = json!({ "email": email });
    let lead = json!({ "product": "loan", "attributes": {}, "contact": contact });
    let (status, answer) = call(public, request("POST", "/v1/leads", NATIVE, &lead)).await;
    assert_eq!((status, &answer["status"]), (200, &json!("distributed")), "{answer}");
    answer["payout"].as_str().unwrap().to_owned()
}

async fn manage(gavel: &Gavel, method: &str, name: &str, body: &Value) -> u16 {
    let path = format!("{AT}{name}");
    let (status, told) = call(gavel.management, request(method, &path, NOVA, body)).await;
    assert!(status < 300, "{method} {name}: {told}");
    status
}

async fn start() -> (tempfile::TempDir, Handle, Gavel) {
    let dir = tempfile::tempdir().unwrap();
    let buyer: Buyer = "nova:latency=1..5ms".parse().unwrap();
    let anywhere = "127.0.0.1:0".parse().unwrap();
    let buyers = Buyers::start(anywhere, [buyer], Options::default()).await.unwrap();
    let gavel = Gavel::start(dir.path(), &market(&buyers));
    (dir, buyers, gavel)
}

#[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
#[tokio::test(flavor = "multi_thread")]
async fn a_change_under_load_fails_no_lead_and_holds_for_the_next() {
    let (_dir, buyers, gavel) = start().await;
    let (public, stop) = (gavel.public, Arc::new(AtomicBool::new(false)));
    let sold = Arc::new(AtomicUsize::new(0));
    let load: Vec<_> = (0..4)
        .map(|worker| {
            let (stop, sold) = (Arc::clone(&stop), Arc::clone(&sold));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let number = sold.fetch_add(1, Ordering::Relaxed);
                    sell(public, format!("load-{worker}-{number}@example.org")).await;
                }
            })
        })
        .collect();
    let mut times = Vec::new();
    for round in 0..20 {
        let probe = |step: &str| sell(public, format!("{step}-{round}@example.org"));
        let price = format!("{}.00", 10 + round);
        let begun = Instant::now();
        let put = campaign(&buyers, &price, &json!({}));
        assert_eq!(manage(&gavel, "PUT", "top", &put).await, 201);
        times.push(begun.elapsed());
        assert_eq!(probe("put").await, price);
        let paused = campaign(&buyers, &price, &json!({"status": "paused"}));
        assert_eq!(manage(&gavel, "PUT", "top", &paused).await, 200);
        assert_eq!(probe("paused").await, "5.00");
        manage(&gavel, "PUT", "top", &put).await;
        assert_eq!(probe("active").await, price);
        assert_eq!(manage(&gavel, "DELETE", "top", &Value::Null).await, 204);
        assert_eq!(probe("gone").await, "5.00");
    }
    stop.store(true, Ordering::Relaxed);
    for worker in load {
        worker.await.expect("no lead failed");
    }
    times.sort_unstable();
    let (median, most) = (times[times.len() / 2], times.last().copied().unwrap_or(Duration::ZERO));
    println!(
        "a change is on record and live in {median:?} (median), {most:?} (most), beside {} leads",
        sold.load(Ordering::Relaxed)
    );
    buyers.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn caps_go_on_counting_and_a_crash_forgets_no_change() {
    let (dir, buyers, gavel) = start().await;
    let few = |price: &str, most: u32| {
        campaign(&buyers, price, &json!({"caps": [{"per": "total", "leads": most}]}))
    };
    manage(&gavel, "PUT", "few", &few("50.00", 2)).await;
    let mut number = 0;
    let mut next = |gavel: &Gavel| {
        number += 1;
        sell(gavel.public, format!("{number}@example.org"))
    };
    assert_eq!(next(&gavel).await, "50.00");
    manage(&gavel, "PUT", "few", &few("60.00", 2)).await;
    assert_eq!(next(&gavel).await, "60.00");
    assert_eq!(next(&gavel).await, "5.00", "two were sold");
    manage(&gavel, "DELETE", "few", &Value::Null).await;
    manage(&gavel, "PUT", "few", &few("70.00", 2)).await;
    assert_eq!(next(&gavel).await, "5.00", "a new campaign of that name takes over its count");
    manage(&gavel, "PUT", "few", &few("70.00", 4)).await;
    assert_eq!(next(&gavel).await, "70.00");
    let path = format!("{AT}few");
    let shown = call(gavel.management, request("GET", &path, NOVA, &Value::Null)).await;
    gavel.kill();
    let gavel = Gavel::start(dir.path(), &market(&buyers));
    assert_eq!(call(gavel.management, request("GET", &path, NOVA, &Value::Null)).await, shown);
    assert_eq!(next(&gavel).await, "70.00");
    assert_eq!(next(&gavel).await, "5.00", "four were sold");
    let (_, answer) = call(
        gavel.management,
        request("POST", "/v1/explain", NOVA, &json!({"product": "loan", "attributes": {}})),
    )
    .await;
    assert_eq!(answer["market_version"], json!(6), "{answer}");
    assert!(gavel.terminate().success());
    buyers.stop().await;
}
