//! The ledger beside its limit: acknowledged leads a second and commit waits, against a file that the
//! same bytes are appended to and synced in the same way (one writer, group commit). Interleaved
//! rounds in one process, medians.
//!
//! `cargo bench -p benches --bench ledger`

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, reads the real clock and stops when it cannot go on"
)]

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use benches::{Round, median};
use jiff::Timestamp;
use lead::{
    Attributes, Consent, Contact, Disposition, Door, LeadId, OfferOutcome, Standard, Submission,
};
use ledger::{
    Claim, ClaimKind, Decision, Digest, Entry, Ledger, NewLead, Options, RootKey, Settled,
    SqliteLedger, Write,
};
use tokio::sync::oneshot;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(1_500);
const WAITERS: [usize; 3] = [64, 256, 1_024];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!(
        "{:>7}  {:>22}  {:>22}  {:>6}",
        "waiters", "ledger leads/s p50 p99", "append leads/s p50 p99", "ratio"
    );
    for waiters in WAITERS {
        let (mut ours, mut limit) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(runtime.block_on(ledger_round(waiters)));
            limit.push(runtime.block_on(append_round(waiters)));
        }
        let row = |rounds: &[Round]| {
            let wait = |per_mille| median(rounds.iter().map(|round| round.wait(per_mille)));
            (median(rounds.iter().map(Round::rate)), wait(500), wait(990))
        };
        let ratios =
            ours.iter().zip(&limit).map(|(ours, limit)| ours.rate() * 100 / limit.rate().max(1));
        let ((rate, p50, p99), (most, best50, best99)) = (row(&ours), row(&limit));
        let ratio = median(ratios);
        println!(
            "{waiters:>7}  {rate:>7} {p50:>7.2?} {p99:>7.2?}  {most:>7} {best50:>7.2?} {best99:>7.2?}  {}.{:02}x",
            ratio / 100,
            ratio % 100
        );
    }
}

/// Every waiter commits one unsold lead after the other: one commit each, as the engine does.
async fn ledger_round(waiters: usize) -> Round {
    let dir = tempfile::tempdir().unwrap();
    let options = Options::new(dir.path(), RootKey::from_bytes([7; 32]));
    let ledger = Arc::new(SqliteLedger::open(options).unwrap());
    // What the engine has in hand when it commits.
    let (submission, decisions) = (Arc::new(submission()), decisions());
    let store = Arc::clone(&ledger);
    let round = round(waiters, move |id| {
        let write = unsold(id, &submission, &decisions);
        let ledger = Arc::clone(&store);
        async move {
            ledger.commit(write).await.unwrap();
        }
    })
    .await;
    tokio::task::spawn_blocking(move || ledger.close()).await.unwrap();
    round
}

/// The same bytes to a plain file: one writer, whatever waits in one write and one `fdatasync`.
async fn append_round(waiters: usize) -> Round {
    let dir = tempfile::tempdir().unwrap();
    let (queue, jobs) = sync_channel(4_096);
    let file = File::create(Path::new(dir.path()).join("log")).unwrap();
    let writer = std::thread::spawn(move || append(file, &jobs));
    let bytes = Arc::new(stored_bytes());
    let sender: SyncSender<Job> = queue.clone();
    let round = round(waiters, move |_| {
        let (queue, bytes) = (sender.clone(), Arc::clone(&bytes));
        async move {
            let (done, waiting) = oneshot::channel();
            queue.try_send(Job { bytes, done }).unwrap();
            waiting.await.unwrap();
        }
    })
    .await;
    drop(queue);
    tokio::task::spawn_blocking(move || writer.join().unwrap()).await.unwrap();
    round
}

struct Job {
    bytes: Arc<Vec<u8>>,
    done: oneshot::Sender<()>,
}

fn append(mut file: File, jobs: &Receiver<Job>) {
    let mut buffer = Vec::new();
    while let Ok(first) = jobs.recv() {
        buffer.clear();
        let mut waiting = Vec::new();
        for job in std::iter::once(first).chain(jobs.try_iter().take(1_023)) {
            buffer.extend_from_slice(&job.bytes);
            waiting.push(job.done);
        }
        file.write_all(&buffer).unwrap();
        file.sync_data().unwrap();
        for done in waiting {
            done.send(()).unwrap_or_default();
        }
    }
}

/// So many waiters, each with its next piece of work as soon as the last one is durable.
async fn round<F: Future<Output = ()> + Send + 'static>(
    waiters: usize,
    work: impl Fn(LeadId) -> F + Clone + Send + 'static,
) -> Round {
    let started = Instant::now();
    let until = started + ROUND;
    let next = Arc::new(AtomicU64::new(0));
    let waiter = |_| {
        let (work, next) = (work.clone(), Arc::clone(&next));
        tokio::spawn(async move {
            let mut waits = Vec::new();
            while Instant::now() < until {
                let sent = Instant::now();
                work(id(next.fetch_add(1, Ordering::Relaxed))).await;
                waits.push(sent.elapsed());
            }
            waits
        })
    };
    let tasks: Vec<_> = (0..waiters).map(waiter).collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await.unwrap());
    }
    Round::new(started.elapsed(), waits)
}

fn id(number: u64) -> LeadId {
    let mut entropy = [0; 10];
    // The first bytes make room for the id's version and variant.
    entropy[3..].copy_from_slice(&number.to_be_bytes()[1..]);
    LeadId::new(Timestamp::now(), entropy)
}

fn submission() -> Submission {
    let mut attributes = Attributes::new();
    for (standard, text) in [
        (Standard::Country, "ES"),
        (Standard::Region, "Madrid"),
        (Standard::PostalCode, "28001"),
        (Standard::Purpose, "home_improvement"),
        (Standard::Employment, "employed"),
        (Standard::MaritalStatus, "married"),
        (Standard::EmailDomain, "example.org"),
        (Standard::Publisher, "p-es-1"),
    ] {
        attributes.set_text(standard, text);
    }
    for (standard, number) in [
        (Standard::Age, 38),
        (Standard::MonthlyIncome, 2_500),
        (Standard::MonthlyExpenses, 900),
        (Standard::Amount, 10_000),
        (Standard::TermMonths, 36),
    ] {
        attributes.set_number(standard, number);
    }
    Submission {
        door: Door::Native,
        publisher: "demo".parse().unwrap(),
        product: "personal-loan-es".parse().unwrap(),
        sub_id: Some("fb-17".to_owned()),
        external_id: Some("aff-123".to_owned()),
        min_payout: None,
        tags: [("click_id".to_owned(), "abcdefgh".to_owned())].into(),
        source_url: Some("https://loans.example/form".to_owned()),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36".to_owned()),
        attributes,
        contact: Contact {
            first_name: Some("Ana".to_owned()),
            last_name: Some("Prueba".to_owned()),
            email: Some("ana.prueba@example.org".to_owned()),
            phone: Some("+34600111222".to_owned()),
            birth_date: "1988-05-10".parse().ok(),
            ..Contact::default()
        },
        consent: Consent { ip: "203.0.113.9".parse().ok(), ..Consent::default() },
        test: false,
    }
}

fn decisions() -> Vec<Decision> {
    let row = |number: usize| Decision {
        campaign: lead::CampaignKey {
            buyer: format!("buyer-{number}").parse().unwrap(),
            campaign: "es-prime".parse().unwrap(),
        },
        tier: 1,
        code: lead::Code::NoBid,
        bid: None,
        ping_ms: Some(40),
        post_ms: None,
        reason: None,
    };
    (0..4).map(row).collect()
}

fn unsold(id: LeadId, submission: &Arc<Submission>, decisions: &[Decision]) -> Write {
    let at = Timestamp::now();
    let created = NewLead {
        received_at: at,
        market_version: 1,
        submission: Arc::clone(submission),
        claims: vec![Claim { kind: ClaimKind::Customer, key: claim(id) }],
        request: None,
    };
    let settled = Settled {
        outcome: Some(OfferOutcome::Unsold),
        disposition: Some(Disposition::Unsold),
        reason: None,
        decisions: decisions.to_vec(),
        answered: None,
        at,
    };
    Write { lead: id, created: Some(Box::new(created)), entries: vec![Entry::Settled(settled)] }
}

/// Somebody new every time, as nearly every lead is.
fn claim(id: LeadId) -> Digest {
    let mut key = *id.0.as_bytes();
    key.reverse();
    Digest(key)
}

/// As many bytes as one lead takes in the database: the submission and its rows, without indexes.
fn stored_bytes() -> Vec<u8> {
    vec![7; 1_400]
}
