//! How long a start takes: a ledger of many leads, each with a claim and most of them sold, is opened and
//! read as the engine reads it before it takes the first lead. Filled anew, or kept in a directory.
//!
//! `cargo bench -p benches --bench start -- LEADS [DIR]`

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, reads the real clock and stops when it cannot go on"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use benches::sample::{decisions, id, sold, submission, unsold};
use ledger::{Ledger, Options, Recovery, RootKey, SqliteLedger, verify};

const WAITERS: usize = 256;
/// Of ten leads.
const SOLD: u64 = 7;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let leads: u64 = args.next().map_or(100_000, |text| text.parse().unwrap());
    let kept = args.next().map(PathBuf::from);
    let dir = tempfile::tempdir().unwrap();
    let dir = kept.as_deref().unwrap_or(dir.path());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if !dir.join("ledger.db").exists() {
        let started = Instant::now();
        runtime.block_on(fill(dir, leads));
        println!("filled with {leads} leads in {:.2?}", started.elapsed());
    }

    let started = Instant::now();
    let ledger = open(dir);
    let opened = started.elapsed();
    let open_intents = runtime.block_on(ledger.open_intents()).unwrap().len();
    let unsettled = runtime.block_on(ledger.leads_unsettled()).unwrap().len();
    let posts = AtomicU64::new(0);
    ledger
        .visit_posts(&|some| {
            posts.fetch_add(some.len() as u64, Ordering::Relaxed);
        })
        .unwrap();
    let posts = posts.into_inner();
    let ready = started.elapsed();
    println!(
        "opened in {opened:.2?}, ready in {ready:.2?}: {posts} posts, {open_intents} open, {unsettled} unsettled"
    );
    drop(ledger);
    let started = Instant::now();
    let found = verify(dir, &root_key()).unwrap();
    let (took, findings) = (started.elapsed(), found.findings.len());
    println!("verified in {took:.2?}: {} leads, {findings} findings", found.totals.leads);
}

fn root_key() -> RootKey {
    RootKey::from_bytes([7; 32])
}

fn open(dir: &Path) -> SqliteLedger {
    SqliteLedger::open(Options::new(dir, root_key())).unwrap()
}

async fn fill(dir: &Path, leads: u64) {
    let (ledger, next) = (Arc::new(open(dir)), Arc::new(AtomicU64::new(0)));
    let waiters = (0..WAITERS).map(|_| {
        let (ledger, next) = (Arc::clone(&ledger), Arc::clone(&next));
        tokio::spawn(async move {
            let (submission, decisions) = (Arc::new(submission()), decisions());
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= leads {
                    return;
                }
                let write = if number % 10 < SOLD { sold } else { unsold };
                ledger.commit(write(id(number), &submission, &decisions)).await.unwrap();
            }
        })
    });
    for waiter in waiters.collect::<Vec<_>>() {
        waiter.await.unwrap();
    }
    tokio::task::spawn_blocking(move || ledger.close()).await.unwrap();
}
