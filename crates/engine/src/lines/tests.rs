//! Room and leave, as calls take them and give them back.

use std::time::Duration;

use market::Sources;

use super::*;

/// With room for eight calls, a ping and a post.
fn campaign() -> Campaign {
    let text = r#"
        [products.loan]
        name = "Loan"
        vertical = "loans"
        country = "ES"
        currency = "EUR"
        timezone = "UTC"
        budget_ms = 2000
        tiers = [{ mode = "auction" }]
        [buyers.nova]
        name = "Nova"
        allowed_hosts = ["127.0.0.1"]
        [buyers.nova.campaigns.prime]
        product = "loan"
        filter = {}
        max_in_flight = 8
        price = { fixed = "1.00" }
        delivery.ping.url = "http://127.0.0.1:1/"
        delivery.post.url = "http://127.0.0.1:1/"
    "#;
    let market = Sources::parse([("m".to_owned(), text.to_owned())]).unwrap().market().unwrap();
    Arc::unwrap_or_clone(market.campaigns.into_values().next().unwrap())
}

#[allow(clippy::disallowed_methods, reason = "any moment will do as the start of a test")]
fn start() -> Instant {
    Instant::now()
}

fn line(rules: BreakerRules) -> (Lines, Arc<Line>, Campaign, Instant) {
    let (lines, campaign) = (Lines::new(rules), campaign());
    let line = lines.to(&campaign.key);
    (lines, line, campaign, start())
}

#[test]
fn there_is_room_for_so_many_calls_and_pings_leave_some_of_it_to_posts() {
    let (_, line, campaign, now) = line(BreakerRules::default());
    for live in [true, false] {
        assert_eq!(line.refusal(&campaign, live, now), None);
        let mut pings: Vec<_> = (0..6).map(|_| line.ping(&campaign, live, now).unwrap()).collect();
        assert_eq!(line.ping(&campaign, live, now).err(), Some(Code::Concurrency));
        assert_eq!(line.refusal(&campaign, live, now), Some(Code::Concurrency));
        let posts: Vec<_> = (0..2).map(|_| line.post(&campaign, live, now).unwrap()).collect();
        assert_eq!(line.post(&campaign, live, now).err(), Some(Code::Concurrency));
        pings.pop();
        assert_eq!(line.ping(&campaign, live, now).err(), Some(Code::Concurrency));
        drop(line.post(&campaign, live, now).unwrap());
        drop(posts);
        assert!(line.ping(&campaign, live, now).is_ok());
    }
    assert_eq!(line.in_flight.load(Ordering::Relaxed), 0);
}

/// Calls one after another to one endpoint, judged at once; how many got leave.
fn calls(line: &Arc<Line>, call: CallKind, health: Health, now: Instant) -> usize {
    let campaign = campaign();
    let leave = |_| match call {
        CallKind::Ping => line.ping(&campaign, true, now),
        CallKind::Post => line.post(&campaign, true, now),
    };
    (0..9).map(leave).map_while(Result::ok).map(|(_, mut trial)| trial.ended(health, now)).count()
}

#[test]
fn each_endpoint_has_a_breaker_of_its_own_and_nobody_is_asked_who_could_not_be_posted_to() {
    for call in [CallKind::Ping, CallKind::Post] {
        let (lines, line, campaign, now) = line(BreakerRules::default());
        assert_eq!(calls(&line, call, Health::Fault, now), 5);
        assert_eq!(line.refusal(&campaign, true, now), Some(Code::Breaker));
        assert_eq!(line.refusal(&campaign, false, now), None, "a sandbox is another endpoint");
        assert!(line.ping(&campaign, false, now).is_ok());
        let other = if call == CallKind::Ping { CallKind::Post } else { CallKind::Ping };
        assert_eq!(calls(&line, other, Health::Fine, now), 9);
        let later = now + Duration::from_secs(1);
        assert_eq!(line.refusal(&campaign, true, later), None);
        let (_room, mut probe) = match call {
            CallKind::Ping => line.ping(&campaign, true, later).unwrap(),
            CallKind::Post => line.post(&campaign, true, later).unwrap(),
        };
        assert!(probe.is_probe());
        assert_eq!(line.refusal(&campaign, true, later), Some(Code::Breaker), "one at a time");
        assert!(probe.ended(Health::Fine, later));
        assert!(!probe.ended(Health::Fault, later), "only its first word counts");
        assert_eq!(line.refusal(&campaign, true, later), None);
        let reports = lines.report(later);
        let [ping, post] = &reports[..] else { panic!("{reports:?}") };
        let (tried, other) = if call == CallKind::Ping { (ping, post) } else { (post, ping) };
        assert_eq!((tried.call, tried.state, tried.opened), (call, BreakerState::Closed, 1));
        assert_eq!((tried.stopped, other.stopped, other.opened), (3, 0, 0));
    }
}

#[test]
fn a_probe_that_is_dropped_makes_way_for_the_next() {
    let (_, line, campaign, now) = line(BreakerRules::default());
    calls(&line, CallKind::Post, Health::Fault, now);
    let later = now + Duration::from_secs(1);
    for _ in 0..3 {
        let (_room, probe) = line.post(&campaign, true, later).unwrap();
        assert!(probe.is_probe() && line.post(&campaign, true, later).is_err());
    }
}

/// It opens and heals as ever, counts what it would have stopped, and stops nothing.
#[test]
fn a_simulated_breaker_stops_nothing() {
    let (lines, line, campaign, now) =
        line(BreakerRules { simulate: true, ..BreakerRules::default() });
    assert_eq!(calls(&line, CallKind::Post, Health::Fault, now), 9);
    assert_eq!(line.refusal(&campaign, true, now), None);
    let report = |now| lines.report(now).pop().unwrap();
    assert_eq!((report(now).opened, report(now).stopped), (1, 4));
    assert_eq!(report(now).state, BreakerState::Open(Duration::from_secs(1)));
    let later = now + Duration::from_secs(1);
    assert_eq!(calls(&line, CallKind::Post, Health::Fine, later), 9);
    assert_eq!((report(later).state, report(later).stopped), (BreakerState::Closed, 4));
}

#[test]
fn campaigns_that_are_no_more_are_forgotten() {
    let (lines, line, campaign, now) = line(BreakerRules::default());
    calls(&line, CallKind::Ping, Health::Fault, now);
    lines.keep(|key| *key == campaign.key);
    assert_eq!(lines.report(now)[0].opened, 1);
    lines.keep(|_| false);
    assert_eq!(lines.report(now), []);
    assert_eq!(lines.to(&campaign.key).refusal(&campaign, true, now), None);
}
