//! Clocks that jump: what was used up stays used up, and nothing is counted twice.

use super::*;
use jiff::{Span, ToSpan};

const NOON: &str = "2026-06-10T10:00:30Z";

/// Sells as much as goes at a moment.
fn sell(books: &Reservations, scope: &Scope<'_>, now: Timestamp) -> u64 {
    let mut sold = 0;
    while let Ok(taken) = books.reserve(scope, deal("1", "1"), now) {
        taken.commit(deal("1", "1"));
        sold += 1;
    }
    sold
}

#[test]
fn a_window_that_comes_back_is_as_full_as_it_was() {
    for window in Window::ALL {
        for jump in [1.hour(), 24.hours()] {
            for jump in [jump, -jump] {
                let books = Reservations::default();
                let mut parties = Parties::new("b", "c");
                parties.campaign = vec![leads(window, 3, CapOf::Sold)];
                let scope = parties.scope();
                let (here, there) = (at(NOON), at(NOON) + jump);
                let first = sell(&books, &scope, here);
                let second = sell(&books, &scope, there);
                assert_eq!(first, 3);
                assert!(second == 3 || second == 0, "{window:?} {jump:?}");
                for _ in 0..3 {
                    assert_eq!(sell(&books, &scope, here), 0, "{window:?} {jump:?}");
                    assert_eq!(sell(&books, &scope, there), 0, "{window:?} {jump:?}");
                }
            }
        }
    }
}

/// A clock set back past everything that is kept sells out of the oldest window, never a new one.
#[test]
fn a_window_that_was_let_go_never_comes_back() {
    for (window, step) in [
        (Window::Minute, 60i64),
        (Window::Hour, 3600),
        (Window::Day, 86_400),
        (Window::Week, 7 * 86_400),
        (Window::Month, 31 * 86_400),
    ] {
        let books = Reservations::default();
        let mut parties = Parties::new("b", "c");
        parties.campaign = vec![leads(window, 2, CapOf::Sold)];
        let scope = parties.scope();
        let moment = |steps: i64| at(NOON) + (steps * step).seconds();
        for steps in 0..100 {
            assert_eq!(sell(&books, &scope, moment(steps)), 2, "{window:?} {steps}");
        }
        for steps in (-5..100).rev() {
            assert_eq!(sell(&books, &scope, moment(steps)), 0, "{window:?} {steps}");
            let stop = books.admits(&scope, None, moment(steps)).unwrap_err();
            let used = stop.limit.map(|limit| limit.used);
            assert_eq!((stop.code, used), (lead::Code::Cap, Some(CapLimit::Leads(2))));
        }
        assert_eq!(sell(&books, &scope, moment(100)), 2, "{window:?}");
    }
}

/// What a reservation was counted in may be gone when it is settled: the window of then is untouched.
#[test]
fn settling_after_a_rollover_leaves_the_new_window_alone() {
    let jumps: [Span; 3] = [5.minutes(), 200.hours(), (400 * 24).hours()];
    for jump in jumps {
        let books = Reservations::default();
        let mut parties = Parties::new("b", "c");
        parties.campaign = vec![leads(Window::Minute, 1, CapOf::Sold)];
        parties.buyer = vec![spend(Window::Minute, "10")];
        let scope = parties.scope();
        let old = books.reserve(&scope, deal("10", "8"), at(NOON)).unwrap();
        let older = books.reserve(&scope, deal("10", "8"), at(NOON) - 1.minute()).unwrap();
        let later = at(NOON) + jump;
        for minute in 0..100 {
            books.reserve(&scope, deal("10", "8"), later + minute.minutes()).unwrap().freeze();
        }
        let before: Vec<_> =
            dump(&books).into_iter().filter(|row| row.contains("Minute")).collect();
        old.release(false);
        older.commit(deal("1", "1"));
        let after: Vec<_> = dump(&books).into_iter().filter(|row| row.contains("Minute")).collect();
        assert_eq!(before, after);
        assert!(books.admits(&scope, None, later + 99.minutes()).is_err());
        // What counts for ever did get it back.
        let total = dump(&books);
        let total = total.iter().find(|row| row.starts_with("b Total")).unwrap();
        assert!(total.contains("[101, 101, 0] 1001"), "{total}");
    }
}

#[test]
fn a_changed_zone_takes_effect_when_the_window_ends() {
    let books = Reservations::default();
    let mut parties = Parties::new("b", "c");
    parties.zone = zone("UTC");
    parties.campaign = vec![leads(Window::Day, 1, CapOf::Sold)];
    assert_eq!(sell(&books, &parties.scope(), at("2026-06-10T23:30:00Z")), 1);
    parties.zone = zone("Europe/Madrid");
    // In Madrid it is the 11th, and in the window that began by UTC still the 10th.
    assert_eq!(sell(&books, &parties.scope(), at("2026-06-10T23:40:00Z")), 0);
    assert_eq!(sell(&books, &parties.scope(), at("2026-06-11T00:10:00Z")), 1);
    assert_eq!(sell(&books, &parties.scope(), at("2026-06-11T21:59:00Z")), 0);
    let stop = books.admits(&parties.scope(), None, at("2026-06-11T21:59:00Z")).unwrap_err();
    // Its window began where the one before ended.
    let window = (at("2026-06-11T00:00:00Z"), at("2026-06-11T22:00:00Z"));
    assert_eq!(stop.limit.unwrap().window, Some(window), "windows do not overlap");
    assert_eq!(sell(&books, &parties.scope(), at("2026-06-11T22:00:00Z")), 1);
}
