//! Caps and balances through the real binary: never passed, given back by a refusal, known after a
//! crash.

use serde_json::json;
use sim::buyers::{Buyer, Buyers, Handle, Options};

use crate::process::{Gavel, call, request};

const NATIVE: (&str, &str) = ("authorization", "Bearer demo-native");

/// One product and one campaign with `terms` among its keys; `of_buyer` is among its buyer's.
fn market(buyers: &Handle, of_buyer: &str, terms: &str) -> String {
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
        budget_ms = 2000
        tiers = [{{ mode = "auction" }}]
        [buyers.nova]
        name = "Nova"
        allowed_hosts = ["127.0.0.1"]
        {of_buyer}
        [buyers.nova.campaigns.prime]
        product = "loan"
        filter = {{}}
        price.fixed = "10.00"
        delivery.post.url = "http://{}/nova/post"
        {terms}
        "#,
        buyers.addr()
    )
}

async fn buyers(spec: &str) -> Handle {
    let buyer: Buyer = spec.parse().unwrap();
    Buyers::start("127.0.0.1:0".parse().unwrap(), [buyer], Options::default()).await.unwrap()
}

/// Posts so many leads at once and says how many were sold.
async fn sold(gavel: &Gavel, name: &str, leads: usize) -> usize {
    let post = |number: usize| {
        let contact = json!({ "email": format!("{name}-{number}@example.org") });
        let lead = json!({ "product": "loan", "attributes": {}, "contact": contact });
        tokio::spawn(call(gavel.public, request("POST", "/v1/leads", NATIVE, &lead)))
    };
    let posts: Vec<_> = (0..leads).map(post).collect();
    let mut sold = 0;
    for answer in posts {
        let (status, answer) = answer.await.unwrap();
        assert_eq!(status, 200, "{answer}");
        sold += usize::from(answer["status"] == "distributed");
    }
    sold
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_is_never_passed_and_outlives_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let buyers = buyers("nova:latency=5..30ms").await;
    let market = market(
        &buyers,
        "",
        r#"caps = [{ per = "total", leads = 7 }, { per = "day", spend = "500.00" }]"#,
    );
    let gavel = Gavel::start(dir.path(), &market);
    assert_eq!(sold(&gavel, "a", 5).await, 5);
    assert_eq!(sold(&gavel, "b", 40).await, 2, "two were left");
    gavel.kill();
    let gavel = Gavel::start(dir.path(), &market);
    assert_eq!(sold(&gavel, "c", 10).await, 0, "a crash forgets no sale");
    assert_eq!(buyers.posts().len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_a_buyer_does_not_have_is_not_spent() {
    let dir = tempfile::tempdir().unwrap();
    let buyers = buyers("nova:latency=5..30ms").await;
    let market = market(&buyers, r#"balance = { EUR = "45.00" }"#, "");
    let gavel = Gavel::start(dir.path(), &market);
    assert_eq!(sold(&gavel, "a", 40).await, 4);
    assert_eq!(buyers.posts().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_gives_back_what_was_taken() {
    let dir = tempfile::tempdir().unwrap();
    let buyers = buyers("nova:accepts=500").await;
    let market = market(
        &buyers,
        r#"balance = { EUR = "100.00" }"#,
        r#"caps = [{ per = "total", leads = 10 }]"#,
    );
    let gavel = Gavel::start(dir.path(), &market);
    let mut all = 0;
    for round in 0..10 {
        all += sold(&gavel, &format!("r{round}"), 8).await;
    }
    let posts = buyers.posts();
    assert_eq!(all, 10, "refused leads leave room for others");
    assert!(posts.len() > 10, "half of {} posts were refused", posts.len());
}
