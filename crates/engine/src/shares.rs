//! Whose turn it is in a weighted tier. Remembers, over 24 hours, how far every campaign is behind or
//! ahead of its share of the posts; a restart forgets it. Time is an argument.
//!
//! A campaign's share grows only with posts that it could have had: one that is closed, capped, cut off
//! or does not want the lead is owed nothing for it, and so takes no burst of leads when it is back.

use dashmap::DashMap;
use jiff::Timestamp;
use lead::CampaignKey;

/// One post, in the unit in which shares are counted.
const POST: i64 = 1_000_000_000;

/// How many hours count, the running one among them.
const HOURS: i64 = 24;

const HOUR_SECONDS: i64 = 3_600;

/// A campaign that could have a post, and its weight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contender<'a> {
    pub(crate) key: &'a CampaignKey,
    pub(crate) weight: u32,
}

/// What every campaign of a weighted tier is owed.
#[derive(Debug, Default)]
pub(crate) struct Shares(DashMap<CampaignKey, Owed>);

/// Posts owed by hour; below zero where a campaign had more than its share.
#[derive(Debug, Clone, Default)]
struct Owed {
    hours: [i64; 24],
    newest: i64,
}

impl Shares {
    /// How far each of `contenders`, in their order, will be below its share if it does not get the
    /// next post: the greatest is the one whose turn it is.
    pub(crate) fn due(&self, contenders: &[Contender<'_>], at: Timestamp) -> Vec<i64> {
        let whole = total(contenders);
        let due = |contender: &Contender<'_>| {
            let owed = self.0.get(contender.key).map_or(0, |owed| owed.sum(hour(at)));
            owed.saturating_add(part(contender.weight, whole))
        };
        contenders.iter().map(due).collect()
    }

    /// `taker` gets a post that each of `contenders` could have had; it is one of them.
    pub(crate) fn offered(&self, taker: &CampaignKey, contenders: &[Contender<'_>], at: Timestamp) {
        let whole = total(contenders);
        let mut given: i64 = 0;
        for contender in contenders.iter().filter(|contender| contender.key != taker) {
            let part = part(contender.weight, whole);
            given = given.saturating_add(part);
            self.add(contender.key, part, at);
        }
        // What the others are owed from now on is what the taker had of theirs: the sum stays zero.
        self.add(taker, given.saturating_neg(), at);
    }

    /// Forgets campaigns that are gone.
    pub(crate) fn keep(&self, is_known: impl Fn(&CampaignKey) -> bool) {
        self.0.retain(|key, _| is_known(key));
    }

    fn add(&self, key: &CampaignKey, amount: i64, at: Timestamp) {
        if let Some(mut owed) = self.0.get_mut(key) {
            owed.add(hour(at), amount);
            return;
        }
        self.0.entry(key.clone()).or_default().add(hour(at), amount);
    }
}

impl Owed {
    fn sum(&self, hour: i64) -> i64 {
        // A clock that was set back sees what the newest hour saw.
        let since = hour.saturating_sub(self.newest).max(0);
        let counted = 0..HOURS.saturating_sub(since);
        counted.map(|back| self.hours[place(self.newest.saturating_sub(back))]).sum()
    }

    fn add(&mut self, hour: i64, amount: i64) {
        let hour = hour.max(self.newest);
        let passed = hour.saturating_sub(self.newest).min(HOURS);
        for back in 0..passed {
            self.hours[place(hour.saturating_sub(back))] = 0;
        }
        self.newest = hour;
        let owed = &mut self.hours[place(hour)];
        *owed = owed.saturating_add(amount);
    }
}

fn total(contenders: &[Contender<'_>]) -> i64 {
    contenders.iter().map(|contender| i64::from(contender.weight)).sum()
}

fn part(weight: u32, whole: i64) -> i64 {
    POST.saturating_mul(weight.into()).checked_div(whole).unwrap_or(0)
}

fn hour(at: Timestamp) -> i64 {
    at.as_second().div_euclid(HOUR_SECONDS)
}

fn place(hour: i64) -> usize {
    usize::try_from(hour.rem_euclid(HOURS)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
