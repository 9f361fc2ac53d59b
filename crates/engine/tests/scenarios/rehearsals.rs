//! Test leads and pings that end as their publisher asks: in the form of the real thing, and nobody hears of it.

use engine::{Arrival, PingFault, Refusal};
use lead::{Hashes, NoQuote, Quote, RejectionReason, Requested, Status};

use crate::promises::{TWO_BUYERS, nameless, payout, post, sell, world};
use crate::world::World;

/// A test ping of which an outcome is asked.
async fn rehearsed(world: &World, outcome: &str) -> Quote {
    let mut arrival = nameless(world);
    arrival.submission.test = true;
    arrival.submission.requested = Some(outcome.parse().unwrap());
    world.engine.ping(arrival, Hashes::default()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_test_ping_ends_as_its_publisher_asks_and_its_post_is_taken_once() {
    let world = world(TWO_BUYERS);
    for (outcome, why) in [
        ("unsold", NoQuote::Unsold),
        ("duplicate", NoQuote::Lead(RejectionReason::DuplicateSubmission)),
        ("rejected:blacklisted", NoQuote::Lead(RejectionReason::Blacklisted)),
    ] {
        assert_eq!(rehearsed(&world, outcome).await, Quote::Rejected(why));
    }
    let Quote::Accepted { ping, payout: promised, .. } = rehearsed(&world, "sold").await else {
        panic!("not accepted");
    };
    assert_eq!(promised.to_wire(), "10.00");
    let post = || {
        let mut arrival = Arrival { ping: Some(ping), ..world.arrival() };
        arrival.submission.test = true;
        arrival.submission.requested = Some(Requested::Sold);
        arrival
    };
    let answer = sell(&world, post()).await.unwrap();
    assert_eq!(payout(&answer), Some("10.00".to_owned()));
    assert!(matches!(sell(&world, post()).await, Err(Refusal::NoPing(PingFault::Used))));
    assert!(world.buyers.pings().is_empty() && world.buyers.posts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_ping_of_a_rehearsal_promises_a_live_lead_nothing() {
    let world = world(TWO_BUYERS);
    let Quote::Accepted { ping, .. } = rehearsed(&world, "pending").await else {
        panic!("not accepted");
    };
    let answer = post(&world, ping).await.unwrap();
    assert_eq!(payout(&answer), Some("8.00".to_owned()));
    assert_eq!(world.buyers.pings(), ["nova", "orion"], "asked anew");
}

#[tokio::test(start_paused = true)]
async fn a_rehearsed_answer_is_given_again_and_claims_nobody() {
    let text = format!("product.duplicates = {{ keys = [\"email\"] }}\n{TWO_BUYERS}");
    let world = world(&text);
    let ask = |outcome: Requested| {
        let mut arrival = Arrival { key: Some("k-1".to_owned()), ..world.arrival() };
        arrival.body = [9; 32];
        arrival.submission.test = true;
        arrival.submission.requested = Some(outcome);
        arrival
    };
    let first = sell(&world, ask(Requested::Pending)).await.unwrap();
    assert!(!first.is_final && first.status == Status::New);
    assert_eq!(sell(&world, ask(Requested::Pending)).await.unwrap(), first);
    let other = sell(&world, ask(Requested::Sold)).await;
    assert!(matches!(other, Err(Refusal::KeyReused)), "asks for something else");
    let publisher = "demo".parse().unwrap();
    let id = first.lead.unwrap().0;
    assert_eq!(world.engine.find(&publisher, id).await.unwrap(), Some(first));
    let live = world.sell().await.unwrap();
    assert!(payout(&live).is_some(), "nobody was claimed");
}
