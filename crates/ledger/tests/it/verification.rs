//! A verification: sound when everything is as it was written, and a name for every flaw.

use std::path::Path;

use lead::{OfferOutcome, PostClass, RejectionReason};
use ledger::{
    ClaimKind, Entry, Flaw, Intent, Ledger, MoneyTotals, OpenError, RootKey, SqliteLedger,
    Verification, verify,
};
use rusqlite::Connection;

use crate::sample::{
    MARKER, claiming, classed, created, id, intent, money, opened, rejected, reported, requested,
    settled, sqlite, write,
};

fn root_key() -> RootKey {
    RootKey::from_bytes([42; 32])
}

fn check(dir: &Path) -> Verification {
    verify(dir, &root_key()).unwrap()
}

/// One lead of every ending, claims, a request and an erased one.
pub(crate) async fn fill(ledger: &SqliteLedger) {
    let class = |class| classed("nova", class);
    let sold = || vec![class(PostClass::Accepted), settled(OfferOutcome::Sold)];
    for number in 1..=2 {
        ledger.commit(created(id(number), vec![opened("nova", 0)])).await.unwrap();
        ledger.commit(write(id(number), sold())).await.unwrap();
    }
    let mut claims = claiming(3, 3, &[(ClaimKind::Customer, 1), (ClaimKind::Duplicate, 2)]);
    claims.entries = vec![settled(OfferOutcome::Unsold)];
    ledger.commit(claims).await.unwrap();
    ledger.commit(requested(4, 4, 3, 4)).await.unwrap();
    let rejected = rejected(Some(RejectionReason::AgeRestriction));
    ledger.commit(created(id(5), vec![rejected])).await.unwrap();
    let held = vec![class(PostClass::Unknown), settled(OfferOutcome::Indeterminate)];
    ledger.commit(created(id(6), [vec![opened("nova", 0)], held].concat())).await.unwrap();
    let passed = vec![opened("nova", 0), class(PostClass::Rejected), opened("orion", 0)];
    ledger.commit(created(id(7), passed)).await.unwrap();
    // Its price is due only with its outcome.
    let later = Intent { expected: Some(money("3.10")), ..intent("nova", 0) };
    let sold = vec![class(PostClass::Accepted), settled(OfferOutcome::Sold)];
    let entries = [vec![Entry::Intent(later)], sold].concat();
    ledger.commit(created(id(8), entries)).await.unwrap();
    for (number, mark) in [(1, 1), (1, 2), (2, 1)] {
        let event = vec![Entry::Reported(reported("nova", mark))];
        ledger.commit(write(id(number), event)).await.unwrap();
    }
    ledger.erase(id(2)).await.unwrap();
}

async fn filled() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fill(&sqlite(dir.path())).await;
    dir
}

#[tokio::test]
async fn what_was_written_is_sound_and_adds_up() {
    let dir = filled().await;
    let found = check(dir.path());
    assert_eq!(found.findings, []);
    assert!(found.is_sound());
    let totals = found.totals;
    assert_eq!((totals.leads, totals.posts, totals.sales), (8, 6, 3));
    assert_eq!((totals.claims, totals.requests, totals.erased, totals.tests), (2, 1, 1, 0));
    assert_eq!(totals.events, 3);
    let [price, payout, margin] = ["22", "14", "8"].map(|text| text.parse().unwrap());
    let sums = totals.money.values().copied().collect::<Vec<_>>();
    assert_eq!(sums, [MoneyTotals { price, payout, margin }]);
}

#[tokio::test]
async fn a_log_that_nobody_moved_is_read_too() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = sqlite(dir.path());
    fill(&ledger).await;
    // As a killed process leaves them.
    let copy = tempfile::tempdir().unwrap();
    for file in ["ledger.db", "ledger.db-wal"] {
        std::fs::copy(dir.path().join(file), copy.path().join(file)).unwrap();
    }
    let found = check(copy.path());
    assert_eq!((found.findings, found.totals.leads, found.totals.events), (vec![], 8, 3));
}

#[tokio::test]
async fn a_verification_wants_a_ledger_that_is_ours_and_free() {
    let dir = tempfile::tempdir().unwrap();
    let missing = verify(dir.path(), &root_key()).unwrap_err();
    assert!(matches!(missing, OpenError::NoLedger { .. }), "{missing}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is created");
    let ledger = sqlite(dir.path());
    assert!(matches!(verify(dir.path(), &root_key()), Err(OpenError::Locked { .. })));
    drop(ledger);
    let other = verify(dir.path(), &RootKey::from_bytes([1; 32]));
    assert!(matches!(other, Err(OpenError::WrongKey)));
    let db = Connection::open(dir.path().join("ledger.db")).unwrap();
    for (version, newer) in [(99, true), (0, false)] {
        db.pragma_update(None, "user_version", version).unwrap();
        match verify(dir.path(), &root_key()).unwrap_err() {
            OpenError::Newer { found, .. } => assert!(newer && found == version),
            OpenError::Older { found, .. } => assert!(!newer && found == version),
            error => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_changed_row_is_named() {
    let changes = [
        ("UPDATE leads SET disposition = 3 WHERE seq = 1", Flaw::Unreadable, Some(1)),
        ("UPDATE leads SET product = 'other' WHERE seq = 1", Flaw::Unreadable, Some(1)),
        ("UPDATE leads SET erased = 0 WHERE seq = 2", Flaw::Unreadable, Some(2)),
        ("UPDATE leads SET reasons = NULL WHERE seq = 1", Flaw::Unreadable, Some(1)),
        ("UPDATE leads SET answered = NULL WHERE seq = 1", Flaw::Unreadable, Some(1)),
        ("UPDATE keys SET wrapped = zeroblob(60) WHERE lead = 1", Flaw::Unreadable, Some(1)),
        ("DELETE FROM keys WHERE lead = 1", Flaw::Unreadable, Some(1)),
        ("UPDATE posts SET price = '11.01' WHERE lead = 1", Flaw::Unreadable, Some(1)),
        ("UPDATE posts SET sealed = NULL WHERE lead = 1", Flaw::Unreadable, Some(1)),
        ("DELETE FROM posts WHERE lead = 7 AND ordinal = 0", Flaw::Unreadable, Some(7)),
        ("DELETE FROM posts WHERE lead = 1", Flaw::Unreadable, Some(1)),
        ("DELETE FROM leads WHERE seq = 7", Flaw::Reference, None),
        ("UPDATE leads SET claims = zeroblob(34) WHERE seq = 3", Flaw::Unreadable, Some(3)),
        ("UPDATE leads SET claims = zeroblob(0) WHERE seq = 3", Flaw::Unreadable, Some(3)),
        ("UPDATE leads SET request = zeroblob(32) WHERE seq = 4", Flaw::Unreadable, Some(4)),
        ("UPDATE leads SET request = NULL WHERE seq = 4", Flaw::Unreadable, Some(4)),
        ("UPDATE posts SET test = 1 WHERE lead = 1", Flaw::Unreadable, Some(1)),
        ("DELETE FROM leads WHERE seq = 3", Flaw::Claim, None),
        ("DELETE FROM traces WHERE lead = 4", Flaw::Claim, Some(4)),
        ("UPDATE traces SET key = zeroblob(16) WHERE lead = 4", Flaw::Claim, Some(4)),
        ("UPDATE traces SET lead = 1 WHERE lead = 4", Flaw::Claim, None),
        ("INSERT INTO traces (key, lead) VALUES (zeroblob(16), 1)", Flaw::Claim, None),
        ("UPDATE events SET event = 5 WHERE lead = 1", Flaw::Unreadable, Some(1)),
        ("UPDATE events SET sealed = NULL WHERE lead = 1", Flaw::Unreadable, Some(1)),
        ("DELETE FROM events WHERE lead = 1 AND ordinal = 0", Flaw::Unreadable, Some(1)),
        ("DELETE FROM events WHERE lead = 1", Flaw::Unreadable, Some(1)),
        ("UPDATE leads SET events = 0 WHERE seq = 1", Flaw::Unreadable, Some(1)),
        ("UPDATE leads SET signals = 'honeypot' WHERE seq = 4", Flaw::Unreadable, Some(4)),
        ("UPDATE leads SET events = 1 WHERE seq = 4", Flaw::Unreadable, Some(4)),
        ("UPDATE events SET lead = 7 WHERE lead = 2", Flaw::Unreadable, Some(2)),
        ("DROP INDEX posts_one_per_slot", Flaw::Database, None),
    ];
    for (change, flaw, lead) in changes {
        let dir = filled().await;
        let db = Connection::open(dir.path().join("ledger.db")).unwrap();
        db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        db.execute_batch(change).unwrap();
        drop(db);
        let found = check(dir.path());
        let lead = lead.map(id);
        let named = found.findings.iter().any(|found| found.flaw == flaw && found.lead == lead);
        assert!(named, "{change}: {:?}", found.findings);
        let text: Vec<String> = found.findings.iter().map(ToString::to_string).collect();
        assert!(!text.concat().contains(MARKER) && !text.concat().contains("acme"), "{text:?}");
    }
}

#[tokio::test]
async fn a_ledger_from_before_there_were_events_takes_them() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, sale) = (sqlite(dir.path()), classed("nova", PostClass::Accepted));
    ledger.commit(created(id(1), vec![opened("nova", 0), sale])).await.unwrap();
    let before = ledger.lead(id(1)).await.unwrap();
    drop(ledger);
    let db = Connection::open(dir.path().join("ledger.db")).unwrap();
    let back = "DROP TABLE events; ALTER TABLE leads DROP COLUMN events; \
                ALTER TABLE leads DROP COLUMN signals; ALTER TABLE leads DROP COLUMN offers; \
                ALTER TABLE leads DROP COLUMN least; ALTER TABLE leads DROP COLUMN withdrawn_at; \
                PRAGMA user_version = 2";
    db.execute_batch(back).unwrap();
    drop(db);
    let ledger = sqlite(dir.path());
    assert_eq!(ledger.lead(id(1)).await.unwrap(), before);
    let event = vec![Entry::Reported(reported("nova", 1))];
    ledger.commit(write(id(1), event)).await.unwrap();
    assert_eq!(ledger.lead(id(1)).await.unwrap().unwrap().events, [reported("nova", 1)]);
    drop(ledger);
    assert_eq!(check(dir.path()).findings, []);
}
