//! Against a list that keeps everything and sorts it.

use proptest::prelude::*;

use super::*;

fn start() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Of the last [`KEPT`] calls those of the last minute, in order of their durations.
fn sorted(all: &[(Duration, Duration)], now: Duration) -> Vec<Duration> {
    let last = &all[all.len().saturating_sub(KEPT)..];
    let mut recent: Vec<Duration> =
        last.iter().filter(|(at, _)| now - *at <= RECENT).map(|(_, took)| *took).collect();
    recent.sort_unstable();
    recent
}

proptest! {
    #[test]
    fn a_sort_of_everything_says_the_same(
        steps in prop::collection::vec((0u64..6_000, 0u64..400), 0..120),
        later in 0u64..80_000,
        left in 0u64..400,
    ) {
        let (start, ms) = (start(), Duration::from_millis);
        let (mut recent, mut all, mut now) = (Recent::default(), Vec::new(), Duration::ZERO);
        for (pause, took) in steps {
            now += ms(pause);
            recent.add(ms(took), start + now);
            all.push((now, ms(took)));
        }
        now += ms(later);
        let list = sorted(&all, now);
        // The least value that at least nine in ten do not exceed.
        let naive = list
            .iter()
            .find(|value| list.iter().filter(|other| other <= value).count() * 10 >= list.len() * 9)
            .filter(|_| list.len() >= LEAST)
            .copied();
        prop_assert_eq!(recent.p90(start + now), naive);
        prop_assert_eq!(recent.fits(ms(left), start + now), naive.map(|p90| p90 <= ms(left)));
    }
}

#[test]
fn a_campaign_that_was_slow_is_probed() {
    let (pace, now) = (Pace::default(), start());
    let (left, second) = (Duration::from_millis(100), Duration::from_secs(1));
    assert_eq!(pace.ping(left, now), Chance::Fits, "nothing is known of it");
    for _ in 0..LEAST {
        pace.missed(None, now);
    }
    assert_eq!(pace.ping(left, now), Chance::Probe);
    assert_eq!(pace.ping(left, now), Chance::TooSlow, "one at a time");
    pace.missed(Some(left * 2), now);
    assert_eq!(pace.ping(left, now), Chance::TooSlow, "it is slow still");
    assert_eq!(pace.ping(left, now + second), Chance::Probe);
    assert_eq!(pace.ping(left, now + second + RECENT), Chance::Fits, "that was long ago");
}

#[test]
fn a_campaign_that_is_fast_again_recovers_within_as_many_pings_as_are_kept() {
    let (pace, now) = (Pace::default(), start());
    let left = Duration::from_millis(100);
    for _ in 0..KEPT {
        pace.missed(None, now);
    }
    let mut probes = 0;
    while pace.ping(left, now) == Chance::Probe {
        pace.answered(left / 2, now);
        probes += 1;
    }
    assert_eq!(pace.ping(left, now), Chance::Fits);
    assert_eq!(probes, nine_in_ten(KEPT));
}

#[test]
fn posts_are_judged_by_what_they_took() {
    let (pace, now) = (Pace::default(), start());
    let ms = Duration::from_millis;
    assert!(pace.fits_post(ms(500), ms(500), now) && !pace.fits_post(ms(499), ms(500), now));
    for took in 1..=10 {
        pace.posted(ms(took * 10), now);
    }
    assert!(pace.fits_post(ms(90), ms(500), now) && !pace.fits_post(ms(89), ms(500), now));
    let later = now + RECENT + ms(1);
    assert!(!pace.fits_post(ms(90), ms(500), later), "what was long ago says nothing");
}

#[test]
fn the_ledgers_waits_are_expected_again() {
    let (paces, now) = (Paces::default(), start());
    assert_eq!(paces.commit_wait(now), Duration::ZERO);
    for took in 1..=20 {
        paces.committed(Duration::from_millis(took), now);
    }
    assert_eq!(paces.commit_wait(now), Duration::from_millis(18));
}
