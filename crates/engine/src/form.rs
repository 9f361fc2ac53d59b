//! How campaigns did lately: how often they bid, how much, and how often they won. For choosing whom to
//! ask where a tier is wider than may be asked. Counts halve every hour, so what is remembered is
//! bounded and a campaign that was passed over comes back; a restart forgets it. Time is an argument.

use dashmap::DashMap;
use jiff::Timestamp;
use lead::{CampaignKey, Money};
use rust_decimal::Decimal;

const HOUR_SECONDS: i64 = 3_600;

/// Past this many hours nothing is left of a count.
const HOURS_MAX: i64 = 32;

/// Every campaign's form.
#[derive(Debug, Default)]
pub(crate) struct Form(DashMap<CampaignKey, Track>);

/// One campaign's, of the hour `hour` and, halved, of those before.
#[derive(Debug, Clone, Copy, Default)]
struct Track {
    hour: i64,
    asked: u32,
    bids: u32,
    won: u32,
    sum: Decimal,
}

impl Form {
    /// Notes a ping and the bid that it got, if any.
    pub(crate) fn asked(&self, key: &CampaignKey, bid: Option<Money>, at: Timestamp) {
        self.change(key, at, |track| {
            track.asked = track.asked.saturating_add(1);
            if let Some(bid) = bid {
                track.bids = track.bids.saturating_add(1);
                track.sum = track.sum.saturating_add(bid.amount);
            }
        });
    }

    /// Notes a sale.
    pub(crate) fn won(&self, key: &CampaignKey, at: Timestamp) {
        self.change(key, at, |track| track.won = track.won.saturating_add(1));
    }

    /// What asking a campaign is worth: its win rate times its mean bid. It begins as one that won one
    /// of two leads at `most`, its greatest price, so that a campaign nobody knows is tried.
    pub(crate) fn value(&self, key: &CampaignKey, most: Money, at: Timestamp) -> Decimal {
        let track = self.0.get(key).map_or_else(Track::default, |track| *track).aged(hour(at));
        let over = |sum: Decimal, count: u32| sum.checked_div(Decimal::from(count));
        let rate = over(Decimal::from(track.won.saturating_add(1)), track.asked.saturating_add(2));
        let mean = over(track.sum.saturating_add(most.amount), track.bids.saturating_add(1));
        rate.zip(mean).and_then(|(rate, mean)| rate.checked_mul(mean)).unwrap_or_default()
    }

    /// Forgets campaigns that are gone.
    pub(crate) fn keep(&self, is_known: impl Fn(&CampaignKey) -> bool) {
        self.0.retain(|key, _| is_known(key));
    }

    fn change(&self, key: &CampaignKey, at: Timestamp, change: impl Fn(&mut Track)) {
        let mut track = match self.0.get_mut(key) {
            Some(track) => track,
            None => self.0.entry(key.clone()).or_default(),
        };
        *track = track.aged(hour(at));
        change(&mut track);
    }
}

impl Track {
    /// As it is counted in `hour`; a clock that was set back changes nothing.
    fn aged(self, hour: i64) -> Self {
        let passed = hour.saturating_sub(self.hour).clamp(0, HOURS_MAX);
        let halved = |count: u32| (0..passed).fold(count, |count, _| count / 2);
        let (asked, bids, won) = (halved(self.asked), halved(self.bids), halved(self.won));
        // The mean stays what it was.
        let mean = self.sum.checked_div(self.bids.into()).unwrap_or_default();
        let sum = if bids == self.bids { self.sum } else { mean.saturating_mul(bids.into()) };
        Self { hour: hour.max(self.hour), asked, bids, won, sum }
    }
}

fn hour(at: Timestamp) -> i64 {
    at.as_second().div_euclid(HOUR_SECONDS)
}

#[cfg(test)]
mod tests;
