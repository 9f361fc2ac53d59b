//! The line to each campaign: whether its endpoints may be called now, and how many calls are under way.
//! Nothing waits here: a call gets leave at once or a code, and gives it back by being dropped.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use dashmap::DashMap;
use lead::{CampaignKey, Code, Health};
use market::Campaign;
use metrics::{Counter, Gauge};

use crate::breaker::{Breaker, BreakerRules, BreakerState, Change, Pass};
use crate::metrics::LineMetrics;

/// Which of a campaign's endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// The one that is asked for bids.
    Ping,
    /// The one that leads are delivered to.
    Post,
}

/// How one endpoint's breaker stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerReport {
    /// Whose.
    pub campaign: CampaignKey,
    /// Which endpoint.
    pub call: CallKind,
    /// Whether it is called.
    pub state: BreakerState,
    /// How often it has opened since the start.
    pub opened: u64,
    /// Calls that it stopped since then, or would have if it only simulates.
    pub stopped: u64,
}

/// All lines.
pub(crate) struct Lines {
    lines: DashMap<CampaignKey, Arc<Line>>,
    rules: BreakerRules,
    metrics: LineMetrics,
}

/// The line to one campaign.
pub(crate) struct Line {
    ping: Endpoint,
    post: Endpoint,
    in_flight: AtomicU32,
    simulate: bool,
    crowded: Counter,
}

struct Endpoint {
    breaker: Mutex<Breaker>,
    /// Its breaker is not closed; most never are, and need not be locked to be looked at.
    is_cut_off: AtomicBool,
    /// For people.
    name: String,
    opened: AtomicU64,
    stopped: AtomicU64,
    /// 0 closed, 1 half open, 2 open.
    state: Option<Gauge>,
    openings: Counter,
    stops: Counter,
}

impl Lines {
    pub(crate) fn new(rules: BreakerRules) -> Self {
        Self { lines: DashMap::new(), rules, metrics: LineMetrics::new(rules.simulate) }
    }

    /// That to one campaign.
    pub(crate) fn to(&self, campaign: &CampaignKey) -> Arc<Line> {
        if let Some(line) = self.lines.get(campaign) {
            return Arc::clone(&line);
        }
        let line = self.lines.entry(campaign.clone()).or_insert_with(|| {
            let endpoint = |call: &'static str| Endpoint {
                breaker: Mutex::new(Breaker::new(self.rules)),
                is_cut_off: AtomicBool::new(false),
                name: format!("{campaign} {call}"),
                opened: AtomicU64::default(),
                stopped: AtomicU64::default(),
                state: self.metrics.state(campaign, call),
                openings: self.metrics.openings.clone(),
                stops: self.metrics.stopped.clone(),
            };
            Arc::new(Line {
                ping: endpoint("ping"),
                post: endpoint("post"),
                in_flight: AtomicU32::new(0),
                simulate: self.rules.simulate,
                crowded: self.metrics.crowded.clone(),
            })
        });
        Arc::clone(&line)
    }

    /// Forgets campaigns that are no more, once no call to them is under way.
    pub(crate) fn keep(&self, is_known: impl Fn(&CampaignKey) -> bool) {
        self.lines.retain(|key, line| {
            let stays = is_known(key) || line.in_flight.load(Ordering::Relaxed) > 0;
            if !stays {
                [&line.ping, &line.post].iter().for_each(|endpoint| endpoint.show(0));
            }
            stays
        });
    }

    /// How every breaker stands, by campaign.
    pub(crate) fn report(&self, now: Instant) -> Vec<BreakerReport> {
        let mut reports = Vec::with_capacity(self.lines.len() * 2);
        for entry in &self.lines {
            let (key, line) = entry.pair();
            for (call, endpoint) in [(CallKind::Ping, &line.ping), (CallKind::Post, &line.post)] {
                reports.push(BreakerReport {
                    campaign: key.clone(),
                    call,
                    state: endpoint.breaker().state(now),
                    opened: endpoint.opened.load(Ordering::Relaxed),
                    stopped: endpoint.stopped.load(Ordering::Relaxed),
                });
            }
        }
        reports.sort_by(|a, b| a.campaign.cmp(&b.campaign));
        reports
    }
}

impl Line {
    /// The code of whoever need not be asked now. Nothing is taken.
    pub(crate) fn refusal(&self, campaign: &Campaign, live: bool, now: Instant) -> Option<Code> {
        let has_ping = campaign.delivery.ping.is_some();
        let most = if has_ping { pings_max(campaign) } else { campaign.max_in_flight };
        if self.in_flight.load(Ordering::Relaxed) >= most {
            self.crowded.increment(1);
            return Some(Code::Concurrency);
        }
        if !live || self.simulate {
            return None;
        }
        let is_broken = |endpoint: &Endpoint| {
            let cut_off = endpoint.is_cut_off.load(Ordering::Relaxed);
            let stops = cut_off && !endpoint.breaker().admits(now);
            if stops {
                endpoint.stop();
            }
            stops
        };
        let broken = has_ping && is_broken(&self.ping) || is_broken(&self.post);
        broken.then_some(Code::Breaker)
    }

    /// Leave for a ping. One to a sandbox says nothing of the endpoint, so it takes only its room.
    pub(crate) fn ping(
        self: &Arc<Self>,
        campaign: &Campaign,
        live: bool,
        now: Instant,
    ) -> Result<(Room, Trial), Code> {
        let room = self.room(pings_max(campaign))?;
        Ok((room, self.trial(CallKind::Ping, live, now)?))
    }

    /// Leave for a post.
    pub(crate) fn post(
        self: &Arc<Self>,
        campaign: &Campaign,
        live: bool,
        now: Instant,
    ) -> Result<(Room, Trial), Code> {
        let room = self.room(campaign.max_in_flight)?;
        Ok((room, self.trial(CallKind::Post, live, now)?))
    }

    fn room(self: &Arc<Self>, most: u32) -> Result<Room, Code> {
        let one_more = |count: u32| (count < most).then_some(count + 1);
        match self.in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(_) => Ok(Room(Arc::clone(self))),
            Err(_) => {
                self.crowded.increment(1);
                Err(Code::Concurrency)
            }
        }
    }

    fn trial(self: &Arc<Self>, call: CallKind, live: bool, now: Instant) -> Result<Trial, Code> {
        let mut trial = Trial { line: Arc::clone(self), call, pass: None };
        if !live {
            return Ok(trial);
        }
        let endpoint = self.endpoint(call);
        let mut breaker = endpoint.breaker();
        trial.pass = breaker.admit(now);
        if trial.is_probe() {
            endpoint.show(1);
        }
        drop(breaker);
        if trial.pass.is_some() {
            return Ok(trial);
        }
        endpoint.stop();
        if self.simulate { Ok(trial) } else { Err(Code::Breaker) }
    }

    fn endpoint(&self, call: CallKind) -> &Endpoint {
        match call {
            CallKind::Ping => &self.ping,
            CallKind::Post => &self.post,
        }
    }
}

/// A campaign's pings leave a quarter of its room to posts, so that a bid in hand is not lost to
/// questions.
fn pings_max(campaign: &Campaign) -> u32 {
    campaign.max_in_flight - campaign.max_in_flight / 4
}

impl Endpoint {
    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        self.stopped.fetch_add(1, Ordering::Relaxed);
        self.stops.increment(1);
    }

    fn show(&self, state: u8) {
        if let Some(gauge) = &self.state {
            gauge.set(f64::from(state));
        }
    }

    fn changed(&self, change: Change) {
        match change {
            Change::Nothing => {}
            Change::Opened(wait) => {
                self.is_cut_off.store(true, Ordering::Relaxed);
                self.opened.fetch_add(1, Ordering::Relaxed);
                self.openings.increment(1);
                self.show(2);
                tracing::warn!(endpoint = %self.name, wait_ms = wait.as_millis(), "breaker opened");
            }
            Change::Closed => {
                self.is_cut_off.store(false, Ordering::Relaxed);
                self.show(0);
                tracing::info!(endpoint = %self.name, "breaker closed");
            }
        }
    }
}

/// Room for one call, until it is dropped.
pub(crate) struct Room(Arc<Line>);

impl Drop for Room {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A call by which an endpoint is judged, once. Dropped unjudged, it was none.
pub(crate) struct Trial {
    line: Arc<Line>,
    call: CallKind,
    pass: Option<Pass>,
}

impl Trial {
    /// The call is made to see whether the endpoint works again.
    pub(crate) fn is_probe(&self) -> bool {
        self.pass.is_some_and(|pass| pass.is_probe)
    }

    /// What the call says of its endpoint; only the first word counts. Whether it has healed.
    pub(crate) fn ended(&mut self, health: Health, now: Instant) -> bool {
        let Some(pass) = self.pass.take() else { return false };
        let endpoint = self.line.endpoint(self.call);
        // What is shown of changes follows their order.
        let mut breaker = endpoint.breaker();
        let change = breaker.ended(pass, health, now);
        endpoint.changed(change);
        drop(breaker);
        change == Change::Closed
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if let Some(pass) = self.pass.take() {
            self.line.endpoint(self.call).breaker().cancelled(pass);
        }
    }
}

#[cfg(test)]
mod tests;
