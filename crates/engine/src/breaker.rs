//! Whether an endpoint is called at all: closed while it answers, open while it does not, and opened a
//! little, one call at a time, to see whether it does again. Pure: the present is an argument, and nothing
//! here waits. It judges whether an endpoint answers, never what: no-bids and refusals are answers.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use lead::Health;

/// When breakers open, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct BreakerRules {
    /// So many faults, one after another, open it.
    pub faults_in_row: u32,
    /// Of its last calls so many are kept, and
    pub calls: usize,
    /// so many faults among them open it,
    pub faults: usize,
    /// if all of them ended within this time.
    pub window: Duration,
    /// How long it stays open at first; twice as long each time that the endpoint is still broken.
    pub wait_least: Duration,
    /// How long it stays open at most.
    pub wait_most: Duration,
    /// How long an endpoint may ask to be left alone.
    pub throttle_most: Duration,
    /// Counts what would be stopped, and stops nothing.
    pub simulate: bool,
}

impl Default for BreakerRules {
    fn default() -> Self {
        Self {
            faults_in_row: 5,
            calls: 20,
            faults: 10,
            window: Duration::from_secs(10),
            wait_least: Duration::from_secs(1),
            wait_most: Duration::from_secs(8),
            throttle_most: Duration::from_secs(60),
            simulate: false,
        }
    }
}

/// Whether an endpoint is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Always.
    Closed,
    /// Once, to see whether it works again: the next call, or the one under way.
    HalfOpen,
    /// Not yet, for so long.
    Open(Duration),
}

/// One endpoint's breaker.
#[derive(Debug)]
pub(crate) struct Breaker {
    rules: BreakerRules,
    state: State,
    /// Counts up with every change of state, so that calls from before say nothing after it.
    epoch: u64,
    /// Faults since the last call that was none.
    row: u32,
    /// When the last calls ended, and whether they were faults.
    ended: VecDeque<(Instant, bool)>,
    /// How often it has opened without having been closed for a while.
    openings: u32,
    closed_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed,
    Open { until: Instant },
    Probing { since: Instant },
}

/// Leave for one call. Its end must be told, or that there was none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pass {
    epoch: u64,
    /// The one call of a breaker that is half open.
    pub(crate) is_probe: bool,
}

/// What an end has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Nothing,
    /// For so long.
    Opened(Duration),
    Closed,
}

impl Breaker {
    pub(crate) fn new(rules: BreakerRules) -> Self {
        Self {
            rules,
            state: State::Closed,
            epoch: 0,
            row: 0,
            ended: VecDeque::new(),
            openings: 0,
            closed_at: None,
        }
    }

    pub(crate) fn state(&self, now: Instant) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::Open { until } if now < until => BreakerState::Open(until - now),
            State::Open { .. } | State::Probing { .. } => BreakerState::HalfOpen,
        }
    }

    /// Whether a call would get leave now.
    pub(crate) fn admits(&self, now: Instant) -> bool {
        match self.state {
            State::Closed => true,
            State::Open { until } => now >= until,
            State::Probing { .. } => false,
        }
    }

    /// Leave for a call that starts now.
    pub(crate) fn admit(&mut self, now: Instant) -> Option<Pass> {
        if !self.admits(now) {
            return None;
        }
        let is_probe = matches!(self.state, State::Open { .. });
        if is_probe {
            self.turn(State::Probing { since: now });
        }
        Some(Pass { epoch: self.epoch, is_probe })
    }

    /// A call that had leave has ended.
    pub(crate) fn ended(&mut self, pass: Pass, health: Health, now: Instant) -> Change {
        if pass.epoch != self.epoch {
            return Change::Nothing;
        }
        match health {
            Health::Throttled(Some(wait)) if !wait.is_zero() => {
                let wait = wait.clamp(self.rules.wait_least, self.rules.throttle_most);
                self.open(wait, now)
            }
            Health::Untold => {
                self.cancelled(pass);
                Change::Nothing
            }
            Health::Fine if pass.is_probe => {
                self.turn(State::Closed);
                self.closed_at = Some(now);
                Change::Closed
            }
            Health::Fine => {
                self.note(false, now);
                Change::Nothing
            }
            Health::Fault | Health::Throttled(_) => {
                self.note(true, now);
                let is_broken = pass.is_probe || self.is_broken(now);
                if is_broken { self.trip(now) } else { Change::Nothing }
            }
        }
    }

    /// A call that had leave was not made, or nothing can be said of how it ended.
    pub(crate) fn cancelled(&mut self, pass: Pass) {
        if let State::Probing { since } = self.state
            && pass.epoch == self.epoch
        {
            self.turn(State::Open { until: since });
        }
    }

    fn note(&mut self, is_fault: bool, now: Instant) {
        self.row = if is_fault { self.row.saturating_add(1) } else { 0 };
        if self.ended.len() >= self.rules.calls {
            self.ended.pop_front();
        }
        self.ended.push_back((now, is_fault));
    }

    fn is_broken(&self, now: Instant) -> bool {
        let is_recent = |at: Instant| now.saturating_duration_since(at) <= self.rules.window;
        let enough = self.ended.len() >= self.rules.calls
            && self.ended.front().is_some_and(|(at, _)| is_recent(*at));
        let faults = self.ended.iter().filter(|(_, is_fault)| *is_fault).count();
        self.row >= self.rules.faults_in_row || enough && faults >= self.rules.faults
    }

    fn trip(&mut self, now: Instant) -> Change {
        let stayed_closed = |at: Instant| now.saturating_duration_since(at) >= self.rules.window;
        if matches!(self.state, State::Closed) && self.closed_at.is_none_or(stayed_closed) {
            self.openings = 0;
        }
        let times = 1_u32.checked_shl(self.openings).unwrap_or(u32::MAX);
        self.openings = self.openings.saturating_add(1);
        self.open(self.rules.wait_least.saturating_mul(times).min(self.rules.wait_most), now)
    }

    fn open(&mut self, wait: Duration, now: Instant) -> Change {
        self.turn(State::Open { until: now + wait });
        Change::Opened(wait)
    }

    fn turn(&mut self, state: State) {
        self.state = state;
        self.epoch += 1;
        self.row = 0;
        self.ended.clear();
    }
}

#[cfg(test)]
mod tests;
