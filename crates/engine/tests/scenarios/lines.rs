//! What the lines to campaigns remember from one lead to the next: who does not answer, and how many
//! calls are under way.

use std::time::Duration;

use engine::{BreakerState, CallKind};
use futures_util::future::join_all;
use lead::{Code, PostClass, Status};

use crate::file::Scenario;
use crate::world::World;

const TICK: Duration = Duration::from_millis(50);

fn scenario(text: &str) -> Scenario {
    Scenario::read(text).map_err(|defects| defects.join("\n")).unwrap()
}

fn world(text: &str) -> World {
    World::of(scenario(text))
}

/// Twenty leads a second for so many seconds, as they come, not one after another.
async fn stream(world: &World, seconds: u32) {
    let leads = (0..seconds * 20).map(|nth| async move {
        tokio::time::sleep(TICK * nth).await;
        world.sell().await.unwrap();
    });
    join_all(leads).await;
    world.engine.drain().await;
}

fn state(world: &World, buyer: &str, call: CallKind) -> BreakerState {
    let of = |report: &engine::BreakerReport| {
        report.campaign.buyer.as_str() == buyer && report.call == call
    };
    world.engine.breakers().into_iter().find(of).unwrap().state
}

/// How often each code stands in nova's rows of all leads.
fn rows(world: &World, code: Code) -> usize {
    let records = world.books.memory().records();
    let rows = records.iter().flat_map(|record| &record.decisions);
    rows.filter(|row| row.campaign.buyer.as_str() == "nova" && row.code == code).count()
}

fn count(names: &[String], name: &str) -> usize {
    names.iter().filter(|it| *it == name).count()
}

/// Nova's bid is the better one, and something is wrong with its pings or posts.
fn market(ping: &str, post: &str) -> String {
    format!(
        r#"
        [campaigns.nova]
        ping = {ping}
        post = {{ answer = "{post}" }}

        [campaigns.orion]
        ping = {{ bid = "5.00", after_ms = 20 }}
        post = {{ answer = "accepted", after_ms = 20 }}
        "#
    )
}

const FINE: &str = "{ bid = \"9.00\", after_ms = 20 }";

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_pings_is_left_alone_and_asked_again_once_it_does() {
    for fault in ["\"never\"", "{ no_bid = 103 }", "{ no_bid = 102, after_ms = 30 }"] {
        let world = world(&market(fault, "accepted"));
        stream(&world, 2).await;
        assert!(state(&world, "nova", CallKind::Ping) != BreakerState::Closed, "{fault}");
        let first = count(&world.buyers.pings(), "nova");
        assert!((5..=20).contains(&first), "{fault}: {first} pings before it opened");
        stream(&world, 60).await;
        let probes = count(&world.buyers.pings(), "nova") - first;
        assert!((5..=12).contains(&probes), "{fault}: {probes} probes in a minute");
        assert_eq!(world.buyers.posts(), vec!["orion"; 1_240], "{fault}");
        assert!(rows(&world, Code::Breaker) >= 1_200, "{fault}");

        world.buyers.behave(scenario(&market(FINE, "accepted")).manners);
        stream(&world, 10).await;
        assert_eq!(state(&world, "nova", CallKind::Ping), BreakerState::Closed, "{fault}");
        world.buyers.forget();
        stream(&world, 2).await;
        assert_eq!(world.buyers.posts(), vec!["nova"; 40], "{fault}: it buys as ever");
    }
}

/// Each post is held: as many as it takes to open the breaker, with those under way by then, and one a
/// probe. Everybody else's leads are sold.
#[tokio::test(start_paused = true)]
async fn who_does_not_answer_posts_holds_few_leads() {
    for (fault, most) in [("unknown", 5 + 1), ("never", 5 + 16)] {
        let text = market(FINE, fault).replace(
            "post = { answer = \"never\" }",
            "is = { max_in_flight = 16 }\npost = { answer = \"never\" }",
        );
        let world = world(&text);
        stream(&world, 2).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let first = count(&world.buyers.posts(), "nova");
        assert!((5..=most).contains(&first), "{fault}: {first} of 40");
        stream(&world, 30).await;
        let all = count(&world.buyers.posts(), "nova");
        assert!((3..=8).contains(&(all - first)), "{fault}: {} probes", all - first);
        let records = world.books.memory().records();
        let held = |record: &&ledger::LeadRecord| {
            record.posts.iter().any(|post| post.class == Some(PostClass::Unknown))
        };
        assert_eq!(records.iter().filter(held).count(), all, "{fault}: each is a hold, and listed");
        assert_eq!(count(&world.buyers.posts(), "orion"), records.len() - all, "{fault}");

        world.buyers.behave(scenario(&market(FINE, "accepted")).manners);
        stream(&world, 10).await;
        assert_eq!(state(&world, "nova", CallKind::Post), BreakerState::Closed, "{fault}");
        world.buyers.forget();
        stream(&world, 2).await;
        assert_eq!(world.buyers.posts(), vec!["nova"; 40], "{fault}: it buys as ever");
    }
}

/// A bid was in hand when the breaker opened: the next one buys.
#[tokio::test(start_paused = true)]
async fn a_bid_in_hand_is_passed_over_if_its_campaign_is_cut_off_meanwhile() {
    let world = world(&market("{ bid = \"9.00\", after_ms = 20 }", "unknown"));
    for _ in 0..4 {
        world.sell().await.unwrap();
    }
    let slow = market("{ bid = \"9.00\", after_ms = 100 }", "unknown");
    let asked = async {
        world.buyers.behave(scenario(&slow).manners);
        world.sell().await.unwrap()
    };
    let fifth = async {
        tokio::time::sleep(TICK).await;
        world.buyers.behave(scenario(&market(FINE, "unknown")).manners);
        world.sell().await.unwrap()
    };
    let (sold, held) = tokio::join!(asked, fifth);
    assert!(matches!((&sold.status, &held.status), (Status::Distributed { .. }, Status::New)));
    assert_eq!((rows(&world, Code::Unknown), rows(&world, Code::Breaker)), (5, 1));
}

/// No-bids, refusals, bids that lose, unreadable prices and answers that come late are no faults.
#[tokio::test(start_paused = true)]
async fn who_answers_is_never_cut_off() {
    for (ping, post) in [
        ("{ no_bid = 1 }", "accepted"),
        ("{ no_bid = 104 }", "accepted"),
        ("{ bid = \"4.00\" }", "accepted"),
        (FINE, "rejected"),
        (FINE, "duplicate"),
        ("{ bid = \"9.00\", after_ms = 300 }", "accepted"),
    ] {
        let limit = "[product]\ntiers = [{ mode = \"auction\", time_limit_ms = 200 }]\n";
        let world = world(&format!("{limit}{}", market(ping, post)));
        stream(&world, 4).await;
        for call in [CallKind::Ping, CallKind::Post] {
            assert_eq!(state(&world, "nova", call), BreakerState::Closed, "{ping} {post}");
        }
        assert_eq!(rows(&world, Code::Breaker), 0, "{ping} {post}");
    }
}

/// A publisher that leaves no time cuts nobody off: the buyers answer, if later.
#[tokio::test(start_paused = true)]
async fn a_short_budget_is_no_fault_of_the_buyers() {
    let fine = market("{ bid = \"9.00\", after_ms = 90 }", "accepted");
    let hurried = |market: &str| world(&format!("[lead]\nbudget_ms = 100\n{market}"));
    let patient = hurried(&fine);
    stream(&patient, 4).await;
    assert_eq!(state(&patient, "nova", CallKind::Ping), BreakerState::Closed);
    // Who never answers at all is cut off all the same.
    let silent = hurried(&market("\"never\"", "accepted"));
    stream(&silent, 4).await;
    assert!(state(&silent, "nova", CallKind::Ping) != BreakerState::Closed);
}

/// So many calls at once, and the rest is passed over at once, not queued. Test leads too.
#[tokio::test(start_paused = true)]
async fn so_many_calls_are_under_way_and_no_more() {
    for (test, url) in [(false, "post"), (true, "sandbox")] {
        let text = market(FINE, "accepted").replace(
            "[campaigns.nova]",
            &format!(
                "[lead]\ntest = {test}\n[campaigns.nova]\nis = {{ max_in_flight = 4, delivery.sandbox = {{ \
                 ping_url = \"http://127.0.0.1:9000/{url}\", post_url = \"http://127.0.0.1:9000/{url}\" }} }}"
            ),
        );
        let text = text.replace(
            "[campaigns.orion]",
            "[campaigns.orion]\nis.delivery.sandbox = { ping_url = \"http://127.0.0.1:9000/o\", \
             post_url = \"http://127.0.0.1:9000/o\" }",
        );
        let world = world(&text);
        let sold = join_all((0..12).map(|_| world.sell())).await;
        assert!(sold.iter().all(Result::is_ok));
        assert_eq!(count(&world.buyers.pings(), "nova"), 3, "test {test}");
        assert_eq!(rows(&world, Code::Concurrency), 9, "test {test}");
        assert_eq!(count(&world.buyers.posts(), "nova"), 3, "test {test}");
        assert_eq!(count(&world.buyers.posts(), "orion"), 9, "test {test}");
        // Once they have ended there is room again.
        tokio::time::sleep(TICK).await;
        world.sell().await.unwrap();
        assert_eq!(count(&world.buyers.pings(), "nova"), 4, "test {test}");
    }
}
