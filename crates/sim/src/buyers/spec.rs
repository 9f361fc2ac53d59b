//! The command-line form of a buyer: `nova:latency=20..60ms,bid=5.00..30.00,bids=900,accepts=950,fault=hang-on-post`.
//! Must never fall back to a default for something that was written and not understood.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use lead::CampaignId;
use rust_decimal::Decimal;

use super::behaviour::LATENCY_MAX;
use super::{ANYONE, Behaviour, Buyer, Latency};

/// A part of a buyer's description that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecError {
    /// The part, as written.
    pub part: String,
    /// What may stand there.
    pub expected: &'static str,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} cannot be read: expected {}", self.part, self.expected)
    }
}

impl std::error::Error for SpecError {}

const NAME: &str = "a buyer as name or name:key=value,..., the name in lower case or *";
const KEY: &str =
    "key=value with a key of latency, bid, bids, accepts, cut, fault, faults, each once";
const LATENCY: &str =
    "a latency like 20ms, 20..60ms or p50:20ms/p99:300ms (us, ms, s; at most 600s)";
const PRICE: &str = "a price like 12.50, for bids also a range like 5.00..30.00";
const PER_MILLE: &str = "a share of a thousand, 0 to 1000";
const FAULT: &str = "a fault: none, or one of those that `gavel sim buyers --help` lists, alone or with \
                     -on-ping or -on-post where it can strike both";

impl FromStr for Buyer {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (name, behaviour) = match text.split_once(':') {
            Some((name, settings)) => (name, settings.parse()?),
            None => (text, Behaviour::default()),
        };
        if name != ANYONE && name.parse::<CampaignId>().is_err() {
            return Err(unread(name, NAME));
        }
        Ok(Self::new(name, behaviour))
    }
}

impl FromStr for Behaviour {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let mut behaviour = Self::default();
        let mut keys = Vec::new();
        for part in text.split(',') {
            let Some((key, value)) = part.split_once('=').filter(|(key, _)| !keys.contains(key))
            else {
                return Err(unread(part, KEY));
            };
            keys.push(key);
            behaviour = behaviour.with(key, value).map_err(|expected| unread(part, expected))?;
        }
        Ok(behaviour)
    }
}

fn unread(part: &str, expected: &'static str) -> SpecError {
    SpecError { part: part.to_owned(), expected }
}

impl Behaviour {
    fn with(self, key: &str, value: &str) -> Result<Self, &'static str> {
        Ok(match key {
            "latency" => self.latency(latency(value).ok_or(LATENCY)?),
            "bid" => {
                let (min, max) = value.split_once("..").unwrap_or((value, value));
                let (min, max) = (cents(min).ok_or(PRICE)?, cents(max).ok_or(PRICE)?);
                if min > max {
                    return Err(PRICE);
                }
                self.bid(min, max)
            }
            "bids" => self.bids(per_mille(value).ok_or(PER_MILLE)?),
            "accepts" => self.accepts(per_mille(value).ok_or(PER_MILLE)?),
            "cut" => self.cut(cents(value).ok_or(PRICE)?),
            "fault" if value == "none" => Self { fault: None, ..self },
            "fault" => self.fault(value.parse().map_err(|_| FAULT)?),
            "faults" => self.faults(per_mille(value).ok_or(PER_MILLE)?),
            _ => return Err(KEY),
        })
    }
}

fn per_mille(text: &str) -> Option<u16> {
    text.parse().ok().filter(|&share| share <= 1000)
}

/// Minor units of a price with at most two decimals.
pub(super) fn cents(text: &str) -> Option<u64> {
    let price = Decimal::from_str_exact(text).ok()?.normalize();
    if price.scale() > 2 || price.is_sign_negative() {
        return None;
    }
    u64::try_from(price.checked_mul(Decimal::ONE_HUNDRED)?).ok()
}

fn latency(text: &str) -> Option<Latency> {
    if let Some(tail) = text.strip_prefix("p50:") {
        let (p50, p99) = tail.split_once("/p99:")?;
        let (p50, p99) = (duration(p50)?, duration(p99)?);
        return (p50 <= p99).then_some(Latency::Tail { p50, p99 });
    }
    let Some((min, max)) = text.split_once("..") else {
        return duration(text).map(Latency::Fixed);
    };
    // In `20..60ms` the unit stands for both.
    let unit = max.trim_start_matches(|c: char| c.is_ascii_digit());
    let min = duration(min).or_else(|| duration(&format!("{min}{unit}")))?;
    let max = duration(max)?;
    (min <= max).then_some(Latency::Uniform(min, max))
}

fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let count: u32 = digits.parse().ok()?;
    let unit = match text.strip_prefix(digits)? {
        "us" => Duration::from_micros(1),
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        _ => return None,
    };
    unit.checked_mul(count).filter(|&duration| duration <= LATENCY_MAX)
}

#[cfg(test)]
mod tests {
    use super::super::{Fault, Kind, Stage};
    use super::*;

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn good_descriptions_are_read() {
        let plain = Behaviour::new();
        let cases = [
            ("nova", "nova", plain),
            ("*:bids=0", ANYONE, plain.bids(0)),
            (
                "nova:latency=20..60ms,bid=5.00..30.00,bids=900,accepts=950,fault=hang-on-post",
                "nova",
                plain
                    .latency(Latency::Uniform(ms(20), ms(60)))
                    .bid(500, 3000)
                    .bids(900)
                    .accepts(950)
                    .fault(Fault { kind: Kind::Hang, calls: Stage::Post }),
            ),
            ("a.b_c-1:bid=7", "a.b_c-1", plain.bid(700, 700)),
            ("a:bid=0.5..1,cut=0.10", "a", plain.bid(50, 100).cut(10)),
            ("a:latency=500us", "a", plain.latency(Latency::Fixed(Duration::from_micros(500)))),
            ("a:latency=500us..1s", "a", plain.latency(Latency::Uniform(ms(1) / 2, ms(1000)))),
            (
                "a:latency=p50:20ms/p99:300ms",
                "a",
                plain.latency(Latency::Tail { p50: ms(20), p99: ms(300) }),
            ),
        ];
        for (text, name, behaviour) in cases {
            assert_eq!(text.parse::<Buyer>(), Ok(Buyer::new(name, behaviour)), "{text}");
        }
    }

    #[test]
    fn faults_are_read_with_and_without_a_stage() {
        let cases = [
            ("hang-on-ping", Kind::Hang, Stage::Ping),
            ("close-after-post", Kind::Close, Stage::Post),
            ("garbage", Kind::Garbage, Stage::Both),
            ("status-503-on-ping", Kind::Status(503), Stage::Ping),
            ("no-redirect", Kind::NoRedirect, Stage::Post),
        ];
        for (text, kind, calls) in cases {
            let fault = Fault { kind, calls };
            let read = format!("fault={text},faults=10").parse();
            assert_eq!(read, Ok(Behaviour::new().fault(fault).faults(10)), "{text}");
        }
        assert_eq!("fault=none".parse(), Ok(Behaviour::new()));
    }

    #[test]
    fn bad_descriptions_name_the_part() {
        let cases = [
            ("", "", NAME),
            ("Nova", "Nova", NAME),
            ("../x:bids=1", "../x", NAME),
            ("a:", "", KEY),
            ("a:bids", "bids", KEY),
            ("a:bids=1,", "", KEY),
            ("a:bids=1,bids=2", "bids=2", KEY),
            ("a:colour=red", "colour=red", KEY),
            ("a:bids=1001", "bids=1001", PER_MILLE),
            ("a:accepts=-1", "accepts=-1", PER_MILLE),
            ("a:latency=20", "latency=20", LATENCY),
            ("a:latency=60..20ms", "latency=60..20ms", LATENCY),
            ("a:latency=601s", "latency=601s", LATENCY),
            ("a:latency=ms", "latency=ms", LATENCY),
            ("a:latency=p50:9ms/p99:1ms", "latency=p50:9ms/p99:1ms", LATENCY),
            ("a:bid=1.005", "bid=1.005", PRICE),
            ("a:bid=-1", "bid=-1", PRICE),
            ("a:bid=3..2", "bid=3..2", PRICE),
            ("a:bid=dear", "bid=dear", PRICE),
            ("a:fault=sulk", "fault=sulk", FAULT),
            ("a:fault=status-99", "fault=status-99", FAULT),
            ("a:fault=status-100", "fault=status-100", FAULT),
        ];
        for (text, part, expected) in cases {
            assert_eq!(text.parse::<Buyer>(), Err(unread(part, expected)), "{text}");
        }
        let error = "a:bids=1001".parse::<Buyer>().unwrap_err().to_string();
        assert_eq!(
            error,
            "\"bids=1001\" cannot be read: expected a share of a thousand, 0 to 1000"
        );
    }
}
