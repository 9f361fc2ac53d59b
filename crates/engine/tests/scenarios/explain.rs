//! Why each campaign did or did not buy: what holds of every record's explanation, and the cases in
//! which part of it can no longer be found out.

use std::collections::BTreeSet;

use document::{Defects, Slot};
use engine::explain::{self, Decisions, Row};
use engine::{Snapshot, source, version_of};
use lead::{Code, Gap, LeadId, PostClass, Stage};
use ledger::{LeadRecord, Ledger, Party};
use market::{Campaign, Product};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rules::{Encoded, Filter, Lists, Truth};
use rust_decimal::Decimal;

use crate::file::Scenario;
use crate::on_a_paused_clock;
use crate::world::World;

/// What is wrong with the explanations of a record whose journey used `market`.
pub(crate) fn faults(record: &LeadRecord, market: &Snapshot) -> Vec<String> {
    let mut faults = Vec::new();
    let (product, tree) = market.tree(&record.product).unwrap();
    let all = explain::operator(record, Some(market));
    if record.outcome.is_none() {
        if (all.gap, all.rows.len()) != (Some(Gap::Rejected), 0) {
            faults.push(format!("a rejected lead is explained: {all:?}"));
        }
        return faults;
    }
    if !all.rows.iter().map(|row| &row.campaign).eq(tree.campaigns.iter().map(|it| &it.key)) {
        faults.push("not every campaign is named once, in the order of the tree".to_owned());
    }
    let lead = Encoded::new(&record.submission.as_ref().unwrap().attributes, &product.dictionary);
    for (row, campaign) in all.rows.iter().zip(&tree.campaigns) {
        let wrong = of_row(row, record, (product, campaign, &lead));
        faults.extend(wrong.map(|what| format!("{}: {what}: {row:?}", row.campaign)));
        faults.extend(wins(row, &all, (product, campaign)));
    }
    faults.extend(of_buyers(record, market, &all));
    faults.extend(of_publisher(record, market));
    faults
}

fn of_row(
    row: &Row,
    record: &LeadRecord,
    (product, campaign, lead): (&Product, &Campaign, &Encoded),
) -> Option<&'static str> {
    let defects = Defects::new();
    let slot = Slot::root(&campaign.filter, &defects);
    let filter = Filter::parse(&slot, &product.dictionary, &Lists::default()).unwrap();
    let stored = record.decisions.iter().find(|stored| stored.campaign == row.campaign);
    let code = match filter.evaluate(lead) {
        Truth::True => stored.map(|stored| stored.code),
        Truth::False => Some(Code::Filter),
        Truth::Unknown => Some(Code::AttributeMissing),
    };
    let matched = filter.evaluate(lead) == Truth::True;
    let posted = record.posts.iter().any(|post| post.campaign == row.campaign);
    let bought = record.sales().any(|post| post.campaign == row.campaign);
    let limited = matches!(row.code, Some(Code::Cap | Code::Balance));
    [
        (stored.is_some() == matched, "it has a stored row and its filter does not want the lead"),
        (row.code == code || posted, "its code is another"),
        (row.failed == filter.explain(lead), "its reasons are not those of its filter"),
        ((row.stage == Stage::Filter) != matched, "its stage is another"),
        ((row.stage == Stage::Post) == posted, "its stage does not say that it was posted to"),
        (row.limit.is_some() == limited, "which cap it was is not there, or was none"),
        (row.price.is_some() == bought, "its price is not that of a sale"),
        (row.score.is_none() || row.bid.is_some(), "it has a score without a bid"),
        (!bought || row.score.is_some(), "it bought without a score"),
    ]
    .into_iter()
    .find_map(|(holds, what)| (!holds).then_some(what))
}

/// A price to win is the least that comes before the one that bought, and clears the floor.
fn wins(row: &Row, all: &Decisions, (product, campaign): (&Product, &Campaign)) -> Option<String> {
    let price = row.price_to_win?.amount;
    let floor = product.tiers[usize::from(row.tier) - 1].floor.amount;
    let rows = all.rows.iter().filter(|other| other.tier == row.tier && other.price.is_some());
    let best = rows.filter_map(|other| other.score).max();
    let score = |price| price * campaign.score.multiplier - campaign.score.penalty;
    let enough = |price| price >= floor && best.is_none_or(|best| score(price) >= best);
    let more = price + Decimal::new(1, 2);
    let less = price - Decimal::new(2, 2);
    (!enough(more) || enough(less)).then(|| format!("{}: {price} wins not: {all:?}", row.campaign))
}

fn of_buyers(record: &LeadRecord, market: &Snapshot, all: &Decisions) -> Vec<String> {
    let mut faults = Vec::new();
    for buyer in market.market.buyers.keys() {
        let stored = record.decisions.iter().any(|row| row.campaign.buyer == *buyer);
        let own = explain::buyer(record, Some(market), buyer);
        if own.is_some() != stored {
            faults.push(format!("{buyer} sees a lead that is none of its own, or not its own"));
        }
        let rows = own.map(|own| own.rows).unwrap_or_default();
        let theirs = all.rows.iter().filter(|row| row.campaign.buyer == *buyer);
        if stored && !rows.iter().map(|row| &row.campaign).eq(theirs.map(|row| &row.campaign)) {
            faults.push(format!("{buyer} does not see its own rows, or sees others"));
        }
        let of_publisher = |row: &Row| {
            row.payout.is_some() || row.limit.is_some_and(|it| it.party == Party::Publisher)
        };
        let sealed = |row: &Row| {
            row.failed.iter().any(|it| it.attribute == "birth_date" && it.actual.is_some())
        };
        if rows.iter().any(|row| of_publisher(row) || sealed(row)) {
            faults.push(format!("{buyer} sees what is not for it: {rows:?}"));
        }
    }
    faults
}

fn of_publisher(record: &LeadRecord, market: &Snapshot) -> Vec<String> {
    let told = explain::publisher(record, Some(market));
    let (_, tree) = market.tree(&record.product).unwrap();
    let counted: usize = told.not_matched.iter().map(|(_, count)| count).sum();
    let mut faults = Vec::new();
    if told.steps.len() != record.decisions.len()
        || told.steps.len() + counted != tree.campaigns.len()
    {
        faults.push(format!("the publisher is not told of every campaign: {told:?}"));
    }
    let text = format!("{told:?}");
    let mut names = tree.campaigns.iter().map(|it| it.key.buyer.as_str());
    let named = names.find(|name| text.contains(*name));
    faults.extend(named.map(|name| format!("the publisher is told of {name}: {text}")));
    faults
}

const FILTERS: [&str; 10] = [
    "age = { gte = 30 }, credit_score = { gte = 600 }",
    "age = { gte = 30 }",
    "age = { lt = 30 }",
    "employment = { in = [\"employed\"] }",
    "employment = { not_in = [\"employed\"], or_missing = true }",
    "birth_date = { lt = \"1980-01-01\" }",
    "credit_score = { gte = 600 }",
    "not = { purpose = \"business\" }",
    "any = [{ credit_score = { gte = 700 } }, { region = \"Madrid\" }]",
    "direct_deposit = { exists = true }",
];
const SAID: [&str; 6] = [
    "employment = \"employed\"",
    "employment = \"retired\"",
    "credit_score = 650",
    "purpose = \"business\"",
    "purpose = \"car\"",
    "direct_deposit = true",
];

fn drawn(filters: &[Vec<&str>], said: &[&str], born: &str) -> String {
    let mut text = format!("[lead]\ncontact.birth_date = \"{born}\"\n[lead.attributes]\n");
    let mut names = BTreeSet::new();
    for line in said {
        // Of two values of one attribute the first counts.
        if names.insert(line.split(' ').next()) {
            text.push_str(&format!("{line}\n"));
        }
    }
    for (number, parts) in filters.iter().enumerate() {
        let buyer = ["nova", "orion", "atlas"][number % 3];
        // One of two: both together may contradict each other, which no market may.
        let filter = match parts.as_slice() {
            [one, other] => format!("any = [{{ {one} }}, {{ {other} }}]"),
            parts => parts.concat(),
        };
        let (cents, score) = (number * 7 % 100, 8 + number % 5);
        text.push_str(&format!(
            "[campaigns.\"{buyer}/c{number}\"]\nis = {{ filter = {{ {filter} }}, score = {{ multiplier = \"0.{score:02}\" }} }}\n\
             ping = {{ bid = \"{}.{cents:02}\" }}\npost = {{ answer = \"{}\" }}\n",
            2 + number % 4,
            ["accepted", "rejected"][number % 2],
        ));
    }
    text
}

async fn sold_without_fault(text: &str) -> Vec<String> {
    let world = World::of(Scenario::read(text).map_err(|faults| faults.join("\n")).unwrap());
    world.sell().await.unwrap();
    world.engine.drain().await;
    world.faults()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn stored_and_found_again_name_every_campaign_once(
        filters in prop::collection::vec(subsequence(FILTERS.to_vec(), 0..3), 1..9),
        said in subsequence(SAID.to_vec(), 0..5),
        born in select(vec!["1975-05-05", "1988-05-10", "2000-01-01"]),
    ) {
        let text = drawn(&filters, &said, born);
        let found = on_a_paused_clock(sold_without_fault(&text));
        prop_assert!(found.is_empty(), "{found:#?}\n{text}");
    }
}

const MARKET: &str = r#"
[publishers.demo]
name = "Demo"
doors.native.keys = ["demo-native"]

[products.loan]
name = "Loan"
vertical = "loans"
country = "ES"
currency = "EUR"
timezone = "Europe/Madrid"
budget_ms = 2000
payout = { share = "0.8" }
duplicates = { keys = [] }
tiers = [{ mode = "auction" }]

[buyers.nova]
name = "Nova"
allowed_hosts = ["127.0.0.1"]
[buyers.nova.campaigns.main]
product = "loan"
filter = { age = { gte = 21 } }
price = { fixed = "9.00" }
delivery.post = { url = "http://127.0.0.1:9000/post" }

[buyers.orion]
name = "Orion"
allowed_hosts = ["127.0.0.1"]
[buyers.orion.campaigns.main]
product = "loan"
filter = { age = { gte = 60 }, credit_score = { gte = 600 } }
price = { fixed = "8.00" }
delivery.post = { url = "http://127.0.0.1:9000/post" }
"#;

const TWO: &str = r#"
[campaigns.nova]
is = { price = { fixed = "9.00" } }
post = { answer = "accepted" }
[campaigns.orion]
is = { price = { fixed = "8.00" } }
post = { answer = "accepted" }
"#;

/// A world in which the market of [`MARKET`] is on record as version 1 and sold one lead.
async fn sold_by_a_market_on_record() -> (World, LeadId) {
    let world = World::of(Scenario::read(TWO).map_err(|defects| defects.join("\n")).unwrap());
    let text = source(&[MARKET.to_owned()]);
    let version = version_of(&world.books, &text).await.unwrap();
    world.engine.swap(Snapshot::read(&text, version).unwrap());
    let lead = world.sell().await.unwrap().lead.unwrap().0;
    world.engine.drain().await;
    (world, lead)
}

/// `campaign code failures` of every row.
async fn told(world: &World, lead: LeadId) -> (Option<Gap>, Vec<String>) {
    let all = world.engine.evidence(lead).await.unwrap().unwrap().for_operator();
    let row = |row: &Row| {
        let failed: Vec<_> = row.failed.iter().map(|it| it.path.as_str()).collect();
        let code = row.code.map_or("-", Code::name);
        format!("{} {code} {}", row.campaign, failed.join(" ")).trim_end().to_owned()
    };
    (all.gap, all.rows.iter().map(row).collect())
}

const THEN: [&str; 2] = ["nova/main sold", "orion/main filter age.gte credit_score.gte"];

#[tokio::test(start_paused = true)]
async fn an_old_lead_is_explained_by_the_market_of_its_time() {
    let (world, lead) = sold_by_a_market_on_record().await;
    assert_eq!(told(&world, lead).await, (None, THEN.map(str::to_owned).to_vec()));
    let changed = MARKET.replace("nova", "atlas").replace("gte = 60", "gte = 18");
    let text = source(&[changed]);
    assert_eq!(version_of(&world.books, &text).await, Ok(2));
    assert_eq!(version_of(&world.books, &text).await, Ok(2), "the same market again");
    world.engine.swap(Snapshot::read(&text, 2).unwrap());
    assert_eq!(told(&world, lead).await, (None, THEN.map(str::to_owned).to_vec()));
    let publisher = "demo".parse().unwrap();
    let told = world.engine.explain(&publisher, lead).await.unwrap().unwrap();
    assert_eq!((told.steps.len(), told.not_matched), (1, vec![(Code::Filter, 1)]));
    let back = source(&[MARKET.to_owned()]);
    assert_eq!(version_of(&world.books, &back).await, Ok(3), "what comes back comes anew");
}

#[tokio::test(start_paused = true)]
async fn of_an_erased_lead_the_stored_rows_are_left() {
    let (world, lead) = sold_by_a_market_on_record().await;
    world.books.memory().erase(lead).await.unwrap();
    let stored = vec![THEN[0].to_owned()];
    assert_eq!(told(&world, lead).await, (Some(Gap::Erased), stored));
    let publisher = "demo".parse().unwrap();
    let told = world.engine.explain(&publisher, lead).await.unwrap().unwrap();
    assert_eq!((told.steps.len(), told.not_matched.len()), (1, 0));
    assert_eq!(told.gap, Some(Gap::Erased));
    let answer = world.engine.find(&publisher, lead).await.unwrap().unwrap();
    assert!(matches!(answer.status, lead::Status::Distributed { .. }), "what was paid stays");
    assert_eq!(answer.external_id, None);
}

#[tokio::test(start_paused = true)]
async fn of_a_market_that_nobody_can_read_the_stored_rows_are_left() {
    let (world, lead) = sold_by_a_market_on_record().await;
    let stored = (Some(Gap::Market), vec![THEN[0].to_owned()]);
    for source in [None, Some("no list"), Some("[\"no = [ market\"]")] {
        let books = ledger::MemoryLedger::new();
        if let Some(source) = source {
            let market = ledger::KeptMarket { version: 1, source: source.to_owned() };
            books.keep_market(market).await.unwrap();
        }
        let market = books.market(1).await.unwrap();
        let market = market.and_then(|source| Snapshot::read(&source, 1).ok());
        let record = world.books.lead(lead).await.unwrap().unwrap();
        let all = explain::operator(&record, market.as_ref());
        assert_eq!((all.gap, all.rows.len()), (stored.0, stored.1.len()), "{source:?}");
    }
    // Through the engine, which may only have forgotten to keep it.
    let changed = source(&[MARKET.replace("9.00", "9.50")]);
    world.engine.swap(Snapshot::read(&changed, 77).unwrap());
    let later = world.sell().await.unwrap().lead.unwrap().0;
    world.engine.drain().await;
    world.engine.swap(Snapshot::read(&changed, 78).unwrap());
    assert_eq!(told(&world, later).await, stored);
}

#[tokio::test(start_paused = true)]
async fn a_crash_leaves_posts_to_tell_of() {
    let (world, lead) = sold_by_a_market_on_record().await;
    let mut record = world.books.lead(lead).await.unwrap().unwrap();
    // As a start settles a lead whose process died after its intent.
    record.decisions.clear();
    record.posts[0].class = Some(PostClass::Unknown);
    record.posts[0].code = Some(Code::Unknown);
    let market = world.engine.snapshot();
    let rows = |record: &LeadRecord| -> Vec<_> {
        let all = explain::operator(record, Some(&market));
        all.rows.iter().map(|row| (row.stage, row.code)).collect()
    };
    let filtered = (Stage::Filter, Some(Code::Filter));
    assert_eq!(rows(&record), [(Stage::Post, Some(Code::Unknown)), filtered]);
    record.posts.clear();
    assert_eq!(
        rows(&record),
        [(Stage::Gate, None), filtered],
        "it wanted the lead: no more is known"
    );
    assert_eq!(explain::publisher(&record, Some(&market)).steps, []);
    assert_eq!(explain::buyer(&record, Some(&market), &"nova".parse().unwrap()), None);
}
