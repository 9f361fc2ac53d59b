//! Pings and their posts: what is promised is reserved, kept and honoured, once.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::{Arrival, PingFault, Refusal};
use lead::{
    Answer, Contact, Hashes, NoQuote, PingId, PostClass, Quote, RejectionReason, Standard, Status,
};
use proptest::prelude::*;

use crate::file::Scenario;
use crate::on_a_paused_clock;
use crate::world::World;

pub(crate) const TWO_BUYERS: &str = r#"
[campaigns.nova]
ping = { bid = "10.00" }
post = { answer = "accepted", after_ms = 100 }

[campaigns.orion]
ping = { bid = "9.00" }
post = { answer = "accepted", after_ms = 10 }
"#;

pub(crate) fn world(text: &str) -> World {
    World::of(Scenario::read(text).map_err(|defects| defects.join("\n")).unwrap())
}

fn again(world: &World, text: &str) {
    let scenario = Scenario::read(text).map_err(|defects| defects.join("\n")).unwrap();
    world.buyers.behave(scenario.manners);
}

/// The lead without its consumer.
pub(crate) fn nameless(world: &World) -> Arrival {
    let mut arrival = world.arrival();
    arrival.submission.contact = Contact::default();
    arrival
}

async fn ping(world: &World) -> Quote {
    world.engine.ping(nameless(world), Hashes::default()).await.unwrap()
}

async fn accepted(world: &World) -> (PingId, String) {
    match ping(world).await {
        Quote::Accepted { ping, payout, .. } => (ping, payout.to_wire()),
        Quote::Rejected(why) => panic!("{why:?}"),
    }
}

pub(crate) async fn sell(world: &World, arrival: Arrival) -> Result<Answer, Refusal> {
    let delivery = world.engine.distribute(arrival).await?;
    let answer = delivery.answer.clone();
    delivery.arrived();
    Ok(answer)
}

pub(crate) async fn post(world: &World, ping: PingId) -> Result<Answer, Refusal> {
    sell(world, Arrival { ping: Some(ping), ..world.arrival() }).await
}

pub(crate) fn payout(answer: &Answer) -> Option<String> {
    match &answer.status {
        Status::Distributed { payout, .. } => Some(payout.to_wire()),
        Status::New | Status::Rejected(_) => None,
    }
}

fn fault(answer: Result<Answer, Refusal>) -> PingFault {
    match answer {
        Err(Refusal::NoPing(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_promised_payout_is_paid_although_the_market_moved_on() {
    let world = world(TWO_BUYERS);
    let (id, promised) = accepted(&world).await;
    assert_eq!(promised, "8.00");
    assert!(world.books.only_record().is_none(), "a ping leaves no lead");
    again(&world, &TWO_BUYERS.replace("9.00", "20.00"));
    let answer = post(&world, id).await.unwrap();
    assert_eq!(payout(&answer).as_deref(), Some("8.00"));
    assert_eq!(world.buyers.posts(), ["nova"]);
    assert_eq!(world.buyers.pings(), ["nova", "orion"], "the post pings nobody");
    assert_eq!(world.faults(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_reject_goes_to_those_that_pay_no_less() {
    let text = r#"
        [campaigns.nova]
        ping = { bid = "10.00" }
        post = { answer = "rejected" }

        [campaigns.vega]
        is.priority = -1
        ping = { bid = "10.00" }
        post = { answer = "rejected" }

        [campaigns.orion]
        ping = { bid = "9.00" }
        post = { answer = "accepted" }
    "#;
    let world = world(text);
    let (id, _) = accepted(&world).await;
    let answer = post(&world, id).await.unwrap();
    assert_eq!(answer.status, Status::New, "orion would pay less than was promised");
    assert!(answer.is_final);
    assert_eq!(world.buyers.posts(), ["nova", "vega"]);
}

#[tokio::test(start_paused = true)]
async fn a_ping_is_posted_once_and_in_time() {
    let world = world(TWO_BUYERS);
    assert_eq!(fault(post(&world, PingId::new([9; 16])).await), PingFault::Unknown);

    let (id, _) = accepted(&world).await;
    let (one, two) = tokio::join!(post(&world, id), post(&world, id));
    assert!(payout(&one.unwrap()).is_some());
    assert_eq!(fault(two), PingFault::Used);
    assert_eq!(fault(post(&world, id).await), PingFault::Used);
    assert_eq!(world.buyers.posts(), ["nova"]);

    let (late, _) = accepted(&world).await;
    tokio::time::sleep(Duration::from_millis(30_001)).await;
    assert_eq!(fault(post(&world, late).await), PingFault::Expired);
}

#[tokio::test(start_paused = true)]
async fn a_post_that_is_repeated_in_flight_gets_the_same_answer() {
    let world = world(TWO_BUYERS);
    let (id, _) = accepted(&world).await;
    let request = || Arrival { ping: Some(id), body: [7; 32], ..world.arrival() };
    let (one, two) = tokio::join!(sell(&world, request()), sell(&world, request()));
    assert_eq!(one.unwrap(), two.unwrap());
    assert_eq!(world.buyers.posts(), ["nova"]);
}

#[tokio::test(start_paused = true)]
async fn another_publishers_ping_is_unknown_and_stays_open() {
    let world = world(TWO_BUYERS);
    let (id, _) = accepted(&world).await;
    let mut stranger = Arrival { ping: Some(id), ..world.arrival() };
    stranger.submission.publisher = "stranger".parse().unwrap();
    assert_eq!(fault(sell(&world, stranger).await), PingFault::Unknown);
    assert!(payout(&post(&world, id).await.unwrap()).is_some());
}

#[tokio::test(start_paused = true)]
async fn what_a_bid_was_made_for_must_still_be_so() {
    let world = world(TWO_BUYERS);
    let (id, _) = accepted(&world).await;
    again(&world, &TWO_BUYERS.replace("10.00", "4.00"));
    let mut changed = Arrival { ping: Some(id), ..world.arrival() };
    changed.submission.attributes.set_number(Standard::MonthlyIncome, 1_000);
    let answer = sell(&world, changed).await.unwrap();
    assert_eq!(payout(&answer).as_deref(), Some("7.20"), "asked anew, as a lead of its own");
    assert_eq!(world.buyers.posts(), ["orion"]);
}

#[tokio::test(start_paused = true)]
async fn a_post_that_asks_for_more_than_was_promised_is_not_sold_for_less() {
    for (least, paid) in [("8.00", Some("8.00")), ("8.01", None)] {
        let world = world(TWO_BUYERS);
        let (id, promised) = accepted(&world).await;
        assert_eq!(promised, "8.00");
        let mut dearer = Arrival { ping: Some(id), ..world.arrival() };
        let amount = least.parse().unwrap();
        let currency = world
            .arrival()
            .submission
            .min_payout
            .map_or_else(|| "EUR".parse().unwrap(), |it| it.currency);
        dearer.submission.min_payout = Some(lead::Money { amount, currency });
        let answer = sell(&world, dearer).await.unwrap();
        assert_eq!(payout(&answer).as_deref(), paid, "at least {least}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fixed_price_stands_while_its_filter_wants_the_lead() {
    let text = r#"
        [campaigns.nova]
        is = { price = { fixed = "10.00" }, filter = { monthly_income = { gte = 1500 } } }
        post = { answer = "accepted" }

        [campaigns.orion]
        is = { price = { fixed = "9.00" } }
        post = { answer = "accepted" }
    "#;
    for (income, buyer) in [(1_600, "nova"), (1_400, "orion")] {
        let world = world(text);
        let (id, promised) = accepted(&world).await;
        assert_eq!(promised, "8.00");
        let mut changed = Arrival { ping: Some(id), ..world.arrival() };
        changed.submission.attributes.set_number(Standard::MonthlyIncome, income);
        assert!(payout(&sell(&world, changed).await.unwrap()).is_some());
        assert_eq!(world.buyers.posts(), [buyer]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_publisher_holds_a_tenth_of_what_a_cap_leaves() {
    let text = r#"
        [campaigns.nova]
        is = { price = { fixed = "10.00" }, caps = [{ per = "day", leads = 20 }] }
        post = { answer = "accepted" }

        [campaigns.orion]
        is = { price = { fixed = "5.00" }, caps = [{ per = "day", spend = "100.00" }] }
        post = { answer = "accepted" }
    "#;
    let world = world(text);
    let mut promised = Vec::new();
    for _ in 0..4 {
        promised.push(accepted(&world).await.1);
    }
    assert_eq!(promised, ["8.00", "8.00", "4.00", "4.00"], "then the next bid");
    assert_eq!(ping(&world).await, Quote::Rejected(NoQuote::Reserved));
    tokio::time::sleep(Duration::from_millis(30_001)).await;
    assert_eq!(accepted(&world).await.1, "8.00", "what expired is free again");
}

#[tokio::test(start_paused = true)]
async fn what_would_be_rejected_is_not_promised() {
    let world =
        world("[campaigns.nova]\nping = { no_bid = 1 }\npost = { answer = \"accepted\" }\n");
    assert_eq!(ping(&world).await, Quote::Rejected(NoQuote::Unsold));
    let mut poor = nameless(&world);
    poor.submission.attributes.set_number(Standard::MonthlyIncome, 100);
    let quote = world.engine.ping(poor, Hashes::default()).await.unwrap();
    let reason = RejectionReason::IncomeInsufficient;
    assert_eq!(quote, Quote::Rejected(NoQuote::Lead(reason)));
}

/// What publishers may do next.
#[derive(Debug, Clone)]
enum Step {
    Ping,
    Post(usize),
    Lead,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Ping),
        3 => (0usize..40).prop_map(Step::Post),
        1 => Just(Step::Lead),
        1 => (1u64..20).prop_map(Step::Wait),
    ]
}

const CAP: usize = 12;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_cap_is_passed_and_no_promise_broken(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        on_a_paused_clock(play(steps));
    }
}

async fn play(steps: Vec<Step>) {
    let text = "[campaigns.nova]\n\
        is = { price = { fixed = \"10.00\" }, caps = [{ per = \"total\", leads = 12 }] }\n\
        post = { answer = \"accepted\" }\n";
    let world = world(text);
    let (mut pings, mut used, mut sold) = (Vec::new(), BTreeSet::new(), 0);
    for step in steps {
        let now = world.elapsed_ms();
        let is_open = |used: &BTreeSet<usize>, at: usize, since: u128| {
            !used.contains(&at) && now < since + 30_000
        };
        let open = |used: &BTreeSet<usize>, pings: &[(PingId, u128)]| {
            pings.iter().enumerate().filter(|(at, (_, since))| is_open(used, *at, *since)).count()
        };
        let held = open(&used, &pings);
        match step {
            Step::Ping => {
                // A tenth of at most twelve is one.
                let expected = held == 0 && sold < CAP;
                let quote = ping(&world).await;
                assert_eq!(matches!(quote, Quote::Accepted { .. }), expected, "{quote:?}");
                if let Quote::Accepted { ping, .. } = quote {
                    pings.push((ping, now));
                }
            }
            Step::Post(at) => {
                let Some((id, since)) = pings.get(at).copied() else { continue };
                let expected = is_open(&used, at, since);
                let answer = post(&world, id).await;
                assert_eq!(answer.is_ok(), expected, "{answer:?}");
                if let Ok(answer) = answer {
                    assert_eq!(payout(&answer).as_deref(), Some("8.00"), "a promise is kept");
                    used.insert(at);
                    sold += 1;
                }
            }
            Step::Lead => {
                let answer = sell(&world, world.arrival()).await.unwrap();
                assert_eq!(payout(&answer).is_some(), sold + held < CAP);
                sold += usize::from(payout(&answer).is_some());
            }
            Step::Wait(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
        }
    }
    let records = world.books.memory().records();
    let posts = records.iter().flat_map(|record| &record.posts);
    let accepted = posts.filter(|post| post.class == Some(PostClass::Accepted)).count();
    assert_eq!(accepted, sold);
    assert!(sold <= CAP);
}
