//! What becomes of a lead, as an operator and as each buyer sees it.

use lead::{BuyerEvent, Heard, Report, Reporter};
use serde_json::{Value, json};

use crate::world::World;

const NOVA_WINS: [(&str, &str, &str); 2] =
    [("nova/main", "10.00", "accepted"), ("orion/main", "12.00", "accepted")];

/// What a test holds a row to.
fn rows(answer: &Value) -> Vec<Value> {
    let row = |row: &Value| {
        let failed: Vec<_> = row["failed"].as_array().unwrap().iter().map(failure).collect();
        json!([
            format!("{}/{}", row["buyer"].as_str().unwrap(), row["campaign"].as_str().unwrap()),
            row["stage"],
            row["code"],
            row["score"],
            row["price"],
            row["price_to_win"],
            failed,
        ])
    };
    answer["decisions"].as_array().unwrap().iter().map(row).collect()
}

fn failure(failure: &Value) -> String {
    let word = |name: &str| failure[name].as_str().unwrap_or("-").to_owned();
    format!("{} {} {}", word("path"), word("actual"), word("verdict"))
}

#[tokio::test]
async fn everybody_sees_what_is_theirs() {
    let world = World::start(&NOVA_WINS).await;
    let lead = world.sell(1).await;
    let path = format!("/v1/leads/{lead}/decisions");
    let main = json!(["nova/main", "post", 0, "10", "10.00", null, []]);
    let old = |born: &str| {
        let failed = [format!("birth_date.lt {born} failed"), "region Girona failed".to_owned()];
        json!(["nova/old", "filter", 200, null, null, null, failed])
    };
    let orion = json!(["orion/main", "bid", 4, "6", null, "20.01", []]);
    let atlas =
        json!(["atlas/main", "filter", 201, null, null, null, ["credit_score.gte - missing"]]);
    let vega = json!(["vega/main", "gate", 202, null, null, null, []]);
    for (key, expected) in [
        ("key-ada", vec![&atlas, &main, &old("1988-05-10"), &orion, &vega]),
        // A birth date goes into no ping, so the buyer of another consumer is not told it either.
        ("key-nova", vec![&main, &old("-")]),
        ("key-orion", vec![&orion]),
        ("key-vega", vec![&vega]),
    ] {
        let (status, answer) = world.get(&path, key).await;
        assert_eq!(status, 200, "{key}: {answer}");
        assert_eq!(rows(&answer).iter().collect::<Vec<_>>(), expected, "{key}: {answer}");
        assert_eq!((&answer["incomplete"], &answer["currency"]), (&Value::Null, &json!("EUR")));
        if key != "key-ada" {
            for foreign in ["payout", "outcome", "disposition", "shop", "8.00"] {
                assert!(!answer.to_string().contains(foreign), "{key} sees {foreign}: {answer}");
            }
        }
    }
    // Its filter did not want the lead: it never heard of it.
    for path in [path.clone(), format!("/v1/leads/{lead}")] {
        assert_eq!(world.get(&path, "key-atlas").await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn the_record_of_a_lead_shows_its_posts_and_nobodys_contact() {
    let script = [("nova/main", "10.00", "rejected"), ("orion/main", "12.00", "accepted")];
    let world = World::start(&script).await;
    let lead = world.sell(1).await;
    let path = format!("/v1/leads/{lead}");
    let (status, whole) = world.get(&path, "key-ada").await;
    assert_eq!(status, 200);
    for (member, expected) in [
        ("publisher", json!("shop")),
        ("product", json!("loan")),
        ("door", json!("native")),
        ("disposition", json!("sold")),
        ("external_id", json!("aff-123")),
        ("market_version", json!(1)),
        ("erased", json!(false)),
        ("fraud_signals", json!(["phone_unreadable"])),
    ] {
        assert_eq!(whole[member], expected, "{member}");
    }
    assert_eq!(
        (&whole["attributes"]["region"], &whole["attributes"]["age"]),
        (&json!("Girona"), &json!(37))
    );
    let posts: Vec<_> = whole["posts"].as_array().unwrap().iter().collect();
    let posts: Vec<_> =
        posts.iter().map(|it| (&it["buyer"], &it["class"], &it["price"], &it["payout"])).collect();
    assert_eq!(
        posts,
        [
            (&json!("nova"), &json!("rejected"), &json!("10.00"), &json!("8.00")),
            (&json!("orion"), &json!("accepted"), &json!("12.00"), &json!("9.60")),
        ]
    );

    let (_, own) = world.get(&path, "key-orion").await;
    let posts = own["posts"].as_array().unwrap();
    assert_eq!((posts.len(), &posts[0]["reference"]), (1, &json!("ref-7")), "{own}");
    for foreign in ["nova", "shop", "9.60", "payout", "attributes", "aff-123", "1988", "fraud"] {
        assert!(!own.to_string().contains(foreign), "orion sees {foreign}: {own}");
    }
    let (_, own) = world.get(&format!("{path}/decisions"), "key-nova").await;
    assert_eq!(own["decisions"][0]["buyer_reason"], json!("no thanks"));
}

#[tokio::test]
async fn events_show_to_operators_and_to_the_buyer_that_told_them() {
    let script = [("nova/main", "10.00", "rejected"), ("orion/main", "12.00", "accepted")];
    let world = World::start(&script).await;
    let lead = world.sell(1).await;
    let event = Report {
        lead,
        by: Reporter::Buyer("orion".parse().unwrap()),
        event: BuyerEvent::Approved,
        reference: Some("L-7".to_owned()),
        metadata: json!({"amount_issued": 2500}).as_object().unwrap().clone(),
        at: "2026-03-02T10:00:00Z".parse().unwrap(),
    };
    assert_eq!(world.engine.report(event).await, Ok(Heard::Received));
    let told = json!([{
        "buyer": "orion", "campaign": "main", "event": "approved", "reference": "L-7",
        "metadata": {"amount_issued": 2500}, "at": "2026-03-02T10:00:00Z",
    }]);
    let path = format!("/v1/leads/{lead}");
    for (key, expected) in [("key-ada", told.clone()), ("key-orion", told), ("key-nova", json!([]))]
    {
        assert_eq!(world.get(&path, key).await.1["events"], expected, "{key}");
    }
    world.engine.ledger().erase(lead).await.unwrap();
    let kept = &world.get(&path, "key-ada").await.1["events"][0];
    assert_eq!((&kept["event"], &kept["reference"]), (&json!("approved"), &Value::Null));
}

#[tokio::test]
async fn an_erased_lead_says_so() {
    let world = World::start(&NOVA_WINS).await;
    let lead = world.sell(1).await;
    world.engine.ledger().erase(lead).await.unwrap();
    let (_, whole) = world.get(&format!("/v1/leads/{lead}"), "key-ada").await;
    assert_eq!((&whole["erased"], &whole["publisher"]), (&json!(true), &json!("shop")));
    assert!(whole.get("attributes").is_none() && whole.get("external_id").is_none(), "{whole}");
    let (_, why) = world.get(&format!("/v1/leads/{lead}/decisions"), "key-ada").await;
    assert_eq!(
        (why["decisions"].as_array().unwrap().len(), &why["incomplete"]["code"]),
        (3, &json!("erased"))
    );
    let (_, own) = world.get(&format!("/v1/leads/{lead}/decisions"), "key-orion").await;
    assert_eq!(
        (own["decisions"].as_array().unwrap().len(), &own["decisions"][0]["price_to_win"]),
        (1, &json!("20.01"))
    );
}
