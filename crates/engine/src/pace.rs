//! How fast calls have been lately, and whether one would fit in the time that is left. Pure but for a
//! lock: the present is an argument.
//!
//! The last few durations are kept exactly, with their times. A question is one pass over a few dozen
//! numbers and its answer is exact, so it can be checked against a sort; a histogram would be smaller
//! but forgets nothing, and a decaying digest forgets but only estimates. Under load a few dozen calls
//! are the last second, which is what the next call will be like.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use lead::CampaignKey;

/// So many durations are kept.
const KEPT: usize = 32;
/// What is older says nothing any more.
const RECENT: Duration = Duration::from_secs(60);
/// Fewer recent durations than this say nothing yet.
const LEAST: usize = 10;
/// A campaign that is skipped for being slow is asked all the same so often, so that it can recover; and
/// once more as soon as it answers such a ping in time.
const PROBED_EVERY: Duration = Duration::from_secs(1);

/// The last durations of one kind of call.
#[derive(Debug, Default)]
pub(crate) struct Recent(VecDeque<(Instant, Duration)>);

impl Recent {
    /// A call ended at `now` after so long; [`Duration::MAX`] for one that was given up.
    pub(crate) fn add(&mut self, took: Duration, now: Instant) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back((now, took));
    }

    /// Whether nine in ten recent calls took at most `left`; `None` if there were too few.
    pub(crate) fn fits(&self, left: Duration, now: Instant) -> Option<bool> {
        let (mut all, mut within) = (0, 0);
        for took in self.recent(now) {
            all += 1;
            within += usize::from(took <= left);
        }
        (all >= LEAST).then_some(within >= nine_in_ten(all))
    }

    /// What nine in ten recent calls took at most; `None` if there were too few.
    pub(crate) fn p90(&self, now: Instant) -> Option<Duration> {
        let mut recent: Vec<Duration> = self.recent(now).collect();
        if recent.len() < LEAST {
            return None;
        }
        let rank = nine_in_ten(recent.len()) - 1;
        Some(*recent.select_nth_unstable(rank).1)
    }

    fn recent(&self, now: Instant) -> impl Iterator<Item = Duration> + '_ {
        let is_recent = move |at: Instant| now.saturating_duration_since(at) <= RECENT;
        self.0.iter().filter(move |(at, _)| is_recent(*at)).map(|(_, took)| *took)
    }
}

/// The least count that is nine in ten of `all`.
fn nine_in_ten(all: usize) -> usize {
    (all * 9).div_ceil(10)
}

/// How fast one campaign has been.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<Calls>);

#[derive(Debug, Default)]
struct Calls {
    pings: Recent,
    posts: Recent,
    probed: Option<Instant>,
}

/// Whether a campaign is pinged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chance {
    /// As ever.
    Fits,
    /// It would be too slow, and is asked to see whether it still is.
    Probe,
    /// It would be too slow.
    TooSlow,
}

impl Pace {
    /// Whether a ping would be answered in what is left. A probe is taken by asking.
    pub(crate) fn ping(&self, left: Duration, now: Instant) -> Chance {
        let mut calls = self.calls();
        if calls.pings.fits(left, now) != Some(false) {
            return Chance::Fits;
        }
        let due = calls.probed.is_none_or(|at| now.saturating_duration_since(at) >= PROBED_EVERY);
        if due {
            calls.probed = Some(now);
            Chance::Probe
        } else {
            Chance::TooSlow
        }
    }

    /// A ping was answered in time.
    pub(crate) fn answered(&self, took: Duration, now: Instant) {
        let mut calls = self.calls();
        calls.pings.add(took, now);
        calls.probed = None;
    }

    /// The endpoint of its pings works again: what they took while it did not says nothing.
    pub(crate) fn pings_healed(&self) {
        let mut calls = self.calls();
        calls.pings = Recent::default();
        calls.probed = None;
    }

    /// The same of its posts.
    pub(crate) fn posts_healed(&self) {
        self.calls().posts = Recent::default();
    }

    /// A ping was answered after so long, which may have been too late; `None` if never.
    pub(crate) fn missed(&self, took: Option<Duration>, now: Instant) {
        self.calls().pings.add(took.unwrap_or(Duration::MAX), now);
    }

    /// Whether a post would be answered in what is left; `usual` is what one takes that is not known.
    pub(crate) fn fits_post(&self, left: Duration, usual: Duration, now: Instant) -> bool {
        self.calls().posts.fits(left, now).unwrap_or(usual <= left)
    }

    /// A post ended after so long.
    pub(crate) fn posted(&self, took: Duration, now: Instant) {
        self.calls().posts.add(took, now);
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every campaign's pace, and how long the ledger makes a lead wait.
#[derive(Debug, Default)]
pub(crate) struct Paces {
    campaigns: DashMap<CampaignKey, Arc<Pace>>,
    commits: Mutex<Recent>,
}

impl Paces {
    /// That of one campaign.
    pub(crate) fn of(&self, campaign: &CampaignKey) -> Arc<Pace> {
        if let Some(pace) = self.campaigns.get(campaign) {
            return Arc::clone(&pace);
        }
        Arc::clone(&self.campaigns.entry(campaign.clone()).or_default())
    }

    /// A commit was waited for.
    pub(crate) fn committed(&self, took: Duration, now: Instant) {
        self.commits().add(took, now);
    }

    /// What a commit must be expected to take; nothing as long as too few were seen.
    pub(crate) fn commit_wait(&self, now: Instant) -> Duration {
        self.commits().p90(now).unwrap_or_default()
    }

    fn commits(&self) -> MutexGuard<'_, Recent> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
