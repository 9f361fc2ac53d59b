//! Answers to pings that nobody waits for any more: after their deadline, or after the tier was closed.
//! They are read for a while, since they tell how slow their campaign is and leave their connection fit
//! for use, and never buy.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fanout::{Asked, Buyers, Heard, Pings};
use lead::Health;
use ledger::{Decision, Ledger};

use crate::engine::Inner;
use crate::lines::Trial;
use crate::pace::Pace;

/// So long after its tier was closed a ping is read.
const READ_ON: Duration = Duration::from_secs(2);
/// For so many tiers at once; those beyond are dropped, and their connections with them.
pub(crate) const AT_ONCE: usize = 1_024;

/// Late answers to one lead's pings, until its record is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct LateAnswers(Arc<Mutex<Vec<LateAnswer>>>);

/// A campaign's row, how long its answer took, and what it would have bid.
#[derive(Debug, Clone)]
pub(crate) struct LateAnswer {
    pub(crate) row: usize,
    pub(crate) asked: Asked,
}

impl LateAnswers {
    pub(crate) fn add(&self, row: usize, asked: Asked) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(LateAnswer { row, asked });
    }

    /// Shows every late answer in its campaign's row.
    pub(crate) fn show_in(&self, decisions: &mut [Decision]) {
        let late = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for LateAnswer { row, asked } in late {
            let Some(decision) = decisions.get_mut(row) else { continue };
            // Nothing else can have become of a ping that ran out of time.
            if decision.code == lead::Code::Timeout {
                decision.code = lead::Code::Late;
                decision.ping_ms = Some(u32::try_from(asked.took.as_millis()).unwrap_or(u32::MAX));
                decision.bid = asked.answer.ok().map(|bid| bid.price.amount);
            }
        }
    }
}

/// A ping that may have yet to be answered. A test lead's buyers have no pace.
pub(crate) struct Asking {
    pub(crate) row: usize,
    pub(crate) pace: Option<Arc<Pace>>,
    pub(crate) trial: Trial,
}

/// Reads on in the background. Nothing waits for it, not even the end of the process.
pub(crate) fn read_on<B, L, F>(
    inner: &Arc<Inner<B, L>>,
    pings: Pings<F>,
    asking: Vec<Asking>,
    answers: LateAnswers,
) where
    B: Buyers,
    L: Ledger,
    F: Future<Output = Heard> + Send + 'static,
{
    if pings.is_done() {
        return;
    }
    let silent: Vec<usize> = pings.unanswered().collect();
    let mut reading = Reading { inner: Arc::clone(inner), asking, answers, silent };
    let Ok(permit) = Arc::clone(&inner.late_reads).try_acquire_owned() else {
        return reading.give_up(inner.clock.instant());
    };
    drop(tokio::spawn(async move {
        reading.read(pings).await;
        drop(permit);
    }));
}

struct Reading<B: Send + Sync + 'static, L: Ledger> {
    inner: Arc<Inner<B, L>>,
    asking: Vec<Asking>,
    answers: LateAnswers,
    /// By position.
    silent: Vec<usize>,
}

impl<B: Buyers, L: Ledger> Reading<B, L> {
    async fn read<F: Future<Output = Heard>>(mut self, mut pings: Pings<F>) {
        let clock = Arc::clone(&self.inner.clock);
        let until = tokio::time::Instant::from_std(clock.instant() + READ_ON);
        while let Ok(Some(asked)) = tokio::time::timeout_at(until, pings.next_late(&*clock)).await {
            self.silent.retain(|index| *index != asked.index);
            let Some(Asking { row, pace, trial }) = self.asking.get_mut(asked.index) else {
                continue;
            };
            heard_late(&self.inner, (pace.as_deref(), trial), &asked);
            if asked.late {
                self.answers.add(*row, asked);
            }
        }
        for index in &self.silent {
            if let Some(Asking { pace, trial, .. }) = self.asking.get_mut(*index) {
                judge(&self.inner, (pace.as_deref(), trial), Health::Fault);
            }
        }
        self.give_up(clock.instant());
    }

    fn give_up(&mut self, now: Instant) {
        for index in &self.silent {
            if let Some(Asking { pace: Some(pace), .. }) = self.asking.get(*index) {
                pace.missed(None, now);
            }
        }
    }
}

/// Counts an answer that came too late, or after its tier was closed.
pub(crate) fn heard_late<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    (pace, trial): (Option<&Pace>, &mut Trial),
    asked: &Asked,
) {
    judge(inner, (pace, trial), asked.health());
    if let Some(pace) = pace {
        pace.missed(Some(asked.took), inner.clock.instant());
    }
    if asked.late {
        inner.metrics.late_answers.increment(1);
    }
}

/// Judges an endpoint by one ping, once.
pub(crate) fn judge<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    (pace, trial): (Option<&Pace>, &mut Trial),
    health: Health,
) {
    let has_healed = trial.ended(health, inner.clock.instant());
    if let Some(pace) = pace.filter(|_| has_healed) {
        pace.pings_healed();
    }
}
