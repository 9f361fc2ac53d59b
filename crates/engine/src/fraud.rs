//! Signs of fraud that can be judged on the spot. Each signal is a name and a question; add one to
//! [`SIGNALS`]. Some refuse a lead, some are only named: counted, told in the log, and
//! kept in the lead's record. Never asks another
//! service, and never keeps what it counts by, only hashes.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use lead::{LeadId, Standard, Submission};
use market::Product;

use crate::enrich::PHONE_AS_GIVEN;

/// What makes a lead suspicious, beside how many come from one address.
#[derive(Debug, Clone)]
pub struct FraudRules {
    /// Leads of one device in a minute, past which it is suspected.
    pub leads_per_device_minute: u32,
    /// Leads with one phone number in a minute, past which it is suspected.
    pub leads_per_phone_minute: u32,
    /// Domains whose e-mail addresses are thrown away after use, in lower case; those under them count too.
    pub disposable_domains: HashSet<String>,
}

impl Default for FraudRules {
    fn default() -> Self {
        let generous = 120_000;
        Self {
            leads_per_device_minute: generous,
            leads_per_phone_minute: generous,
            disposable_domains: HashSet::new(),
        }
    }
}

/// Judges leads.
#[derive(Debug)]
pub(crate) struct Fraud {
    leads_per_ip_minute: u32,
    rules: FraudRules,
    velocity: Velocity,
}

/// A sign of fraud.
pub(crate) struct Signal {
    /// The metric label.
    pub(crate) name: &'static str,
    /// Whether a lead that shows it is refused.
    pub(crate) refuses: bool,
    shows: fn(&Case<'_>) -> bool,
}

/// What is judged.
struct Case<'a> {
    lead: &'a Submission,
    product: &'a Product,
    at: Timestamp,
    fraud: &'a Fraud,
}

/// Every signal, in the order in which they are asked.
pub(crate) const SIGNALS: &[Signal] = &[
    refusing("impossible_age", impossible_age),
    refusing("honeypot", honeypot),
    refusing("velocity_ip", velocity_ip),
    refusing("velocity_device", velocity_device),
    refusing("velocity_phone", velocity_phone),
    refusing("disposable_email", disposable_email),
    naming("phone_unreadable", |case| case.lead.contact.extra.contains_key(PHONE_AS_GIVEN)),
    naming("country_mismatch", country_mismatch),
    naming("region_mismatch", region_mismatch),
];

const fn refusing(name: &'static str, shows: fn(&Case<'_>) -> bool) -> Signal {
    Signal { name, refuses: true, shows }
}

const fn naming(name: &'static str, shows: fn(&Case<'_>) -> bool) -> Signal {
    Signal { name, refuses: false, shows }
}

impl Fraud {
    pub(crate) fn new(leads_per_ip_minute: u32, rules: FraudRules) -> Self {
        Self { leads_per_ip_minute, rules, velocity: Velocity::default() }
    }

    /// The signals that a lead which came at this moment shows, with their places in [`SIGNALS`]. It is
    /// counted.
    pub(crate) fn signals(
        &self,
        lead: &Submission,
        product: &Product,
        at: Timestamp,
    ) -> Vec<(usize, &'static Signal)> {
        let case = Case { lead, product, at, fraud: self };
        SIGNALS.iter().enumerate().filter(|(_, signal)| (signal.shows)(&case)).collect()
    }
}

/// Names what a lead that was not refused shows.
pub(crate) fn tell(lead: LeadId, signals: &[&'static str]) {
    if !signals.is_empty() {
        tracing::info!(%lead, ?signals, "signs of fraud");
    }
}

/// Nobody is born in the future or lives past 120.
fn impossible_age(case: &Case<'_>) -> bool {
    let Some(born) = case.lead.contact.birth_date else {
        let age = case.lead.attributes.number(Standard::Age);
        return age.is_some_and(|age| age.is_sign_negative() || age > 120.into());
    };
    let today = case.at.to_zoned(jiff::tz::TimeZone::UTC).date();
    // A day of grace: somewhere it is tomorrow already.
    let newest = today.tomorrow().unwrap_or(today);
    born > newest || i32::from(today.year()) - i32::from(born.year()) > 120
}

/// A form field that people cannot see and scripts fill in.
fn honeypot(case: &Case<'_>) -> bool {
    let filled = |value: &serde_json::Value| match value {
        serde_json::Value::Null | serde_json::Value::Bool(false) => false,
        serde_json::Value::String(text) => !text.trim().is_empty(),
        _ => true,
    };
    let extra = &case.lead.contact.extra;
    extra.iter().any(|(name, value)| last(name) == "honeypot" && filled(value))
}

/// The name of a field that is kept under its dotted path.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn velocity_ip(case: &Case<'_>) -> bool {
    let Some(ip) = case.lead.consent.ip else { return false };
    let counted = ("ip", ip.to_canonical());
    case.fraud.velocity.is_passed(counted, case.fraud.leads_per_ip_minute, case.at)
}

/// By the id that a publisher's script gave the device, if it sends one.
fn velocity_device(case: &Case<'_>) -> bool {
    const NAMES: &[&str] = &["device_id", "device_fingerprint", "fingerprint"];
    let mut extra = case.lead.contact.extra.iter();
    let id = extra.find(|(name, _)| NAMES.contains(&last(name)));
    let Some(id) = id.and_then(|(_, id)| id.as_str()).filter(|id| !id.trim().is_empty()) else {
        return false;
    };
    let most = case.fraud.rules.leads_per_device_minute;
    case.fraud.velocity.is_passed(("device", id), most, case.at)
}

fn velocity_phone(case: &Case<'_>) -> bool {
    let Some(phone) = case.lead.contact.phone.as_deref() else { return false };
    let most = case.fraud.rules.leads_per_phone_minute;
    case.fraud.velocity.is_passed(("phone", phone), most, case.at)
}

fn disposable_email(case: &Case<'_>) -> bool {
    let listed = &case.fraud.rules.disposable_domains;
    if listed.is_empty() {
        return false;
    }
    let Some(domain) = case.lead.contact.email_domain() else { return false };
    let mut rest = Some(domain.as_str());
    while let Some(domain) = rest {
        if listed.contains(domain) {
            return true;
        }
        rest = domain.split_once('.').map(|(_, above)| above);
    }
    false
}

/// The address, the phone number or the connection is of another country than the lead says.
fn country_mismatch(case: &Case<'_>) -> bool {
    let lead = case.lead;
    let said = lead.attributes.text(Standard::Country).unwrap_or(&case.product.country);
    let address = lead.contact.address.as_ref().and_then(|address| address.country.as_deref());
    let phone = lead.contact.phone.as_deref().and_then(lead::phone::country);
    let connection = lead.attributes.text(Standard::IpCountry);
    [address, phone, connection]
        .into_iter()
        .flatten()
        .any(|country| !country.trim().eq_ignore_ascii_case(said.trim()))
}

/// The postal code lies in another region than the lead says.
fn region_mismatch(case: &Case<'_>) -> bool {
    let Some(places) = case.product.places() else { return false };
    let text = |standard| case.lead.attributes.text(standard);
    if text(Standard::Country).is_some_and(|country| country != places.code()) {
        return false;
    }
    let spot = text(Standard::PostalCode).and_then(|code| places.spot(code));
    let (Some(told), Some(said)) = (spot.and_then(|spot| spot.region), text(Standard::Region))
    else {
        return false;
    };
    let said = places.region_with_parts(said);
    said.is_some_and(|regions| !regions.contains(&told))
}

/// How many leads came in the current minute, by what they share.
#[derive(Debug)]
struct Velocity {
    hasher: RandomState,
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    minute: i64,
    by_hash: HashMap<u64, u32>,
}

/// Most that is counted in one minute; beyond it nothing new is.
const COUNTED_MAX: usize = 1_000_000;

impl Default for Velocity {
    fn default() -> Self {
        let counts = Counts { minute: i64::MIN, by_hash: HashMap::new() };
        Self { hasher: RandomState::new(), counts: Mutex::new(counts) }
    }
}

impl Velocity {
    /// Counts a lead; true once what it shares has passed `most`.
    fn is_passed(&self, shared: impl Hash, most: u32, at: Timestamp) -> bool {
        let hash = self.hasher.hash_one(shared);
        let minute = at.duration_since(Timestamp::UNIX_EPOCH).as_secs()
            / SignedDuration::from_mins(1).as_secs();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.minute < minute {
            counts.minute = minute;
            counts.by_hash.clear();
        }
        let room = counts.by_hash.len() < COUNTED_MAX;
        let count = match counts.by_hash.entry(hash) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) if room => entry.insert(0),
            Entry::Vacant(_) => return false,
        };
        *count = count.saturating_add(1);
        *count > most
    }
}

#[cfg(test)]
mod tests;
