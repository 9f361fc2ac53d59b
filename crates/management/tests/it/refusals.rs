//! Every refusal, as problem details.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};

use crate::world::World;

const LEAD: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

#[tokio::test]
async fn what_is_wrong_is_said_with_its_place() {
    let world = World::start(&[]).await;
    let (lead, review) = (format!("/v1/leads/{LEAD}"), format!("/v1/review/{LEAD}/nova/main"));
    let explain = "/v1/explain";
    let pointers =
        |pointers: &[&str]| pointers.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let cases = [
        ("GET", lead.as_str(), "", "", 401, "unauthorized", pointers(&[])),
        ("GET", &lead, "key-shop", "", 401, "unauthorized", pointers(&[])),
        ("GET", &lead, "key-ad", "", 401, "unauthorized", pointers(&[])),
        // An operator's and a buyer's.
        ("GET", &lead, "key-both", "", 401, "unauthorized", pointers(&[])),
        ("GET", &lead, "key-ada", "", 404, "not_found", pointers(&[])),
        ("GET", "/v1/leads/7", "key-ada", "", 404, "not_found", pointers(&[])),
        ("GET", "/v1/other", "key-ada", "", 404, "not_found", pointers(&[])),
        ("DELETE", &lead, "key-ada", "", 405, "method_not_allowed", pointers(&[])),
        ("POST", &review, "key-ada", "{", 400, "unparsable", pointers(&[])),
        ("POST", &review, "key-ada", "{}", 422, "invalid", pointers(&["/outcome"])),
        (
            "POST",
            &review,
            "key-ada",
            r#"{"outcome":"lost","why":1}"#,
            422,
            "invalid",
            pointers(&["/outcome", "/why"]),
        ),
        ("POST", &review, "key-ada", r#"{"outcome":"sold"}"#, 404, "not_found", pointers(&[])),
        ("POST", explain, "key-ada", "[]", 422, "invalid", pointers(&[""])),
        (
            "POST",
            explain,
            "key-ada",
            r#"{"product":"car","attributes":{}}"#,
            422,
            "invalid",
            pointers(&["/product"]),
        ),
        (
            "POST",
            explain,
            "key-ada",
            r#"{"product":"loan","publisher":"p-1","attributes":{"age":"old","colour":"red"},"x":1}"#,
            422,
            "invalid",
            pointers(&["/publisher", "/attributes/age", "/attributes/colour", "/x"]),
        ),
        // A buyer knows publishers by their alias.
        (
            "POST",
            explain,
            "key-nova",
            r#"{"product":"loan","publisher":"shop","attributes":{}}"#,
            422,
            "invalid",
            pointers(&["/publisher"]),
        ),
    ];
    for (method, path, key, body, status, code, places) in cases {
        let (found, answer) = world.call(method, path, key, body).await;
        assert_eq!(
            (found, &answer["code"], &answer["status"]),
            (status, &json!(code), &json!(status)),
            "{method} {path} {body}: {answer}"
        );
        says(&answer, &places, &format!("{method} {path} {body}"));
    }
}

/// Whether it names exactly those places.
fn says(answer: &Value, places: &[String], what: &str) {
    let no_errors = Vec::new();
    let errors = answer["errors"].as_array().unwrap_or(&no_errors);
    let mut found: Vec<_> = errors.iter().map(|it| it["pointer"].as_str().unwrap()).collect();
    let mut expected: Vec<_> = places.iter().map(String::as_str).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected, "{what}: {answer}");
    assert!(errors.iter().all(|it| it["detail"].is_string()));
}

#[tokio::test]
async fn what_is_too_large_or_names_no_host_is_refused() {
    let world = World::start(&[]).await;
    let large = "x".repeat((2 << 20) + 1);
    let (status, answer) = world.call("POST", "/v1/explain", "key-ada", &large).await;
    assert_eq!((status, &answer["code"]), (413, &json!("body_too_large")));
    let request = Request::builder().uri("/v1/review").body(Full::new(Bytes::new())).unwrap();
    let (status, answer) = world.send(request).await;
    assert_eq!((status, &answer["code"]), (400, &json!("bad_request")));
}

#[tokio::test]
async fn a_review_that_cannot_be_stored_may_be_sent_again() {
    let world = World::start(&[("nova/main", "10.00", "unknown"), ("orion/main", "x", "")]).await;
    let lead = world.sell(1).await;
    world.engine.ledger().set_trouble(Some("disk full".to_owned()));
    let path = format!("/v1/review/{lead}/main");
    let (status, answer): (u16, Value) =
        world.call("POST", &path, "key-nova", r#"{"outcome":"sold"}"#).await;
    assert_eq!((status, &answer["code"]), (503, &json!("storage_unavailable")));
    world.engine.ledger().set_trouble(None);
    assert_eq!(world.call("POST", &path, "key-nova", r#"{"outcome":"sold"}"#).await.0, 200);
}
