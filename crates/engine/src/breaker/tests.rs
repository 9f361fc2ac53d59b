//! The breaker by example, and against a model that keeps everything and counts anew each time.

use proptest::prelude::*;

use super::*;

const MS: Duration = Duration::from_millis(1);

#[allow(clippy::disallowed_methods, reason = "any moment will do as the start of a test")]
fn start() -> Instant {
    Instant::now()
}

/// Calls one after another, each ending at once.
fn calls(breaker: &mut Breaker, health: Health, times: usize, now: Instant) -> Vec<Change> {
    let call = |_| breaker.admit(now).map(|pass| breaker.ended(pass, health, now));
    (0..times).map_while(call).collect()
}

#[test]
fn so_many_faults_in_a_row_open_it_and_an_answer_closes_it() {
    let (mut breaker, now) = (Breaker::new(BreakerRules::default()), start());
    for _ in 0..3 {
        assert_eq!(calls(&mut breaker, Health::Fault, 4, now), [Change::Nothing; 4]);
        assert_eq!(calls(&mut breaker, Health::Fine, 1, now), [Change::Nothing]);
    }
    let mut breaker = Breaker::new(BreakerRules::default());
    let second = Duration::from_secs(1);
    assert_eq!(calls(&mut breaker, Health::Fault, 9, now)[4..], [Change::Opened(second)]);
    assert_eq!(breaker.state(now + 400 * MS), BreakerState::Open(600 * MS));
    assert!(!breaker.admits(now + second - MS));
    let probe = breaker.admit(now + second).unwrap();
    assert!(probe.is_probe);
    assert_eq!(breaker.state(now + second), BreakerState::HalfOpen);
    assert_eq!(breaker.admit(now + 10 * second), None, "one at a time");
    assert_eq!(breaker.ended(probe, Health::Fine, now + second), Change::Closed);
    assert_eq!(breaker.state(now + second), BreakerState::Closed);
}

#[test]
fn each_wait_is_twice_the_last_up_to_the_greatest_and_a_quiet_time_forgets_them() {
    let (mut breaker, mut now) = (Breaker::new(BreakerRules::default()), start());
    calls(&mut breaker, Health::Fault, 4, now);
    let mut waits = Vec::new();
    for _ in 0..6 {
        let [Change::Opened(wait)] = calls(&mut breaker, Health::Fault, 1, now)[..] else {
            panic!()
        };
        waits.push(wait.as_secs());
        now += wait;
    }
    assert_eq!(waits, [1, 2, 4, 8, 8, 8]);
    assert_eq!(calls(&mut breaker, Health::Fine, 1, now), [Change::Closed]);
    let mut soon = |after: u64| {
        now += Duration::from_secs(after);
        let opened = calls(&mut breaker, Health::Fault, 5, now).pop();
        let Some(Change::Opened(wait)) = opened else { panic!("{opened:?}") };
        now += wait;
        assert_eq!(calls(&mut breaker, Health::Fine, 1, now), [Change::Closed]);
        wait.as_secs()
    };
    assert_eq!([soon(9), soon(10), soon(1), soon(100)], [8, 1, 2, 1]);
}

#[test]
fn half_of_the_last_calls_open_it_if_they_were_within_its_window() {
    let rules = BreakerRules::default();
    for (pause, opens) in [(Duration::from_millis(500), true), (Duration::from_millis(600), false)]
    {
        let (mut breaker, mut now) = (Breaker::new(rules), start());
        let mut opened = false;
        for call in 0..40 {
            now += pause;
            let health = if call % 2 == 0 { Health::Fine } else { Health::Fault };
            opened |= matches!(calls(&mut breaker, health, 1, now)[..], [Change::Opened(_)] | []);
        }
        assert_eq!(opened, opens, "a call every {pause:?}");
    }
}

#[test]
fn who_asks_to_be_left_alone_is_within_bounds() {
    let now = start();
    let secs = Duration::from_secs;
    for (asked, opened) in [
        (None, None),
        (Some(secs(0)), None),
        (Some(MS), Some(secs(1))),
        (Some(secs(7)), Some(secs(7))),
        (Some(secs(3_600)), Some(secs(60))),
    ] {
        let mut breaker = Breaker::new(BreakerRules::default());
        let change = opened.map_or(Change::Nothing, Change::Opened);
        assert_eq!(calls(&mut breaker, Health::Throttled(asked), 1, now), [change]);
        let faults = calls(&mut breaker, Health::Fault, 9, now).len();
        assert_eq!(faults, if opened.is_some() { 0 } else { 4 }, "without a time it is a fault");
    }
}

#[test]
fn calls_from_before_say_nothing_and_a_probe_that_is_not_made_is_none() {
    let (mut breaker, now) = (Breaker::new(BreakerRules::default()), start());
    let before: Vec<Pass> = (0..9).map(|_| breaker.admit(now).unwrap()).collect();
    calls(&mut breaker, Health::Fault, 5, now);
    let later = now + Duration::from_secs(1);
    for pass in before {
        assert_eq!(breaker.ended(pass, Health::Fine, now), Change::Nothing);
        breaker.cancelled(pass);
        assert!(!breaker.admits(now));
    }
    for _ in 0..3 {
        let probe = breaker.admit(later).unwrap();
        assert!(probe.is_probe && breaker.admit(later).is_none());
        breaker.cancelled(probe);
    }
    assert_eq!(calls(&mut breaker, Health::Fine, 1, later), [Change::Closed]);
}

/// Everything that happened, and what follows from it, found out anew for each question.
struct Model {
    rules: BreakerRules,
    /// Each change of state: when, and into what.
    states: Vec<(Instant, Mode)>,
    /// Each call: in which state it got leave.
    calls: Vec<usize>,
    /// Each end that counts: in which state, when, and whether it was a fault.
    ends: Vec<(usize, Instant, bool)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Closed,
    /// Until then; by faults, or because it was asked for.
    Open(Instant, bool),
    /// Under way, for an opening that ended then.
    Probe,
}

impl Model {
    fn now_in(&self) -> (usize, Instant, Mode) {
        let last = self.states.len() - 1;
        (last, self.states[last].0, self.states[last].1)
    }

    fn admit(&mut self, now: Instant) -> Option<usize> {
        match self.now_in().2 {
            Mode::Closed => {}
            Mode::Open(until, _) if until <= now => self.states.push((now, Mode::Probe)),
            Mode::Open(..) | Mode::Probe => return None,
        }
        self.calls.push(self.now_in().0);
        Some(self.calls.len() - 1)
    }

    fn ended(&mut self, call: usize, health: Health, now: Instant) {
        let (state, _, mode) = self.now_in();
        if self.calls[call] != state {
            return;
        }
        if health == Health::Untold {
            return self.cancelled(call, now);
        }
        if let Health::Throttled(Some(wait)) = health
            && wait > Duration::ZERO
        {
            let wait = wait.max(self.rules.wait_least).min(self.rules.throttle_most);
            return self.states.push((now, Mode::Open(now + wait, false)));
        }
        let is_fault = health != Health::Fine;
        self.ends.push((state, now, is_fault));
        match (mode, is_fault) {
            (Mode::Probe, false) => self.states.push((now, Mode::Closed)),
            (Mode::Probe, true) => self.trip(now),
            (Mode::Closed, true) if self.is_broken(now) => self.trip(now),
            _ => {}
        }
    }

    fn is_broken(&self, now: Instant) -> bool {
        let state = self.now_in().0;
        let ends: Vec<_> = self.ends.iter().rev().filter(|end| end.0 == state).collect();
        let row = ends.iter().take_while(|end| end.2).count();
        let last: Vec<_> = ends.iter().take(self.rules.calls).collect();
        let recent = last.iter().all(|end| now - end.1 <= self.rules.window);
        let faults = last.iter().filter(|end| end.2).count();
        row >= self.rules.faults_in_row as usize
            || last.len() == self.rules.calls && recent && faults >= self.rules.faults
    }

    /// Openings by faults since it was last closed for a while count.
    fn trip(&mut self, now: Instant) {
        let mut ends = self.states.iter().skip(1).map(|(at, _)| *at).collect::<Vec<_>>();
        ends.push(now);
        let mut wait = self.rules.wait_least;
        for (position, ((began, mode), ended)) in self.states.iter().zip(ends).enumerate() {
            let tripped = |next: &(Instant, Mode)| matches!(next.1, Mode::Open(_, true));
            let was_quiet = *mode == Mode::Closed
                && ended - *began >= self.rules.window
                && self.states.get(position + 1).is_none_or(tripped);
            match mode {
                _ if was_quiet => wait = self.rules.wait_least,
                Mode::Open(_, true) if !self.is_put_back(position) => wait = wait.saturating_mul(2),
                _ => {}
            }
        }
        let wait = wait.min(self.rules.wait_most);
        self.states.push((now, Mode::Open(now + wait, true)));
    }

    /// A probe that was not made puts the opening back that it ended.
    fn is_put_back(&self, position: usize) -> bool {
        position > 0
            && self.states[position - 1].1 == Mode::Probe
            && matches!(self.states[position].1, Mode::Open(until, _) if until <= self.states[position].0)
    }

    fn cancelled(&mut self, call: usize, now: Instant) {
        let (state, began, mode) = self.now_in();
        if mode == Mode::Probe && self.calls[call] == state {
            self.states.push((now, Mode::Open(began, true)));
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Admit,
    End(usize, Health),
    Cancel(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let health = prop_oneof![
        6 => Just(Health::Fault),
        2 => Just(Health::Fine),
        1 => Just(Health::Untold),
        1 => prop::option::of(0_u64..100).prop_map(|s| Health::Throttled(s.map(Duration::from_secs))),
    ];
    prop_oneof![
        3 => (0_u64..15_000).prop_map(Step::Wait),
        2 => (0_u64..200).prop_map(Step::Wait),
        6 => Just(Step::Admit),
        6 => (any::<prop::sample::Index>(), health).prop_map(|(at, it)| Step::End(at.index(8), it)),
        1 => any::<prop::sample::Index>().prop_map(|at| Step::Cancel(at.index(8))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn it_does_as_a_model_that_forgets_nothing(steps in prop::collection::vec(step(), 1..200)) {
        let rules = BreakerRules { faults_in_row: 3, calls: 6, faults: 3, ..BreakerRules::default() };
        let mut now = start();
        let mut breaker = Breaker::new(rules);
        let quiet = now - Duration::from_secs(60);
        let mut model = Model { rules, states: vec![(quiet, Mode::Closed)], calls: vec![], ends: vec![] };
        let mut under_way: VecDeque<(Pass, usize)> = VecDeque::new();
        for step in steps {
            match step {
                Step::Wait(ms) => now += Duration::from_millis(ms),
                Step::Admit => {
                    let (pass, call) = (breaker.admit(now), model.admit(now));
                    prop_assert_eq!(pass.is_some(), call.is_some());
                    under_way.extend(pass.zip(call));
                }
                Step::End(at, health) => {
                    let Some((pass, call)) = under_way.remove(at) else { continue };
                    breaker.ended(pass, health, now);
                    model.ended(call, health, now);
                }
                Step::Cancel(at) => {
                    let Some((pass, call)) = under_way.remove(at) else { continue };
                    breaker.cancelled(pass);
                    model.cancelled(call, now);
                }
            }
            let expected = match model.now_in().2 {
                Mode::Closed => BreakerState::Closed,
                Mode::Open(until, _) if now < until => BreakerState::Open(until - now),
                Mode::Open(..) | Mode::Probe => BreakerState::HalfOpen,
            };
            prop_assert_eq!(breaker.state(now), expected);
        }
    }
}
