//! What every ledger refuses: whatever would sell twice, end twice or not read back.

use lead::{Code, Disposition, Money, OfferOutcome, PostClass, RejectionReason};
use ledger::{Entry, Intent, Ledger, Posted, Recovery, Reopened, Settled};

use super::{illegal, ok, record};
use crate::sample::{
    at, classed, created, id, intent, money, opened, posted, posts_of, rejected, settled,
    settlement, write,
};

pub(super) async fn what_is_not_legal_is_refused_and_leaves_no_trace(ledger: &impl Ledger) {
    illegal(ledger, write(id(1), vec![]), "an unknown lead").await;
    illegal(ledger, created(id(1), vec![rejected(None)]), "rejected without a reason").await;
    assert_eq!(ledger.lead(id(1)).await, Ok(None));
    ok(ledger, created(id(1), vec![opened("nova", 0)])).await;
    let before = record(ledger, 1).await;

    illegal(ledger, created(id(1), vec![]), "created twice").await;
    let mut unsold = settlement(OfferOutcome::Unsold, Some(Disposition::Unsold));
    unsold.reason = Some(RejectionReason::Blacklisted);
    let unsold = vec![Entry::Settled(unsold)];
    illegal(ledger, write(id(1), unsold), "a reason without a rejection").await;
    let half = vec![classed("nova", PostClass::Rejected), opened("orion", 0), rejected(None)];
    illegal(ledger, write(id(1), half), "legal but for the last entry").await;
    assert_eq!(record(ledger, 1).await, before);
}

pub(super) async fn a_post_is_classed_as_its_intent_says(ledger: &impl Ledger) {
    ok(ledger, created(id(1), vec![opened("nova", 0)])).await;
    let before = record(ledger, 1).await;
    let accepted = || posted("nova", PostClass::Accepted);
    let dollars = Money { currency: "USD".parse().unwrap(), ..money("1") };
    let refused = [
        ("posted without an intent", posted("orion", PostClass::Accepted)),
        ("another attempt", Posted { attempt: 1, ..accepted() }),
        ("more than the intent", Posted { price: money("12.51"), ..accepted() }),
        ("another currency", Posted { price: dollars, payout: dollars, ..accepted() }),
        ("two currencies", Posted { payout: dollars, ..accepted() }),
        ("a code that would not read back", Posted { code: Code::Operator(7), ..accepted() }),
    ];
    for (what, posted) in refused {
        illegal(ledger, write(id(1), vec![Entry::Posted(posted)]), what).await;
    }
    assert_eq!(record(ledger, 1).await, before);
}

pub(super) async fn what_is_expected_is_at_most_the_price(ledger: &impl Recovery) {
    let dollars = Money { currency: "USD".parse().unwrap(), ..money("1") };
    for (what, expected) in [("more than the price", money("12.51")), ("another currency", dollars)]
    {
        let intent = Intent { expected: Some(expected), ..intent("nova", 0) };
        illegal(ledger, created(id(1), vec![Entry::Intent(intent)]), what).await;
    }
    let intent = Intent { expected: Some(money("3.10")), ..intent("nova", 0) };
    let entries = vec![Entry::Intent(intent), classed("nova", PostClass::Accepted)];
    ok(ledger, created(id(1), entries)).await;
    assert_eq!(record(ledger, 1).await.posts[0].expected, Some(money("3.10")));
    let posts = posts_of(ledger).unwrap();
    assert_eq!(posts[0].expected, Some(money("3.10")), "counted by it after a start");
}

pub(super) async fn a_class_once_set_stays(ledger: &impl Ledger) {
    for (number, class) in
        [(1, PostClass::Accepted), (2, PostClass::Rejected), (3, PostClass::NotSent)]
    {
        ok(ledger, created(id(number), vec![opened("nova", 0), classed("nova", class)])).await;
        for again in PostClass::ALL {
            illegal(ledger, write(id(number), vec![classed("nova", *again)]), "a second class")
                .await;
        }
    }
}

pub(super) async fn every_change_of_disposition_follows_the_table(ledger: &impl Ledger) {
    let to = |disposition: Disposition| {
        let reason =
            (disposition == Disposition::Rejected).then_some(RejectionReason::FraudSuspected);
        let settled = Settled {
            outcome: None,
            disposition: Some(disposition),
            reason,
            decisions: vec![],
            answered: None,
            at: at(2),
        };
        vec![Entry::Settled(settled)]
    };
    let mut number = 0;
    for from in Disposition::ALL {
        for next in Disposition::ALL {
            number += 1;
            ok(ledger, created(id(number), to(*from))).await;
            let done = ledger.commit(write(id(number), to(*next))).await;
            let legal = lead::journey::lead_may_become(Some(*from), *next);
            assert_eq!(done.is_ok(), legal, "{from:?} to {next:?}: {done:?}");
            let expected = if legal { next } else { from };
            assert_eq!(record(ledger, number).await.disposition, Some(*expected));
        }
    }
}

pub(super) async fn a_slot_is_sold_once(ledger: &impl Ledger) {
    for (number, class) in
        [(1, None), (2, Some(PostClass::Accepted)), (3, Some(PostClass::Unknown))]
    {
        let first = class.map(|class| classed("nova", class));
        ok(ledger, created(id(number), [opened("nova", 0)].into_iter().chain(first).collect()))
            .await;
        illegal(ledger, write(id(number), vec![opened("orion", 0)]), "the slot again").await;
        ok(ledger, write(id(number), vec![opened("orion", 1)])).await;
        assert_eq!(record(ledger, number).await.posts.len(), 2);
    }
    let both = vec![opened("nova", 0), opened("orion", 0)];
    illegal(ledger, created(id(9), both), "twice in one write").await;
}

pub(super) async fn a_buyer_buys_once(ledger: &impl Ledger) {
    for (number, class) in
        [(1, None), (2, Some(PostClass::Accepted)), (3, Some(PostClass::Unknown))]
    {
        let first = class.map(|class| classed("nova", class));
        ok(ledger, created(id(number), [opened("nova", 0)].into_iter().chain(first).collect()))
            .await;
        let mut other = intent("nova", 1);
        other.campaign.campaign = "second".parse().unwrap();
        illegal(ledger, write(id(number), vec![Entry::Intent(other)]), "the buyer again").await;
    }
}

fn reopened(least: &str) -> Entry {
    Entry::Reopened(Reopened { least: Some(least.parse().unwrap()), market_version: 9 })
}

pub(super) async fn an_unsold_lead_is_offered_again_until_it_is_withdrawn(ledger: &impl Recovery) {
    let first = vec![opened("nova", 0), classed("nova", PostClass::Rejected)];
    ok(ledger, created(id(1), first)).await;
    illegal(ledger, write(id(1), vec![reopened("4.50")]), "it has not ended").await;
    illegal(ledger, write(id(1), vec![Entry::Withdrawn(at(8))]), "it has not ended").await;
    ok(ledger, write(id(1), vec![settled(OfferOutcome::Unsold)])).await;
    let before = record(ledger, 1).await;
    let both = vec![settled(OfferOutcome::Unsold), reopened("4.50")];
    illegal(ledger, write(id(1), both), "unsold twice").await;

    ok(ledger, write(id(1), vec![reopened("4.50"), opened("orion", 0)])).await;
    let open = record(ledger, 1).await;
    assert_eq!((open.outcome, open.disposition, open.offers), (None, None, 2));
    assert_eq!((open.least, open.market_version), ("4.50".parse().ok(), 9));
    assert_eq!((open.answered, open.posts.len()), (before.answered, 2));
    assert_eq!(ledger.leads_unsettled().await, Ok(vec![id(1)]), "a start finds it");
    let refused = vec![classed("orion", PostClass::Rejected), settled(OfferOutcome::Unsold)];
    ok(ledger, write(id(1), refused)).await;
    assert_eq!(record(ledger, 1).await.disposition, Some(Disposition::Unsold));

    ok(ledger, write(id(1), vec![Entry::Withdrawn(at(8))])).await;
    ok(ledger, write(id(1), vec![Entry::Withdrawn(at(9))])).await;
    let last = record(ledger, 1).await;
    assert!(last.withdrawn && last.disposition == Some(Disposition::Unsold));
    illegal(ledger, write(id(1), vec![reopened("4")]), "it was withdrawn").await;
    assert_eq!(record(ledger, 1).await, last);
}

pub(super) async fn what_is_sold_held_or_open_is_neither_offered_again_nor_withdrawn(
    ledger: &impl Ledger,
) {
    let sold =
        vec![opened("nova", 0), classed("nova", PostClass::Accepted), settled(OfferOutcome::Sold)];
    let held = vec![
        opened("nova", 0),
        classed("nova", PostClass::Unknown),
        settled(OfferOutcome::Indeterminate),
    ];
    let open = vec![opened("nova", 0)];
    let reason = Some(RejectionReason::AgeRestriction);
    for (number, entries) in (1..).zip([sold, held, open, vec![rejected(reason)]]) {
        ok(ledger, created(id(number), entries)).await;
        let before = record(ledger, number).await;
        illegal(ledger, write(id(number), vec![reopened("1")]), "not unsold").await;
        illegal(ledger, write(id(number), vec![Entry::Withdrawn(at(8))]), "not unsold").await;
        assert_eq!(record(ledger, number).await, before);
    }
}
