//! What tiers remember from one lead to the next: whose turn it is, and who is worth asking.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::file::Scenario;
use crate::world::World;

const HOUR: Duration = Duration::from_secs(3_600);

fn world(text: &str) -> World {
    World::of(Scenario::read(text).map_err(|defects| defects.join("\n")).unwrap())
}

/// Sells `leads` leads, one after another, and counts who was named in `seen` meanwhile.
async fn sell(
    world: &World,
    leads: usize,
    seen: impl Fn(&World) -> Vec<String>,
) -> BTreeMap<String, usize> {
    let before = seen(world).len();
    for _ in 0..leads {
        world.sell().await.unwrap();
    }
    counted(seen(world).into_iter().skip(before))
}

fn counted(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    counts
}

fn posts(world: &World) -> Vec<String> {
    world.buyers.posts()
}

fn counts<const N: usize>(expected: [(&str, usize); N]) -> BTreeMap<String, usize> {
    expected.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

const THREE_TO_ONE: &str = r#"
[product]
tiers = [{ mode = "weighted" }]

[campaigns.nova]
is = { weight = 3, price = { fixed = "5.00" } }
post = { answer = "accepted", after_ms = 50 }

[campaigns.orion]
is = { weight = 1, price = { fixed = "50.00" } }
post = { answer = "accepted", after_ms = 50 }
"#;

#[tokio::test(start_paused = true)]
async fn posts_follow_the_weights() {
    let world = world(THREE_TO_ONE);
    for _ in 0..5 {
        assert_eq!(sell(&world, 8, posts).await, counts([("nova", 6), ("orion", 2)]));
    }
}

#[tokio::test(start_paused = true)]
async fn leads_that_come_at_once_do_not_all_go_to_one() {
    let world = world(THREE_TO_ONE);
    let sold = futures_util::future::join_all((0..16).map(|_| world.sell())).await;
    assert!(sold.iter().all(Result::is_ok));
    assert_eq!(counted(posts(&world).into_iter()), counts([("nova", 12), ("orion", 4)]));
}

#[tokio::test(start_paused = true)]
async fn a_reject_is_a_post_that_counts() {
    let text = THREE_TO_ONE.replacen("accepted", "rejected", 1);
    let world = world(&text);
    let expected = counts([("nova", 6), ("orion", 8)]);
    assert_eq!(sell(&world, 8, posts).await, expected, "orion gets what nova refuses, too");
}

#[tokio::test(start_paused = true)]
async fn who_was_capped_comes_back_without_a_burst() {
    let text = THREE_TO_ONE.replace("weight = 3", "weight = 1").replace(
        "weight = 1, price = { fixed = \"50.00\" }",
        "weight = 1, price = { fixed = \"50.00\" }, caps = [{ per = \"hour\", leads = 4 }]",
    );
    let world = world(&text);
    assert_eq!(sell(&world, 28, posts).await, counts([("nova", 24), ("orion", 4)]));
    tokio::time::sleep(HOUR).await;
    assert_eq!(sell(&world, 4, posts).await, counts([("nova", 2), ("orion", 2)]));
}

#[tokio::test(start_paused = true)]
async fn test_leads_are_nobodys_turn() {
    let text = THREE_TO_ONE
        .replace("is = {", "is = { delivery.sandbox.post_url = \"http://127.0.0.1:9000/sandbox\",");
    let world = world(&format!("[lead]\ntest = true\n{text}"));
    assert_eq!(sell(&world, 8, posts).await, counts([("nova", 8)]));
}

#[tokio::test(start_paused = true)]
async fn in_a_weighted_tier_that_is_too_wide_everybody_is_asked_in_turn() {
    let campaign = |name: &str| {
        format!(
            "[campaigns.{name}]\nping = {{ bid = \"5.00\" }}\npost = {{ answer = \"accepted\" }}\n"
        )
    };
    let text = format!(
        "[product]\nfanout_width = 1\ntiers = [{{ mode = \"weighted\" }}]\n{}",
        ["nova", "orion", "atlas"].map(campaign).concat()
    );
    let world = world(&text);
    let expected = counts([("nova", 4), ("orion", 4), ("atlas", 4)]);
    assert_eq!(sell(&world, 12, posts).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_tier_that_is_too_wide_asks_who_is_worth_most_and_tries_the_others_again() {
    let world = world(
        r#"
        [product]
        fanout_width = 2

        [campaigns.silent]
        ping = { no_bid = 1 }

        [campaigns.nova]
        ping = { bid = "10.00" }
        post = { answer = "accepted" }

        [campaigns.orion]
        ping = { bid = "9.00" }
        "#,
    );
    let pings = |world: &World| world.buyers.pings_in_order();
    let first = sell(&world, 12, pings).await;
    assert_eq!(first["nova"], 12, "{first:?}");
    let last = sell(&world, 12, pings).await;
    assert_eq!(last["nova"], 12);
    // Neither of the others sells, and every ping that brings nothing makes the next one less likely.
    assert_eq!(last.values().sum::<usize>(), 24, "two are asked each time: {last:?}");
    assert!(last["orion"] > 0 && last["silent"] > 0, "{last:?}");
    tokio::time::sleep(8 * HOUR).await;
    let later = sell(&world, 2, pings).await;
    assert_eq!(later.len(), 3, "nobody is remembered, so everybody is tried: {later:?}");
}
