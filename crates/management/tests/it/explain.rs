//! What would become of a lead: matched and gated, nobody asked, nothing kept.

use serde_json::{Value, json};

use crate::world::World;

fn rows(answer: &Value) -> Vec<Value> {
    let row = |row: &Value| {
        let name =
            format!("{}/{}", row["buyer"].as_str().unwrap(), row["campaign"].as_str().unwrap());
        let failed: Vec<_> =
            row["failed"].as_array().unwrap().iter().map(|it| &it["path"]).collect();
        json!([name, row["matched"], row["eligible"], row["code"], failed])
    };
    answer["campaigns"].as_array().unwrap().iter().map(row).collect()
}

async fn ask(world: &World, key: &str, question: &Value) -> Value {
    let (status, answer) = world.call("POST", "/v1/explain", key, &question.to_string()).await;
    assert_eq!(status, 200, "{question}: {answer}");
    answer
}

#[tokio::test]
async fn filters_and_gates_are_told_apart() {
    // A script of nobody: whoever is asked fails the test.
    let world = World::start(&[]).await;
    let question = json!({"product": "loan", "attributes":
        {"birth_date": "1960-05-05", "region": "Madrid", "credit_score": 700}});
    let wanted = |name: &str| json!([name, true, true, null, []]);
    let vega = json!(["vega/main", true, false, 202, []]);
    let all = ["atlas/main", "nova/main", "nova/old", "orion/main"].map(wanted);
    let answer = ask(&world, "key-ada", &question).await;
    assert_eq!(answer["market_version"], json!(1));
    assert_eq!(rows(&answer), [all.as_slice(), &[vega]].concat(), "the age is derived");
    let nova = ask(&world, "key-nova", &question).await;
    assert_eq!(rows(&nova), all[1..3], "a buyer is told of its own");

    let young = json!({"product": "loan", "attributes": {"age": 20, "credit_score": 500}});
    let answer = ask(&world, "key-nova", &young).await;
    let expected = [
        json!(["nova/main", false, false, 200, ["age.gte"]]),
        json!(["nova/old", false, false, 201, ["birth_date.lt", "region"]]),
    ];
    assert_eq!(rows(&answer), expected);
    let failed = &answer["campaigns"][0]["failed"][0];
    let told = json!({"path": "age.gte", "attribute": "age", "expected": "at least 21", "actual": "20", "verdict": "failed"});
    assert_eq!(failed, &told);
    assert_eq!(answer["campaigns"][0]["reason"], json!("filter"));
    assert_eq!(world.engine.ledger().records().len(), 0, "nothing is kept");
}

#[tokio::test]
async fn caps_are_named_and_a_publishers_only_to_operators() {
    let script = [("nova/main", "12.00", "accepted"), ("orion/main", "20.00", "accepted")];
    let world = World::start(&script).await;
    let nova = json!({"party": "campaign", "per": "month", "of": "sold", "spend": "12.00", "used": "12.00",
        "currency": "EUR", "from": "2026-02-28T23:00:00Z", "until": "2026-03-31T22:00:00Z"});
    let shop = json!({"party": "publisher", "per": "day", "of": "sold", "leads": 2, "used": 2,
        "from": "2026-03-01T23:00:00Z", "until": "2026-03-02T23:00:00Z"});
    let question = |publisher: Option<&str>| {
        let mut question = json!({"product": "loan", "attributes": {"age": 30}});
        if let Some(publisher) = publisher {
            question["publisher"] = json!(publisher);
        }
        question
    };
    world.sell(1).await;
    world.sell(2).await;
    // Nova, which won the first, has no money left; orion won the second; then the publisher's cap is full.
    for (key, publisher, campaign, code, limit) in [
        ("key-ada", None, "nova/main", json!(204), &nova),
        ("key-ada", None, "orion/main", json!(null), &json!(null)),
        ("key-ada", Some("other"), "orion/main", json!(null), &json!(null)),
        ("key-ada", Some("shop"), "orion/main", json!(204), &shop),
        ("key-orion", Some("p-1"), "orion/main", json!(204), &json!(null)),
        ("key-nova", Some("p-1"), "nova/main", json!(204), &nova),
    ] {
        let answer = ask(&world, key, &question(publisher)).await;
        let row = answer["campaigns"].as_array().unwrap().iter().find(|row| {
            let name =
                format!("{}/{}", row["buyer"].as_str().unwrap(), row["campaign"].as_str().unwrap());
            name == campaign
        });
        let row = row.unwrap();
        assert_eq!(
            (&row["matched"], &row["code"], &row["limit"]),
            (&json!(true), &code, limit),
            "{key} {publisher:?}"
        );
        assert_eq!(row["eligible"], json!(code.is_null()));
    }
}
