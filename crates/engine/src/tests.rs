//! A market as journeys use it: trees in the order in which they are asked, filters with their faults.

use lead::ProductId;
use market::{Market, Sources};

use crate::Snapshot;

const MARKET: &str = r#"
[products.loan]
name = "Loan"
vertical = "loans"
country = "ES"
currency = "EUR"
timezone = "Europe/Madrid"
budget_ms = 2000
tiers = [{ mode = "auction" }, { mode = "auction" }]

[buyers.nova]
name = "Nova"
allowed_hosts = ["127.0.0.1"]

[buyers.nova.campaigns]
late = { product = "loan", tier = 2, priority = 9, filter = {}, price = { fixed = "1.00" }, delivery.post.url = "http://127.0.0.1:1/" }
plain = { product = "loan", filter = {}, price = { fixed = "1.00" }, delivery.post.url = "http://127.0.0.1:1/" }
early = { product = "loan", filter = {}, price = { fixed = "1.00" }, delivery.post.url = "http://127.0.0.1:1/" }
first = { product = "loan", priority = 2, filter = { age = { gte = 21 } }, price = { fixed = "1.00" }, delivery.post.url = "http://127.0.0.1:1/" }
"#;

fn market(text: &str) -> Market {
    Sources::parse([("m.toml".to_owned(), text.to_owned())]).unwrap().market().unwrap()
}

#[test]
fn a_tree_stands_by_tier_then_priority_then_key() {
    let snapshot = Snapshot::compile(market(MARKET), 7).unwrap();
    let loan: ProductId = "loan".parse().unwrap();
    let (_, tree) = snapshot.tree(&loan).unwrap();
    let names: Vec<_> = tree.campaigns.iter().map(|c| c.key.campaign.as_str()).collect();
    assert_eq!(names, ["first", "early", "plain", "late"]);
    assert!(snapshot.tree(&"car".parse().unwrap()).is_none());
}

#[test]
fn a_market_on_record_reads_without_its_secrets() {
    let secrets = r#"
[buyers.nova.secrets]
api = { env = "A_VARIABLE_THAT_IS_NOT_SET" }
password = { file = "/no/such/file" }
"#;
    let post = r#"delivery.post = { url = "http://127.0.0.1:1/", headers = { x-key = "secret:api" }, body = '{"password": "{{ "password" | secret }}"}' }"#;
    let plain = r#"delivery.post.url = "http://127.0.0.1:1/""#;
    let text = format!("{}{secrets}", MARKET.replacen(plain, post, 1));
    let sources = Sources::parse([("m.toml".to_owned(), text.clone())]).unwrap();
    assert_eq!(sources.market().unwrap_err().len(), 2, "it cannot be sold by");
    let snapshot = Snapshot::read(&crate::source(&[text]), 3).unwrap();
    assert_eq!((snapshot.version, snapshot.market.campaigns.len()), (3, 4));
}

#[test]
fn a_faulty_filter_is_named_with_its_place_in_the_market() {
    let faulty = MARKET.replace("age = { gte = 21 }", "age = { gte = \"old\" }");
    let defects = Snapshot::compile(market(&faulty), 7).unwrap_err();
    let named = defects.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(
        named.iter().any(|text| text.starts_with("buyers.nova.campaigns.first.filter.age.gte")),
        "{named:?}"
    );
}
