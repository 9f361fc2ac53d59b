//! Campaigns registered, changed, shown and taken away over HTTP, by those who may.

use serde_json::{Value, json};

use crate::world::World;

const MAIN: &str = "/v1/buyers/nova/campaigns/main";
const FRESH: &str = "/v1/buyers/nova/campaigns/fresh";
const ANY: (&str, &str) = ("", "");

fn campaign() -> Value {
    json!({"product": "loan", "filter": {"age": {"gte": 30.5}}, "price": {"fixed": "12.50"},
        "delivery": {"post": {"url": "http://127.0.0.1:9000/p", "headers": {"X-Key": "secret:api"}}}})
}

/// Another one, by a change of `campaign()`.
fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut object = campaign();
    change(&mut object);
    object.to_string()
}

async fn explained(world: &World, key: &str, product: &str) -> Vec<String> {
    let question = json!({"product": product, "attributes": {"age": 40}});
    let (_, answer) = world.call("POST", "/v1/explain", key, &question.to_string()).await;
    let rows = answer["campaigns"].as_array().unwrap().iter();
    rows.map(|row| format!("{} {}", row["campaign"].as_str().unwrap(), row["code"])).collect()
}

#[tokio::test]
async fn what_is_put_is_live_shown_and_can_be_put_again() {
    let world = World::start(&[]).await;
    let put = ("PUT", FRESH, "key-nova");
    let (status, [tag, state], told) = world.ask(put, ANY, &campaign().to_string()).await;
    assert_eq!(
        (status, state.as_str(), &told["market_version"]),
        (201, "live", &json!(2)),
        "{told}"
    );
    assert!(explained(&world, "key-nova", "loan").await.contains(&"fresh null".to_owned()));

    let get = ("GET", FRESH, "key-nova");
    let (status, headers, shown) = world.ask(get, ANY, "").await;
    assert_eq!((status, headers, &shown), (200, [tag.clone(), state], &campaign()));
    assert!(!shown.to_string().contains("sesame"), "secrets are names");
    let (status, headers, told) = world.ask(put, ANY, &shown.to_string()).await;
    assert_eq!((status, &headers[0], &told["outcome"]), (200, &tag, &json!("unchanged")));
    assert_eq!(world.engine.snapshot().version, 2, "nothing to put on record");

    let paused = changed(|it| it["status"] = "paused".into());
    let (status, headers, _) = world.ask(put, ("if-match", &tag), &paused).await;
    assert_eq!(status, 200);
    assert_ne!(headers[0], tag);
    assert!(explained(&world, "key-nova", "loan").await.contains(&"fresh 202".to_owned()));

    // One from the files is shown as one that was put.
    let (_, [main, _], shown) = world.ask(("GET", MAIN, "key-ada"), ANY, "").await;
    let (status, headers, _) = world.ask(("PUT", MAIN, "key-nova"), ANY, &shown.to_string()).await;
    assert_eq!((status, &headers[0]), (200, &main));

    let (status, list) = world.get("/v1/buyers/nova/campaigns", "key-nova").await;
    let rows = list["campaigns"].as_array().unwrap().iter();
    let rows: Vec<_> = rows.map(|it| json!([it["campaign"], it["status"], it["state"]])).collect();
    let row = |name: &str, status: &str| json!([name, status, "live"]);
    let expected = [row("fresh", "paused"), row("main", "active"), row("old", "active")];
    assert_eq!((status, rows), (200, expected.to_vec()));

    let delete = ("DELETE", FRESH, "key-nova");
    assert_eq!(world.ask(delete, ANY, "").await.0, 204);
    assert_eq!(world.ask(delete, ANY, "").await.0, 404);
    assert_eq!(world.ask(get, ANY, "").await.0, 404);
    assert_eq!(explained(&world, "key-nova", "loan").await, ["main null", "old 201"]);
}

#[tokio::test]
async fn conditions_and_scopes_hold() {
    let world = World::start(&[]).await;
    let body = campaign().to_string();
    let (_, [tag, _], _) = world.ask(("GET", MAIN, "key-nova"), ANY, "").await;
    let both = format!("\"x\", {tag}");
    for (request, condition, body, status, code) in [
        (("PUT", MAIN, "key-nova"), ("if-match", "\"x\""), body.as_str(), 412, "stale"),
        (("PUT", FRESH, "key-nova"), ("if-match", "*"), &body, 412, "stale"),
        (("PUT", MAIN, "key-nova"), ("if-none-match", "*"), &body, 412, "stale"),
        (("DELETE", MAIN, "key-nova"), ("if-match", "\"x\""), "", 412, "stale"),
        (("PUT", FRESH, "key-nova"), ANY, "{", 400, "unparsable"),
        (("PUT", FRESH, "none"), ANY, &body, 401, "unauthorized"),
        (("PUT", FRESH, "key-orion"), ANY, &body, 404, "not_found"),
        (("GET", MAIN, "key-orion"), ANY, "", 404, "not_found"),
        (("DELETE", MAIN, "key-orion"), ANY, "", 404, "not_found"),
        (("GET", "/v1/buyers/nova/campaigns", "key-orion"), ANY, "", 404, "not_found"),
        (("PUT", "/v1/buyers/none/campaigns/a", "key-ada"), ANY, &body, 404, "not_found"),
        (("GET", "/v1/buyers/none/campaigns", "key-ada"), ANY, "", 404, "not_found"),
        (("PUT", "/v1/buyers/nova/campaigns/A", "key-nova"), ANY, &body, 404, "not_found"),
        (("POST", MAIN, "key-nova"), ANY, "", 405, "method_not_allowed"),
    ] {
        let (found, _, answer) = world.ask(request, condition, body).await;
        assert_eq!((found, &answer["code"]), (status, &json!(code)), "{request:?} {condition:?}");
    }
    let large = "x".repeat((2 << 20) + 1);
    assert_eq!(world.ask(("PUT", FRESH, "key-nova"), ANY, &large).await.0, 413);
    assert_eq!(world.engine.snapshot().version, 1, "nothing was changed");
    assert_eq!(world.ask(("PUT", MAIN, "key-nova"), ("if-match", &both), &body).await.0, 200);
    let fresh = ("PUT", FRESH, "key-ada");
    assert_eq!(world.ask(fresh, ("if-none-match", "*"), &body).await.0, 201);
    assert_eq!(world.ask(("DELETE", FRESH, "key-ada"), ANY, "").await.0, 204);
}

#[tokio::test]
async fn every_defect_is_named_at_once() {
    let world = World::start(&[]).await;
    let body = json!({"product": "loan", "colour": 1,
        "filter": {"age": {"gte": "old"}, "any": [], "height": 2},
        "price": {"fixed": "12.505"},
        "caps": [{"per": "day", "leads": 1}, {"per": "year", "leads": 1}],
        "schedule": {"timezone": "Nowhere"},
        "delivery": {
            "ping": {"url": "http://127.0.0.1:1/", "body": "{{ contact.email }}"},
            "post": {"url": "http://127.0.0.1:1/", "headers": {"X": "secret:none"}},
            "status": {"url": "http://127.0.0.1:1/", "response": {
                "accept": {"value": "$.ok", "exists": true}, "reject": {"value": "$.no", "exists": true},
                "samples": [{"status": 200, "body": "{\"no\":1}", "expect": "accept"}]}}}});
    let (status, _, answer) = world.ask(("PUT", FRESH, "key-nova"), ANY, &body.to_string()).await;
    assert_eq!((status, &answer["code"]), (422, &json!("invalid")), "{answer}");
    let errors = answer["errors"].as_array().unwrap().iter();
    let mut found: Vec<_> = errors.map(|it| it["pointer"].as_str().unwrap()).collect();
    found.sort_unstable();
    let expected = [
        "/caps/1/per",
        "/colour",
        "/delivery/ping/body",
        "/delivery/post/headers/X",
        "/delivery/status/response/samples/0",
        "/filter/age/gte",
        "/filter/any",
        "/filter/height",
        "/price/fixed",
        "/schedule/timezone",
    ];
    for pointer in expected {
        assert!(found.contains(&pointer), "{pointer} in {answer}");
    }
    assert_eq!(world.engine.snapshot().version, 1);
}

#[tokio::test]
async fn what_is_the_operators_is_set_by_operators() {
    let world = World::start(&[]).await;
    let owned = |it: &mut Value| {
        it["priority"] = 5.into();
        it["score"] = json!({"multiplier": "2"});
        it["payout"] = json!({"share": "1"});
    };
    let (status, _, answer) = world.ask(("PUT", FRESH, "key-nova"), ANY, &changed(owned)).await;
    let errors = answer["errors"].as_array().unwrap().iter();
    let found: Vec<_> = errors.map(|it| it["pointer"].as_str().unwrap()).collect();
    assert_eq!((status, found), (403, vec!["/priority", "/score", "/payout"]), "{answer}");
    assert_eq!(world.ask(("PUT", FRESH, "key-ada"), ANY, &changed(owned)).await.0, 201);
    // The buyer may go on with what the operator set, and not take it away.
    let dearer = changed(|it| {
        owned(it);
        it["price"] = json!({"fixed": "13.00"});
    });
    assert_eq!(world.ask(("PUT", FRESH, "key-nova"), ANY, &dearer).await.0, 200);
    let (status, _, _) = world.ask(("PUT", FRESH, "key-nova"), ANY, &campaign().to_string()).await;
    assert_eq!(status, 403);
    // Another product lists some of them.
    let open = |name: &str| {
        changed(|it| {
            it["product"] = "open".into();
            it[name] = 2.into();
        })
    };
    let other = "/v1/buyers/nova/campaigns/other";
    assert_eq!(world.ask(("PUT", other, "key-nova"), ANY, &open("tier")).await.0, 201);
    assert_eq!(world.ask(("PUT", other, "key-nova"), ANY, &open("weight")).await.0, 403);
}

#[tokio::test]
async fn a_foreign_host_waits_while_the_old_version_goes_on() {
    let world = World::start(&[]).await;
    let far = |price: &str| {
        changed(|it| {
            it["delivery"]["post"]["url"] = "https://buyer.example/p".into();
            it["price"] = json!({"fixed": price});
        })
    };
    let put = ("PUT", MAIN, "key-nova");
    let (status, [tag, state], told) = world.ask(put, ANY, &far("3.00")).await;
    assert_eq!((status, state.as_str(), &told["live"]), (200, "pending", &json!(true)));
    let price = || {
        let market = &world.engine.snapshot().market;
        let (key, _) =
            market.campaigns.iter().find(|(key, _)| key.to_string() == "nova/main").unwrap();
        market.campaigns[key].price.most().to_wire()
    };
    assert_eq!(price(), "60.00", "the version before");
    assert_eq!(world.ask(("GET", MAIN, "key-nova"), ANY, "").await.1[1], "pending");
    let (_, waiting) = world.get("/v1/pending", "key-ada").await;
    let [row] = waiting["pending"].as_array().unwrap().as_slice() else { panic!("{waiting}") };
    assert_eq!((&row["hosts"], &row["etag"]), (&json!(["buyer.example"]), &json!(tag)));
    assert_eq!(world.get("/v1/pending", "key-orion").await.1["pending"], json!([]));

    let approve = format!("{MAIN}/approve");
    assert_eq!(world.ask(("POST", &approve, "key-nova"), ANY, "").await.0, 403);
    assert_eq!(world.ask(("POST", &approve, "key-orion"), ANY, "").await.0, 404);
    let operator = ("POST", approve.as_str(), "key-ada");
    assert_eq!(world.ask(operator, ("if-match", "\"x\""), "").await.0, 412, "not what was seen");
    let (status, headers, _) = world.ask(operator, ("if-match", &tag), "").await;
    assert_eq!((status, headers[1].as_str(), price().as_str()), (200, "live", "3.00"));
    assert_eq!(world.ask(operator, ANY, "").await.0, 404, "nothing waits any more");
    // What was approved need not be again; another host has to be.
    assert_eq!(world.ask(put, ANY, &far("4.00")).await.1[1], "live");
    let farther = far("5.00").replace("buyer.example", "other.example");
    assert_eq!(world.ask(put, ANY, &farther).await.1[1], "pending");
    // Back to what is allowed: what waited is forgotten.
    assert_eq!(world.ask(put, ANY, &campaign().to_string()).await.1[1], "live");
    assert_eq!(world.get("/v1/pending", "key-ada").await.1["pending"], json!([]));
}

#[tokio::test]
async fn a_change_that_cannot_be_kept_is_not_made() {
    let world = World::start(&[]).await;
    world.engine.ledger().set_trouble(Some("disk full".to_owned()));
    let put = ("PUT", FRESH, "key-nova");
    let (status, _, answer) = world.ask(put, ANY, &campaign().to_string()).await;
    assert_eq!((status, &answer["code"]), (503, &json!("storage_unavailable")));
    assert_eq!(world.ask(("GET", FRESH, "key-nova"), ANY, "").await.0, 404);
    world.engine.ledger().set_trouble(None);
    assert_eq!(world.ask(put, ANY, &campaign().to_string()).await.0, 201);
}
