//! A budget at any moment: what is kept back is kept back.

use std::time::{Duration, Instant};

use lead::Clock;
use proptest::prelude::*;

use super::{Budget, Reserves};

/// Any fixed moment: tokio's is the only one at hand without reading a clock of our own.
struct Now;

impl Clock for Now {
    fn timestamp(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn instant(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

fn ms(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_millis)
}

/// What is kept back of a budget, which may be short.
fn kept_of(whole: Duration, reserves: Reserves) -> Reserves {
    let Reserves { post, answer, ping_least } = reserves;
    Reserves { post: post.min(whole / 4), answer: answer.min(whole / 10), ping_least }
}

fn reserves() -> impl Strategy<Value = Reserves> {
    (ms(0..1_000), ms(0..100), ms(1..200)).prop_map(|(post, answer, ping_least)| Reserves {
        post,
        answer,
        ping_least,
    })
}

proptest! {
    #[test]
    fn pings_end_before_the_reserves_begin(
        whole in ms(0..5_000), gone in ms(0..6_000), limit in ms(0..3_000), reserves in reserves(),
        commit in ms(0..300),
    ) {
        let received = Now.instant();
        let now = received + gone;
        let budget = Budget::new(received, whole, reserves, commit);
        let reserves = kept_of(whole, reserves);
        let kept = reserves.post + commit + reserves.answer + commit;
        match budget.for_pings(now, limit) {
            Some(until) => {
                prop_assert!(until.0 + kept <= received + whole);
                prop_assert!(until.0 <= now + limit);
                prop_assert!(until.0 >= now);
                prop_assert!(gone + reserves.ping_least + kept <= whole);
                let late = until.0 + reserves.post.min(whole / 4) / 10;
                prop_assert!(budget.for_post(late) >= budget.usual_post(), "a post still fits");
            }
            None => prop_assert!(gone + reserves.ping_least + kept > whole),
        }
    }

    #[test]
    fn a_post_has_what_the_commits_and_the_answer_leave(
        whole in ms(0..5_000), gone in ms(0..6_000), reserves in reserves(), commit in ms(0..300),
    ) {
        let received = Now.instant();
        let budget = Budget::new(received, whole, reserves, commit);
        let reserves = kept_of(whole, reserves);
        let left = whole.saturating_sub(gone + commit + reserves.answer + commit);
        prop_assert_eq!(budget.for_post(received + gone), left);
    }

    #[test]
    fn the_answer_goes_out_before_the_budget_ends(
        whole in ms(0..5_000), reserves in reserves(), commit in ms(0..300),
    ) {
        let received = Now.instant();
        let budget = Budget::new(received, whole, reserves, commit);
        let reserves = kept_of(whole, reserves);
        prop_assert_eq!(budget.answer_by().0 + reserves.answer + commit, received + whole);
    }
}
