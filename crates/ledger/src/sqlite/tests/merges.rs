//! Keys on their way from memory into the index: found at every moment, also by a process that starts in
//! the middle.

use crossbeam_channel::bounded;
use lead::LeadId;

use super::{Bench, DUE, bench, created};
use crate::sqlite::bulk::{BulkJob, Work as _};
use crate::sqlite::lookup;
use crate::sqlite::traces::{self, Traces};
use crate::sqlite::writer::Lanes;
use crate::{Claim, ClaimKind, Digest, Refused, Write};

/// No two have keys that are neighbours in the index.
fn key(number: u16) -> Digest {
    let hash = blake3::hash(&number.to_le_bytes());
    Digest(*hash.as_bytes().first_chunk().unwrap())
}

fn claiming(number: u16) -> Write {
    let mut entropy = [9; 10];
    entropy[8..].copy_from_slice(&number.to_be_bytes());
    let mut write = created(0, 10, vec![]);
    write.lead = LeadId::new(jiff::Timestamp::UNIX_EPOCH, entropy);
    let claim = |kind, key| Claim { kind, key };
    write.created.as_mut().unwrap().claims =
        vec![claim(ClaimKind::Customer, key(number)), claim(ClaimKind::Duplicate, key(7_000))];
    write
}

fn found(bench: &Bench, traces: &Traces, key: Digest) -> usize {
    let wanted = vec![(key, traces.young(key))];
    lookup::claimants(&bench.writer.db, &bench.writer.keys, wanted).unwrap().len()
}

#[test]
fn every_key_leads_to_its_lead_while_merges_come_and_go() {
    let mut bench = bench();
    let (sales, waiting) = bounded(64);
    let (_bulk, long) = bounded::<BulkJob>(4);
    let lanes = Lanes { sales: waiting, bulk: long };
    for number in 0..300 {
        let (job, mut answer) = bench.job(claiming(number));
        sales.send(job).unwrap();
        assert!(!bench.writer.turn(&lanes));
        bench.sync();
        assert!(answer.try_recv().unwrap().is_ok());
        let traces = &bench.writer.traces;
        for earlier in (0..=number).step_by(17).chain([number]) {
            assert_eq!(found(&bench, traces, key(earlier)), 1, "{earlier} of {number}");
        }
        assert_eq!(found(&bench, traces, key(7_000)), usize::from(number) + 1);
    }
    assert!(traces::traced(&bench.writer.db).unwrap() > 0, "a merge came to its end");
}

#[test]
fn a_start_in_the_middle_of_a_merge_misses_no_key_and_the_merge_can_begin_again() {
    const LEADS: u16 = 200;
    let mut bench = bench();
    assert!(bench.commit((0..LEADS).map(claiming).collect()).iter().all(Result::is_ok));
    let all_lead = |bench: &Bench, traces: &Traces| {
        assert!((0..LEADS).all(|number| found(bench, traces, key(number)) == 1));
        assert_eq!(found(bench, traces, key(7_000)), usize::from(LEADS));
    };
    let (mut steps, orders) = (0, bench.writer.orders.clone());
    for attempt in 0..2 {
        let mut merge = bench.writer.traces.merge();
        while merge.step(&bench.writer.db, &bench.writer.keys).unwrap() {
            steps += 1;
            all_lead(&bench, &bench.writer.traces);
            all_lead(&bench, &Traces::load(&bench.writer.db, DUE).unwrap());
            if attempt == 0 && steps == 2 {
                break;
            }
        }
        let refused = Err(Refused::Unavailable("disk full".to_owned()));
        Box::new(merge).end(if attempt == 0 { refused } else { Ok(()) }, &orders);
    }
    assert!(steps > 4, "{steps} steps");
    assert!(!bench.writer.traces.is_young());
    all_lead(&bench, &bench.writer.traces);
    let indexed: i64 =
        bench.writer.db.query_row("SELECT count(*) FROM traces", [], |row| row.get(0)).unwrap();
    assert_eq!(indexed, 2 * i64::from(LEADS));
}
