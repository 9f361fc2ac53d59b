//! Where a window begins and ends on a zone's clock. The spans of one zone and window tile all of
//! time: they neither overlap nor leave a gap, whatever the clocks of the zone do.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use market::Window;

/// `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// First moment of it.
    pub(crate) start: Timestamp,
    /// First moment past it.
    pub(crate) end: Timestamp,
}

impl Span {
    /// All of time.
    pub(crate) const ALWAYS: Self = Self { start: Timestamp::MIN, end: Timestamp::MAX };

    /// The span of `window` that `at` is in, by the clock of `zone`.
    pub(crate) fn of(window: Window, zone: &TimeZone, at: Timestamp) -> Self {
        match window {
            Window::Minute => clock(zone, at, 60),
            Window::Hour => clock(zone, at, 3600),
            Window::Day | Window::Week | Window::Month => calendar(window, zone, at),
            Window::Total => Self::ALWAYS,
        }
    }

    /// Whether `at` is in it. The last moment of all belongs to the span that ends there.
    pub(crate) fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && (at < self.end || self.end == Timestamp::MAX)
    }
}

/// `length` seconds from the local clock's full minute or hour. A change of clocks ends one that
/// would not go on in step, so an hour is never longer than 60 minutes, and is shorter only where
/// clocks move by less than an hour.
fn clock(zone: &TimeZone, at: Timestamp, length: i64) -> Span {
    let offset = zone.to_offset(at);
    // Before 1970 a fraction counts down from the second after.
    let second = at.as_second().saturating_sub(i64::from(at.subsec_nanosecond() < 0));
    let local = second.saturating_add(i64::from(offset.seconds()));
    let start = second.saturating_sub(local.rem_euclid(length));
    let end = Timestamp::from_second(start.saturating_add(length)).unwrap_or(Timestamp::MAX);
    let start = Timestamp::from_second(start).unwrap_or(Timestamp::MIN);
    let changed = |moment: Timestamp| zone.to_offset(moment) != offset;
    let until_now = at.saturating_add(1.nanosecond()).unwrap_or(at);
    let start = match zone.preceding(until_now).next() {
        Some(change) if changed(start) => start.max(change.timestamp()),
        _ => start,
    };
    let last = end.saturating_sub(1.nanosecond()).unwrap_or(end);
    let end = match zone.following(at).next() {
        Some(change) if changed(last) => end.min(change.timestamp()),
        _ => end,
    };
    Span { start, end }
}

/// From local midnight to local midnight. The date that the clock shows is a first guess: where
/// clocks go back past midnight a date shows twice, and its day begins the first time.
fn calendar(window: Window, zone: &TimeZone, at: Timestamp) -> Span {
    let mut first = first_day(window, zone.to_datetime(at).date());
    if at < midnight(zone, first) {
        first = first_day(window, first.yesterday().unwrap_or(Date::MIN));
    } else if let Some(next) = next(window, first).filter(|next| at >= midnight(zone, *next)) {
        first = next;
    }
    let end = next(window, first).map_or(Timestamp::MAX, |next| midnight(zone, next));
    Span { start: midnight(zone, first), end }
}

fn first_day(window: Window, date: Date) -> Date {
    match window {
        Window::Month => date.first_of_month(),
        Window::Week => {
            date.saturating_sub(i64::from(date.weekday().since(Weekday::Monday)).days())
        }
        _ => date,
    }
}

fn next(window: Window, first: Date) -> Option<Date> {
    let length = match window {
        Window::Month => 1.month(),
        Window::Week => 1.week(),
        _ => 1.day(),
    };
    first.checked_add(length).ok()
}

/// The first moment of a date; of one that the zone skips, the moment at which it is skipped.
fn midnight(zone: &TimeZone, date: Date) -> Timestamp {
    let ends = if date.year() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    zone.to_timestamp(date.at(0, 0, 0, 0)).unwrap_or(ends)
}
