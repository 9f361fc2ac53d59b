//! What buyers tell of leads that they bought, through the real binary: by key, by pixel, and across a kill.

use serde_json::{Value, json};
use sim::buyers::{Buyers, Handle, Options};

use crate::dialects::{Answers, Counterpart};
use crate::process::{Gavel, call, request};

const MARKET: &str = include_str!("../../../../config/demo/market.toml");

/// A buyer beside the demo's that is told of a pixel.
const MORE: &str = r#"
[buyers.perla]
name = "Perla"
keys = ["perla-key"]
allowed_hosts = ["127.0.0.1"]
[buyers.perla.campaigns.prime]
product = "personal-loan-es"
filter = {}
price.fixed = "30.00"
[buyers.perla.campaigns.prime.delivery.post]
url = "http://PERLA/post"
body = '''{"id": {{ lead_id }}, "pixel": "/api/v1/lead/{{ lead_id }}/status?token={{ event_token }}"}'''
"#;

const PUBLISHER: (&str, &str) = ("apikey", "demo-leadhub");
const PERLA: (&str, &str) = ("apikey", "perla-key");
const NOVA: (&str, &str) = ("apikey", "demo-nova");
const OPERATOR: (&str, &str) = ("authorization", "Bearer demo-operator");
const NOBODY: (&str, &str) = ("accept", "image/*");

struct Town {
    dir: tempfile::TempDir,
    market: String,
    perla: Counterpart,
    _others: Handle,
}

impl Town {
    async fn new() -> Self {
        let sold = r#"{"status":"accepted","redirect_url":"https://perla.example/apply"}"#;
        let answer = (200, "", sold);
        let answers = Answers { ping: answer, post: answer, status: answer };
        let perla = Counterpart::start(|_| true, answers).await;
        let others = vec!["*:bids=0".parse().unwrap()];
        let others = Buyers::start("127.0.0.1:0".parse().unwrap(), others, Options::default());
        let others = others.await.unwrap();
        // A busy machine may take its time.
        let market = MARKET.replace("budget_ms = 2000", "budget_ms = 60000");
        let market = market.replace("127.0.0.1:9900", &others.addr().to_string());
        let market = market + &MORE.replace("PERLA", &perla.at.to_string());
        Self { dir: tempfile::tempdir().unwrap(), market, perla, _others: others }
    }

    fn start(&self) -> Gavel {
        Gavel::start(self.dir.path(), &self.market)
    }

    /// Posts the sample lead; says which lead it is and which pixel its buyer was given.
    async fn sell(&self, gavel: &Gavel) -> (String, String) {
        let lead = request("POST", "/api/v1/lead", PUBLISHER, &sim::samples::leadhub());
        let (status, answer) = call(gavel.public, lead).await;
        assert_eq!((status, &answer["status"]), (200, &json!("distributed")), "{answer}");
        let post: Value = serde_json::from_str(&self.perla.take()[0].body).unwrap();
        assert_eq!(post["id"], answer["lead_id"]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&answer["lead_id"]), text(&post["pixel"]))
    }
}

async fn tell(gavel: &Gavel, lead: &str, key: (&str, &str), event: &Value) -> (u16, Value) {
    let path = format!("/api/v1/lead/{lead}/status");
    call(gavel.public, request("PATCH", &path, key, event)).await
}

async fn events(gavel: &Gavel, lead: &str, key: (&str, &str)) -> (u16, Value) {
    let record = request("GET", &format!("/v1/leads/{lead}"), key, &Value::Null);
    let (status, record) = call(gavel.management, record).await;
    let told = record["events"].as_array().into_iter().flatten();
    let told = told.map(|event| json!([event["campaign"], event["event"], event["reference"]]));
    (status, told.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_tells_events_of_its_lead_by_key_and_by_pixel_and_nobody_else_does() {
    let town = Town::new().await;
    let gavel = town.start();
    let (lead, pixel) = town.sell(&gavel).await;
    let heard = |event: &str, status: &str| {
        (200, json!({ "lead_id": lead, "event": event, "status": status }))
    };
    let issued = json!({ "event": "loan_issued", "advertiser_ref": "L-1", "metadata": { "term_months": 24 } });
    assert_eq!(tell(&gavel, &lead, PERLA, &issued).await, heard("loan_issued", "received"));
    assert_eq!(tell(&gavel, &lead, PERLA, &issued).await, heard("loan_issued", "ignored"));
    let path = format!("/api/v1/lead/{lead}/status");
    let by_post = request("POST", &path, PERLA, &json!({ "event": "registration" }));
    assert_eq!(call(gavel.public, by_post).await, heard("registration", "received"));

    let fire =
        async |query: &str| call(gavel.public, request("GET", query, NOBODY, &Value::Null)).await;
    assert_eq!(
        fire(&format!("{pixel}&event=completed&ref=7")).await,
        heard("completed", "received")
    );
    assert_eq!(
        fire(&format!("{pixel}&event=completed&ref=7")).await,
        heard("completed", "ignored")
    );
    assert_eq!(
        fire(&format!("{pixel}&event=approved&ref=L-1")).await,
        heard("approved", "ignored")
    );
    let (token, forged) = pixel.split_at(pixel.len() - 2);
    let forged = if forged == "00" { "01" } else { "00" };
    let (status, told) = fire(&format!("{token}{forged}&event=approved")).await;
    assert_eq!((status, &told["error"]), (401, &json!("unauthorized")), "{told}");
    assert_eq!(fire(&format!("{path}?event=approved")).await.0, 401, "no token");
    assert_eq!(fire(&format!("{pixel}&event=paid")).await.0, 400);

    for (key, status) in [(NOVA, 404), (PUBLISHER, 401), (NOBODY, 401)] {
        assert_eq!(tell(&gavel, &lead, key, &issued).await.0, status, "{key:?}");
    }
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    assert_eq!(tell(&gavel, unknown, PERLA, &issued).await.0, 404);
    let create = request("POST", "/api/v1/lead", PERLA, &sim::samples::leadhub());
    assert_eq!(call(gavel.public, create).await.0, 401, "a buyer posts no leads");

    let all = json!([
        ["prime", "loan_issued", "L-1"],
        ["prime", "registration", null],
        ["prime", "completed", "7"],
    ]);
    assert_eq!(events(&gavel, &lead, OPERATOR).await, (200, all.clone()));
    let own = ("authorization", "Bearer perla-key");
    assert_eq!(events(&gavel, &lead, own).await, (200, all));
    let scrape = request("GET", "/metrics", NOBODY, &Value::Null);
    let metrics = call(gavel.ops, scrape).await.1.as_str().unwrap().to_owned();
    for (event, outcome, count) in
        [("loan_issued", "ignored", 2), ("loan_paid", "received", 1), ("loan_issued", "forged", 1)]
    {
        let line = format!(
            "gavel_buyer_events_total{{door=\"leadhub\",event=\"{event}\",outcome=\"{outcome}\"}} {count}"
        );
        assert!(metrics.contains(&line), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_received_is_there_after_a_kill_and_its_pixel_still_fires() {
    let town = Town::new().await;
    let gavel = town.start();
    let (lead, pixel) = town.sell(&gavel).await;
    let issued = json!({ "event": "loan_issued", "advertiser_ref": "L-1" });
    assert_eq!(tell(&gavel, &lead, PERLA, &issued).await.1["status"], "received");
    gavel.kill();
    let gavel = town.start();
    assert_eq!(
        events(&gavel, &lead, OPERATOR).await,
        (200, json!([["prime", "loan_issued", "L-1"]]))
    );
    assert_eq!(tell(&gavel, &lead, PERLA, &issued).await.1["status"], "ignored");
    let fired = request("GET", &format!("{pixel}&event=loan_paid"), NOBODY, &Value::Null);
    assert_eq!(call(gavel.public, fired).await.1["status"], "received");
}
