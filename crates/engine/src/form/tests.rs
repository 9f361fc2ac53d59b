//! Expected values of campaigns, against what they did.

use jiff::{SignedDuration, Timestamp};
use lead::{CampaignKey, Money};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::Form;

fn key(name: &str) -> CampaignKey {
    CampaignKey { buyer: name.parse().unwrap(), campaign: "main".parse().unwrap() }
}

fn eur(amount: i64) -> Money {
    Money { amount: amount.into(), currency: "EUR".parse().unwrap() }
}

fn at(hours: i64) -> Timestamp {
    let start: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
    start + SignedDuration::from_hours(hours)
}

#[test]
fn who_wins_more_often_or_bids_more_is_worth_more() {
    let form = Form::default();
    for lead in 0..40 {
        form.asked(&key("often"), Some(eur(10)), at(0));
        form.asked(&key("dear"), Some(eur(20)), at(0));
        form.asked(&key("seldom"), (lead % 4 == 0).then(|| eur(20)), at(0));
        if lead % 2 == 0 {
            form.won(&key("often"), at(0));
            form.won(&key("dear"), at(0));
        }
        if lead % 10 == 0 {
            form.won(&key("seldom"), at(0));
        }
    }
    let value = |name: &str| form.value(&key(name), eur(20), at(0));
    assert!(value("dear") > value("often") && value("often") > value("seldom"));
    assert_eq!(value("unknown"), Decimal::TEN, "one of two leads at its greatest price");
    form.keep(|known| *known != key("dear"));
    assert_eq!(value("dear"), value("unknown"));
}

#[test]
fn who_was_passed_over_is_tried_again() {
    let form = Form::default();
    for _ in 0..100 {
        form.asked(&key("nova"), None, at(0));
    }
    let value = |hours| form.value(&key("nova"), eur(20), at(hours));
    assert!(value(0) < Decimal::ONE);
    assert_eq!(value(7), Decimal::TEN, "as one that nobody knows");
    assert_eq!(value(-9), value(0), "a clock that is set back changes nothing");
}

proptest! {
    #[test]
    fn a_value_is_never_negative_nor_more_than_the_greatest_price(
        events in prop::collection::vec((any::<bool>(), 0i64..=60, any::<bool>(), 0i64..3), 0..60),
    ) {
        let (form, mut hours) = (Form::default(), 0);
        for (bids, bid, wins, passed) in events {
            hours += passed;
            form.asked(&key("nova"), bids.then(|| eur(bid)), at(hours));
            if bids && wins {
                form.won(&key("nova"), at(hours));
            }
            let value = form.value(&key("nova"), eur(60), at(hours));
            prop_assert!(value >= Decimal::ZERO && value <= Decimal::from(60), "{value}");
        }
    }
}
