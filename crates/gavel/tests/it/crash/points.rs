//! A process stopped dead at each named step of a sale, ten times over on one ledger, with other leads
//! at every other step around it. The ledger is then opened again and everybody is asked.

use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::checker::{Verdict, check};
use super::child::{self, drive, key, told};
use super::compose::{Rig, Step, open};
use super::history::{Answer, History, Op, Outcome, journals};
use super::{ALONE, seed, town};
use crate::process::wait;

/// How often a process ends at each step.
const TIMES: u64 = 10;
/// The passage at which it ends, at most.
const PASSAGE_MOST: u64 = 24;
/// Of so many answered requests one is sent again by the next process.
const AGAIN: usize = 8;
/// Processes at once.
const AT_ONCE: usize = 2;
/// By then a process has ended.
const CHILD_MOST: Duration = Duration::from_secs(30);
const TEST: &str = "crash::points::a_stop_at_any_step_breaks_no_promise";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stop_at_any_step_breaks_no_promise() {
    if let Some(plan) = child::plan() {
        return child::run(&plan).await;
    }
    let _alone = ALONE.lock().await;
    let seed = seed();
    println!("seed {seed}");
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (number, step) in (0u64..).zip(Step::ALL) {
        let places = Arc::clone(&places);
        running.spawn(async move {
            let _place = places.acquire().await.unwrap();
            (step, stop_at(step, seed.wrapping_add(number)).await)
        });
    }
    let mut faults = Vec::new();
    while let Some(done) = running.join_next().await {
        let (step, (history, verdict)) = done.unwrap();
        println!(
            "crash at {step:?}: stops {TIMES}, leads {}, acks {}, unsure {}, replays {}, sales {}, held {}, posts {}, violations {}, seed {seed}",
            history.ops.len(),
            verdict.acks,
            verdict.unsure,
            verdict.replays,
            verdict.sales,
            verdict.held,
            history.posts.len(),
            verdict.violations.len(),
        );
        if !verdict.violations.is_empty() {
            faults.push(format!("{step:?}:\n{}", verdict.shown()));
        }
        let happened = verdict.unsure > 0 && verdict.sales > 0;
        if !happened || (holds(step) && verdict.held == 0) {
            faults.push(format!("{step:?}: no sale, or no post that a stop left open"));
        }
    }
    assert!(faults.is_empty(), "seed {seed}\n{}", faults.join("\n"));
}

/// Whether a stop at `step` surely leaves a post whose answer is unknown.
fn holds(step: Step) -> bool {
    matches!(step, Step::BeforePost | Step::AmidPost | Step::AfterReply)
}

/// Lets processes end at one step, then opens their ledger and judges.
async fn stop_at(step: Step, seed: u64) -> (History, Verdict) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let dir = tempfile::tempdir().unwrap();
    let buyers = town::buyers(&dir.path().join("journals"), seed).await;
    std::fs::write(dir.path().join("market.toml"), town::market(&buyers)).unwrap();
    let answers = dir.path().join("answers.jsonl");
    std::fs::write(&answers, "").unwrap();

    for _ in 0..TIMES {
        let ops = read(&answers);
        let again: Vec<usize> =
            (0..ops.len()).filter(|n| !ops[*n].is_answered() || rng.usize(..AGAIN) == 0).collect();
        let at = rng.u64(1..=PASSAGE_MOST);
        let plan = json!({ "step": step.name(), "at": at, "again": again, "first": ops.len() });
        let file = dir.path().join("plan.json");
        std::fs::write(&file, plan.to_string()).unwrap();
        let (status, said) = tokio::task::spawn_blocking(move || spawn(&file)).await.unwrap();
        assert!(aborted(status), "not stopped at passage {at} of {step:?}: {status}\n{said}");
    }

    let rig = open(dir.path(), None).await;
    // Every request once more: those without an answer get one, the others the same.
    let ops = read(&answers).len();
    drive(&rig, (0..ops).collect(), &answers).await;
    let posts = journals(&dir.path().join("journals"));
    let mut history = History { ops: read(&answers), posts, ..History::default() };
    for lead in history.leads() {
        let found = find(&rig, &lead).await;
        history.found.insert(lead, found);
    }
    history.keep(rig.ledger()).await;
    rig.drain().await;
    buyers.stop().await;
    let verdict = check(&history);
    (history, verdict)
}

/// Runs a child to its end, and what it said.
fn spawn(plan: &Path) -> (ExitStatus, String) {
    let said = plan.with_file_name("child.log");
    let log = std::fs::File::create(&said).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([TEST, "--exact", "--nocapture"])
        .env(child::PLAN, plan)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    let status = wait(&mut child, CHILD_MOST);
    (status, std::fs::read_to_string(said).unwrap())
}

fn aborted(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    const SIGABRT: i32 = 6;
    status.signal() == Some(SIGABRT)
}

/// What children wrote down: each line is a request that began, or what came of it.
fn read(file: &Path) -> Vec<Op> {
    let mut ops: Vec<Op> = Vec::new();
    for line in std::fs::read_to_string(file).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let n = usize::try_from(line["op"].as_u64().unwrap()).unwrap();
        // Requests begin nearly in order: one that is passed over was never made, and is made later.
        while ops.len() <= n {
            ops.push(Op { key: key(ops.len()), outcomes: Vec::new() });
        }
        let outcomes = &mut ops[n].outcomes;
        let outcome = match (&line["answer"], line["fail"].as_u64()) {
            (Value::Null, None) => {
                outcomes.push(Outcome::Info);
                continue;
            }
            (Value::Null, Some(status)) => Outcome::Fail(u16::try_from(status).unwrap()),
            (answer, _) => Outcome::Ok(Answer::read(answer)),
        };
        *outcomes.last_mut().unwrap() = outcome;
    }
    ops
}

async fn find(rig: &Rig, lead: &str) -> Option<Answer> {
    let publisher = town::PUBLISHER.parse().unwrap();
    let found = rig.find(&publisher, lead.parse().unwrap()).await.unwrap();
    found.map(|answer| Answer::read(&told(&answer)))
}
