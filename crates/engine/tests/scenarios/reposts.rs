//! Reposts at a lower price and withdrawals: one lead, at most one sale, no campaign posted to twice.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::{Arrival, Withdrawal};
use lead::{
    Answer, Disposition, Door, LeadId, Money, PostClass, RejectionReason, Standard, Status,
};
use ledger::{LeadRecord, Ledger};
use proptest::prelude::*;

use crate::on_a_paused_clock;
use crate::promises::{payout, sell, world};
use crate::world::World;

/// Nova's bid pays 8.00 and its buyer refuses; Orion's pays 7.20, and Vega's 6.40.
const THREE_BUYERS: &str = r#"
[product]
duplicates = { keys = ["email"] }

[campaigns.nova]
ping = { bid = "10.00" }
post = { answer = "rejected", after_ms = 10 }

[campaigns.orion]
ping = { bid = "9.00" }
post = { answer = "accepted", after_ms = 10 }

[campaigns.vega]
ping = { bid = "8.00" }
post = { answer = "accepted", after_ms = 10 }
"#;

fn asking(world: &World, least: Option<&str>) -> Arrival {
    let mut arrival = world.arrival();
    let currency = "EUR".parse().unwrap();
    arrival.submission.min_payout =
        least.map(|amount| Money { amount: amount.parse().unwrap(), currency });
    arrival
}

async fn post(world: &World, least: Option<&str>) -> Answer {
    sell(world, asking(world, least)).await.unwrap()
}

fn id(answer: &Answer) -> LeadId {
    answer.lead.unwrap().0
}

fn duplicate() -> Status {
    Status::Rejected(RejectionReason::CustomerAlreadyExists)
}

async fn record(world: &World, id: LeadId) -> LeadRecord {
    world.books.lead(id).await.unwrap().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_lower_price_opens_the_same_lead_and_nobody_sees_it_twice() {
    let world = world(THREE_BUYERS);
    let first = post(&world, Some("8.00")).await;
    assert_eq!((&first.status, first.is_final), (&Status::New, true));
    assert_eq!(world.buyers.posts(), ["nova"]);

    let second = post(&world, Some("7.00")).await;
    assert_eq!(id(&second), id(&first), "the same lead");
    assert_eq!(payout(&second).as_deref(), Some("7.20"));
    assert_eq!((&second.external_id, &second.tags), (&first.external_id, &first.tags));
    assert_eq!(world.buyers.posts(), ["nova", "orion"], "nova had it before");

    let record = record(&world, id(&first)).await;
    assert_eq!((record.offers, record.disposition), (2, Some(Disposition::Sold)));
    let codes = record.decisions.iter().map(|row| (row.campaign.buyer.as_str(), row.code.number()));
    let codes: Vec<_> = codes.collect();
    assert_eq!(codes, [("nova", 2), ("orion", 0), ("vega", 301)]);
}

#[tokio::test(start_paused = true)]
async fn a_repost_that_is_repeated_gets_its_answer_again() {
    let world = world(THREE_BUYERS);
    let first = post(&world, Some("20.00")).await;
    let second = post(&world, Some("19.00")).await;
    assert_eq!((id(&second), &second.status), (id(&first), &Status::New));
    let asked = world.buyers.pings().len();
    assert_eq!(post(&world, Some("19.00")).await, second);
    assert_eq!(world.buyers.pings().len(), asked, "nobody is asked again");
    let third = post(&world, None).await;
    assert_eq!(payout(&third).as_deref(), Some("7.20"), "after nova's refusal");
    assert_eq!(post(&world, None).await, third);
    assert_eq!(post(&world, Some("1.00")).await.status, duplicate(), "it is sold");
    assert_eq!(record(&world, id(&first)).await.offers, 3);
}

#[tokio::test(start_paused = true)]
async fn anything_else_is_a_duplicate() {
    let world = world(THREE_BUYERS);
    let first = post(&world, Some("20.00")).await;
    assert_eq!(first.status, Status::New);
    type Change = fn(&mut Arrival);
    let changes: [(&str, Change); 8] = [
        ("no less", |it| it.submission.min_payout.as_mut().unwrap().amount = 20.into()),
        ("more", |it| it.submission.min_payout.as_mut().unwrap().amount = 21.into()),
        ("another door", |it| it.submission.door = Door::Leadhub),
        ("another id", |it| it.submission.external_id = Some("aff-124".to_owned())),
        ("no id", |it| it.submission.external_id = None),
        ("another phone", |it| it.submission.contact.phone = Some("+34600111333".to_owned())),
        ("no surname", |it| it.submission.contact.last_name = None),
        ("an amount", |it| it.submission.attributes.set_number(Standard::Amount, 9_000)),
    ];
    for (what, change) in changes {
        let mut arrival = asking(&world, Some("7.00"));
        change(&mut arrival);
        assert_eq!(sell(&world, arrival).await.unwrap().status, duplicate(), "{what}");
    }
    assert_eq!(record(&world, id(&first)).await.offers, 1);
    assert_eq!(payout(&post(&world, Some("7.00")).await).as_deref(), Some("7.20"));
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_somebody_may_have_is_not_opened() {
    let unknown = THREE_BUYERS.replace("\"rejected\"", "\"unknown\"");
    let world = world(&unknown);
    let first = post(&world, Some("8.00")).await;
    assert!(!first.is_final);
    assert_eq!(post(&world, Some("1.00")).await.status, duplicate(), "held");
    let publisher = "demo".parse().unwrap();
    let told = world.engine.withdraw(&publisher, id(&first)).await.unwrap();
    assert!(matches!(told, Some(Withdrawal::NotUnsold)), "{told:?}");
    tokio::spawn({
        let engine = world.engine.clone();
        async move { engine.keep_holds().await }
    });
    tokio::time::sleep(Duration::from_secs(25 * 3_600)).await;
    assert_eq!(record(&world, id(&first)).await.disposition, Some(Disposition::Unsold));
    assert_eq!(post(&world, Some("1.00")).await.status, duplicate(), "nobody ever said");
    assert_eq!(world.buyers.posts(), ["nova"]);
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_lead_is_never_opened_again() {
    let world = world(THREE_BUYERS);
    let (own, other) = ("demo".parse().unwrap(), "rival".parse().unwrap());
    let first = post(&world, Some("8.00")).await;
    assert!(world.engine.withdraw(&other, id(&first)).await.unwrap().is_none(), "foreign");
    for _ in 0..2 {
        let told = world.engine.withdraw(&own, id(&first)).await.unwrap();
        assert!(
            matches!(told, Some(Withdrawal::Done(answer)) if *answer == first),
            "twice is once"
        );
    }
    assert_eq!(post(&world, Some("1.00")).await.status, duplicate());
    assert_eq!(world.buyers.posts(), ["nova"]);
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_is_withdrawn_while_buyers_are_asked_again_is_posted_to_nobody() {
    let world = world(&THREE_BUYERS.replace("bid = \"9.00\"", "bid = \"9.00\", after_ms = 100"));
    let first = post(&world, Some("8.00")).await;
    let withdraw = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let publisher = world.arrival().submission.publisher;
        world.engine.withdraw(&publisher, id(&first)).await.unwrap().unwrap()
    };
    let (repost, withdrawal) = tokio::join!(post(&world, Some("7.00")), withdraw);
    assert!(matches!(withdrawal, Withdrawal::Done(_)));
    assert_eq!(repost.status, duplicate());
    assert_eq!(world.buyers.posts(), ["nova"]);
    let record = record(&world, id(&first)).await;
    assert_eq!((record.offers, record.disposition), (1, Some(Disposition::Unsold)));
}

#[tokio::test(start_paused = true)]
async fn a_sold_or_rejected_lead_cannot_be_withdrawn() {
    let world = world(THREE_BUYERS);
    let publisher = "demo".parse().unwrap();
    let sold = post(&world, None).await;
    let mut poor = world.arrival();
    poor.submission.attributes.set_number(Standard::MonthlyIncome, 100);
    let rejected = sell(&world, poor).await.unwrap();
    for answer in [sold, rejected] {
        let told = world.engine.withdraw(&publisher, id(&answer)).await.unwrap();
        assert!(matches!(told, Some(Withdrawal::NotUnsold)), "{told:?}");
        assert!(!record(&world, id(&answer)).await.withdrawn);
    }
}

/// What the sale contract asks of one lead, however it was offered.
fn contract(record: &LeadRecord, posted: &[String]) {
    let taken = |class| matches!(class, None | Some(PostClass::Accepted | PostClass::Unknown));
    let taken = record.posts.iter().filter(|post| taken(post.class)).count();
    assert!(taken <= 1, "{record:?}");
    let known: Vec<&str> = record.posts.iter().map(|post| post.campaign.buyer.as_str()).collect();
    let once: BTreeSet<&&str> = known.iter().collect();
    assert_eq!(once.len(), known.len(), "a campaign twice: {known:?}");
    assert!(posted.iter().all(|buyer| known.contains(&buyer.as_str())), "{posted:?} {known:?}");
    assert_eq!(posted.iter().collect::<BTreeSet<_>>().len(), posted.len(), "{posted:?}");
}

/// Stops everything at the `nth` commit of a repost, starts anew and reposts until something is final.
async fn crash(nth: usize, stored: bool, lower: &str) -> usize {
    let mut world = world(THREE_BUYERS);
    let first = post(&world, Some("20.00")).await;
    world.books.forget();
    world.books.stop_at_commit(nth, stored);
    let arrival = asking(&world, Some(lower));
    let hour = Duration::from_secs(3_600);
    let crashed = tokio::time::timeout(hour, sell(&world, arrival)).await.is_err();
    let commits = world.books.commits();
    if crashed {
        world.restart().await;
        for least in [lower, "1.00", "0.50"] {
            let answer = post(&world, Some(least)).await;
            assert!(answer.lead.is_none_or(|(lead, _)| lead == id(&first)), "another lead");
        }
    }
    let record = record(&world, id(&first)).await;
    contract(&record, &world.buyers.posts());
    assert!(record.disposition.is_some(), "it has settled");
    assert_eq!(world.books.memory().records().len(), 1);
    if crashed { commits } else { 0 }
}

#[test]
fn the_sale_contract_holds_wherever_a_repost_is_cut_off() {
    let mut windows = 0;
    for stored in [false, true] {
        for nth in 1.. {
            let reached = on_a_paused_clock(crash(nth, stored, "7.00"));
            if reached == 0 {
                break;
            }
            windows += 1;
        }
    }
    // Two intents and an end, each before and after it is stored.
    assert_eq!(windows, 6);
}

#[tokio::test(start_paused = true)]
async fn reposts_at_once_sell_once() {
    let world = world(THREE_BUYERS);
    let first = post(&world, Some("20.00")).await;
    let posts = (0..8).map(|_| sell(&world, asking(&world, Some("7.00"))));
    let mut paid = 0;
    for answer in futures_util::future::join_all(posts).await {
        let answer = answer.unwrap();
        assert_eq!(id(&answer), id(&first));
        paid += usize::from(payout(&answer).as_deref() == Some("7.20"));
    }
    assert_eq!(paid, 8, "all are told of the one sale");
    assert_eq!(world.buyers.posts(), ["nova", "orion"]);
    contract(&record(&world, id(&first)).await, &world.buyers.posts());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_asked_for_a_lead_is_sold_once_and_posted_once(
        words in proptest::collection::vec(0usize..3, 3),
        asked in proptest::collection::vec(0u32..12, 1..6),
        withdrawn in proptest::option::of(0usize..5),
    ) {
        on_a_paused_clock(async move {
            let mut text = "[product]\nduplicates = { keys = [\"email\"] }\n".to_owned();
            for (buyer, word) in ["nova", "orion", "vega"].iter().zip(&words) {
                let answer = ["accepted", "rejected", "not_sent"][*word];
                text += &format!(
                    "[campaigns.{buyer}]\nping = {{ bid = \"10.00\" }}\npost = {{ answer = \"{answer}\" }}\n"
                );
            }
            let world = world(&text);
            let publisher = "demo".parse().unwrap();
            let mut lead = None;
            for (at, least) in asked.iter().enumerate() {
                let answer = post(&world, Some(&least.to_string())).await;
                lead = lead.or(answer.lead.map(|(id, _)| id));
                assert!(answer.lead.is_none_or(|(id, _)| Some(id) == lead));
                if let (true, Some(lead)) = (withdrawn == Some(at), lead) {
                    world.engine.withdraw(&publisher, lead).await.unwrap();
                }
            }
            let record = record(&world, lead.unwrap()).await;
            let sent = record.posts.iter().filter(|post| post.class != Some(PostClass::NotSent));
            let sent: Vec<_> = sent.map(|post| &post.campaign).collect();
            assert_eq!(sent.iter().collect::<BTreeSet<_>>().len(), sent.len(), "{sent:?}");
            assert!(record.sales().count() <= 1);
            if let Some(at) = withdrawn {
                let lowest = asked.iter().take(at + 1).min().unwrap();
                let later = asked.iter().skip(at + 1);
                let sold = record.sales().next().is_some();
                if !sold && later.clone().any(|least| least < lowest) {
                    assert!(record.withdrawn);
                }
            }
        });
    }
}
