//! Posts whose answer nobody knows: who sees them, and whose word counts.

use serde_json::{Value, json};

use crate::world::World;

/// Both win in turn, and neither says what became of it.
const SILENT: [(&str, &str, &str); 2] =
    [("nova/main", "10.00", "unknown"), ("orion/main", "1.00", "unknown")];

async fn held(world: &World, key: &str) -> Vec<Value> {
    let (status, answer) = world.get("/v1/review", key).await;
    let held = answer["held"].as_array().unwrap().clone();
    assert_eq!((status, &answer["total"]), (200, &json!(held.len())));
    held
}

#[tokio::test]
async fn a_held_post_is_seen_and_settled_by_its_buyer_or_an_operator() {
    for (by, named, outcome, code) in [
        ("key-ada", "nova/main", "sold", 0),
        ("key-bob", "main", "not_sold", 2),
        ("key-nova", "main", "not_sold", 2),
        ("key-nova", "nova%2Fmain", "sold", 0),
    ] {
        let world = World::start(&SILENT).await;
        let lead = world.sell(1).await;
        for (key, count) in [("key-ada", 1), ("key-nova", 1), ("key-orion", 0)] {
            assert_eq!(held(&world, key).await.len(), count, "{key}");
        }
        let whole = held(&world, "key-ada").await.remove(0);
        for (member, expected) in [
            ("lead_id", json!(lead.to_string())),
            ("price", json!("10.00")),
            ("payout", json!("8.00")),
            ("publisher", json!("shop")),
            ("since", json!("2026-03-02T09:00:00Z")),
            ("until", json!("2026-03-03T09:00:00Z")),
        ] {
            assert_eq!(whole[member], expected, "{member}");
        }
        let own = held(&world, "key-nova").await.remove(0).to_string();
        assert!(!own.contains("shop") && !own.contains("payout"), "{own}");

        let path = format!("/v1/review/{lead}/{named}");
        let body = json!({ "outcome": outcome }).to_string();
        // Not the business of another buyer, under any name.
        for foreign in [path.clone(), format!("/v1/review/{lead}/main")] {
            assert_eq!(world.call("POST", &foreign, "key-orion", &body).await.0, 404);
        }
        let (status, answer) = world.call("POST", &path, by, &body).await;
        let expected = json!({"lead_id": lead.to_string(), "buyer": "nova", "campaign": "main", "outcome": outcome});
        assert_eq!((status, answer), (200, expected), "{by} {named}");
        assert_eq!(held(&world, "key-ada").await.len(), 0);
        // The row says what is known now.
        let (_, why) = world.get(&format!("/v1/leads/{lead}/decisions"), "key-nova").await;
        assert_eq!(why["decisions"][0]["code"], json!(code), "{why}");
        assert_eq!(world.call("POST", &path, by, &body).await.0, 404, "it is settled");
    }
}

#[tokio::test]
async fn a_campaigns_id_alone_must_name_one() {
    let script = [("nova/main", "10.00", "unknown"), ("orion/main", "40.00", "unknown")];
    let world = World::start(&script).await;
    let market =
        crate::world::MARKET.replace("filter = {}", "filter = {}\non_ambiguous = \"next_buyer\"");
    world.engine.swap(engine::Snapshot::read(&engine::source(&[market]), 2).unwrap());
    let lead = world.sell(1).await;
    assert_eq!(held(&world, "key-ada").await.len(), 2);
    let path = format!("/v1/review/{lead}/main");
    let body = r#"{"outcome":"not_sold"}"#;
    let (status, answer) = world.call("POST", &path, "key-ada", body).await;
    assert_eq!((status, &answer["code"]), (409, &json!("ambiguous")));
    assert_eq!(world.call("POST", &path, "key-orion", body).await.0, 200, "its own is one");
    assert_eq!(world.call("POST", &path, "key-ada", body).await.0, 200, "the other is left");
}
