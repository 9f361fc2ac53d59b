//! What operators see of doubt and of time: the real binary counts it.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use sim::buyers::{Buyer, Buyers, Handle, Options};

use crate::process::{Gavel, call, request};

const NATIVE: (&str, &str) = ("authorization", "Bearer demo-native");

/// Each buyer and what its only campaign is like: of which product, and with which terms.
const CAMPAIGNS: [(&str, &str, &str); 9] = [
    // Its answer comes 500 ms too late.
    ("slow:latency=600ms,bid=50.00", "late", "timeout_ms = 100"),
    ("brisk:bid=20.00,latency=5ms", "late", ""),
    // It could not have won with all that it may pay.
    ("cheap:latency=1500ms,bid=5.00", "early", "max = 5.00"),
    ("dear:bid=20.00,latency=5ms", "early", ""),
    ("asked:bid=20.00,fault=close-after-post", "status", "status_query"),
    ("again:bid=20.00,fault=close-after-post,faults=500", "retry", "retry_same_key"),
    ("risky:bid=20.00,fault=close-after-post", "risk", "next_buyer"),
    ("next:bid=10.00", "risk", ""),
    ("mute:bid=20.00,fault=close-after-post", "hold", "hold"),
];

fn name(spec: &str) -> &str {
    spec.split_once(':').map_or(spec, |(name, _)| name)
}

fn market(buyers: &Handle) -> String {
    let mut text =
        String::from("[publishers.demo]\nname = \"Demo\"\ndoors.native.keys = [\"demo-native\"]\n");
    for product in ["late", "early", "status", "retry", "risk", "hold"] {
        write!(
            text,
            "[products.{product}]\nname = \"Loan\"\nvertical = \"loans\"\ncountry = \"ES\"\ncurrency = \"EUR\"\ntimezone = \"UTC\"\nbudget_ms = 5000\nhold_for = \"1s\"\ntiers = [{{ mode = \"auction\" }}]\n"
        )
        .unwrap();
    }
    for (spec, product, terms) in CAMPAIGNS {
        let name = name(spec);
        let limit = if terms.starts_with("timeout") { "100" } else { "3000" };
        let most = terms.strip_prefix("max = ").unwrap_or("60.00");
        let policy = if terms.contains([' ', '.']) || terms.is_empty() { "hold" } else { terms };
        let (ping, post) = (buyers.ping_url(name), buyers.post_url(name));
        write!(
            text,
            r#"
            [buyers.{name}]
            name = "B"
            allowed_hosts = ["127.0.0.1"]
            [buyers.{name}.campaigns.{name}]
            product = "{product}"
            filter = {{}}
            price.bid = {{ min = "1.00", max = "{most}" }}
            on_ambiguous = "{policy}"
            honours_idempotency_key = true
            delivery.ping = {{ url = "{ping}", timeout_ms = {limit} }}
            delivery.post = {{ url = "{post}" }}
            delivery.status = {{ url = "{}", method = "GET" }}
            "#,
            buyers.status_url(name)
        )
        .unwrap();
    }
    text
}

async fn sell(gavel: &Gavel, product: &str, number: usize) -> Value {
    let contact = json!({ "email": format!("consumer{number}@{product}.example") });
    let lead = json!({ "product": product, "attributes": {}, "contact": contact });
    let (status, answer) = call(gavel.public, request("POST", "/v1/leads", NATIVE, &lead)).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// The value of a series, or nothing if it is not shown.
async fn counted(gavel: &Gavel, series: &str) -> Option<u64> {
    let scrape = request("GET", "/metrics", ("accept", "*/*"), &Value::Null);
    let (_, metrics) = call(gavel.ops, scrape).await;
    let lines = metrics.as_str().unwrap().lines();
    lines.filter_map(|line| line.strip_prefix(series)).find_map(|rest| rest.trim().parse().ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn doubt_and_time_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let specs: Vec<Buyer> = CAMPAIGNS.iter().map(|(spec, ..)| spec.parse().unwrap()).collect();
    let at = "127.0.0.1:0".parse().unwrap();
    let buyers = Buyers::start(at, specs, Options::default()).await.unwrap();
    let gavel = Gavel::start(dir.path(), &market(&buyers));
    for (product, status) in [
        ("late", "distributed"),
        ("early", "distributed"),
        ("status", "distributed"),
        ("risk", "distributed"),
        ("hold", "new"),
    ] {
        assert_eq!(sell(&gavel, product, 0).await["status"], status, "{product}");
    }
    for number in 0..20 {
        sell(&gavel, "retry", number).await;
    }
    for (series, least) in [
        ("gavel_late_answers_total", 1),
        ("gavel_early_closes_total", 1),
        ("gavel_status_queries_total{class=\"accepted\"}", 1),
        ("gavel_posts_passed_on_total", 1),
        ("gavel_sales_at_risk_total", 1),
        // One of twenty went wrong at least.
        ("gavel_post_retries_total{class=\"accepted\"}", 1),
        // The one that was held, and the one whose risk was taken.
        ("gavel_holds_settled_total{by=\"time\"}", 2),
    ] {
        let seen = async {
            while counted(&gavel, series).await.is_none_or(|value| value < least) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(20), seen).await;
        assert!(in_time.is_ok(), "{series}: {:?}", counted(&gavel, series).await);
    }
    assert!(gavel.terminate().success());
}
