//! Weighted tiers over any weights and any comings and goings, against the shares that were promised.

use jiff::{SignedDuration, Timestamp};
use lead::CampaignKey;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{Contender, POST, Shares};

fn keys(count: usize) -> Vec<CampaignKey> {
    let key = |index: usize| CampaignKey {
        buyer: format!("b{index}").parse().unwrap(),
        campaign: "main".parse().unwrap(),
    };
    (0..count).map(key).collect()
}

fn start() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

/// Gives one post to whose turn it is; ties go to the first. Returns its place in `contenders`.
fn give(shares: &Shares, contenders: &[Contender<'_>], at: Timestamp) -> usize {
    let due = shares.due(contenders, at);
    let best = due.iter().max().unwrap();
    let taker = due.iter().position(|due| due == best).unwrap();
    shares.offered(contenders[taker].key, contenders, at);
    taker
}

proptest! {
    #[test]
    fn posts_follow_the_weights_at_every_moment(
        weights in prop::collection::vec(1u32..50, 1..8), posts in 1usize..400,
    ) {
        let (keys, shares) = (keys(weights.len()), Shares::default());
        let contenders: Vec<Contender<'_>> =
            keys.iter().zip(&weights).map(|(key, weight)| Contender { key, weight: *weight }).collect();
        let whole: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        let mut got = vec![0u64; weights.len()];
        for post in 1..=posts as u64 {
            got[give(&shares, &contenders, start())] += 1;
            for (got, weight) in got.iter().zip(&weights) {
                // Both sides times the sum of the weights: how far anybody is from its share.
                let off = (got * whole).abs_diff(post * u64::from(*weight));
                prop_assert!(off <= whole * weights.len() as u64, "{off} of {whole} at {post}");
            }
        }
        let rounds = (posts as u64).checked_div(whole).unwrap_or(0);
        for (got, weight) in got.iter().zip(&weights) {
            let least = (rounds * u64::from(*weight)).saturating_sub(weights.len() as u64);
            prop_assert!(*got >= least, "nobody starves: {got} of {least}");
        }
    }

    #[test]
    fn nobody_starves_whoever_comes_and_goes(
        weights in prop::collection::vec(1u32..10, 2..6),
        there in prop::collection::vec(any::<u8>(), 100..300),
    ) {
        let (keys, shares) = (keys(weights.len()), Shares::default());
        let mut owed = vec![Decimal::ZERO; weights.len()];
        for present in there {
            let here: Vec<usize> =
                (0..weights.len()).filter(|index| present >> index & 1 == 1).collect();
            let contenders: Vec<Contender<'_>> = here
                .iter()
                .map(|index| Contender { key: &keys[*index], weight: weights[*index] })
                .collect();
            if here.is_empty() {
                continue;
            }
            let taker = here[give(&shares, &contenders, start())];
            let sum: u32 = here.iter().map(|index| weights[*index]).sum();
            for index in &here {
                owed[*index] += Decimal::from(weights[*index]) / Decimal::from(sum);
            }
            owed[taker] -= Decimal::ONE;
        }
        // Against the plain sum of what each could have had: nobody is left far behind.
        for (key, owed) in keys.iter().zip(owed) {
            let kept = shares.0.get(key).map_or(0, |it| it.hours.iter().sum::<i64>());
            let kept = Decimal::from(kept) / Decimal::from(POST);
            prop_assert!((kept - owed).abs() < Decimal::new(1, 5), "{key}: {kept} and {owed}");
            prop_assert!(owed < Decimal::from(weights.len()), "{key} is owed {owed}");
        }
    }
}

#[test]
fn who_was_away_is_owed_nothing_for_it() {
    let (keys, shares) = (keys(2), Shares::default());
    let [nova, orion] = [0, 1].map(|index| Contender { key: &keys[index], weight: 1 });
    for _ in 0..50 {
        give(&shares, &[nova, orion], start());
    }
    for _ in 0..1_000 {
        assert_eq!(give(&shares, &[nova], start()), 0, "orion is capped");
    }
    let back = (0..10).map(|_| give(&shares, &[nova, orion], start()));
    assert_eq!(back.sum::<usize>(), 5, "every other post, and no burst");
}

#[test]
fn what_was_owed_is_forgotten_after_a_day() {
    let (keys, shares) = (keys(2), Shares::default());
    let [nova, orion] = [0, 1].map(|index| Contender { key: &keys[index], weight: 1 });
    // A third that nobody else stands against leaves orion ahead by three.
    for _ in 0..3 {
        shares.offered(orion.key, &[nova, orion], start());
    }
    let due = |hours: i64| shares.due(&[nova, orion], start() + SignedDuration::from_hours(hours));
    let half = POST / 2;
    assert_eq!(due(0), [4 * half, -2 * half]);
    assert_eq!(due(23), [4 * half, -2 * half]);
    assert_eq!(due(24), [half, half]);
    assert_eq!(due(-5), [4 * half, -2 * half], "a clock that is set back forgets nothing");
    shares.offered(orion.key, &[nova, orion], start() + SignedDuration::from_hours(20));
    assert_eq!(due(30), [2 * half, 0], "the newer hour stands, the older is gone");
    shares.keep(|key| key == nova.key);
    assert_eq!(due(30), [2 * half, half]);
}
