//! SIGKILL under load, again and again on one data directory: nobody who was answered may find out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::{Options, RootKey, SqliteLedger};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::checker::check;
use super::history::{History, journals};
use super::publisher::{Publisher, find};
use super::{ALONE, seed, setting, town};
use crate::process::{Gavel, call, request};

/// Without `GAVEL_KILLS`.
const KILLS: u64 = 40;
/// Requests a second, repeats among them.
const RATE: u32 = 440;
/// Leads for each kill, on average, without which a run shows nothing.
const LEADS_LEAST: u64 = 20;
/// When a kill comes after load starts.
const KILL_MS: std::ops::RangeInclusive<u64> = 50..=1500;
/// A start that takes longer is a failure.
const READY_MOST: Duration = Duration::from_secs(10);

/// Starts the engine and waits until it says that it is ready.
async fn start(dir: &Path, market: &str) -> (Gavel, Duration) {
    let began = Instant::now();
    let (dir, market): (PathBuf, String) = (dir.to_owned(), market.to_owned());
    let gavel = tokio::task::spawn_blocking(move || Gavel::start(&dir, &market)).await.unwrap();
    while call(gavel.ops, request("GET", "/readyz", ("accept", "*/*"), &Value::Null)).await.0 != 200
    {
        assert!(began.elapsed() < READY_MOST, "not ready after {:?}", began.elapsed());
        sleep(Duration::from_millis(5)).await;
    }
    (gavel, began.elapsed())
}

/// The ledger that the engine has let go of.
fn ledger(data: &Path) -> SqliteLedger {
    let key = RootKey::load(&data.join("root.key")).unwrap();
    SqliteLedger::open(Options::new(data, key)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn kill_dash_nine_under_load_breaks_no_promise() {
    let (kills, seed) = (setting("GAVEL_KILLS").unwrap_or(KILLS), seed());
    println!("seed {seed}");
    let _alone = ALONE.lock().await;
    let mut rng = fastrand::Rng::with_seed(seed);
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("journals");
    let buyers = town::buyers(&journal, seed).await;
    let market = town::market(&buyers);
    let publisher = Publisher::new(rng.u64(..));

    let (mut sent, mut loaded, mut slowest) = (0, Duration::ZERO, Duration::ZERO);
    for _ in 0..kills {
        let (gavel, ready) = start(dir.path(), &market).await;
        slowest = slowest.max(ready);
        let after = Duration::from_millis(rng.u64(KILL_MS));
        let load = publisher.clone();
        let to = gavel.public;
        let offered = tokio::spawn(async move { load.offer(to, RATE, after).await });
        sleep(after).await;
        publisher.hush();
        gavel.kill();
        sent += offered.await.unwrap();
        loaded += after;
    }

    let (gavel, ready) = start(dir.path(), &market).await;
    slowest = slowest.max(ready);
    publisher.finish(gavel.public).await;
    let mut history =
        History { ops: publisher.ops(), posts: journals(&journal), ..History::default() };
    history.found = find(gavel.public, history.leads()).await;
    assert!(gavel.terminate().success(), "the engine does not drain after the crashes");
    history.keep(&ledger(&dir.path().join("data"))).await;
    let verdict = check(&history);
    let rate = |count: u64| u128::from(count) * 1000 / loaded.as_millis().max(1);
    let (leads, requests) = (rate(history.ops.len() as u64), rate(sent));
    let figures = format!(
        "crash by kill -9: kills {kills}, leads {} ({leads} leads/s, {requests} requests/s), acks {}, unsure {}, replays {}, sales {}, held {}, posts {}, violations {}, slowest start {} ms, seed {seed}",
        history.ops.len(),
        verdict.acks,
        verdict.unsure,
        verdict.replays,
        verdict.sales,
        verdict.held,
        history.posts.len(),
        verdict.violations.len(),
        slowest.as_millis(),
    );
    println!("{figures}");
    assert!(verdict.violations.is_empty(), "{figures}\n{}", verdict.shown());
    // Offered are `RATE` a second; a machine that is busy otherwise gets fewer out before the kill.
    let enough = history.ops.len() as u64 >= LEADS_LEAST * kills;
    assert!(enough, "too few leads to mean anything: {figures}");
    assert!(verdict.sales > 0 && verdict.unsure > 0 && verdict.replays > 0, "{figures}");
    buyers.stop().await;
}
