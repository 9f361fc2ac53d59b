//! The ledger beside its limit: acknowledged leads a second and commit waits, against a file to which the
//! same bytes are appended and synced in the same way (one writer, group commit). Twice: with bytes that
//! lie ready, and with bytes that each caller writes and seals first, as the ledger's callers must.
//! Interleaved rounds in one process, medians.
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

use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes256Gcm, Key, KeyInit as _, Nonce};
use benches::sample::{decisions, id, submission, unsold};
use benches::{Round, median};
use lead::LeadId;
use ledger::{Entry, Ledger, Options, RootKey, SqliteLedger, Write};
use tokio::sync::oneshot;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(1_500);
/// A row's columns beside its sealed and written parts.
const COLUMNS: usize = 150;
const WAITERS: [usize; 3] = [64, 256, 1_024];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!("{:>7}  {:>26}  {:>26}  {:>26}", "waiters", "ledger", "append sealed", "append ready");
    for waiters in WAITERS {
        let (mut ours, mut sealed, mut ready) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(runtime.block_on(ledger_round(waiters)));
            sealed.push(runtime.block_on(append_round(waiters, Bytes::Sealed)));
            ready.push(runtime.block_on(append_round(waiters, Bytes::Ready)));
        }
        let row = |rounds: &[Round]| {
            let wait = |per_mille| median(rounds.iter().map(|round| round.wait(per_mille)));
            let rate = median(rounds.iter().map(Round::rate));
            format!("{rate:>7}/s {:>7.2?} {:>7.2?}", wait(500), wait(990))
        };
        let ratio = |limit: &[Round]| {
            let ratios = ours.iter().zip(limit);
            let ratio = median(ratios.map(|(ours, limit)| ours.rate() * 100 / limit.rate().max(1)));
            format!("{}.{:02}x", ratio / 100, ratio % 100)
        };
        println!(
            "{waiters:>7}  {}  {} {}  {} {}",
            row(&ours),
            row(&sealed),
            ratio(&sealed),
            row(&ready),
            ratio(&ready)
        );
    }
}

/// Where an appended lead's bytes come from.
#[derive(Clone, Copy)]
enum Bytes {
    /// They lie ready: what is measured is the disk and nothing else.
    Ready,
    /// Each caller writes and encrypts its lead, as for the ledger.
    Sealed,
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
async fn append_round(waiters: usize, bytes: Bytes) -> Round {
    let dir = tempfile::tempdir().unwrap();
    let (queue, jobs) = sync_channel(4_096);
    let file = File::create(Path::new(dir.path()).join("log")).unwrap();
    let writer = std::thread::spawn(move || append(file, &jobs));
    let sender: SyncSender<Job> = queue.clone();
    let (submission, decisions) = (Arc::new(submission()), decisions());
    let ready = Arc::new(sealed(&unsold(id(0), &submission, &decisions)));
    let round = round(waiters, move |id| {
        let (queue, ready) = (sender.clone(), Arc::clone(&ready));
        let write = matches!(bytes, Bytes::Sealed).then(|| unsold(id, &submission, &decisions));
        async move {
            let bytes = write.map_or(ready, |write| Arc::new(sealed(&write)));
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

/// A lead's bytes under a key of its own, which is wrapped: as much as the ledger keeps of it.
fn sealed(write: &Write) -> Vec<u8> {
    let mut random = [0; 56];
    getrandom::fill(&mut random).unwrap();
    let (key, nonces) = random.split_first_chunk::<32>().unwrap();
    let ([wrapping, sealing], _) = nonces.as_chunks::<12>() else { unreachable!() };
    let root = Aes256Gcm::new(&Key::<Aes256Gcm>::from([7; 32]));
    let own = Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key));
    let mut bytes = root.encrypt(&Nonce::from(*wrapping), key.as_slice()).unwrap();
    let created = write.created.as_ref().unwrap();
    let submission = serde_json::to_vec(&*created.submission).unwrap();
    bytes.extend(own.encrypt(&Nonce::from(*sealing), submission.as_slice()).unwrap());
    let Some(Entry::Settled(settled)) = write.entries.first() else { unreachable!() };
    for row in &settled.decisions {
        let lead::CampaignKey { buyer, campaign } = &row.campaign;
        serde_json::to_writer(
            &mut bytes,
            &(buyer, campaign, row.tier, row.code.number(), row.bid, row.ping_ms, row.post_ms),
        )
        .unwrap();
    }
    // Ids, times, endings, the claim and the check numbers of the row.
    bytes.extend([7; COLUMNS]);
    bytes
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
