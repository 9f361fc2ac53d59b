//! Sales before long work, and long work between sales.

use crossbeam_channel::bounded;
use lead::LeadId;
use tokio::sync::oneshot;

use super::{bench, created, id};
use crate::Refused;
use crate::sqlite::bulk::{BulkJob, CHUNK_STEPS, Erasure};
use crate::sqlite::checkpoint::Order;
use crate::sqlite::rows;
use crate::sqlite::writer::Lanes;

#[test]
fn long_work_never_holds_a_sale_for_more_than_a_chunk_nor_do_sales_starve_it() {
    const LEADS: u16 = 700;
    let mut bench = bench();
    let leads = (0..LEADS).map(|number| {
        let mut write = created(0, 10, vec![]);
        write.lead = numbered(number);
        write
    });
    let answers = bench.commit(leads.collect());
    assert!(answers.iter().all(Result::is_ok));

    let (sales, waiting) = bounded(64);
    let (bulk, long) = bounded::<BulkJob>(4);
    let lanes = Lanes { sales: waiting, bulk: long };
    let (reply, mut erased) = oneshot::channel();
    let all = (0..LEADS).map(numbered).collect();
    bulk.send(Box::new(Erasure::new(all, reply))).unwrap();
    let mut turns = 0;
    // Each lead is looked at once and erased once.
    let least = 2 * usize::from(LEADS) / CHUNK_STEPS;
    // A slow machine's first chunk may end before the work has begun.
    while !lanes.bulk.is_empty() || bench.writer.work.is_some() {
        turns += 1;
        let (job, mut answer) = bench.job(created(u8::try_from(turns % 250).unwrap(), 10, vec![]));
        sales.send(job).unwrap();
        assert!(!bench.writer.turn(&lanes));
        bench.sync();
        // One batch was committed, and one chunk at most: no sale waits for the whole work.
        assert!(answer.try_recv().is_ok(), "turn {turns}");
        assert!(turns < 2 * usize::from(LEADS) + 2, "every turn does a step");
    }
    assert!(turns > least, "{turns} turns");
    let order = bench.orders.try_iter().find(|order| matches!(order, Order::Empty(_)));
    assert!(order.is_some() && erased.try_recv().is_err(), "answered once the log is empty");
    let row = |number| rows::lead(&bench.writer.db, &bench.writer.keys, numbered(number)).unwrap();
    assert!((0..LEADS).all(|number| row(number).unwrap().submission.is_none()));
}

#[test]
fn long_work_is_refused_while_there_is_trouble_and_before_anything_is_changed() {
    let mut bench = bench();
    assert!(bench.commit(vec![created(1, 10, vec![])]).iter().all(Result::is_ok));
    let (bulk, long) = bounded::<BulkJob>(4);
    let mut ask = |leads: Vec<LeadId>| {
        let (reply, mut answer) = oneshot::channel();
        bulk.send(Box::new(Erasure::new(leads, reply))).unwrap();
        while !long.is_empty() || bench.writer.work.is_some() {
            bench.writer.chunk(&long);
        }
        answer.try_recv().unwrap()
    };
    let refused = ask(vec![id(1), id(7)]);
    assert!(matches!(refused, Err(Refused::Illegal(_))), "{refused:?}");
    bench.writer.health.set(Some("disk full".to_owned()));
    let (reply, mut answer) = oneshot::channel();
    bulk.send(Box::new(Erasure::new(vec![id(1)], reply))).unwrap();
    bench.writer.chunk(&long);
    assert_eq!(answer.try_recv().unwrap(), Err(Refused::Unavailable("disk full".to_owned())));
    let found = rows::lead(&bench.writer.db, &bench.writer.keys, id(1)).unwrap().unwrap();
    assert!(found.submission.is_some());
}

fn numbered(number: u16) -> LeadId {
    let mut entropy = [9; 10];
    entropy[8..].copy_from_slice(&number.to_be_bytes());
    LeadId::new(jiff::Timestamp::UNIX_EPOCH, entropy)
}
