//! Many threads and one slot.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

const NOW: &str = "2026-06-10T10:00:30Z";
const THREADS: usize = 64;
const SLOTS: usize = 5_000;

/// 5,000 last slots, each raced for twice by 64 threads: sold never twice, and what the first
/// winner gives back is there for the second.
#[test]
fn the_last_slot_goes_to_exactly_one() {
    let books = Reservations::default();
    let parties: Vec<Parties> = (0..SLOTS)
        .map(|race| {
            let mut parties = Parties::new(&format!("b{}", race % 7), &format!("c{race}"));
            match race % 3 {
                0 => parties.campaign = vec![leads(Window::Day, 1, CapOf::Sold)],
                1 => parties.campaign = vec![spend(Window::Total, "19.99")],
                _ => {
                    parties.campaign =
                        vec![leads(Window::Hour, 1, CapOf::Sold), spend(Window::Day, "15")]
                }
            }
            parties
        })
        .collect();
    let sold: Vec<AtomicU32> = (0..SLOTS).map(|_| AtomicU32::new(0)).collect();
    let barrier = Barrier::new(THREADS);
    std::thread::scope(|threads| {
        for _ in 0..THREADS {
            threads.spawn(|| {
                for first in [true, false] {
                    let mut won = Vec::new();
                    for (race, parties) in parties.iter().enumerate() {
                        if race % 500 == 0 {
                            barrier.wait();
                        }
                        if let Ok(taken) = books.reserve(&parties.scope(), deal("10", "8"), at(NOW))
                        {
                            sold[race].fetch_add(1, Ordering::Relaxed);
                            won.push(taken);
                        }
                    }
                    barrier.wait();
                    for taken in won {
                        if first { taken.release(false) } else { taken.commit(deal("10", "8")) }
                    }
                    barrier.wait();
                }
            });
        }
    });
    assert!(sold.iter().all(|sold| sold.load(Ordering::Relaxed) == 2));
}

/// Threads take and give back at once; what is left is exactly what was kept, and never over.
#[test]
fn no_capacity_is_lost_or_made_under_contention() {
    let books = Reservations::default();
    let mut parties = Parties::new("b", "c");
    parties.campaign = vec![leads(Window::Day, 100, CapOf::Sold)];
    parties.buyer = vec![spend(Window::Day, "500")];
    parties.seller = vec![leads(Window::Month, 40, CapOf::Sold)];
    let scope = parties.scope();
    let kept = AtomicU32::new(0);
    let barrier = Barrier::new(THREADS);
    std::thread::scope(|threads| {
        for thread in 0..THREADS {
            let (books, kept, barrier) = (&books, &kept, &barrier);
            threads.spawn(move || {
                barrier.wait();
                for turn in 0..100 {
                    let Ok(taken) = books.reserve(&scope, deal("10", "8"), at(NOW)) else {
                        continue;
                    };
                    if (thread + turn) % 16 == 0 {
                        kept.fetch_add(1, Ordering::Relaxed);
                        taken.commit(deal("10", "8"));
                    } else {
                        taken.release(false);
                    }
                }
            });
        }
    });
    let mut kept = kept.into_inner();
    assert!(kept <= 40);
    while let Ok(taken) = books.reserve(&scope, deal("10", "8"), at(NOW)) {
        taken.freeze();
        kept += 1;
    }
    assert_eq!(kept, 40);
}

/// A writer that dies with the lock held does not close the book.
#[test]
fn a_poisoned_book_is_still_open() {
    let books = Reservations::default();
    let parties = Parties::new("b", "c");
    books.reserve(&parties.scope(), deal("1", "1"), at(NOW)).unwrap().freeze();
    let book = Arc::clone(&books.buyers.get(&parties.key.buyer).unwrap());
    let died = std::thread::spawn(move || {
        let _held = book.lock();
        panic!("on purpose");
    });
    assert!(died.join().is_err());
    books.reserve(&parties.scope(), deal("1", "1"), at(NOW)).unwrap().release(true);
}
