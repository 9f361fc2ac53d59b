//! Schedules against a naive reading of them, and by real clocks.

use document::{Defects, parse_toml};
use jiff::civil::{DateTime, Time, date};
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

fn read(text: &str) -> Result<Schedule, Vec<String>> {
    let root = parse_toml(text).unwrap().root;
    let defects = Defects::new();
    let read = Schedule::read(Slot::root(&root, &defects));
    defects.finish(read).map_err(|found| found.iter().map(ToString::to_string).collect())
}

fn at(text: &str) -> DateTime {
    text.parse().unwrap()
}

#[test]
fn a_schedule_is_open_when_it_says_so() {
    // 2026-12-21 is a Monday.
    let cases = [
        ("", "2026-12-21T03:00", true),
        ("closed = [\"2026-12-25\"]", "2026-12-24T23:59", true),
        ("closed = [\"2026-12-25\"]", "2026-12-25T00:00", false),
        ("open = [{ from = \"09:00\", to = \"18:00\" }]", "2026-12-26T09:00", true),
        ("open = [{ from = \"09:00\", to = \"18:00\" }]", "2026-12-26T17:59:59.999", true),
        ("open = [{ from = \"09:00\", to = \"18:00\" }]", "2026-12-26T18:00", false),
        (
            "open = [{ days = [\"mon\"], from = \"00:00\", to = \"24:00\" }]",
            "2026-12-21T23:59",
            true,
        ),
        (
            "open = [{ days = [\"mon\"], from = \"00:00\", to = \"24:00\" }]",
            "2026-12-22T00:00",
            false,
        ),
        // Past midnight it is still Monday's.
        (
            "open = [{ days = [\"mon\"], from = \"22:00\", to = \"02:00\" }]",
            "2026-12-22T01:59",
            true,
        ),
        (
            "open = [{ days = [\"mon\"], from = \"22:00\", to = \"02:00\" }]",
            "2026-12-21T01:59",
            false,
        ),
        (
            "open = [{ days = [\"mon\"], from = \"22:00\", to = \"02:00\" }]",
            "2026-12-22T22:00",
            false,
        ),
        (
            "open = [{ from = \"22:00\", to = \"02:00\" }]\nclosed = [\"2026-12-25\"]",
            "2026-12-25T01:00",
            true,
        ),
        (
            "open = [{ from = \"22:00\", to = \"02:00\" }]\nclosed = [\"2026-12-25\"]",
            "2026-12-26T01:00",
            false,
        ),
        (
            "open = [{ from = \"08:00\", to = \"09:00\" }, { days = [\"sun\"], from = \"10:00\", to = \"11:00\" }]",
            "2026-12-27T10:30",
            true,
        ),
    ];
    for (text, local, open) in cases {
        assert_eq!(read(text).unwrap().is_open(at(local)), open, "{text} at {local}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_at_its_place() {
    let cases = [
        ("open = []", "open must not be empty"),
        ("open = [{ from = \"09:00\" }]", "open.0.to is required"),
        ("open = [{ from = \"9:00\", to = \"10:00\" }]", "open.0.from must be a time"),
        ("open = [{ from = \"09:60\", to = \"10:00\" }]", "open.0.from must be a time"),
        ("open = [{ from = \"+9:00\", to = \"24:01\" }]", "open.0.to must be a time"),
        ("open = [{ from = \"24:00\", to = \"10:00\" }]", "open.0.from must be before 24:00"),
        ("open = [{ from = \"09:00\", to = \"09:00\" }]", "open.0 is never open"),
        (
            "open = [{ days = [], from = \"09:00\", to = \"10:00\" }]",
            "open.0.days must not be empty",
        ),
        (
            "open = [{ days = [\"monday\"], from = \"09:00\", to = \"10:00\" }]",
            "open.0.days.0 must be one of",
        ),
        ("closed = [\"25.12.2026\"]", "closed.0 must be a date"),
        ("timezone = \"Madrid\"", "timezone must be an IANA time zone"),
        ("opens = 1", "opens is not a known field"),
    ];
    for (text, expected) in cases {
        let found = read(text).unwrap_err();
        assert!(found.iter().any(|fault| fault.contains(expected)), "{text}: {found:?}");
    }
}

/// Minutes of real time in which a schedule is open on a local date.
fn open_minutes(schedule: &Schedule, zone: &TimeZone, day: Date) -> usize {
    let start = day.to_zoned(zone.clone()).unwrap().timestamp();
    let end = day.tomorrow().unwrap().to_zoned(zone.clone()).unwrap().timestamp();
    let minutes = std::iter::successors(Some(start), |at: &Timestamp| Some(*at + 1.minute()));
    let open = |at: &Timestamp| schedule.is_open(zone.to_datetime(*at));
    minutes.take_while(|at| *at < end).filter(open).count()
}

#[test]
fn days_of_23_and_25_hours_follow_the_wall_clock() {
    let madrid = TimeZone::get("Europe/Madrid").unwrap();
    let [spring, autumn] = [date(2026, 3, 29), date(2026, 10, 25)];
    for (text, on_spring, on_autumn) in [
        ("", 23 * 60, 25 * 60),
        ("open = [{ from = \"09:00\", to = \"18:00\" }]", 540, 540),
        // From 2:00 to 3:00 there is no hour in spring and there are two in autumn.
        ("open = [{ from = \"02:00\", to = \"03:00\" }]", 0, 120),
        ("open = [{ from = \"01:30\", to = \"03:30\" }]", 60, 180),
        ("open = [{ from = \"23:00\", to = \"04:00\" }]", 4 * 60, 6 * 60),
    ] {
        let schedule = read(text).unwrap();
        assert_eq!(open_minutes(&schedule, &madrid, spring), on_spring, "{text}");
        assert_eq!(open_minutes(&schedule, &madrid, autumn), on_autumn, "{text}");
    }
}

/// Every opening of every date written out, from which the naive reading looks whether any holds `local`.
fn is_open_by_hand(schedule: &Schedule, local: DateTime) -> bool {
    let around = [local.date().yesterday().unwrap(), local.date()];
    let whole_day = [Opening { days: [true; 7], from: 0, to: DAY }];
    let openings = if schedule.open.is_empty() { &whole_day[..] } else { &schedule.open };
    let begins =
        |day: Date, minute: u16| day.to_datetime(Time::midnight()) + i64::from(minute).minutes();
    around.into_iter().filter(|day| !schedule.closed.contains(day)).any(|day| {
        let name = DAYS.iter().position(|(_, named)| *named == day.weekday()).unwrap();
        openings.iter().filter(|opening| opening.days[name]).any(|opening| {
            let last = if opening.to > opening.from { day } else { day.tomorrow().unwrap() };
            begins(day, opening.from) <= local && local < begins(last, opening.to)
        })
    })
}

proptest! {
    #[test]
    fn any_schedule_is_open_as_its_openings_written_out_say(
        openings in prop::collection::vec(
            (subsequence(vec!["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 1..=7), 0u16..96, 0u16..=96),
            0..4,
        ),
        closed in prop::collection::vec(1i8..28, 0..3),
        day in 1i8..28, quarter in 0i8..96, second in select(vec![0i8, 59]),
    ) {
        let clock = |quarter: u16| format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15);
        let openings: Vec<String> = openings.iter().filter(|(_, from, to)| from != to)
            .map(|(days, from, to)| {
                format!("{{ days = {days:?}, from = \"{}\", to = \"{}\" }}", clock(*from), clock(*to))
            })
            .collect();
        let closed: Vec<String> = closed.iter().map(|day| format!("\"2026-12-{day:02}\"")).collect();
        let mut text = format!("closed = [{}]\n", closed.join(", "));
        if !openings.is_empty() {
            text.push_str(&format!("open = [{}]\n", openings.join(", ")));
        }
        let schedule = read(&text).unwrap();
        let local = date(2026, 12, day).at(quarter / 4, quarter % 4 * 15, second, 0);
        prop_assert_eq!(schedule.is_open(local), is_open_by_hand(&schedule, local), "{} {}", text, local);
    }
}
