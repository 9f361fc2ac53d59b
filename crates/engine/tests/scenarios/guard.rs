//! What holds when a journey, its publisher, its ledger or its room gives out.

use std::time::Duration;

use engine::{Arrival, Refusal};
use lead::{Disposition, OfferOutcome, PostClass, Status};
use ledger::{Answered, Ledger, Refused};

use crate::file::Scenario;
use crate::world::{World, is_of_the_ledger};

const SOLD_AFTER_100_MS: &str = r#"
[campaigns.nova]
ping = { bid = "10.00" }
post = { answer = "accepted", after_ms = 100 }
"#;

const REJECTED_THEN_SOLD: &str = r#"
[campaigns.nova]
ping = { bid = "10.00" }
post = { answer = "rejected", after_ms = 10 }

[campaigns.orion]
ping = { bid = "9.00" }
post = { answer = "accepted", after_ms = 10 }
"#;

/// Time enough for a failed write to be tried again.
const LATER: Duration = Duration::from_secs(5);

fn scenario(text: &str) -> Scenario {
    Scenario::read(text).map_err(|defects| defects.join("\n")).unwrap()
}

fn world(text: &str) -> World {
    World::of(scenario(text))
}

fn is_a_bug<T>(answer: &Result<T, Refusal>) -> bool {
    matches!(answer, Err(Refusal::Bug(_)))
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_post_leaves_the_lead_indeterminate() {
    let world = world(
        r#"
        [campaigns.nova]
        ping = { bid = "10.00" }
        post = { answer = "panics", after_ms = 10 }

        [campaigns.orion]
        ping = { bid = "9.00" }
        post = { answer = "accepted" }
        "#,
    );
    let answer = world.sell().await;
    assert!(is_a_bug(&answer), "{answer:?}");
    // What settles it is waited for too.
    world.engine.drain().await;
    let record = world.books.only_record().unwrap();
    assert_eq!(record.outcome, Some(OfferOutcome::Indeterminate));
    assert_eq!(record.disposition, Some(Disposition::Indeterminate));
    assert_eq!(record.posts[0].class, Some(PostClass::Unknown));
    assert_eq!(world.faults(), Vec::<String>::new());
    assert_eq!(world.buyers.posts(), ["nova"]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_between_posts_leaves_the_offer_expired() {
    let world = world(
        r#"
        [product]
        tiers = [{ mode = "auction" }, { mode = "auction" }]

        [campaigns.nova]
        ping = { bid = "10.00" }
        post = { answer = "rejected", after_ms = 10 }

        [campaigns.orion]
        is.tier = 2
        ping = "panics"
        "#,
    );
    let answer = world.sell().await;
    assert!(is_a_bug(&answer), "{answer:?}");
    world.engine.drain().await;
    let record = world.books.only_record().unwrap();
    assert_eq!(record.outcome, Some(OfferOutcome::Expired));
    assert_eq!(record.disposition, Some(Disposition::Unsold));
    assert_eq!(record.posts[0].class, Some(PostClass::Rejected));
    assert_eq!(record.decisions.len(), 2, "its rows are kept");
    assert_eq!(world.faults(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_anything_was_written_leaves_no_trace_and_gives_its_room_back() {
    let text = "[campaigns.nova]\nping = \"panics\"\n";
    let world = World::with_room_for(1, scenario(text));
    for _ in 0..2 {
        let answer = world.sell().await;
        assert!(is_a_bug(&answer), "{answer:?}");
    }
    world.engine.drain().await;
    assert!(!world.engine.is_busy());
    assert_eq!(world.faults(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_repeat_gets_the_first_answer_until_that_has_arrived() {
    let world = world(SOLD_AFTER_100_MS);
    let request = || Arrival { body: [7; 32], ..world.arrival() };
    let sell = async || world.engine.distribute(request()).await.unwrap();
    let first = sell().await;
    world.engine.drain().await;
    // It is on its way: nobody knows yet whether it arrives.
    let second = sell().await;
    assert_eq!(second.answer, first.answer);
    second.arrived();
    drop(first);
    let third = sell().await;
    assert_eq!(world.buyers.posts(), ["nova"], "it did not arrive, so it was kept");
    third.arrived();

    let heard = || Arrival { body: [8; 32], ..world.arrival() };
    for _ in 0..2 {
        world.engine.distribute(heard()).await.unwrap().arrived();
    }
    assert_eq!(world.buyers.posts(), ["nova"; 3], "whoever has the answer and asks again means it");
}

const TWO_SLOTS: &str = r#"
[product]
slots = 2
tiers = [{ mode = "broadcast" }]

[campaigns.nova]
is = { sells = "shared", price = { fixed = "10.00" } }
post = { answer = "accepted", after_ms = 10 }

[campaigns.orion]
is = { sells = "shared", price = { fixed = "9.00" } }
post = { answer = "accepted", after_ms = 10 }
"#;

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_post_of_a_slot_leaves_what_is_sold_sold() {
    let text = TWO_SLOTS.replace(
        "price = { fixed = \"9.00\" } }\npost = { answer = \"accepted\"",
        "price = { fixed = \"9.00\" } }\npost = { answer = \"panics\"",
    );
    let world = world(&text);
    let answer = world.sell().await;
    assert!(is_a_bug(&answer), "{answer:?}");
    world.engine.drain().await;
    let record = world.books.only_record().unwrap();
    assert_eq!(record.outcome, Some(OfferOutcome::Sold));
    assert_eq!(record.disposition, Some(Disposition::Sold));
    let classes: Vec<_> = record.posts.iter().map(|post| (post.slot, post.class)).collect();
    assert_eq!(classes, [(1, Some(PostClass::Accepted)), (2, Some(PostClass::Unknown))]);
    assert_eq!(world.faults(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn without_a_commit_between_slots_the_first_is_written_later_and_the_second_not_posted() {
    let world = world(TWO_SLOTS);
    world.books.fail_commit(2);
    let answer = world.sell().await;
    world.engine.drain().await;
    assert!(is_of_the_ledger(&answer), "{answer:?}");
    assert_eq!(world.buyers.posts(), ["nova"]);
    tokio::time::sleep(LATER).await;
    let record = world.books.only_record().unwrap();
    let classes: Vec<_> = record.posts.iter().map(|post| post.class).collect();
    assert_eq!(classes, [Some(PostClass::Accepted)]);
    assert_eq!(record.outcome, Some(OfferOutcome::Sold));
    assert_eq!(record.disposition, Some(Disposition::Sold));
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_test_lead_stays_a_test_lead() {
    let world = world(
        r#"
        [lead]
        test = true

        [campaigns.nova]
        is.delivery.sandbox = { post_url = "http://127.0.0.1:9000/sandbox" }
        ping = { bid = "10.00" }
        post = { answer = "panics" }
        "#,
    );
    let answer = world.sell().await;
    assert!(is_a_bug(&answer), "{answer:?}");
    world.engine.drain().await;
    let record = world.books.only_record().unwrap();
    assert_eq!(record.disposition, Some(Disposition::Test));
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_hangs_up_does_not_erase_the_sale() {
    let world = world(SOLD_AFTER_100_MS);
    let waited = Duration::from_millis(40);
    let gone = tokio::time::timeout(waited, world.sell()).await;
    assert!(gone.is_err() && world.buyers.posts() == ["nova"], "it hangs up during the post");
    world.engine.drain().await;
    assert_eq!(world.elapsed_ms(), 100, "the journey is waited for");
    let record = world.books.only_record().unwrap();
    assert_eq!(record.disposition, Some(Disposition::Sold));
    assert_eq!(world.faults(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_a_post_that_outlasts_its_answer() {
    let world = world(
        r#"
        [campaigns.nova]
        ping = { bid = "10.00" }
        post = { answer = "accepted", after_ms = 4000 }
        "#,
    );
    let answer = world.sell().await.unwrap();
    assert!(answer.status == Status::New && !answer.is_final, "{answer:?}");
    let (id, _) = answer.lead.unwrap();
    let early = world.books.lead(id).await.unwrap().unwrap();
    assert_eq!((early.disposition, early.posts[0].class), (None, None), "while the post runs");
    assert_eq!(early.answered, Some(Answered::New), "what was told is on record");
    world.engine.drain().await;
    assert_eq!(world.elapsed_ms(), 4000);
    assert_eq!(world.books.only_record().unwrap().disposition, Some(Disposition::Sold));
}

#[tokio::test(start_paused = true)]
async fn without_its_first_commit_a_lead_is_refused_and_posted_to_nobody() {
    let world = world(SOLD_AFTER_100_MS);
    world.books.fail_commit(1);
    let answer = world.sell().await;
    world.engine.drain().await;
    assert!(is_of_the_ledger(&answer), "{answer:?}");
    assert!(world.buyers.posts().is_empty());
    assert!(world.books.only_record().is_none());
    tokio::time::sleep(LATER).await;
    assert_eq!(world.books.commits(), 1, "nothing is written of a lead that was refused");
}

#[tokio::test(start_paused = true)]
async fn without_its_second_commit_a_sale_is_not_told_and_is_written_later() {
    let world = world(SOLD_AFTER_100_MS);
    world.books.fail_commit(2);
    let answer = world.sell().await;
    world.engine.drain().await;
    assert!(is_of_the_ledger(&answer), "{answer:?}");
    assert_eq!(world.buyers.posts(), ["nova"]);
    let record = world.books.only_record().unwrap();
    assert_eq!((record.disposition, record.posts[0].class), (None, None));
    assert_eq!(world.books.commits(), 2);
    tokio::time::sleep(LATER).await;
    assert_eq!(world.books.only_record().unwrap().disposition, Some(Disposition::Sold));
    assert_eq!(world.buyers.posts(), ["nova"], "what is written again is not posted again");
}

#[tokio::test(start_paused = true)]
async fn without_a_commit_between_posts_there_is_no_second_post() {
    let world = world(REJECTED_THEN_SOLD);
    world.books.fail_commit(2);
    let answer = world.sell().await;
    world.engine.drain().await;
    assert!(is_of_the_ledger(&answer), "{answer:?}");
    assert_eq!(world.buyers.posts(), ["nova"]);
    let record = world.books.only_record().unwrap();
    assert_eq!(record.posts.len(), 1, "the second intent is not on record");
    tokio::time::sleep(LATER).await;
    let record = world.books.only_record().unwrap();
    let classes: Vec<_> = record.posts.iter().map(|post| post.class).collect();
    assert_eq!(classes, [Some(PostClass::Rejected)], "nor is it written for a post never made");
    assert_eq!(record.outcome, Some(OfferOutcome::Expired));
    assert_eq!(record.disposition, Some(Disposition::Unsold));
}

#[tokio::test(start_paused = true)]
async fn a_post_that_was_never_made_takes_nothing_of_a_cap() {
    let text = "is.caps = [{ per = \"day\", leads = 1 }]\nping";
    let world = world(&SOLD_AFTER_100_MS.replace("ping", text));
    world.books.fail_commit(1);
    let refused = world.sell().await;
    assert!(is_of_the_ledger(&refused), "{refused:?}");
    for (sold, why) in [(true, "the cap has room"), (false, "one sale fills it")] {
        let answer = world.sell().await.unwrap();
        assert_eq!(matches!(answer.status, Status::Distributed { .. }), sold, "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_troubled_ledger_is_asked_before_any_buyer() {
    let world = world(SOLD_AFTER_100_MS);
    world.books.memory().set_trouble(Some("disk full".to_owned()));
    let answer = world.sell().await;
    assert!(
        matches!(&answer, Err(Refusal::Ledger(Refused::Unavailable(why))) if why == "disk full"),
        "{answer:?}"
    );
    assert!(world.buyers.pings().is_empty() && world.books.commits() == 0);
    world.books.memory().set_trouble(None);
    assert!(world.sell().await.is_ok(), "trouble passes");
}

#[tokio::test(start_paused = true)]
async fn a_lead_too_many_is_refused_until_there_is_room() {
    let world = World::with_room_for(1, scenario(SOLD_AFTER_100_MS));
    let (first, second) = tokio::join!(world.sell(), world.sell(),);
    assert!(first.is_ok(), "{first:?}");
    assert!(matches!(second, Err(Refusal::Busy)), "{second:?}");
    assert_eq!(world.elapsed_ms(), 100, "being busy takes no time");
    let third = world.sell().await;
    assert!(third.is_ok(), "{third:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_during_the_post_does_not_make_room() {
    let text = SOLD_AFTER_100_MS.replace("100", "4000");
    let world = World::with_room_for(1, scenario(&text));
    let early = world.sell().await.unwrap();
    assert!(!early.is_final && world.engine.is_busy());
    let second = world.sell().await;
    assert!(matches!(second, Err(Refusal::Busy)), "{second:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lead_is_found_by_its_own_publisher_only() {
    let world = world(SOLD_AFTER_100_MS);
    let answer = world.sell().await.unwrap();
    let (id, _) = answer.lead.unwrap();
    let find =
        async |publisher: &str| world.engine.find(&publisher.parse().unwrap(), id).await.unwrap();
    assert_eq!(find("demo").await, Some(answer.clone()));
    assert_eq!(find("other").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_journey_keeps_the_market_that_it_began_with() {
    let world = world(REJECTED_THEN_SOLD);
    let empty = scenario("[campaigns]");
    let swap = async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        world.engine.swap(engine::Snapshot::compile(empty.market, 2).unwrap());
    };
    let (answer, ()) = tokio::join!(world.sell(), swap);
    assert!(matches!(answer.unwrap().status, Status::Distributed { .. }));
    let next = world.sell().await.unwrap();
    assert_eq!(next.status, Status::New, "the next lead meets the new one");
    let versions: Vec<u64> =
        world.books.memory().records().iter().map(|record| record.market_version).collect();
    assert_eq!(versions, [1, 2]);
}
