//! What is sold in the measurement: one product and many campaigns, of which exactly as many want the
//! lead as its scene says, and the lead. Knows no process.

use std::fmt::Write as _;
use std::net::SocketAddr;

/// Campaigns that a buyer has among those that do not want the lead.
const PER_BUYER: usize = 100;

/// A set of buyers that a lead meets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene {
    /// What the lead asks for, so that only this scene's campaigns want it.
    pub(crate) purpose: &'static str,
    /// The first buyer.
    pub(crate) first: usize,
    /// How many buyers.
    pub(crate) count: usize,
}

/// Buyers that answer at once: one, four, sixteen.
pub(crate) const INSTANT: [Scene; 3] = [
    Scene { purpose: "one", first: 0, count: 1 },
    Scene { purpose: "four", first: 0, count: 4 },
    Scene { purpose: "sixteen", first: 0, count: 16 },
];
/// Four buyers that take 20 ms to bid.
pub(crate) const SLOW: Scene = Scene { purpose: "slow", first: 16, count: 4 };
/// Four buyers of which one never bids.
pub(crate) const HANGING: Scene = Scene { purpose: "hanging", first: 20, count: 4 };
/// Four buyers of which one leaves a ping in twenty without an answer: too seldom to be left out for it.
pub(crate) const STUMBLING: Scene = Scene { purpose: "stumbling", first: 24, count: 4 };

/// How each buyer answers pings, for the simulated buyers.
pub(crate) fn manners() -> Vec<&'static str> {
    let mut manners = vec!["0"; 16];
    manners.extend(["20"; 4]);
    manners.extend(["0", "0", "0", "hang/1"]);
    manners.extend(["0", "0", "0", "hang/20"]);
    manners
}

fn scenes() -> impl Iterator<Item = Scene> {
    INSTANT.into_iter().chain([SLOW, HANGING, STUMBLING])
}

const HEAD: &str = r#"
[publishers.bench]
name = "Bench"
doors.native.keys = ["bench"]

[products.loan]
name = "Personal loan"
vertical = "loans"
country = "ES"
currency = "EUR"
timezone = "Europe/Madrid"
budget_ms = 2000
payout = { share = "0.80" }
min_margin = "0.50"
consents = ["terms", "privacy_policy"]
duplicates = { keys = ["email"] }
requires_redirect = true
eligibility = { age = { min = 18, max = 75 }, monthly_income = { min = 600 }, countries = ["ES"] }
tiers = [{ mode = "auction", floor = "2.00", time_limit_ms = 1000 }]
"#;

/// The market file with so many campaigns. `buyers` are where the simulated ones are.
pub(crate) fn market(buyers: &[SocketAddr], campaigns: usize) -> String {
    let mut text = HEAD.to_owned();
    for (number, at) in buyers.iter().enumerate() {
        buyer(&mut text, &format!("buyer-{number}"));
        for scene in scenes() {
            if (scene.first..scene.first + scene.count).contains(&number) {
                let filter = format!(
                    r#"purpose = "{}", age = {{ between = [21, 65] }}, monthly_income = {{ gte = 1200 }}"#,
                    scene.purpose
                );
                campaign(&mut text, (&format!("buyer-{number}"), scene.purpose), &filter, *at);
            }
        }
    }
    let wanted: usize = scenes().map(|scene| scene.count).sum();
    // Nobody is ever asked there.
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    for number in 0..campaigns - wanted {
        let owner = format!("other-{}", number / PER_BUYER);
        if number % PER_BUYER == 0 {
            buyer(&mut text, &owner);
        }
        campaign(&mut text, (&owner, &format!("c-{number}")), &unwilling(number), nowhere);
    }
    text
}

fn buyer(text: &mut String, id: &str) {
    let table = format!("\n[buyers.{id}]\nname = \"{id}\"\nallowed_hosts = [\"127.0.0.1\"]\n");
    text.push_str(&table);
}

fn campaign(text: &mut String, (buyer, id): (&str, &str), filter: &str, at: SocketAddr) {
    write!(
        text,
        r#"
[buyers.{buyer}.campaigns.{id}]
product = "loan"
filter = {{ {filter} }}
price = {{ bid = {{ min = "2.00", max = "60.00" }} }}
caps = [{{ per = "day", leads = 100000000 }}]
delivery.ping = {{ url = "http://{at}/ping", timeout_ms = 1000 }}
delivery.post = {{ url = "http://{at}/post", timeout_ms = 3000 }}
"#
    )
    .unwrap_or_default();
}

/// A filter that the lead fails, by one of its conditions or another.
fn unwilling(number: usize) -> String {
    const REGIONS: [&str; 8] =
        ["Girona", "Sevilla", "Valencia", "Asturias", "Cantabria", "Murcia", "Navarra", "Zaragoza"];
    let region = |step: usize| REGIONS[(number / 5 + step) % REGIONS.len()];
    let spread = number % 97;
    match number % 5 {
        0 => format!(
            r#"region = {{ in = ["{}", "{}"] }}, age = {{ between = [21, {}] }}, monthly_income = {{ gte = {} }}"#,
            region(0),
            region(1),
            45 + spread % 30,
            800 + 10 * spread
        ),
        1 => format!(
            r#"postal_code = {{ starts_with = ["{:02}", "{:02}"] }}, amount = {{ between = [500, {}] }}"#,
            1 + spread % 26,
            30 + spread % 20,
            10_000 + 100 * spread
        ),
        2 => format!(
            r#"age = {{ between = [{}, 75] }}, region = {{ in = ["Madrid", "{}"] }}, purpose = {{ ne = "business" }}"#,
            41 + spread % 20,
            region(0)
        ),
        3 => format!(
            r#"monthly_income = {{ gte = {} }}, employment = {{ in = ["employed", "civil_servant"] }}"#,
            2_600 + 10 * spread
        ),
        _ => format!(
            r#"amount = {{ between = [{}, 20000] }}, any = [{{ employment = "employed" }}, {{ monthly_income = {{ gte = 3000 }} }}]"#,
            10_100 + 50 * spread
        ),
    }
}

/// The configuration of the engine.
pub(crate) fn configuration(public: SocketAddr, ops: SocketAddr) -> String {
    format!(
        r#"
[public]
listen = "{public}"
[ops]
listen = "{ops}"
[data]
dir = "data"
[market]
files = ["market.toml"]
[delivery]
allow = [{{ network = "127.0.0.0/8" }}]
plain_http = true
[limits]
leads_per_ip_minute = 4000000000
buyer_idle_connections = 1024
"#
    )
}

/// A lead's body. Leads of other numbers are other people.
pub(crate) fn lead(scene: Scene, number: u64) -> String {
    let purpose = scene.purpose;
    format!(
        r#"{{"product":"loan","sub_id":"fb-17","external_id":"x-{number:012}","tags":{{"click_id":"c-{number:012}"}},"source_url":"https://loans.example/apply","user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","attributes":{{"country":"ES","region":"Madrid","postal_code":"28001","age":38,"monthly_income":2500,"monthly_expenses":900,"amount":10000,"term_months":36,"purpose":"{purpose}","employment":"employed","marital_status":"married"}},"contact":{{"first_name":"Ana","last_name":"Prueba","email":"ana.{number:012}@example.org","phone":"+34600111222","address":{{"street":"Calle Mayor","house":"12","city":"Madrid","region":"Madrid","postal_code":"28001","country":"ES"}}}},"consent":{{"entries":[{{"type":"terms","accepted":true,"accepted_at":"2026-03-01T08:59:00Z","version":"v1"}},{{"type":"privacy_policy","accepted":true,"accepted_at":"2026-03-01T08:59:00Z","version":"v1"}}],"ip":"203.0.113.9","partners":[]}},"test":false}}"#
    )
}
