//! Contact data on disk: never in the clear, and unreadable for ever once erased.

use std::path::Path;

use lead::{Disposition, OfferOutcome, PostClass};
use ledger::{Entry, KeptMarket, Ledger, MemoryLedger, Refused};
use rusqlite::Connection;

use crate::sample::{
    MARKER, classed, created, id, money, opened, reported, settled, sqlite, write,
};

/// The files of `dir` that hold `bytes`.
fn holding(dir: &Path, bytes: &[u8]) -> Vec<String> {
    let holds = |path: &Path| {
        std::fs::read(path).unwrap().windows(bytes.len()).any(|window| window == bytes)
    };
    let files = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| holds(path)).map(|path| path.display().to_string()).collect()
}

async fn sell(ledger: &impl Ledger, number: u16) {
    ledger.commit(created(id(number), vec![opened("nova", 0)])).await.unwrap();
    let sale = vec![classed("nova", PostClass::Accepted), settled(OfferOutcome::Sold)];
    ledger.commit(write(id(number), sale)).await.unwrap();
    let event = vec![Entry::Reported(reported("nova", 1))];
    ledger.commit(write(id(number), event)).await.unwrap();
}

#[tokio::test]
async fn no_file_ever_holds_contact_data_in_the_clear() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = sqlite(dir.path());
    for number in 1..=20 {
        sell(&ledger, number).await;
    }
    let none: Vec<String> = Vec::new();
    assert_eq!(holding(dir.path(), MARKER.as_bytes()), none, "while open");
    assert_eq!(holding(dir.path(), b"203.0.113.9"), none);
    assert!(!holding(dir.path(), b"acme-leads").is_empty(), "the search finds what is there");
    drop(ledger);
    assert_eq!(holding(dir.path(), MARKER.as_bytes()), none, "after a close");
    assert!(!holding(dir.path(), b"acme-leads").is_empty());
}

#[tokio::test]
async fn an_erased_lead_keeps_its_amounts_and_no_byte_of_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = sqlite(dir.path());
    for number in 1..=200 {
        sell(&ledger, number).await;
    }
    let db = Connection::open(dir.path().join("ledger.db")).unwrap();
    let key = |sequence: i64| -> Vec<u8> {
        db.query_row("SELECT wrapped FROM keys WHERE lead = ?1", [sequence], |row| row.get(0))
            .unwrap()
    };
    let (erased, kept) = (key(100), key(101));
    assert!(!holding(dir.path(), &erased).is_empty(), "the search finds what is there");

    ledger.erase(id(100)).await.unwrap();
    assert_eq!(holding(dir.path(), &erased), Vec::<String>::new());
    assert!(!holding(dir.path(), &kept).is_empty());
    let (found, neighbour) = (
        ledger.lead(id(100)).await.unwrap().unwrap(),
        ledger.lead(id(101)).await.unwrap().unwrap(),
    );
    let said = |record: &ledger::LeadRecord| {
        (record.events[0].reference.is_some(), !record.events[0].metadata.is_empty())
    };
    assert_eq!((said(&found), said(&neighbour)), ((false, false), (true, true)));
    assert_eq!((found.submission, found.disposition), (None, Some(Disposition::Sold)));
    assert_eq!((found.posts[0].price, found.posts[0].redirect_url.clone()), (money("11.00"), None));
    assert!(neighbour.submission.is_some() && neighbour.posts[0].redirect_url.is_some());

    ledger.erase(id(100)).await.unwrap();
    assert!(matches!(ledger.erase(id(999)).await, Err(Refused::Illegal(_))));
    drop(db);
    drop(ledger);
    assert_eq!(holding(dir.path(), &erased), Vec::<String>::new());
    assert_eq!(sqlite(dir.path()).lead(id(100)).await.unwrap().unwrap().submission, None);
}

#[tokio::test]
async fn what_comes_after_an_erasure_is_recorded_without_the_consumer() {
    let dir = tempfile::tempdir().unwrap();
    let (sqlite, memory) = (sqlite(dir.path()), MemoryLedger::new());
    for number in [1, 2] {
        sqlite.commit(created(id(number), vec![opened("nova", 0)])).await.unwrap();
        memory.commit(created(id(number), vec![opened("nova", 0)])).await.unwrap();
    }
    sqlite.erase(id(1)).await.unwrap();
    memory.erase(id(1)).await.unwrap();
    let sale = || {
        let event = Entry::Reported(reported("nova", 1));
        let sold = settled(OfferOutcome::Sold);
        write(id(1), vec![classed("nova", PostClass::Accepted), sold, event])
    };
    sqlite.commit(sale()).await.unwrap();
    memory.commit(sale()).await.unwrap();
    let found = sqlite.lead(id(1)).await.unwrap().unwrap();
    assert_eq!((found.sales().count(), &found.posts[0].redirect_url), (1, &None));
    assert_eq!((found.events.len(), &found.events[0].reference), (1, &None));
    assert_eq!(memory.records(), [found, sqlite.lead(id(2)).await.unwrap().unwrap()]);
}

#[tokio::test]
async fn a_changed_byte_is_corrupt_and_shows_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = sqlite(dir.path());
    sell(&ledger, 1).await;
    sell(&ledger, 2).await;
    let db = Connection::open(dir.path().join("ledger.db")).unwrap();
    // One lead's submission in another one's place.
    db.execute(
        "UPDATE leads SET sealed = (SELECT sealed FROM leads WHERE seq = 2) WHERE seq = 1",
        [],
    )
    .unwrap();
    let error = ledger.lead(id(1)).await.unwrap_err();
    let expected =
        format!("the ledger cannot read a record: the submission of lead {} does not open", id(1));
    assert_eq!(error.to_string(), expected);
    assert!(ledger.lead(id(2)).await.unwrap().is_some());
    assert!(!format!("{ledger:?} {:?}", MemoryLedger::new()).contains(MARKER));
}

#[tokio::test]
async fn a_kept_market_shows_nobodys_key_and_outlives_a_close() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = sqlite(dir.path());
    let market = KeptMarket { version: 1, source: format!("keys = [\"{MARKER}\"]") };
    ledger.keep_market(market.clone()).await.unwrap();
    assert_eq!(holding(dir.path(), MARKER.as_bytes()), Vec::<String>::new());
    // Without the log: it is in the database when it is said to be kept.
    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(dir.path().join("ledger.db"), copy.path().join("ledger.db")).unwrap();
    assert_eq!(sqlite(copy.path()).newest_market().await, Ok(Some(market.clone())));
    drop(ledger);
    let ledger = sqlite(dir.path());
    assert_eq!(ledger.newest_market().await, Ok(Some(market)));
    let db = Connection::open(dir.path().join("ledger.db")).unwrap();
    // Under another number it is another market.
    db.execute("UPDATE markets SET version = 2", []).unwrap();
    for read in [ledger.market(2).await.map(drop), ledger.newest_market().await.map(drop)] {
        let Err(Refused::Corrupt(why)) = read else { panic!("it opened") };
        assert_eq!(why, "market 2 does not open");
    }
    drop((db, ledger));
    let found = ledger::verify(dir.path(), &ledger::RootKey::from_bytes([42; 32])).unwrap();
    let flaws: Vec<_> = found.findings.iter().map(|finding| finding.flaw).collect();
    assert_eq!(flaws, [ledger::Flaw::Unreadable]);
}
