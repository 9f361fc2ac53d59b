//! The place where it happens: a product, ten buyers with a campaign in each of two tiers, and
//! consumers, each another person. Every campaign has a journal of its own.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use sim::buyers::{Behaviour, Buyer, Buyers, Handle, Latency, Options};

/// The publisher's key.
pub(crate) const KEY: &str = "crash-native";
pub(crate) const PRODUCT: &str = "loan";
pub(crate) const PUBLISHER: &str = "crash";

const BUYERS: u64 = 10;
const TIERS: u64 = 2;
/// Consumers' ages are spread over these.
const AGE_LEAST: u64 = 20;
const AGES: u64 = 40;

const PRODUCTS: &str = r#"
[publishers.crash]
name = "Publisher"
doors.native.keys = ["crash-native"]

[products.loan]
name = "Loan"
vertical = "loans"
country = "ES"
currency = "EUR"
timezone = "Europe/Madrid"
budget_ms = 5000
max_posts = 3
payout = { share = "0.80" }
min_margin = "0.50"
consents = ["terms"]
requires_redirect = true
tiers = [
  { mode = "auction", floor = "10.00", time_limit_ms = 800 },
  { mode = "auction", floor = "2.00", time_limit_ms = 800 },
]
"#;

fn campaigns() -> impl Iterator<Item = (u64, u64)> {
    (0..BUYERS).flat_map(|buyer| (1..=TIERS).map(move |tier| (buyer, tier)))
}

fn name(buyer: u64, tier: u64) -> String {
    format!("b{buyer}-t{tier}")
}

/// Starts the buyers; what each is posted stands in `journal`.
pub(crate) async fn buyers(journal: &Path, seed: u64) -> Handle {
    let behaviour = Behaviour::new()
        .latency(Latency::Uniform(Duration::from_millis(1), Duration::from_millis(8)))
        .bid(500, 4000)
        .bids(850)
        .accepts(900);
    let buyers = campaigns().map(|(buyer, tier)| Buyer::new(name(buyer, tier), behaviour));
    let options = Options {
        seed,
        journal: Some(journal.to_owned()),
        keep_pings: 0,
        // A buyer that forgot a lead would buy it again.
        keep_posts: 10_000_000,
        ..Options::default()
    };
    Buyers::start("127.0.0.1:0".parse().unwrap(), buyers, options).await.unwrap()
}

/// The market whose buyers listen at `at`. A consumer's age decides which two to four campaigns of a
/// tier want it.
pub(crate) fn market(at: &Handle) -> String {
    let mut text = PRODUCTS.to_owned();
    for buyer in 0..BUYERS {
        write!(text, "\n[buyers.b{buyer}]\nname = \"B{buyer}\"\nallowed_hosts = [\"127.0.0.1\"]\n")
            .unwrap();
    }
    for (buyer, tier) in campaigns() {
        let name = name(buyer, tier);
        let least = AGE_LEAST + (buyer + 3 * (tier - 1)) % BUYERS * AGES / BUYERS;
        let most = least + 11;
        write!(
            text,
            r#"
[buyers.b{buyer}.campaigns.{name}]
product = "loan"
tier = {tier}
filter = {{ age = {{ between = [{least}, {most}] }} }}
price = {{ bid = {{ min = "2.00", max = "60.00" }} }}
delivery.ping = {{ url = "{}", timeout_ms = 600 }}
delivery.post = {{ url = "{}", timeout_ms = 3000 }}
"#,
            at.ping_url(&name),
            at.post_url(&name),
        )
        .unwrap();
    }
    text
}

/// The age of the `n`-th consumer.
pub(crate) fn age(n: usize) -> u64 {
    AGE_LEAST + n as u64 * 7 % AGES
}

/// The e-mail address of the `n`-th consumer, which is nobody else's.
pub(crate) fn email(n: usize) -> String {
    format!("consumer{n}@example.org")
}

/// The `n`-th consumer at the native door.
pub(crate) fn lead(n: usize, external_id: &str) -> Value {
    json!({
        "product": PRODUCT,
        "external_id": external_id,
        "attributes": { "country": "ES", "age": age(n), "monthly_income": 2500, "amount": 5000 },
        "contact": { "first_name": "Ana", "email": email(n), "phone": format!("+3460{n:07}") },
        "consent": { "entries": [{ "type": "terms", "accepted": true }] },
    })
}
