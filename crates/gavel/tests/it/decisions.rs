//! Why a lead was sold or not, through the real binary: to its publisher, to an operator and to buyers,
//! also once the market has changed and after a restart.

use serde_json::{Value, json};
use sim::buyers::{Buyer, Buyers, Options};

use crate::process::{Gavel, call, request};

const MARKET: &str = include_str!("../../../../config/demo/market.toml");
const PUBLISHER: (&str, &str) = ("authorization", "Bearer demo-native");
const OPERATOR: (&str, &str) = ("authorization", "Bearer demo-operator");
const NOVA: (&str, &str) = ("authorization", "Bearer demo-nova");
const ORION: (&str, &str) = ("authorization", "Bearer demo-orion");

fn lead(email: &str) -> Value {
    json!({
        "product": "personal-loan-es",
        "attributes": {"country": "ES", "region": "Girona", "monthly_income": 2500, "amount": 3000,
            "purpose": "business"},
        "contact": {"first_name": "Ana", "email": email, "birth_date": "1988-05-10"},
        "consent": {"entries": [{"type": "terms", "accepted": true},
            {"type": "privacy_policy", "accepted": true}]}
    })
}

async fn get(gavel: &Gavel, path: &str, key: (&str, &str)) -> (u16, Value) {
    call(gavel.management, request("GET", path, key, &Value::Null)).await
}

/// Of every campaign its name, code and first failing predicate.
fn rows(decisions: &Value) -> Vec<String> {
    let row = |row: &Value| {
        let word = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let failed = row["failed"][0]["path"].as_str().unwrap_or_default();
        let text = format!("{}/{} {} {failed}", word("buyer"), word("campaign"), row["code"]);
        text.trim_end().to_owned()
    };
    decisions["decisions"].as_array().unwrap().iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_told_why_by_the_market_of_then() {
    let dir = tempfile::tempdir().unwrap();
    let specs = ["nova-es-prime:bid=30.00", "orion-es-wide:bid=20.00", "*:bids=0"];
    let specs: Vec<Buyer> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    let anywhere = "127.0.0.1:0".parse().unwrap();
    let buyers = Buyers::start(anywhere, specs, Options::default()).await.unwrap();
    let market = MARKET.replace("127.0.0.1:9900", &buyers.addr().to_string());
    let gavel = Gavel::start(dir.path(), &market);
    let posted = request("POST", "/v1/leads", PUBLISHER, &lead("ana@example.org"));
    let (status, sold) = call(gavel.public, posted).await;
    assert_eq!((status, &sold["status"]), (200, &json!("distributed")), "{sold}");
    let path = format!("/v1/leads/{}/decisions", sold["lead_id"].as_str().unwrap());

    let (_, told) = call(gavel.public, request("GET", &path, PUBLISHER, &Value::Null)).await;
    assert_eq!(told["decisions"].as_array().unwrap().len(), 2, "{told}");
    let counted: Vec<_> = told["not_matched"].as_array().unwrap().iter().collect();
    let counts: Vec<_> = counted.iter().map(|it| (&it["code"], &it["campaigns"])).collect();
    // Lyra's would miss the postal code, were the purpose not business.
    assert_eq!(counts, [(&json!(200), &json!(3))], "{told}");
    for hidden in ["nova", "orion", "vega", "lyra", "es-", "30.00", "20.00"] {
        assert!(!told.to_string().contains(hidden), "{hidden}: {told}");
    }

    let first = get(&gavel, &path, OPERATOR).await;
    let then = [
        "nova/es-prime 0",
        "vega/es-homes 200 any.0.purpose.in",
        "lyra/es-coast 200 not.purpose",
        "nova/es-basic 200 monthly_income.lt",
        "orion/es-wide 4",
    ];
    assert_eq!((first.0, rows(&first.1)), (200, then.map(str::to_owned).to_vec()), "{}", first.1);
    let (status, own) = get(&gavel, &path, ORION).await;
    assert_eq!((status, rows(&own)), (200, vec!["orion/es-wide 4".to_owned()]));
    assert_eq!(own["decisions"][0]["price_to_win"], json!("30.01"), "{own}");
    let (_, own) = get(&gavel, &path, NOVA).await;
    let nova = vec![then[0].to_owned(), then[3].to_owned()];
    assert_eq!((rows(&own), &own["decisions"][0]["price"]), (nova, &json!("30.00")), "{own}");

    assert!(gavel.terminate().success());
    // Files seed an empty store only: what they say later changes nothing.
    let other = market.replace("monthly_income = { gte = 600, lt = 1200 }", "age = { gte = 70 }");
    let gavel = Gavel::start(dir.path(), &other);
    assert_eq!(get(&gavel, &path, OPERATOR).await, first);
    let at = |name: &str| format!("/v1/buyers/{name}");
    let basic = at("nova/campaigns/es-basic");
    let (_, mut wider) = get(&gavel, &basic, NOVA).await;
    wider["filter"]["monthly_income"] = json!({"gte": 600});
    let put =
        |path: String, body: &Value| call(gavel.management, request("PUT", &path, OPERATOR, body));
    assert_eq!(put(basic, &wider).await.0, 200);
    let (_, coast) = get(&gavel, &at("lyra/campaigns/es-coast"), OPERATOR).await;
    assert_eq!(put(at("lyra/campaigns/es-beach"), &coast).await.0, 201);
    let gone = request("DELETE", &at("lyra/campaigns/es-coast"), OPERATOR, &Value::Null);
    assert_eq!(call(gavel.management, gone).await.0, 204);
    assert_eq!(get(&gavel, &path, OPERATOR).await, first, "as it was then");
    let posted = request("POST", "/v1/leads", PUBLISHER, &lead("eva@example.org"));
    let (_, sold) = call(gavel.public, posted).await;
    let path = format!("/v1/leads/{}/decisions", sold["lead_id"].as_str().unwrap());
    let (_, now) = get(&gavel, &path, OPERATOR).await;
    assert_eq!((&first.1["market_version"], &now["market_version"]), (&json!(1), &json!(4)));
    assert!(rows(&now).contains(&"nova/es-basic 4".to_owned()), "{now}");
    assert!(rows(&now).iter().any(|row| row.starts_with("lyra/es-beach 200")), "{now}");
    assert!(gavel.terminate().success());
    // A start makes no version.
    let gavel = Gavel::start(dir.path(), &market);
    let question = json!({"product": "personal-loan-es", "attributes": {"age": 30}});
    let asked = request("POST", "/v1/explain", OPERATOR, &question);
    let (status, told) = call(gavel.management, asked).await;
    assert_eq!((status, &told["market_version"]), (200, &json!(4)), "{told}");
    assert_eq!(get(&gavel, &path, OPERATOR).await.1, now);
    assert!(gavel.terminate().success());
    buyers.stop().await;
}
