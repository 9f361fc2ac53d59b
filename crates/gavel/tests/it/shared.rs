//! Shared leads through the real binary: what publishers are told, what buyers have and what the ledger
//! holds are one story, whoever refuses, cuts a price or does not say.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Value, json};
use sim::buyers::{Buyer, Buyers, Handle, Options, Post};

use crate::process::{Gavel, call, request};

const NATIVE: (&str, &str) = ("authorization", "Bearer demo-native");

const SLOTS: usize = 3;

/// Nova and orion are sister brands.
const BUYERS: [&str; 6] = ["nova", "orion", "atlas", "lyra", "vega", "solo"];

fn market(buyers: &Handle) -> String {
    let mut text = format!(
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
        budget_ms = 10000
        max_posts = 6
        payout = {{ share = "0.5" }}
        slots = {SLOTS}
        tiers = [{{ mode = "auction" }}, {{ mode = "broadcast" }}]
        "#
    );
    for name in BUYERS {
        let url = format!("http://{}/{name}", buyers.addr());
        let group = if ["nova", "orion"].contains(&name) { "group = \"stars\"" } else { "" };
        let selling = match name {
            "solo" => "",
            "vega" => "tier = 2\nsells = \"shared\"",
            _ => "sells = \"shared\"",
        };
        text.push_str(&format!(
            r#"
            [buyers.{name}]
            name = "{name}"
            {group}
            allowed_hosts = ["127.0.0.1"]
            [buyers.{name}.campaigns.main]
            product = "loan"
            filter = {{}}
            price = {{ bid = {{ min = "1.00", max = "60.00" }} }}
            delivery.ping.url = "{url}/ping"
            delivery.post.url = "{url}/post"
            {selling}
            "#
        ));
    }
    text
}

/// Posts so many leads at once; their answers by lead.
async fn sell(gavel: &Gavel, leads: usize) -> BTreeMap<String, Value> {
    let post = |number: usize| {
        let contact = json!({ "email": format!("{number}@example.org") });
        let lead = json!({ "product": "loan", "attributes": {}, "contact": contact });
        tokio::spawn(call(gavel.public, request("POST", "/v1/leads", NATIVE, &lead)))
    };
    let posts: Vec<_> = (0..leads).map(post).collect();
    let mut answers = BTreeMap::new();
    for answer in posts {
        let (status, answer) = answer.await.unwrap();
        assert_eq!(status, 200, "{answer}");
        answers.insert(answer["lead_id"].as_str().unwrap().to_owned(), answer);
    }
    answers
}

fn cents(amount: &Value) -> u64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

/// Checks one lead's answer against what buyers say; `true` if it was shared by several.
fn check(answer: &Value, posts: &[&Post]) -> bool {
    let bought: Vec<_> = posts.iter().filter(|post| post.bought).collect();
    let families: BTreeSet<&str> = bought
        .iter()
        .map(|post| if post.buyer == "orion" { "nova" } else { post.buyer.as_str() })
        .collect();
    assert_eq!(families.len(), bought.len(), "a buyer or group has it twice: {posts:?}");
    // A buyer that took the lead and did not say so holds a slot without a sale.
    let silent = bought.iter().filter(|post| post.answered == "no-verdict").count();
    assert!(bought.len() <= SLOTS, "{posts:?}");
    let whole = bought.iter().any(|post| post.buyer == "solo");
    assert!(!whole || bought.len() == 1, "sold whole and to others too: {posts:?}");

    let sales = answer["sales"].as_array().map(Vec::as_slice).unwrap_or_default();
    match answer["status"].as_str().unwrap() {
        "distributed" if whole => assert!(answer.get("sales").is_none(), "{answer}"),
        "distributed" => {
            let sum: u64 = sales.iter().map(|sale| cents(&sale["payout"])).sum();
            assert_eq!(cents(&answer["payout"]), sum, "{answer}");
            assert!(
                sales.len() + silent >= bought.len() && !sales.is_empty(),
                "{answer} {posts:?}"
            );
        }
        _ => assert!(bought.len() <= silent, "{answer} {posts:?}"),
    }
    sales.len() > 1
}

#[tokio::test(flavor = "multi_thread")]
async fn publishers_buyers_and_the_ledger_tell_one_story_of_every_slot() {
    let dir = tempfile::tempdir().unwrap();
    let specs = [
        "nova:bid=3.00..20.00,accepts=700",
        "orion:bid=3.00..20.00,accepts=700",
        "atlas:bid=3.00..20.00,accepts=900,cut=1.50",
        "lyra:bid=3.00..20.00,fault=no-verdict-on-post,faults=300",
        "vega:bid=3.00..20.00,accepts=800",
        "solo:bid=10.00..60.00,accepts=500",
    ];
    let buyers: Vec<Buyer> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    let buyers =
        Buyers::start("127.0.0.1:0".parse().unwrap(), buyers, Options::default()).await.unwrap();
    let gavel = Gavel::start(dir.path(), &market(&buyers));
    let answers = sell(&gavel, 120).await;
    let posts = buyers.posts();
    let mut shared = 0;
    for (lead, answer) in &answers {
        let of_lead: Vec<&Post> = posts.iter().filter(|post| post.lead_id == *lead).collect();
        shared += usize::from(check(answer, &of_lead));
        let path = format!("/v1/leads/{lead}");
        let (_, later) = call(gavel.public, request("GET", &path, NATIVE, &Value::Null)).await;
        assert_eq!(later, *answer, "the record says what the publisher was told");
    }
    assert!(shared > 20, "{shared} of {} leads were bought by several", answers.len());
    assert!(gavel.terminate().success());
    let verify = Command::new(env!("CARGO_BIN_EXE_gavel"))
        .args(["verify", "--data"])
        .arg(dir.path().join("data"))
        .output()
        .unwrap();
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stdout));
}
