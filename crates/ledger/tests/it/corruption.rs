//! Damage to the file at any place: what is read afterwards is what was written, an error, or named by a
//! verification. Nothing ever reads as something else, and nothing panics.

use std::path::Path;

use ledger::{
    Claimant, LeadRecord, Ledger, PostRow, Recovery, Refused, RootKey, SqliteLedger, StoredRequest,
    verify,
};

use crate::sample::{digest, id, options, posts_of, sqlite};
use crate::verification::fill;

const LEADS: u16 = 7;
const TRIALS: u64 = 240;

/// Everything that can be read, each with its own error.
#[derive(Debug, PartialEq)]
struct Everything {
    leads: Vec<Result<Option<LeadRecord>, Refused>>,
    claimants: Vec<Result<Vec<Claimant>, Refused>>,
    request: Result<Option<StoredRequest>, Refused>,
    posts: Result<Vec<PostRow>, Refused>,
    pings: Result<usize, Refused>,
}

async fn everything(ledger: &SqliteLedger) -> Everything {
    let mut read = Everything {
        leads: Vec::new(),
        claimants: Vec::new(),
        request: ledger.request(digest(3)).await,
        posts: Ok(Vec::new()),
        pings: Ok(0),
    };
    for number in 1..=LEADS {
        read.leads.push(ledger.lead(id(number)).await);
    }
    for key in 1..=2 {
        read.claimants.push(ledger.claimants(&[digest(key)]).await);
    }
    let mut pings = 0;
    read.posts = posts_of(ledger);
    let since = jiff::Timestamp::UNIX_EPOCH;
    read.pings = ledger.visit_pings(since, &mut |_, _| pings += 1).map(|()| pings);
    read
}

impl Everything {
    /// Whether a value reads as another one. What is missing does not: a verification must name it.
    fn lies(&self, truth: &Self) -> bool {
        let lead = |(read, truth): (&_, &_)| matches!(read, Ok(Some(_))) && read != truth;
        let claimants = |(read, truth): (&Result<Vec<Claimant>, _>, &_)| {
            read.as_ref().is_ok_and(|found| !found.is_empty()) && read != truth
        };
        let row = |row: &PostRow| truth.posts.as_ref().is_ok_and(|rows| rows.contains(row));
        self.leads.iter().zip(&truth.leads).any(lead)
            || self.claimants.iter().zip(&truth.claimants).any(claimants)
            || (matches!(self.request, Ok(Some(_))) && self.request != truth.request)
            || self.posts.as_ref().is_ok_and(|rows| !rows.iter().all(row))
    }
}

/// The same damage for the same number.
fn damage(file: &mut Vec<u8>, number: u64) -> String {
    let random = |what: u64, below: usize| {
        let hash = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(what);
        let mixed = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        usize::try_from((mixed ^ (mixed >> 32)) % below as u64).unwrap()
    };
    let place = random(1, file.len());
    match number % 4 {
        0 | 1 => {
            let bit = random(2, 8);
            file[place] ^= 1 << bit;
            format!("bit {bit} of byte {place}")
        }
        2 => {
            file.truncate(place);
            format!("nothing from {place} on")
        }
        _ => {
            let end = file.len().min(place + [64, 512, 4096][random(3, 3)]);
            file[place..end].fill(0);
            format!("zeros from {place} to {end}")
        }
    }
}

async fn read(dir: &Path) -> Option<Everything> {
    match SqliteLedger::open(options(dir)) {
        Ok(ledger) => Some(everything(&ledger).await),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

#[tokio::test]
async fn damage_at_any_place_is_an_error_or_is_named_and_never_reads_as_something_else() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = sqlite(dir.path());
    fill(&ledger).await;
    let truth = everything(&ledger).await;
    drop(ledger);
    let whole = std::fs::read(dir.path().join("ledger.db")).unwrap();
    assert_eq!(read(dir.path()).await.as_ref(), Some(&truth));

    let (mut named, mut harmless) = (0, 0);
    for number in 0..TRIALS {
        let dir = tempfile::tempdir().unwrap();
        let mut file = whole.clone();
        let what = damage(&mut file, number);
        std::fs::write(dir.path().join("ledger.db"), &file).unwrap();
        let found = verify(dir.path(), &RootKey::from_bytes([42; 32]));
        let sound = found.as_ref().is_ok_and(|found| found.is_sound());
        match read(dir.path()).await {
            None => assert!(!sound, "{what}: sound, and does not open"),
            Some(read) => {
                assert!(!read.lies(&truth), "{what}: {read:?}");
                assert!(!sound || read == truth, "{what}: sound, and reads otherwise: {read:?}");
            }
        }
        if sound { harmless += 1 } else { named += 1 }
    }
    assert!(named > TRIALS / 4, "{named} named, {harmless} harmless");
}
