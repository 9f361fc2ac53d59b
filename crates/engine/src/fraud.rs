//! Signs of fraud that can be judged on the spot. Each signal is a name and a question; add one to
//! [`SIGNALS`]. Never asks another service.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use lead::Submission;

/// A sign of fraud.
pub(crate) struct Signal {
    /// The metric label.
    pub(crate) name: &'static str,
    /// Whether a lead that came at this moment shows it.
    shows: fn(&Submission, Timestamp, &Velocity) -> bool,
}

/// Every signal, in the order in which they are asked.
pub(crate) const SIGNALS: &[Signal] = &[
    Signal { name: "impossible_age", shows: impossible_age },
    Signal { name: "honeypot", shows: honeypot },
    Signal {
        name: "velocity_ip",
        shows: |lead, at, velocity| lead.consent.ip.is_some_and(|ip| velocity.is_passed(ip, at)),
    },
];

/// The first signal that a lead shows, by its place in [`SIGNALS`].
pub(crate) fn signal(submission: &Submission, at: Timestamp, velocity: &Velocity) -> Option<usize> {
    SIGNALS.iter().position(|signal| (signal.shows)(submission, at, velocity))
}

/// Nobody is born in the future or lives past 120.
fn impossible_age(submission: &Submission, at: Timestamp, _: &Velocity) -> bool {
    let Some(born) = submission.contact.birth_date else { return false };
    let today = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    // A day of grace: somewhere it is tomorrow already.
    let newest = today.tomorrow().unwrap_or(today);
    born > newest || i32::from(today.year()) - i32::from(born.year()) > 120
}

/// A form field that people cannot see and scripts fill in.
fn honeypot(submission: &Submission, _: Timestamp, _: &Velocity) -> bool {
    let filled = |value: &serde_json::Value| match value {
        serde_json::Value::Null | serde_json::Value::Bool(false) => false,
        serde_json::Value::String(text) => !text.trim().is_empty(),
        _ => true,
    };
    submission
        .contact
        .extra
        .iter()
        .any(|(name, value)| name.rsplit('.').next() == Some("honeypot") && filled(value))
}

/// How many leads each address sent in the current minute.
#[derive(Debug)]
pub(crate) struct Velocity {
    per_minute: u32,
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    minute: i64,
    by_address: HashMap<IpAddr, u32>,
}

/// Most addresses counted in one minute; beyond it new ones are not counted.
const ADDRESSES_MAX: usize = 1_000_000;

impl Velocity {
    /// Counts up to `per_minute` leads an address.
    pub(crate) fn new(per_minute: u32) -> Self {
        let counts = Counts { minute: i64::MIN, by_address: HashMap::new() };
        Self { per_minute, counts: Mutex::new(counts) }
    }

    /// Counts a lead; true once the address has passed its limit.
    fn is_passed(&self, ip: IpAddr, at: Timestamp) -> bool {
        let minute = at.duration_since(Timestamp::UNIX_EPOCH).as_secs()
            / SignedDuration::from_mins(1).as_secs();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.minute < minute {
            counts.minute = minute;
            counts.by_address.clear();
        }
        let room = counts.by_address.len() < ADDRESSES_MAX;
        let count = match counts.by_address.entry(ip.to_canonical()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) if room => entry.insert(0),
            Entry::Vacant(_) => return false,
        };
        *count = count.saturating_add(1);
        *count > self.per_minute
    }
}

#[cfg(test)]
mod tests;
