//! What becomes of a post whose answer stays unknown: a person, its buyer at a start, or time settles it.

use std::time::Duration;

use engine::{ReviewRefusal, Verdict};
use lead::{CampaignKey, Disposition, LeadId, Money, OfferOutcome, PostClass, Status};
use ledger::{Entry, Intent, LeadRecord, Ledger, NewLead, Write};

use crate::file::Scenario;
use crate::world::World;

/// One lead fills the cap of the buyer that may have it.
const UNKNOWN: &str = r#"
[campaigns.orion]
is.caps = [{ per = "total", leads = 1 }]
ping = { bid = "15.00" }
post = { answer = "unknown" }
"#;

const CHAIN: &str = r#"
[campaigns.orion]
is.on_ambiguous = "next_buyer"
ping = { bid = "15.00" }
post = { answer = "unknown" }

[campaigns.nova]
is.on_ambiguous = "next_buyer"
ping = { bid = "12.50" }
post = { answer = "unknown" }

[campaigns.vega]
ping = { bid = "10.00" }
post = { answer = "LAST" }
"#;

fn world(text: &str) -> World {
    World::of(Scenario::read(text).map_err(|defects| defects.join("\n")).unwrap())
}

fn main_of(buyer: &str) -> CampaignKey {
    CampaignKey { buyer: buyer.parse().unwrap(), campaign: "main".parse().unwrap() }
}

async fn sell(world: &World) -> LeadId {
    let answer = world.sell().await.unwrap();
    world.engine.drain().await;
    answer.lead.unwrap().0
}

async fn record(world: &World, lead: LeadId) -> LeadRecord {
    world.books.lead(lead).await.unwrap().unwrap()
}

fn stands(record: &LeadRecord) -> (Option<OfferOutcome>, Option<Disposition>) {
    (record.outcome, record.disposition)
}

const INDETERMINATE: (Option<OfferOutcome>, Option<Disposition>) =
    (Some(OfferOutcome::Indeterminate), Some(Disposition::Indeterminate));
const SOLD: (Option<OfferOutcome>, Option<Disposition>) =
    (Some(OfferOutcome::Sold), Some(Disposition::Sold));
const UNSOLD: (Option<OfferOutcome>, Option<Disposition>) =
    (Some(OfferOutcome::Unsold), Some(Disposition::Unsold));

#[tokio::test(start_paused = true)]
async fn a_person_says_what_became_of_a_post() {
    for (verdict, stood, room) in [(Verdict::Sold, SOLD, false), (Verdict::NotSold, UNSOLD, true)] {
        let world = world(UNKNOWN);
        let lead = sell(&world).await;
        assert_eq!(stands(&record(&world, lead).await), INDETERMINATE);
        let publisher = "demo".parse().unwrap();
        assert!(!world.engine.find(&publisher, lead).await.unwrap().unwrap().is_final);
        world.engine.review(lead, &main_of("orion"), verdict).await.unwrap();
        let after = record(&world, lead).await;
        assert_eq!(stands(&after), stood);
        assert_eq!(after.decisions.len(), 1, "its rows stay");
        let told = world.engine.find(&publisher, lead).await.unwrap().unwrap();
        assert!(told.is_final);
        let paid = match told.status {
            Status::Distributed { payout, .. } => payout.to_wire(),
            _ => "nothing".to_owned(),
        };
        assert_eq!(paid, if room { "nothing" } else { "12.00" });
        // What it held is the sale's now, or is free for the next lead.
        world.sell().await.unwrap();
        assert_eq!(world.buyers.posts().len(), 1 + usize::from(room), "{verdict:?}");
        let again = world.engine.review(lead, &main_of("orion"), verdict).await;
        assert_eq!(again, Err(ReviewRefusal::NotHeld), "what is settled stays");
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_is_held_is_reviewed() {
    let world = world(&UNKNOWN.replace("\"unknown\"", "\"never\""));
    let early = world.sell().await.unwrap().lead.unwrap().0;
    let review =
        async |lead, buyer| world.engine.review(lead, &main_of(buyer), Verdict::Sold).await;
    assert_eq!(review(early, "orion").await, Err(ReviewRefusal::NotHeld), "its post still runs");
    world.engine.drain().await;
    assert_eq!(review(early, "nova").await, Err(ReviewRefusal::NotHeld));
    let other = LeadId::new("2026-01-01T00:00:00Z".parse().unwrap(), [9; 10]);
    assert_eq!(review(other, "orion").await, Err(ReviewRefusal::NotHeld));
    assert_eq!(review(early, "orion").await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_review_that_is_not_stored_changes_nothing() {
    let world = world(UNKNOWN);
    let lead = sell(&world).await;
    world.books.fail_commit(3);
    let refused = world.engine.review(lead, &main_of("orion"), Verdict::NotSold).await;
    assert!(matches!(refused, Err(ReviewRefusal::Ledger(_))), "{refused:?}");
    assert_eq!(stands(&record(&world, lead).await), INDETERMINATE);
    world.sell().await.unwrap();
    assert_eq!(world.buyers.posts().len(), 1, "its cap stays taken");
    world.engine.review(lead, &main_of("orion"), Verdict::NotSold).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_nobody_resolves_ends_as_not_sold() {
    for (held_for, hours) in [("", 24), ("hold_for = \"2h\"", 2)] {
        let world = world(&format!("[product]\n{held_for}\n{UNKNOWN}"));
        let lead = sell(&world).await;
        let engine = world.engine.clone();
        let keeper = tokio::spawn(async move { engine.keep_holds().await });
        let minute = Duration::from_secs(60);
        tokio::time::sleep(minute * (hours * 60 - 1)).await;
        assert_eq!(
            stands(&record(&world, lead).await),
            INDETERMINATE,
            "after {hours} h less 1 min"
        );
        tokio::time::sleep(2 * minute).await;
        let after = record(&world, lead).await;
        assert_eq!(stands(&after), UNSOLD, "after {hours} h");
        assert_eq!(after.posts[0].class, Some(PostClass::Rejected));
        world.sell().await.unwrap();
        assert_eq!(world.buyers.posts().len(), 2, "the cap has room again");
        keeper.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_over_only_once_that_is_stored() {
    let world = world(UNKNOWN);
    let lead = sell(&world).await;
    let engine = world.engine.clone();
    let keeper = tokio::spawn(async move { engine.keep_holds().await });
    world.books.memory().set_trouble(Some("disk full".to_owned()));
    tokio::time::sleep(Duration::from_secs(25 * 3_600)).await;
    assert_eq!(stands(&record(&world, lead).await), INDETERMINATE);
    world.books.memory().set_trouble(None);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(stands(&record(&world, lead).await), UNSOLD);
    keeper.abort();
}

#[tokio::test(start_paused = true)]
async fn a_lead_ends_with_the_last_of_its_unknown_posts() {
    let world = world(&CHAIN.replace("LAST", "rejected"));
    let lead = sell(&world).await;
    let held = record(&world, lead).await;
    assert_eq!(stands(&held), INDETERMINATE);
    let risky: Vec<_> = held.posts.iter().map(ledger::PostRecord::is_at_risk).collect();
    assert_eq!(risky, [false, true, true]);
    world.engine.review(lead, &main_of("nova"), Verdict::NotSold).await.unwrap();
    assert_eq!(stands(&record(&world, lead).await), INDETERMINATE, "orion may have it");
    world.engine.review(lead, &main_of("orion"), Verdict::NotSold).await.unwrap();
    assert_eq!(stands(&record(&world, lead).await), UNSOLD);
}

#[tokio::test(start_paused = true)]
async fn a_second_sale_at_risk_is_on_record_as_one() {
    let world = world(&CHAIN.replace("LAST", "accepted"));
    let lead = sell(&world).await;
    assert_eq!(stands(&record(&world, lead).await), SOLD);
    world.engine.review(lead, &main_of("orion"), Verdict::Sold).await.unwrap();
    world.engine.review(lead, &main_of("nova"), Verdict::NotSold).await.unwrap();
    let after = record(&world, lead).await;
    assert_eq!(stands(&after), SOLD);
    let sales: Vec<_> =
        after.sales().map(|sale| (sale.campaign.buyer.as_str(), sale.is_at_risk())).collect();
    assert_eq!(sales, [("orion", false), ("vega", true)]);
}

/// A lead whose post was under way when the last run ended.
async fn interrupted(world: &World) -> LeadId {
    let arrival = world.arrival();
    let lead = LeadId::new(arrival.at, [7; 10]);
    let money =
        |text: &str| Money { amount: text.parse().unwrap(), currency: "EUR".parse().unwrap() };
    let intent = Intent {
        campaign: main_of("orion"),
        attempt: 0,
        slot: 0,
        price: money("15.00"),
        payout: money("12.00"),
        expected: None,
        at: arrival.at,
    };
    let created = NewLead {
        signals: Vec::new(),
        received_at: arrival.at,
        market_version: 1,
        submission: arrival.submission.into(),
        claims: Vec::new(),
        request: None,
    };
    let entries = vec![Entry::Intent(intent)];
    world.books.commit(Write { lead, created: Some(created.into()), entries }).await.unwrap();
    lead
}

#[tokio::test(start_paused = true)]
async fn a_start_asks_as_the_policy_says() {
    let status = "is.delivery.status = { url = \"http://127.0.0.1:9000/status\" }";
    let honours = "is.honours_idempotency_key = true";
    for (policy, means, script, stood) in [
        ("hold", "", "", INDETERMINATE),
        ("next_buyer", "", "", INDETERMINATE),
        ("status_query", status, "status = [\"unknown\", \"accepted\"]", SOLD),
        ("status_query", status, "status = [\"rejected\"]", UNSOLD),
        ("status_query", status, "status = [\"unknown\"]", INDETERMINATE),
        ("retry_same_key", honours, "again = [\"unknown\", \"accepted\"]", SOLD),
        ("retry_same_key", honours, "again = [\"rejected\"]", UNSOLD),
        ("retry_same_key", honours, "again = [\"not_sent\"]", INDETERMINATE),
    ] {
        let world = world(&format!(
            "{}is.on_ambiguous = \"{policy}\"\n{means}\n{script}\n",
            UNKNOWN.trim_start()
        ));
        let lead = interrupted(&world).await;
        let recovered = world.engine.recover().await.unwrap();
        assert_eq!((recovered.held, recovered.settled), (1, 0));
        world.engine.drain().await;
        assert_eq!(stands(&record(&world, lead).await), stood, "{policy} {script}");
        assert_eq!(world.buyers.faults(), Vec::<String>::new());
        assert!(world.buyers.posts().is_empty(), "nothing is posted anew");
        // A sale and a hold fill the cap, a refusal leaves it free.
        world.sell().await.unwrap();
        let room = usize::from(stood == UNSOLD);
        assert_eq!(world.buyers.posts().len(), room, "{policy} {script}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_outlives_the_run_that_began_it() {
    let world = world(UNKNOWN);
    let lead = interrupted(&world).await;
    world.engine.recover().await.unwrap();
    world.engine.review(lead, &main_of("orion"), Verdict::NotSold).await.unwrap();
    assert_eq!(stands(&record(&world, lead).await), UNSOLD);
    world.sell().await.unwrap();
    assert_eq!(world.buyers.posts(), ["orion"], "the cap has room again");
}
