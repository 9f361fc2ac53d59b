//! What a window is, by the clocks of the world.

use super::super::window::Span;
use super::*;
use jiff::ToSpan;
use proptest::prelude::*;

const ZONES: [&str; 20] = [
    "UTC",
    "Europe/Madrid",
    "Europe/London",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Havana",
    "America/Santiago",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Asia/Tehran",
    "Asia/Tokyo",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
];

#[test]
fn windows_follow_the_local_clock() {
    use Window::*;
    let cases = [
        // 23 and 25 hours, and the hours around them.
        ("Europe/Madrid", Day, "2026-03-29T10:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z"),
        ("Europe/Madrid", Day, "2026-10-25T22:59Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),
        ("Europe/Madrid", Hour, "2026-10-25T00:30Z", "2026-10-25T00:00Z", "2026-10-25T01:00Z"),
        ("Europe/Madrid", Hour, "2026-10-25T01:30Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z"),
        ("Europe/Madrid", Minute, "2026-03-29T00:59:59Z", "2026-03-29T00:59Z", "2026-03-29T01:00Z"),
        ("America/New_York", Day, "2026-03-08T12:00Z", "2026-03-08T05:00Z", "2026-03-09T04:00Z"),
        ("America/New_York", Day, "2026-11-01T12:00Z", "2026-11-01T04:00Z", "2026-11-02T05:00Z"),
        // Midnight itself is skipped, or shows twice.
        ("Asia/Beirut", Day, "2026-03-29T10:00Z", "2026-03-28T22:00Z", "2026-03-29T21:00Z"),
        ("America/Havana", Day, "2026-11-01T05:30Z", "2026-11-01T04:00Z", "2026-11-02T05:00Z"),
        ("America/St_Johns", Day, "2010-11-07T02:32Z", "2010-11-07T02:30Z", "2010-11-08T03:30Z"),
        // Clocks that are not on the hour, or move by half of one.
        ("Asia/Kolkata", Hour, "2026-01-01T00:00Z", "2025-12-31T23:30Z", "2026-01-01T00:30Z"),
        ("Asia/Kathmandu", Day, "2026-01-01T18:15Z", "2026-01-01T18:15Z", "2026-01-02T18:15Z"),
        ("Asia/Kathmandu", Hour, "2026-01-01T18:14Z", "2026-01-01T17:15Z", "2026-01-01T18:15Z"),
        (
            "Australia/Lord_Howe",
            Hour,
            "2026-04-04T15:10Z",
            "2026-04-04T15:00Z",
            "2026-04-04T15:30Z",
        ),
        // A date that never was, weeks, months, a leap day.
        ("Pacific/Apia", Day, "2011-12-30T09:59Z", "2011-12-29T10:00Z", "2011-12-30T10:00Z"),
        ("Pacific/Apia", Day, "2011-12-30T10:00Z", "2011-12-30T10:00Z", "2011-12-31T10:00Z"),
        ("Europe/Madrid", Week, "2026-03-29T21:59Z", "2026-03-22T23:00Z", "2026-03-29T22:00Z"),
        ("UTC", Week, "2026-01-01T00:00Z", "2025-12-29T00:00Z", "2026-01-05T00:00Z"),
        ("UTC", Month, "2026-01-31T23:59:59Z", "2026-01-01T00:00Z", "2026-02-01T00:00Z"),
        ("UTC", Month, "2028-02-29T12:00Z", "2028-02-01T00:00Z", "2028-03-01T00:00Z"),
        ("UTC", Day, "2028-02-29T12:00Z", "2028-02-29T00:00Z", "2028-03-01T00:00Z"),
        ("Europe/Madrid", Month, "2026-03-31T22:00Z", "2026-03-31T22:00Z", "2026-04-30T22:00Z"),
        ("UTC", Minute, "1969-12-31T23:59:59.5Z", "1969-12-31T23:59Z", "1970-01-01T00:00Z"),
    ];
    for (name, window, moment, start, end) in cases {
        let span = Span::of(window, &zone(name), at(moment));
        assert_eq!(span, Span { start: at(start), end: at(end) }, "{name} {window:?} {moment}");
    }
    assert!(Span::of(Total, &zone("UTC"), Timestamp::MAX).contains(Timestamp::MAX));
    for window in Window::ALL {
        for moment in [Timestamp::MIN, Timestamp::MAX] {
            assert!(Span::of(window, &zone("Asia/Tokyo"), moment).contains(moment), "{window:?}");
        }
    }
}

/// 400 days, every 40 minutes: a day cap of one sells once for every date that the zone had.
#[test]
fn a_day_rolls_exactly_once_per_local_date() {
    for name in ZONES {
        let books = Reservations::default();
        let mut parties = Parties::new("b", "c");
        parties.zone = zone(name);
        parties.campaign = vec![leads(Window::Day, 1, CapOf::Sold)];
        let scope = parties.scope();
        let start = at("2025-12-01T00:07:30Z");
        let mut dates = std::collections::BTreeSet::new();
        let mut sold = 0;
        for step in 0..400 * 36i64 {
            let now = start + (step * 40).minutes();
            dates.insert(parties.zone.to_datetime(now).date());
            if let Ok(taken) = books.reserve(&scope, deal("1", "1"), now) {
                taken.freeze();
                sold += 1;
            }
        }
        assert_eq!(sold, dates.len(), "{name}");
    }
}

proptest! {
    #[test]
    fn spans_tile_all_of_time(
        which in 0..ZONES.len(), second in -3_000_000_000i64..6_000_000_000, nanos in 0i32..1_000_000_000,
    ) {
        let zone = zone(ZONES[which]);
        let now = Timestamp::new(second, 0).unwrap() + i64::from(nanos).nanoseconds();
        for window in Window::ALL {
            let span = Span::of(window, &zone, now);
            prop_assert!(span.contains(now), "{window:?} {span:?} {now}");
            if window == Window::Total {
                continue;
            }
            prop_assert_eq!(Span::of(window, &zone, span.start), span, "{:?}", window);
            let last = span.end - 1.nanosecond();
            prop_assert_eq!(Span::of(window, &zone, last), span, "{:?}", window);
            let before = Span::of(window, &zone, span.start - 1.nanosecond());
            prop_assert_eq!(before.end, span.start, "{:?}", window);
        }
    }
}
