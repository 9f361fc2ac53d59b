//! The seed's sample post through the Bright Horizons door of the demo's market, by the real binary: every
//! disposition, and what is stored of each.

use serde_json::{Value, json};
use sim::buyers::{Buyer, Buyers, Handle, Options};

use crate::process::{Gavel, call, request};

const MARKET: &str = include_str!("../../../../config/demo/market.toml");
const NO_HEADER: (&str, &str) = ("accept", "application/json");

async fn buyers(specs: &[&str]) -> (Handle, String) {
    let buyers: Vec<Buyer> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    let handle =
        Buyers::start("127.0.0.1:0".parse().unwrap(), buyers, Options::default()).await.unwrap();
    let market = MARKET.replace("127.0.0.1:9900", &handle.addr().to_string());
    (handle, market)
}

/// The sample of another consumer, with other members of its transaction.
fn sample(person: u32, changes: &Value) -> Value {
    let mut body = sim::samples::bright_horizons();
    body["transaction"]["email"] = json!(format!("jj{person}@example.com"));
    body["transaction"]["phone"] = json!(format!("702555{person:04}"));
    for (name, value) in changes.as_object().unwrap() {
        body["transaction"][name] = value.clone();
    }
    body
}

async fn post(gavel: &Gavel, path: &str, body: &Value) -> (u16, Value) {
    call(gavel.public, request("POST", path, NO_HEADER, body)).await
}

/// How many leads the engine took.
async fn leads_taken(gavel: &Gavel) -> u64 {
    counted(gavel, "gavel_leads_total{").await
}

/// The sum of a counter in the metrics.
async fn counted(gavel: &Gavel, name: &str) -> u64 {
    let ask = request("GET", "/metrics", NO_HEADER, &Value::Null);
    let (_, metrics) = call(gavel.ops, ask).await;
    let counts = metrics.as_str().unwrap().lines().filter_map(|line| {
        let count = line.strip_prefix(name)?.rsplit_once(' ')?.1;
        Some(count.parse::<u64>().unwrap())
    });
    counts.sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentations_sample_is_sold_and_is_a_duplicate_the_next_time() {
    let dir = tempfile::tempdir().unwrap();
    let (buyers, market) = buyers(&["nova-us-debt-relief:bid=20.00", "*:bids=1000"]).await;
    let gavel = Gavel::start(dir.path(), &market);
    let lead = sim::samples::bright_horizons();
    let (status, first) = post(&gavel, "/post/debt/sub10k/", &lead).await;
    let id = first["leadid"].as_i64().unwrap();
    let expected = json!({
        "validated": 1, "accepted": 1, "sold": 1, "disposition": "SOLD", "messages": [],
        "errors": [], "transactionid": id, "leadid": id, "payout": 16,
    });
    assert_eq!((status, &first), (200, &expected));
    assert!(id > 0);

    let posts = buyers.posts();
    assert_eq!(posts.len(), 1, "one post, to the best bid");
    assert_eq!(posts[0].buyer, "nova-us-debt-relief");
    for ping in buyers.ping_bodies() {
        let body = String::from_utf8(ping.body.to_vec()).unwrap();
        for secret in ["JJ", "McClure", "7025551212", "jjmcclure", "happy lane", "192.168"] {
            assert!(!body.contains(secret), "{secret} in {body}");
        }
        let attributes: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(attributes["attributes"]["debt_amount"], json!(7500), "{body}");
        assert_eq!(attributes["attributes"]["region"], "NV", "{body}");
    }

    // Another body, so that it is no repeated request: the phone number alone, then the address alone.
    for (name, value) in [("email", "other@example.com"), ("phone", "(702) 555-0199")] {
        let mut again = lead.clone();
        again["transaction"][name] = value.into();
        let (status, answer) = post(&gavel, "/post/debt/sub10k", &again).await;
        assert_eq!((status, &answer["disposition"]), (200, &json!("DUPLICATE")), "{answer}");
        assert_eq!(
            (&answer["validated"], &answer["accepted"], &answer["sold"]),
            (&json!(1), &json!(0), &json!(0))
        );
    }
    assert_eq!(buyers.posts().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_buys_a_state_is_not_taken_and_what_is_not_valid_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (buyers, market) = buyers(&["*:bids=0,accepts=0"]).await;
    let gavel = Gavel::start(dir.path(), &market);
    let mut invalid = sim::samples::bright_horizons();
    let members = invalid["transaction"].as_object_mut().unwrap();
    members.remove("lastname");
    members.remove("phone");
    let expected = json!({
        "validated": 0, "accepted": 0, "sold": 0, "disposition": null,
        "messages": ["Debt Sub10k Lead could not be validated"],
        "errors": ["Last Name (required): can not be empty", "Phone (required): can not be empty"],
    });
    assert_eq!(post(&gavel, "/post/debt/sub10k/", &invalid).await, (200, expected));
    assert_eq!(leads_taken(&gavel).await, 0, "a lead that is not valid leaves nothing");
    assert_eq!(counted(&gavel, "gavel_http_invalid_total").await, 1, "but a count");

    let (_, answer) = post(&gavel, "/post/debt/sub10k/", &sample(100, &json!({}))).await;
    assert_eq!(answer["disposition"], "NO BUYERS", "{answer}");
    assert_eq!((&answer["accepted"], &answer["sold"]), (&json!(0), &json!(0)), "{answer}");
    assert!(answer["leadid"].as_i64().unwrap() > 0, "{answer}");
    assert_eq!(leads_taken(&gavel).await, 1);

    for (person, state) in (101..).zip(["AK", "CA", "HI", "ID", "KS", "ME", "OR", "WA"]) {
        let lead = sample(person, &json!({ "state": state }));
        let (_, answer) = post(&gavel, "/post/debt/sub10k/", &lead).await;
        assert_eq!(answer["disposition"], "REJECTED", "{answer}");
        assert_eq!(answer["messages"], json!([format!("State not accepted: {state}")]));
        assert_eq!((&answer["validated"], &answer["accepted"]), (&json!(1), &json!(0)));
    }
    let lead = sample(119, &json!({ "state": "", "zip": "90210" }));
    let (_, told) = post(&gavel, "/post/debt/sub10k/", &lead).await;
    assert_eq!(told["messages"], json!(["State not accepted: CA"]), "as the postal code says");

    let asked = buyers.pings();
    let lead = sample(120, &json!({ "state": "", "zip": "" }));
    let (_, unknown) = post(&gavel, "/post/debt/sub10k/", &lead).await;
    assert_eq!(unknown["disposition"], "NO BUYERS", "an unknown state excludes nobody: {unknown}");
    assert_eq!(buyers.pings(), asked, "whoever wants some states does not want an unknown one");

    let mut stranger = sample(130, &json!({}));
    stranger["xauth"]["key"] = "yyyyyyyy-zzzz-zzzz-zzzz-zzzzzzzzzzzz".into();
    assert_eq!(post(&gavel, "/post/debt/sub10k/", &stranger).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_outlasts_the_budget_is_pending() {
    let dir = tempfile::tempdir().unwrap();
    let (_buyers, market) =
        buyers(&["orion-us-small-debt:latency=1500ms", "nova-us-debt-relief:bids=0"]).await;
    let budgets = market.split("[products.debt-sub10k-us]").collect::<Vec<_>>();
    let [before, after] = budgets[..] else { panic!("the demo's market names the product once") };
    let after = after.replacen("budget_ms = 2000", "budget_ms = 900", 1);
    let market = format!("{before}[products.debt-sub10k-us]{after}");
    let gavel = Gavel::start(dir.path(), &market);
    let (status, answer) = post(&gavel, "/post/debt/sub10k/", &sample(140, &json!({}))).await;
    assert_eq!((status, &answer["disposition"]), (200, &json!("PENDING")), "{answer}");
    assert_eq!(
        (&answer["accepted"], &answer["sold"], &answer["payout"]),
        (&json!(1), &json!(0), &json!(0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_whose_sale_nobody_knows_is_pending_and_nobody_elses() {
    let dir = tempfile::tempdir().unwrap();
    let lost = "orion-us-small-debt:fault=no-verdict-on-post,faults=1000";
    let (buyers, market) = buyers(&[lost, "nova-us-debt-relief:bid=5.00"]).await;
    let gavel = Gavel::start(dir.path(), &market);
    let lead = sample(150, &json!({}));
    let (status, answer) = post(&gavel, "/post/debt/sub10k/", &lead).await;
    assert_eq!((status, &answer["disposition"]), (200, &json!("PENDING")), "{answer}");
    assert_eq!(
        (&answer["accepted"], &answer["sold"], &answer["payout"]),
        (&json!(1), &json!(0), &json!(0))
    );
    assert_eq!(buyers.posts_to("nova-us-debt-relief"), [], "a lead that may be sold is not resold");
    let again = sample(150, &json!({ "sub2": "another try" }));
    let (_, again) = post(&gavel, "/post/debt/sub10k/", &again).await;
    assert_eq!(again["disposition"], "DUPLICATE", "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_that_names_a_consumer_who_came_before_does_not_pass() {
    let dir = tempfile::tempdir().unwrap();
    let (_buyers, market) = buyers(&["*:bids=1000"]).await;
    let gavel = Gavel::start(dir.path(), &market);
    let known = sample(160, &json!({}));
    let (_, sold) = post(&gavel, "/post/debt/sub10k/", &known).await;
    assert_eq!(sold["disposition"], "SOLD", "{sold}");
    let debt = json!({ "unsecureddebtamount": 7500 });
    for (told, passes) in [
        (json!({ "phone": "702-555-0160" }), 0),
        (json!({ "email": "JJ160@example.com" }), 0),
        (json!({ "phone": "7025550161", "email": "jj161@example.com" }), 1),
        (json!({ "phonemd5": "0b2b6a6dbb94e6f5ba1e2d3bcd3b3a4f" }), 1),
        (json!({}), 1),
    ] {
        let mut ping = sample(160, &json!({}));
        ping["transaction"] = json!({ "state": "NV", "finances": debt });
        ping["transaction"].as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
        let (status, answer) = post(&gavel, "/ping/debt/sub10k/", &ping).await;
        assert_eq!((status, &answer["passed"]), (200, &json!(passes)), "{told}: {answer}");
        if passes == 0 {
            assert_eq!(answer["messages"], json!(["Debt Sub10k Lead was received before"]));
        }
    }
    assert_eq!(leads_taken(&gavel).await, 1, "a ping leaves nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_tells_what_a_lead_would_find_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (buyers, market) = buyers(&["*:bids=1000"]).await;
    let gavel = Gavel::start(dir.path(), &market);
    let ping = |transaction: Value| {
        let mut body = sim::samples::bright_horizons();
        body["transaction"] = transaction;
        body
    };
    let debt = |amount: u32| json!({ "unsecureddebtamount": amount });
    // nova bids 4.00 at the least for 5000 and more, orion pays 6.00 up to 10000; four fifths of it.
    let six = ping(json!({ "state": "NV", "finances": debt(7500) }));
    let (status, answer) = post(&gavel, "/ping/debt/sub10k/", &six).await;
    assert_eq!(
        (status, &answer["passed"], &answer["payout"]),
        (200, &json!(1), &json!(4.8)),
        "{answer}"
    );
    assert_eq!(answer["pingid"].as_str().unwrap().len(), 49);
    let four = ping(json!({ "state": "NV", "finances": debt(12_000) }));
    assert_eq!(post(&gavel, "/ping/debt/sub10k", &four).await.1["payout"], json!(3.2));
    for (transaction, why) in [
        (json!({ "state": "NV", "finances": debt(500) }), "NO BUYERS"),
        (json!({ "state": "NV" }), "NO BUYERS"),
        (json!({ "state": "CA", "finances": debt(7500) }), "State not accepted: CA"),
    ] {
        let (_, answer) = post(&gavel, "/ping/debt/sub10k/", &ping(transaction)).await;
        let expected =
            json!({ "passed": 0, "pingid": "", "messages": [why], "errors": [], "payout": 0 });
        assert_eq!(answer, expected);
    }
    assert_eq!((buyers.pings(), buyers.posts().len()), (0, 0), "nobody is asked");
    assert_eq!(leads_taken(&gavel).await, 0);
}
