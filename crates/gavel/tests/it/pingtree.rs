//! Leads through the Pingtree door of the demo's market, by the real binary: sold, repeats of each kind, and
//! those that a source only keeps.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};
use sim::buyers::{Buyer, Buyers, Handle, Options};
use sim::samples::PINGTREE_PATH;

use crate::process::{Gavel, call, request};

const MARKET: &str = include_str!("../../../../config/demo/market.toml");
const KEY: (&str, &str) = ("authorization", "Bearer demo-pingtree");

/// A source beside the demo's that only keeps leads, each once by a field of its own.
const MORE: &str = r#"
[publishers.attic]
name = "Attic"
[publishers.attic.doors.pingtree]
source = "65f0c0ffee65f0c0ffee65f1"
slug = "us-kept"
keys = ["attic-key"]
product = "personal-loan-us"
required = ["loan_ref"]
dedupe = "loan_ref"
distributes = false
"#;
const ATTIC: &str = "/api/lead/create/65f0c0ffee65f0c0ffee65f1";
const ATTIC_KEY: (&str, &str) = ("authorization", "Bearer attic-key");

async fn buyers(specs: &[&str]) -> (Handle, String) {
    let buyers: Vec<Buyer> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    let handle =
        Buyers::start("127.0.0.1:0".parse().unwrap(), buyers, Options::default()).await.unwrap();
    let market = MARKET.replace("127.0.0.1:9900", &handle.addr().to_string()) + MORE;
    (handle, market)
}

async fn post(gavel: &Gavel, path: &str, key: (&str, &str), body: &Value) -> (u16, Value) {
    call(gavel.public, request("POST", path, key, body)).await
}

fn statuses(answer: &Value) -> [&Value; 2] {
    [&answer["data"]["lead_status"], &answer["data"]["distribution_status"]]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_is_sold_and_whoever_the_source_has_is_a_duplicate() {
    let dir = tempfile::tempdir().unwrap();
    let (buyers, market) = buyers(&["orion-us-wide:bid=20.00", "*:bids=0"]).await;
    let gavel = Gavel::start(dir.path(), &market);
    let lead = sim::samples::pingtree();
    let (status, first) = post(&gavel, PINGTREE_PATH, KEY, &lead).await;
    assert_eq!((status, statuses(&first)), (201, [&json!("accept"), &json!("sold")]), "{first}");
    assert_eq!(first["data"]["transaction_id"], "demo-0001");
    assert!(first["data"]["redirect_url"].as_str().unwrap().starts_with("https://"), "{first}");
    assert_eq!(first["data"].get("buyer_name"), None, "no buyer is named: {first}");
    let posts = buyers.posts();
    assert_eq!((posts.len(), posts[0].buyer.as_str()), (1, "orion-us-wide"));
    for ping in buyers.ping_bodies() {
        let body = String::from_utf8(ping.body.to_vec()).unwrap();
        for secret in ["Dana", "Whitfield", "2125550143", "trustedform", "demo-0001", "Main"] {
            assert!(!body.contains(secret), "{secret} in {body}");
        }
        assert!(body.contains("p-us-2") && body.contains("12207"), "{body}");
    }

    // Another body, so that it is no repeated request; the address in other letters; then as a query.
    let mut again = lead.clone();
    again["email"] = "DANA.Whitfield@example.com".into();
    again["transaction_id"] = "demo-0002".into();
    let (status, answer) = post(&gavel, PINGTREE_PATH, KEY, &again).await;
    let expected = json!({
        "status": "201", "type": "success", "message": "Lead already exists",
        "data": { "lead_status": "duplicate", "transaction_id": "demo-0002" },
    });
    assert_eq!((status, answer), (201, expected));
    let query = "first_name=D&last_name=W&email=dana.whitfield%40example.com&mobile=2125550199";
    let query = request("GET", &format!("{PINGTREE_PATH}?{query}"), KEY, &Value::Null);
    let (status, answer) = call(gavel.public, query).await;
    assert_eq!((status, &answer["data"]["lead_status"]), (201, &json!("duplicate")), "{answer}");
    assert_eq!(buyers.posts().len(), 1);

    // The same number under another address is somebody else; what is asked for is by e-mail.
    let form = "first_name=Eve&last_name=W&email=eve%40example.com&mobile=2125550143";
    let form = Request::post(PINGTREE_PATH)
        .header("host", "gavel.test")
        .header("content-type", "application/x-www-form-urlencoded")
        .header(KEY.0, KEY.1)
        .body(Full::new(Bytes::from(form)))
        .unwrap();
    let (status, answer) = call(gavel.public, form).await;
    assert_eq!((status, statuses(&answer)), (201, [&json!("accept"), &json!("sold")]), "{answer}");

    let missing = json!({ "first_name": "Ana", "email": "no address", "mobile": "2125550123" });
    let (status, answer) = post(&gavel, PINGTREE_PATH, KEY, &missing).await;
    assert_eq!((status, &answer["data"]["lead_status"]), (400, &json!("missingField")));
    assert_eq!(answer["missingFields"], json!({ "last_name": "last_name is required" }));
    assert_eq!(answer["invalidFields"], json!({ "email": "email must be a valid email address" }));
    let (status, answer) = post(&gavel, PINGTREE_PATH, ATTIC_KEY, &lead).await;
    assert_eq!((status, &answer["message"]), (401, &json!("Unauthorized")));
    let wrong = request("DELETE", PINGTREE_PATH, KEY, &Value::Null);
    assert_eq!(call(gavel.public, wrong).await.0, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_without_a_campaign_keeps_leads_and_offers_them_to_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let (buyers, market) = buyers(&["*:bid=20.00"]).await;
    let gavel = Gavel::start(dir.path(), &market);
    // Too young for the product: what is only kept need not be eligible.
    let lead =
        json!({ "loan_ref": "L-7", "email": "kept@example.com", "date_of_birth": "2020-01-01" });
    let (status, first) = post(&gavel, ATTIC, ATTIC_KEY, &lead).await;
    assert_eq!((status, &first["data"]["lead_status"]), (201, &json!("accept")), "{first}");
    assert_eq!(first["data"].get("distribution_status"), None, "{first}");
    let id = first["data"]["lead_id"].as_str().unwrap();
    let operator = ("authorization", "Bearer demo-operator");
    let record = request("GET", &format!("/v1/leads/{id}"), operator, &Value::Null);
    let (status, record) = call(gavel.management, record).await;
    assert_eq!((status, &record["disposition"]), (200, &json!("unsold")), "{record}");

    gavel.kill();
    let gavel = Gavel::start(dir.path(), &market);
    let again = json!({ "loan_ref": " l-7 ", "email": "other@example.com" });
    let (status, answer) = post(&gavel, ATTIC, ATTIC_KEY, &again).await;
    assert_eq!((status, &answer["data"]["lead_status"]), (201, &json!("duplicate")), "{answer}");
    let other = json!({ "loan_ref": "L-8", "email": "kept@example.com" });
    let (status, answer) = post(&gavel, ATTIC, ATTIC_KEY, &other).await;
    assert_eq!((status, &answer["data"]["lead_status"]), (201, &json!("accept")), "{answer}");
    assert!(buyers.posts().is_empty() && buyers.ping_bodies().is_empty());

    // A source's repeats are its own: elsewhere the same person is new, and sold.
    let mut lead = sim::samples::pingtree();
    lead["email"] = "kept@example.com".into();
    let (status, answer) = post(&gavel, PINGTREE_PATH, KEY, &lead).await;
    assert_eq!((status, statuses(&answer)), (201, [&json!("accept"), &json!("sold")]), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_by_mobile_is_one_whether_a_phone_has_the_number_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let (_buyers, market) = buyers(&["*:bids=0"]).await;
    let by_mobile = market.replace("dedupe = \"loan_ref\"", "dedupe = \"mobile\"");
    let gavel = Gavel::start(dir.path(), &by_mobile);
    for (loan_ref, mobile, expected) in [
        ("L-1", json!("2125550123"), "accept"),
        ("L-2", json!(2_125_550_123_u64), "duplicate"),
        ("L-3", json!("0123456789"), "accept"),
        ("L-4", json!("0123456789"), "duplicate"),
        ("L-5", json!("0123456780"), "accept"),
    ] {
        let lead = json!({ "loan_ref": loan_ref, "mobile": mobile });
        let (status, answer) = post(&gavel, ATTIC, ATTIC_KEY, &lead).await;
        assert_eq!((status, &answer["data"]["lead_status"]), (201, &json!(expected)), "{answer}");
    }
    let path = format!("{}?mobile=0123456789", ATTIC.replace("create", "fetch"));
    let (_, found) = call(gavel.public, request("GET", &path, ATTIC_KEY, &Value::Null)).await;
    let leads = found["data"]["leads"].as_array().unwrap();
    assert_eq!(leads.len(), 1, "{found}");
    assert_eq!((&leads[0]["loan_ref"], &leads[0]["mobile"]), (&json!("L-3"), &json!("0123456789")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_reads_what_it_stored_in_pages_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let (_buyers, market) = buyers(&["orion-us-wide:bid=20.00", "*:bids=0"]).await;
    let gavel = Gavel::start(dir.path(), &market);
    for number in 0..105 {
        let lead = json!({
            "loan_ref": format!("L-{number}"), "first_name": "Ana", "mobile": format!("2125550{number:03}"),
            "email": format!("ana{number}@example.com"), "transaction_id": format!("tx-{number}"),
        });
        assert_eq!(post(&gavel, ATTIC, ATTIC_KEY, &lead).await.0, 201);
    }
    assert_eq!(post(&gavel, PINGTREE_PATH, KEY, &sim::samples::pingtree()).await.0, 201);
    let fetch = async |path: String, key| {
        let (status, answer) = call(gavel.public, request("GET", &path, key, &Value::Null)).await;
        assert_eq!(status, 200, "{answer}");
        let leads = if answer["data"].is_null() { &answer } else { &answer["data"] };
        let told = |what: &str| -> Vec<String> {
            let leads = leads["leads"].as_array().unwrap().iter();
            leads.map(|lead| lead[what].as_str().unwrap_or_default().to_owned()).collect()
        };
        (told("transaction_id"), leads["has_more"].clone(), told("distribution_status"))
    };
    let attic = |query: &str| format!("{}?{query}", ATTIC.replace("create", "fetch"));
    let numbers = |of: std::ops::Range<u32>| -> Vec<String> {
        of.rev().map(|number| format!("tx-{number}")).collect()
    };
    let kept = |count: usize| vec![String::new(); count];
    let first = fetch(attic(""), ATTIC_KEY).await;
    assert_eq!(first, (numbers(95..105), json!(true), kept(10)));
    let second = fetch(attic("page=2&limit=100"), ATTIC_KEY).await;
    assert_eq!(second, (numbers(0..5), json!(false), kept(5)));
    for query in ["email=ANA7%40example.com", "mobile=2125550007", "transaction_id=tx-7"] {
        let found = fetch(attic(query), ATTIC_KEY).await;
        assert_eq!(found, (vec!["tx-7".to_owned()], json!(false), kept(1)), "{query}");
    }
    let past = fetch(attic("to=2020-01-01"), ATTIC_KEY).await;
    assert_eq!(past, (vec![], json!(false), vec![]));
    let slug = "/api/v1/database-source/us-loans/fetch?status=sold&limit=500".to_owned();
    let sold = fetch(slug, KEY).await;
    assert_eq!(sold, (vec!["demo-0001".to_owned()], json!(false), vec!["sold".to_owned()]));
    let foreign = request("GET", &attic(""), KEY, &Value::Null);
    assert_eq!(call(gavel.public, foreign).await.0, 401);
}
