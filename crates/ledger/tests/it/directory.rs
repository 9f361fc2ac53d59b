//! A data directory: kept across a restart, held by one process, refused when it is not ours to write.

use std::task::{Context, Poll, Waker};

use lead::{OfferOutcome, PostClass};
use ledger::{Ledger, OpenError, Options, Recovery, Refused, RootKey, SqliteLedger};
use rusqlite::Connection;

use crate::sample::{classed, created, id, opened, options, settled, sqlite, write};

fn refused(options: Options) -> OpenError {
    SqliteLedger::open(options).unwrap_err()
}

#[tokio::test]
async fn a_reopened_ledger_has_everything_and_goes_on_counting() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = sqlite(dir.path());
    ledger.commit(created(id(1), vec![opened("nova", 0)])).await.unwrap();
    let sale = vec![classed("nova", PostClass::Accepted), settled(OfferOutcome::Sold)];
    ledger.commit(write(id(1), sale)).await.unwrap();
    ledger.commit(created(id(2), vec![opened("nova", 0)])).await.unwrap();
    let before = (ledger.lead(id(1)).await.unwrap(), ledger.lead(id(2)).await.unwrap());
    ledger.close();
    let closed = ledger.commit(created(id(3), vec![])).await;
    assert_eq!(closed, Err(Refused::Unavailable("the ledger is closed".to_owned())));
    assert!(ledger.trouble().is_some() && ledger.lead(id(1)).await.is_err());
    let log = std::fs::metadata(dir.path().join("ledger.db-wal")).map_or(0, |file| file.len());
    assert_eq!(log, 0, "a close leaves no log behind");

    let ledger = sqlite(dir.path());
    assert_eq!((ledger.lead(id(1)).await.unwrap(), ledger.lead(id(2)).await.unwrap()), before);
    assert_eq!(ledger.open_intents().await.unwrap().len(), 1, "opening settles nothing");
    let receipt = ledger.commit(created(id(3), vec![])).await.unwrap();
    assert_eq!(receipt.sequence.0, 3);
}

#[tokio::test]
async fn a_second_open_is_refused_while_the_first_lives() {
    let dir = tempfile::tempdir().unwrap();
    let first = sqlite(dir.path());
    let error = refused(options(dir.path()));
    assert!(matches!(error, OpenError::Locked { .. }));
    assert!(error.to_string().contains(&dir.path().display().to_string()), "{error}");
    first.commit(created(id(1), vec![])).await.unwrap();
    drop(first);
    assert!(sqlite(dir.path()).lead(id(1)).await.unwrap().is_some());
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    drop(sqlite(dir.path()));
    let db = Connection::open(dir.path().join("ledger.db")).unwrap();
    let known: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    let expected = format!(
        "data directory was written by a newer version (schema 99, this build knows {known})"
    );
    assert_eq!(refused(options(dir.path())).to_string(), expected);
    let after: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(after, 99);
}

#[test]
fn another_root_key_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(sqlite(dir.path()));
    let other = Options::new(dir.path(), RootKey::from_bytes([43; 32]));
    assert!(matches!(refused(other), OpenError::WrongKey));
    drop(sqlite(dir.path()));
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    // A directory cannot be made inside a file, whoever asks.
    for path in [file.join("data"), file] {
        let error = refused(options(&path));
        assert!(matches!(error, OpenError::Dir { .. }), "{error:?}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ledger.db"), "not a database, and long enough to tell")
        .unwrap();
    assert!(matches!(refused(options(dir.path())), OpenError::Sqlite(_)));
}

#[tokio::test]
async fn a_full_queue_sheds_without_blocking_and_a_dropped_waiter_takes_nothing_back() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(Options { queue: 2, ..options(dir.path()) }).unwrap();
    // The writer waits for this lock, and everything else for the writer.
    let db = Connection::open(dir.path().join("ledger.db")).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut waiting = Vec::new();
    let mut number = 0;
    let shed = loop {
        number += 1;
        let mut commit = Box::pin(ledger.commit(created(id(number), vec![])));
        match commit.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => waiting.push((number, commit)),
            Poll::Ready(answer) => break answer,
        }
    };
    assert_eq!(shed, Err(Refused::Full));
    assert!((2..=5).contains(&waiting.len()), "{} wait", waiting.len());
    assert_eq!(ledger.trouble(), None, "a busy ledger is not a broken one");
    db.execute_batch("ROLLBACK").unwrap();

    let (gone, commit) = waiting.pop().unwrap();
    drop(commit);
    for (_, commit) in waiting {
        commit.await.unwrap();
    }
    drop(ledger);
    let ledger = sqlite(dir.path());
    assert!(ledger.lead(id(gone)).await.unwrap().is_some(), "a close finishes what is queued");
    assert_eq!(ledger.lead(id(number)).await, Ok(None), "what was shed is not kept");
}

#[tokio::test]
async fn writes_that_wait_together_are_committed_together() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = sqlite(dir.path());
    let db = Connection::open(dir.path().join("ledger.db")).unwrap();
    let pages =
        || -> i64 { db.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get(1)).unwrap() };
    let before = pages();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut waiting: Vec<_> =
        (1..=100).map(|number| Box::pin(ledger.commit(created(id(number), vec![])))).collect();
    for commit in &mut waiting {
        assert!(commit.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    db.execute_batch("ROLLBACK").unwrap();
    for commit in waiting {
        commit.await.unwrap();
    }
    // A lead alone changes at least four pages: its row, its id, its key, the unsettled.
    let written = pages() - before;
    assert!(written < 200, "{written} pages for 100 leads");
}
