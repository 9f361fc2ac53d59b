//! When a campaign takes leads: openings by the wall clock of its zone, and dates on which it is closed.
//! Only what is written; must never read a clock or know a zone's rules.

use std::collections::BTreeSet;

use document::{Fields, Slot};
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;

use crate::read;

/// A campaign's hours. Wall-clock times: an hour that the clocks repeat is open twice or not at all, and
/// one that they skip is missed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Whose clock; `None` for its buyer's, else its product's.
    pub timezone: Option<TimeZone>,
    /// Any of them will do; none stands for always.
    open: Vec<Opening>,
    closed: BTreeSet<Date>,
}

/// Hours of some days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Opening {
    /// From Monday.
    days: [bool; 7],
    /// Minutes from midnight; inclusive.
    from: u16,
    /// Minutes from midnight, at most a day; exclusive. Not after `from`, it is on the next day.
    to: u16,
}

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// The most openings of one schedule.
const OPENINGS_MAX: usize = 64;

/// The most dates on which one schedule is closed.
const CLOSED_MAX: usize = 1_000;

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl Schedule {
    /// Whether it is open when its clock shows `local`.
    #[must_use]
    pub fn is_open(&self, local: DateTime) -> bool {
        let (today, time) = (local.date(), local.time());
        let minute =
            u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs());
        if self.open.is_empty() {
            return !self.closed.contains(&today);
        }
        let runs =
            |opening: &Opening, date: Date| opening.is_on(date) && !self.closed.contains(&date);
        self.open.iter().any(|opening| {
            let Opening { from, to, .. } = *opening;
            if from < to {
                return (from..to).contains(&minute) && runs(opening, today);
            }
            // What runs past midnight belongs to the day on which it began.
            (minute >= from && runs(opening, today))
                || (minute < to && today.yesterday().is_ok_and(|began| runs(opening, began)))
        })
    }

    pub(crate) fn read(slot: Slot<'_, '_>) -> Option<Self> {
        let fields = slot.fields()?;
        let timezone = match fields.given("timezone") {
            Some(slot) => read::timezone(slot).map(Some),
            None => Some(None),
        };
        let open = match fields.given("open") {
            Some(slot) => openings(&slot),
            None => Some(Vec::new()),
        };
        let closed = match fields.given("closed") {
            Some(slot) => dates(&slot),
            None => Some(BTreeSet::new()),
        };
        fields.deny_unknown();
        Some(Self { timezone: timezone?, open: open?, closed: closed? })
    }
}

impl Opening {
    fn is_on(&self, date: Date) -> bool {
        let place = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
        self.days.get(place).copied().unwrap_or(false)
    }

    fn read(slot: Slot<'_, '_>) -> Option<Self> {
        let fields = slot.fields()?;
        let days = days(&fields);
        let from = clock(&fields.at("from"));
        let to = clock(&fields.at("to"));
        fields.deny_unknown();
        let (from, to) = (from?, to?);
        if from == DAY {
            fields.at("from").refuse("must be before 24:00");
        }
        if from == to {
            slot.refuse("is never open: from and to are the same; all day is 00:00 to 24:00");
        }
        Some(Self { days: days?, from, to })
    }
}

fn openings(slot: &Slot<'_, '_>) -> Option<Vec<Opening>> {
    let openings = slot.each(Opening::read)?;
    if openings.is_empty() {
        slot.refuse("must not be empty: leave it out to be always open");
    }
    if openings.len() > OPENINGS_MAX {
        slot.refuse(format_args!("must hold at most {OPENINGS_MAX} openings"));
    }
    Some(openings)
}

fn dates(slot: &Slot<'_, '_>) -> Option<BTreeSet<Date>> {
    let date = |slot: Slot<'_, '_>| {
        slot.parse("a date such as \"2026-12-25\"", |node| node.as_text()?.parse::<Date>().ok())
    };
    let dates = slot.each(date)?;
    if dates.len() > CLOSED_MAX {
        slot.refuse(format_args!("must hold at most {CLOSED_MAX} dates"));
    }
    Some(dates.into_iter().collect())
}

/// Every day, if none is named.
fn days(fields: &Fields<'_, '_>) -> Option<[bool; 7]> {
    let Some(slot) = fields.given("days") else { return Some([true; 7]) };
    let named = slot.each(|slot| slot.choice(&DAYS))?;
    if named.is_empty() {
        slot.refuse("must not be empty: leave it out for every day");
    }
    Some(DAYS.map(|(_, day)| named.contains(&day)))
}

/// `"09:30"`, and `"24:00"` for the end of a day.
fn clock(slot: &Slot<'_, '_>) -> Option<u16> {
    slot.parse("a time from \"00:00\" to \"24:00\"", |node| {
        let (hours, minutes) = node.as_text()?.split_once(':')?;
        let number = |digits: &str| match digits.as_bytes() {
            [b'0'..=b'9', b'0'..=b'9'] => digits.parse::<u16>().ok(),
            _ => None,
        };
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let minute = hours * 60 + minutes;
        (minutes < 60 && minute <= DAY).then_some(minute)
    })
}

#[cfg(test)]
mod tests;
