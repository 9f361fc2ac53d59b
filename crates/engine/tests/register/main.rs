//! Campaigns changed in an engine: whatever is done in whatever order, the market in force, the market
//! after a restart and a market compiled from scratch are one; and of changes at once none is lost.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod world;

use std::collections::BTreeMap;

use engine::{Denied, Expect, Outcome, Snapshot, Stored, Wish};
use market::{Places, Sources, Vault, to_json};
use proptest::prelude::*;

use crate::world::{Facts, World, facts, key, object};

/// One step of a history.
#[derive(Debug, Clone)]
enum Step {
    Put(Object),
    Delete,
    Approve,
}

/// What a campaign is, as far as it varies.
#[derive(Debug, Clone, PartialEq)]
struct Object {
    product: &'static str,
    age: u8,
    priority: u8,
    paused: bool,
    foreign: bool,
}

impl Object {
    fn json(&self) -> String {
        let Self { product, age, priority, paused, foreign } = self;
        let status = if *paused { "paused" } else { "active" };
        let host = if *foreign { "far.example" } else { "127.0.0.1" };
        format!(
            r#"{{"product":"{product}","status":"{status}","priority":{priority},"filter":{{"age":{{"gte":{age}}}}},"price":{{"fixed":"1.00"}},"delivery":{{"post":{{"url":"http://{host}/"}}}}}}"#
        )
    }

    fn toml(&self, name: &str) -> String {
        let Self { product, age, priority, paused, foreign } = self;
        let status = if *paused { "paused" } else { "active" };
        let host = if *foreign { "far.example" } else { "127.0.0.1" };
        format!(
            "[buyers.nova.campaigns.{name}]\nproduct = \"{product}\"\nstatus = \"{status}\"\npriority = {priority}\nfilter = {{ age = {{ gte = {age} }} }}\nprice.fixed = \"1.00\"\ndelivery.post.url = \"http://{host}/\"\n"
        )
    }
}

/// What should stand: the naive record of a history.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model(BTreeMap<String, Expected>);

#[derive(Debug, Clone, Default, PartialEq)]
struct Expected {
    live: Option<Object>,
    pending: Option<Object>,
    approved: bool,
}

impl Model {
    /// What a step does and the outcome that it should have; `None` is a refusal.
    fn step(&mut self, name: &str, step: &Step) -> Option<Outcome> {
        let now = self.0.get(name).cloned();
        match step {
            Step::Delete => {
                now?;
                self.0.remove(name);
                Some(Outcome::Deleted)
            }
            Step::Approve => {
                let live = Some(now?.pending?);
                let after = Expected { live, pending: None, approved: true };
                self.0.insert(name.to_owned(), after);
                Some(Outcome::Changed)
            }
            Step::Put(object) => {
                let before = now.clone().unwrap_or_default();
                let allowed = !object.foreign || before.approved && before.live.is_some();
                let mut after = before.clone();
                if allowed {
                    (after.live, after.pending) = (Some(object.clone()), None);
                } else {
                    after.pending = Some(object.clone());
                }
                let outcome = match now {
                    None => Outcome::Created,
                    Some(_) if after == before => Outcome::Unchanged,
                    Some(_) => Outcome::Changed,
                };
                self.0.insert(name.to_owned(), after);
                Some(outcome)
            }
        }
    }

    /// What stands, compiled by a file that says it.
    fn scratch(&self) -> Snapshot {
        let live = self.0.iter().filter_map(|(name, it)| Some(it.live.as_ref()?.toml(name)));
        let base = world::MARKET.replace("\"127.0.0.1\"", "\"127.0.0.1\", \"far.example\"");
        let text = format!("{base}\n{}", live.collect::<String>());
        let sources = Sources::parse([("m.toml".to_owned(), text)]).unwrap();
        Snapshot::compile(sources.market().unwrap(), 0).unwrap()
    }
}

fn object_strategy() -> impl Strategy<Value = Object> {
    (prop::sample::select(vec!["loan", "card"]), 18u8..24, 0u8..3, any::<bool>(), 0u8..4).prop_map(
        |(product, age, priority, paused, host)| Object {
            product,
            age,
            priority,
            paused,
            foreign: host == 0,
        },
    )
}

fn history() -> impl Strategy<Value = Vec<(u8, Step)>> {
    let step = prop_oneof![
        6 => object_strategy().prop_map(Step::Put),
        2 => Just(Step::Delete),
        2 => Just(Step::Approve),
    ];
    prop::collection::vec((0u8..5, step), 1..24)
}

/// Plays a history and says how the market stood after every step.
async fn play(history: &[(u8, Step)]) -> Result<(), TestCaseError> {
    let (world, mut model) = (World::start().await, Model::default());
    let mut then: Vec<(u64, Facts)> = Vec::new();
    for (number, step) in history {
        let name = format!("c{number}");
        let wish = match step {
            Step::Put(it) => Wish::Put(object(&it.json())),
            Step::Delete => Wish::Delete,
            Step::Approve => Wish::Approve,
        };
        let expected = model.step(&name, step);
        let done = world.change(&name, wish, Expect::Anything).await;
        let outcome = match done {
            Ok(done) => Some(done.outcome),
            Err(Denied::NotFound) => None,
            Err(other) => panic!("{other}"),
        };
        prop_assert_eq!(outcome, expected, "{} {:?}", name, step);
        let now = world.engine.snapshot();
        let stood = facts(&world.engine, &now);
        prop_assert_eq!(&stood, &facts(&world.engine, &model.scratch()), "{:?}", model);
        then.push((now.version, stood));
    }
    // A restart, and every version that ever was in force.
    let now = world.engine.snapshot();
    let again = Stored::newest(world.engine.ledger()).await.unwrap().unwrap();
    prop_assert_eq!(again.version, now.version);
    let again = again.compile(&Vault::LITERALS, Places::built_in(), &str::to_owned).unwrap();
    prop_assert_eq!(facts(&world.engine, &again), facts(&world.engine, &now));
    let waits = |snapshot: &Snapshot| -> Vec<String> {
        snapshot.market.pending.values().map(|it| to_json(&it.written).to_string()).collect()
    };
    prop_assert_eq!(waits(&again), waits(&now));
    for (version, stood) in then {
        let old = Stored::load(world.engine.ledger(), version).await.unwrap().unwrap();
        let old = old.compile(&Vault::STAND_INS, Places::built_in(), &str::to_owned).unwrap();
        prop_assert_eq!(facts(&world.engine, &old), stood, "version {}", version);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn any_history_makes_the_market_that_a_file_would(history in history()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(&history))?;
    }
}

/// Enough changes for a whole market to be kept now and then.
#[tokio::test]
async fn any_version_of_many_is_read_again() {
    let (world, mut model) = (World::start().await, Model::default());
    let mut then = Vec::new();
    for number in 0..600u16 {
        let age = 18 + u8::try_from(number % 7).unwrap();
        let put = Object { product: "loan", age, priority: 0, paused: false, foreign: false };
        let name = format!("c{}", number % 5);
        world.change(&name, Wish::Put(object(&put.json())), Expect::Anything).await.unwrap();
        model.step(&name, &Step::Put(put));
        if number % 41 == 0 {
            then.push((world.engine.snapshot().version, facts(&world.engine, &model.scratch())));
        }
    }
    assert!(then.len() > 10);
    for (version, stood) in then {
        let old = Stored::load(world.engine.ledger(), version).await.unwrap().unwrap();
        let old = old.compile(&Vault::LITERALS, Places::built_in(), &str::to_owned).unwrap();
        assert_eq!(facts(&world.engine, &old), stood, "version {version}");
    }
}

#[tokio::test]
async fn of_changes_at_once_none_is_lost() {
    const WORKERS: u32 = 8;
    const EACH: u32 = 12;
    let world = World::start().await;
    world.change("c", Wish::Put(object(&priced(0))), Expect::Nothing).await.unwrap();
    let workers = (0..WORKERS).map(|_| {
        let world = world.clone();
        tokio::spawn(async move {
            let (mut done, mut stale) = (0, 0);
            while done < EACH {
                let standing = world.engine.snapshot().market.standing(&key("c"));
                let seen =
                    to_json(&standing.newest().unwrap().0.written)["priority"].as_u64().unwrap();
                let expect = Expect::OneOf(vec![standing.tag().unwrap()]);
                let next = object(&priced(u32::try_from(seen).unwrap() + 1));
                match world.change("c", Wish::Put(next), expect).await {
                    Ok(_) => done += 1,
                    Err(Denied::Stale) => stale += 1,
                    Err(other) => panic!("{other}"),
                }
            }
            stale
        })
    });
    let mut stale = 0;
    for worker in workers.collect::<Vec<_>>() {
        stale += worker.await.unwrap();
    }
    assert!(stale > 0, "they met");
    let now = world.engine.snapshot();
    let campaign = now.market.standing(&key("c")).live.unwrap();
    assert_eq!(campaign.priority, i32::try_from(WORKERS * EACH).unwrap());
    assert_eq!(now.version, u64::from(2 + WORKERS * EACH), "one version a change");
}

fn priced(priority: u32) -> String {
    format!(
        r#"{{"product":"loan","priority":{priority},"filter":{{}},"price":{{"fixed":"1.00"}},"delivery":{{"post":{{"url":"http://127.0.0.1/"}}}}}}"#
    )
}

/// A write whose answer was lost takes its number and nothing else.
#[tokio::test]
async fn a_change_that_was_not_kept_is_skipped() {
    let world = World::start().await;
    world.engine.ledger().set_trouble(Some("disk full".to_owned()));
    let lost = world.change("c", Wish::Put(object(&priced(1))), Expect::Anything).await;
    assert!(matches!(lost, Err(Denied::Ledger(_))));
    world.engine.ledger().set_trouble(None);
    assert!(world.engine.snapshot().market.campaigns.is_empty());
    world.change("d", Wish::Put(object(&priced(2))), Expect::Anything).await.unwrap();
    let again = Stored::newest(world.engine.ledger()).await.unwrap().unwrap();
    let again = again.compile(&Vault::LITERALS, Places::built_in(), &str::to_owned).unwrap();
    let names: Vec<_> = again.market.campaigns.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["nova/d"]);
}
