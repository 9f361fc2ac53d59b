//! Writer and syncer without their threads: failed commits and syncs, a database that refuses, checkpoints
//! when they are due.

mod lanes;
mod merges;

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, bounded};
use lead::{Attributes, Consent, Contact, Door, LeadId, Money, Submission};
use rusqlite::ffi;
use tokio::sync::oneshot;

use super::checkpoint::{self, Checkpointer, Order};
use super::sync::{Log, Syncer};
use super::traces::Traces;
use super::writer::{self, Job, Writer};
use super::{apply::Parcel, open, rows, schema};
use crate::digest::Keys;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::{
    Claim, ClaimKind, Decision, Digest, Entry, Intent, NewLead, Receipt, Refused, RootKey, Settled,
    Write,
};

type Answer = oneshot::Receiver<writer::Answer>;

struct Bench {
    writer: Writer,
    syncer: Syncer,
    disk: Arc<Disk>,
    orders: Receiver<Order>,
    _dir: tempfile::TempDir,
}

/// A disk that counts its syncs, and fails them when told to.
#[derive(Default)]
struct Disk {
    syncs: AtomicUsize,
    fails: AtomicBool,
}

impl Log for Disk {
    fn sync(&self) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::SeqCst);
        if self.fails.load(Ordering::SeqCst) {
            return Err(io::Error::other("medium error"));
        }
        Ok(())
    }
}

/// So few keys make a merge due here.
const DUE: usize = 100;

fn bench() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let root_key = RootKey::from_bytes([1; 32]);
    let keys = Keys::new(&root_key);
    let db = open::writer(&path).unwrap();
    schema::prepare(&db, &root_key).unwrap();
    let (sender, orders) = bounded(4);
    let traces = Arc::new(Traces::load(&db, DUE).unwrap());
    let disk = Arc::new(Disk::default());
    let (health, metrics) = (Arc::new(Health::default()), Metrics::new());
    let (committed, to_sync) = bounded(1);
    let (free, freed) = bounded(1);
    let syncer = Syncer {
        log: Arc::clone(&disk) as Arc<dyn Log>,
        committed: to_sync,
        free,
        health: Arc::clone(&health),
        metrics: metrics.clone(),
    };
    let writer = Writer {
        path,
        keys,
        db,
        batch_max: 64,
        traces,
        health,
        metrics,
        orders: sender,
        checkpoint_ordered: Arc::new(AtomicBool::new(false)),
        reopen: false,
        work: None,
        committed,
        free: freed,
        log_is_free: Cell::new(true),
        log: Arc::clone(&disk) as Arc<dyn Log>,
        turns: Arc::default(),
    };
    Bench { writer, syncer, disk, orders, _dir: dir }
}

impl Bench {
    fn commit(&mut self, writes: Vec<Write>) -> Vec<Result<Receipt, Refused>> {
        let queued: Vec<(Job, Answer)> = writes.into_iter().map(|write| self.job(write)).collect();
        let (jobs, answers): (Vec<_>, Vec<_>) = queued.into_iter().unzip();
        let (sender, waiting) = bounded(1024);
        jobs.into_iter().for_each(|job| sender.send(job).unwrap());
        while !waiting.is_empty() {
            self.writer.batch(None, &waiting);
            self.sync();
        }
        let receipt = |(receipt, _)| receipt;
        answers.into_iter().map(|mut answer| answer.try_recv().unwrap().map(receipt)).collect()
    }

    /// As the syncer's thread does it.
    fn sync(&self) {
        self.syncer.committed.try_iter().for_each(|committed| self.syncer.settle(committed));
    }

    fn job(&self, write: Write) -> (Job, Answer) {
        let (reply, answer) = oneshot::channel();
        (Job::Write(Parcel::seal(&self.writer.keys, write).unwrap(), reply), answer)
    }

    fn knows(&self, id: LeadId) -> bool {
        rows::lead(&self.writer.db, &self.writer.keys, id).unwrap().is_some()
    }
}

fn id(number: u8) -> LeadId {
    LeadId::new(jiff::Timestamp::UNIX_EPOCH, [number; 10])
}

fn created(number: u8, user_agent_len: usize, entries: Vec<Entry>) -> Write {
    let submission = Submission {
        door: Door::ALL[0],
        publisher: "pub".parse().unwrap(),
        product: "loan".parse().unwrap(),
        sub_id: None,
        external_id: None,
        min_payout: None,
        tags: std::collections::BTreeMap::new(),
        source_url: None,
        user_agent: Some("x".repeat(user_agent_len)),
        attributes: Attributes::new(),
        contact: Contact::default(),
        consent: Consent::default(),
        test: false,
        requested: None,
    };
    let new = NewLead {
        signals: Vec::new(),
        received_at: jiff::Timestamp::UNIX_EPOCH,
        market_version: 1,
        submission: Arc::new(submission),
        claims: vec![Claim { kind: ClaimKind::Customer, key: Digest([number; 16]) }],
        request: None,
    };
    Write { lead: id(number), created: Some(Box::new(new)), entries }
}

fn intent(buyer: &str, slot: u16) -> Entry {
    let price = Money::zero("EUR".parse().unwrap());
    Entry::Intent(Intent {
        campaign: campaign(buyer),
        attempt: 0,
        slot,
        price,
        payout: price,
        expected: None,
        at: jiff::Timestamp::UNIX_EPOCH,
    })
}

/// A row of many pages that needs no sealing, which is slow without optimisation.
fn verbose() -> Entry {
    let reason = Some("x".repeat(200_000));
    let decision = Decision {
        campaign: campaign("a"),
        tier: 1,
        code: lead::Code::NoBid,
        bid: None,
        score: None,
        ping_ms: None,
        post_ms: None,
        limit: None,
        reason,
    };
    let decisions = vec![decision];
    let at = jiff::Timestamp::UNIX_EPOCH;
    Entry::Settled(Settled {
        outcome: None,
        disposition: None,
        reason: None,
        decisions,
        answered: None,
        at,
    })
}

fn campaign(buyer: &str) -> lead::CampaignKey {
    lead::CampaignKey { buyer: buyer.parse().unwrap(), campaign: "main".parse().unwrap() }
}

#[test]
fn a_full_disk_refuses_the_batch_and_all_after_it_until_a_probe_succeeds() {
    let mut bench = bench();
    assert!(bench.commit(vec![created(1, 10, vec![])]).iter().all(Result::is_ok));
    // A full disk, as SQLite sees one.
    let pages: i64 = bench.writer.db.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    bench.writer.db.execute_batch(&format!("PRAGMA max_page_count = {pages}")).unwrap();

    let answers = bench.commit(vec![created(2, 10, vec![]), created(3, 20_000, vec![])]);
    for answer in &answers {
        assert!(matches!(answer, Err(Refused::Unavailable(_))), "{answer:?}");
    }
    assert!(!bench.knows(id(2)), "the neighbour's write is rolled back with the batch");
    let trouble = bench.writer.health.trouble().unwrap();
    assert!(trouble.contains("full"), "{trouble}");
    assert!(!bench.writer.reopen);
    assert_eq!(bench.commit(vec![created(2, 10, vec![])]), [Err(Refused::Unavailable(trouble))]);

    bench.writer.probe();
    assert!(bench.writer.health.trouble().is_some(), "still full");
    bench.writer.db.execute_batch("PRAGMA max_page_count = 1000000").unwrap();
    bench.writer.probe();
    assert_eq!(bench.writer.health.trouble(), None);
    assert!(bench.commit(vec![created(2, 10, vec![])]).iter().all(Result::is_ok));
    assert!(bench.knows(id(1)) && bench.knows(id(2)));
}

#[test]
fn after_an_io_error_the_connection_is_given_up_before_the_probe() {
    let mut bench = bench();
    // Something that only this connection has.
    bench.writer.db.execute_batch("CREATE TEMP TABLE here (x)").unwrap();
    let error = ffi::Error::new(ffi::SQLITE_IOERR_FSYNC);
    bench.writer.fail(&rusqlite::Error::SqliteFailure(error, None));
    assert!(bench.writer.health.trouble().is_some() && bench.writer.reopen);
    bench.writer.probe();
    assert_eq!(bench.writer.health.trouble(), None);
    assert!(
        bench.writer.db.execute("INSERT INTO here VALUES (1)", []).is_err(),
        "the old connection"
    );
    assert!(bench.commit(vec![created(1, 10, vec![])]).iter().all(Result::is_ok));
}

#[test]
fn a_file_that_is_no_database_any_more_keeps_the_trouble_and_every_write_out() {
    let mut bench = bench();
    assert!(bench.commit(vec![created(1, 10, vec![])]).iter().all(Result::is_ok));
    let error = ffi::Error::new(ffi::SQLITE_IOERR_WRITE);
    bench.writer.fail(&rusqlite::Error::SqliteFailure(error, None));
    let log = bench.writer.path.with_extension("db-wal");
    let (file, waiting) =
        (std::fs::read(&bench.writer.path).unwrap(), std::fs::read(&log).unwrap());
    std::fs::write(&bench.writer.path, "x".repeat(10_000)).unwrap();
    std::fs::write(&log, "").unwrap();
    bench.writer.probe();
    let trouble = bench.writer.health.trouble().unwrap();
    assert!(trouble.contains("not a database"), "{trouble}");
    let answers = bench.commit(vec![created(2, 10, vec![])]);
    assert_eq!(answers, [Err(Refused::Unavailable(trouble))]);

    std::fs::write(&bench.writer.path, file).unwrap();
    std::fs::write(&log, waiting).unwrap();
    bench.writer.probe();
    assert_eq!(bench.writer.health.trouble(), None);
    assert!(bench.knows(id(1)) && !bench.knows(id(2)));
}

#[test]
fn a_key_is_in_the_filter_even_if_its_commit_failed() {
    let mut bench = bench();
    bench.writer.db.execute_batch("PRAGMA max_page_count = 1").unwrap();
    assert!(bench.commit(vec![created(9, 200_000, vec![])]).iter().all(Result::is_err));
    assert!(bench.writer.traces.may_hold(Digest([9; 16])));
    assert!(!bench.writer.traces.may_hold(Digest([8; 16])));
}

#[test]
fn a_write_that_only_the_database_refuses_leaves_its_neighbours_whole() {
    let mut bench = bench();
    // Stands for a rule that the program forgot.
    bench
        .writer
        .db
        .execute_batch("CREATE UNIQUE INDEX trip ON posts (lead) WHERE buyer IN ('a', 'b')")
        .unwrap();
    let answers = bench.commit(vec![
        created(1, 10, vec![intent("a", 0)]),
        created(2, 10, vec![intent("a", 0), intent("b", 1)]),
        created(3, 10, vec![intent("b", 0), intent("c", 1)]),
    ]);
    assert!(
        matches!(&answers[1], Err(Refused::Illegal(why)) if why.contains("UNIQUE")),
        "{answers:?}"
    );
    let numbers: Vec<_> = [&answers[0], &answers[2]].map(|a| a.as_ref().unwrap().sequence.0).into();
    assert_eq!(numbers, [1, 2]);
    assert!(bench.knows(id(1)) && !bench.knows(id(2)) && bench.knows(id(3)));
    assert_eq!(bench.writer.health.trouble(), None);
}

#[test]
fn the_database_itself_refuses_to_sell_a_slot_or_to_a_buyer_twice() {
    let mut bench = bench();
    assert!(bench.commit(vec![created(1, 10, vec![intent("a", 0)])]).iter().all(Result::is_ok));
    let post = |ordinal: i64, buyer: &str, slot: i64, class: Option<i64>| {
        bench.writer.db.execute(
            "INSERT INTO posts (lead, ordinal, publisher, product, test, buyer, campaign, attempt, slot, \
             class, bid, price, payout, currency, intent_at, mac) \
             VALUES (1, ?1, 'p', 'l', 0, ?2, 'c', 0, ?3, ?4, '1', '1', '1', 'EUR', 0, 0)",
            rusqlite::params![ordinal, buyer, slot, class],
        )
    };
    for class in [None, Some(1), Some(4)] {
        assert!(post(1, "b", 0, class).is_err(), "slot {class:?}");
        assert!(post(1, "a", 1, class).is_err(), "buyer {class:?}");
    }
    for (ordinal, class) in [(1, Some(2)), (2, Some(3))] {
        assert_eq!(post(ordinal, "a", 0, class), Ok(1), "a refused post takes nothing");
    }
    assert_eq!(post(3, "b", 1, None), Ok(1));
}

#[test]
fn a_grown_log_is_moved_and_an_emptied_one_has_no_bytes() {
    let mut bench = bench();
    let log = bench.writer.path.with_extension("db-wal");
    let mut number = 0;
    while !checkpoint::is_due(&bench.writer.db).unwrap() {
        number += 1;
        assert!(bench.commit(vec![created(number, 10, vec![verbose()])]).iter().all(Result::is_ok));
    }
    assert!(number > 10, "due after {number} leads");
    let order = bench.orders.try_recv().unwrap();
    assert!(matches!(order, Order::Passive) && bench.orders.is_empty(), "ordered once");

    // As the checkpointer's thread does it, until the last sender is gone.
    let (sender, orders) = bounded(4);
    let (reply, mut emptied) = oneshot::channel();
    sender.send(order).unwrap();
    sender.send(Order::Empty(reply)).unwrap();
    drop(sender);
    let ordered = Arc::clone(&bench.writer.checkpoint_ordered);
    Checkpointer::new(bench.writer.path.clone(), orders, ordered, Arc::default()).unwrap().run();
    assert_eq!(emptied.try_recv().unwrap(), Ok(()));
    assert!(!checkpoint::is_due(&bench.writer.db).unwrap());
    assert_eq!(std::fs::metadata(log).unwrap().len(), 0);
    assert!(bench.knows(id(1)) && bench.knows(id(number)));
}

#[test]
fn nothing_is_answered_before_the_log_is_synced() {
    let mut bench = bench();
    let (sender, waiting) = bounded(8);
    let (first, mut answer) = bench.job(created(1, 10, vec![]));
    sender.send(first).unwrap();
    bench.writer.batch(None, &waiting);
    assert!(bench.knows(id(1)), "committed");
    assert!(answer.try_recv().is_err() && bench.disk.syncs.load(Ordering::SeqCst) == 0);
    bench.sync();
    assert!(answer.try_recv().unwrap().is_ok());
    assert_eq!(bench.disk.syncs.load(Ordering::SeqCst), 1);
}

#[test]
fn what_comes_during_a_sync_shares_the_next_one() {
    let mut bench = bench();
    let (sender, waiting) = bounded(8);
    let mut answers = Vec::new();
    let mut send = |bench: &Bench, number| {
        let (job, answer) = bench.job(created(number, 10, vec![]));
        sender.send(job).unwrap();
        answers.push(answer);
    };
    send(&bench, 1);
    bench.writer.batch(None, &waiting);
    // The log is being synced: two more come, and the writer waits for it to be free.
    send(&bench, 2);
    send(&bench, 3);
    std::thread::scope(|scope| {
        let (committed, syncer) = (bench.syncer.committed.recv().unwrap(), &bench.syncer);
        scope.spawn(move || syncer.settle(committed));
        bench.writer.batch(None, &waiting);
    });
    bench.sync();
    assert!(answers.into_iter().all(|mut answer| answer.try_recv().unwrap().is_ok()));
    assert_eq!(bench.disk.syncs.load(Ordering::SeqCst), 2);
}

#[test]
fn after_a_failed_sync_nothing_is_committed_until_a_restart() {
    let mut bench = bench();
    bench.disk.fails.store(true, Ordering::SeqCst);
    let answers = bench.commit(vec![created(1, 10, vec![])]);
    assert!(
        matches!(&answers[..], [Err(Refused::Unavailable(why))] if why.contains("medium error"))
    );
    // A later sync would succeed, and say nothing of what the failed one left out.
    bench.disk.fails.store(false, Ordering::SeqCst);
    bench.writer.probe();
    let trouble = bench.writer.health.trouble().unwrap();
    assert!(trouble.contains("restart"), "{trouble}");
    assert_eq!(bench.commit(vec![created(2, 10, vec![])]), [Err(Refused::Unavailable(trouble))]);
    assert!(!bench.knows(id(2)));
}

#[test]
fn what_waits_for_a_sync_that_fails_is_not_committed() {
    let mut bench = bench();
    let (sender, waiting) = bounded(8);
    let (first, mut first_answer) = bench.job(created(1, 10, vec![]));
    let (second, mut second_answer) = bench.job(created(2, 10, vec![]));
    sender.send(first).unwrap();
    bench.writer.batch(None, &waiting);
    sender.send(second).unwrap();
    bench.disk.fails.store(true, Ordering::SeqCst);
    std::thread::scope(|scope| {
        let (committed, syncer) = (bench.syncer.committed.recv().unwrap(), &bench.syncer);
        scope.spawn(move || syncer.settle(committed));
        bench.writer.batch(None, &waiting);
    });
    for answer in [&mut first_answer, &mut second_answer] {
        assert!(matches!(answer.try_recv().unwrap(), Err(Refused::Unavailable(_))));
    }
    assert!(!bench.knows(id(2)));
}

#[test]
fn the_log_that_is_synced_is_the_databases_own_also_after_it_was_emptied() {
    let mut bench = bench();
    let log = std::fs::File::open(bench.writer.path.with_extension("db-wal")).unwrap();
    super::sync::log(&bench.writer.path).unwrap().sync().unwrap();
    for number in 1..=2 {
        assert!(bench.commit(vec![created(number, 10, vec![])]).iter().all(Result::is_ok));
        assert!(log.metadata().unwrap().len() > 0, "the commit is in this file");
        let truncate = "PRAGMA wal_checkpoint(TRUNCATE)";
        bench.writer.db.query_row(truncate, [], |_| Ok(())).unwrap();
        assert_eq!(log.metadata().unwrap().len(), 0);
    }
}

/// SQLite syncs the log before it moves pages out of it, and nothing at a commit: that is `sync`'s.
#[test]
fn pages_leave_the_log_synced_and_freed_bytes_are_zeroed() {
    let dir = tempfile::tempdir().unwrap();
    let db = open::writer(&dir.path().join("ledger.db")).unwrap();
    let setting = |name: &str| {
        db.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(setting("synchronous"), 1, "NORMAL");
    assert_eq!(setting("secure_delete"), 1);
    assert_eq!(setting("wal_autocheckpoint"), 0, "checkpoints have a thread of their own");
}
