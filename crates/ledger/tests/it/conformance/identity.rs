//! By what leads are found again, and what counters are told at a start.

use jiff::Timestamp;
use lead::{Disposition, OfferOutcome, PostClass};
use ledger::{
    Answered, ClaimKind, Claimant, Entry, Ledger, PostRow, REQUEST_KEPT, Recovery, StoredRequest,
};

use super::{illegal, ok, record};
use crate::sample::{
    at, campaign, claiming, classed, created, digest, id, id_at, money, opened, posts_of, rejected,
    requested, settled, settlement, write,
};

pub(super) async fn a_claimed_key_names_its_leads(ledger: &impl Ledger) {
    ok(ledger, claiming(1, 10, &[(ClaimKind::Customer, 7), (ClaimKind::Duplicate, 8)])).await;
    ok(ledger, claiming(2, 20, &[(ClaimKind::Duplicate, 7), (ClaimKind::Customer, 7)])).await;
    ok(ledger, write(id(1), vec![settled(OfferOutcome::Unsold)])).await;
    let claimant = |number, key, kind, millis, disposition| Claimant {
        key: digest(key),
        kind,
        lead: id(number),
        publisher: "acme-leads".parse().unwrap(),
        received_at: at(millis),
        disposition,
    };
    let expected = [
        claimant(1, 7, ClaimKind::Customer, 10, Some(Disposition::Unsold)),
        // Of two claims on one key the first counts.
        claimant(2, 7, ClaimKind::Duplicate, 20, None),
        claimant(1, 8, ClaimKind::Duplicate, 10, Some(Disposition::Unsold)),
    ];
    let keys = [8, 9, 7, 8].map(digest);
    assert_eq!(ledger.claimants(&keys).await.unwrap(), expected);
    assert_eq!(ledger.claimants(&keys[1..2]).await, Ok(Vec::new()));
    assert_eq!(ledger.claimants(&[]).await, Ok(Vec::new()));
}

pub(super) async fn claims_are_there_as_soon_as_the_write_is_answered(ledger: &impl Ledger) {
    for number in 1..=100u8 {
        let keys = [(ClaimKind::Customer, number)];
        ok(ledger, claiming(number.into(), 1, &keys)).await;
        assert_eq!(ledger.claimants(&[digest(number)]).await.unwrap().len(), 1, "{number}");
    }
}

pub(super) async fn a_refused_write_claims_nothing(ledger: &impl Ledger) {
    let mut refused = claiming(1, 1, &[(ClaimKind::Customer, 1)]);
    refused.created.as_mut().unwrap().request = requested(1, 1, 2, 3).created.unwrap().request;
    refused.entries = vec![rejected(None)];
    illegal(ledger, refused, "rejected without a reason").await;
    assert_eq!(ledger.claimants(&[digest(1)]).await, Ok(Vec::new()));
    assert_eq!(ledger.request(digest(2)).await, Ok(None));
}

pub(super) async fn a_request_is_bound_for_a_day(ledger: &impl Ledger) {
    let day = i64::try_from(REQUEST_KEPT.as_millis()).unwrap();
    ok(ledger, requested(1, 0, 1, 10)).await;
    let first = StoredRequest { body: digest(10), lead: id(1), at: at(0) };
    assert_eq!(ledger.request(digest(1)).await, Ok(Some(first)));
    assert_eq!(ledger.request(digest(2)).await, Ok(None));
    assert!(first.binds(at(day - 1)) && !first.binds(at(day)));

    illegal(ledger, requested(2, 0, 1, 10), "at once").await;
    illegal(ledger, requested(2, day - 1, 1, 11), "within the day").await;
    assert_eq!(ledger.lead(id(2)).await, Ok(None));
    assert_eq!(ledger.request(digest(1)).await, Ok(Some(first)));

    ok(ledger, requested(3, day, 1, 11)).await;
    let second = StoredRequest { body: digest(11), lead: id(3), at: at(day) };
    assert_eq!(ledger.request(digest(1)).await, Ok(Some(second)));
}

pub(super) async fn the_first_answer_stays(ledger: &impl Ledger) {
    ok(ledger, created(id(1), vec![opened("nova", 0)])).await;
    assert_eq!(record(ledger, 1).await.answered, None);
    ok(ledger, write(id(1), vec![Entry::Answered(Answered::New)])).await;
    assert_eq!(record(ledger, 1).await.answered, Some(Answered::New));
    ok(ledger, write(id(1), vec![Entry::Answered(Answered::NewFinal)])).await;
    let sale = vec![classed("nova", PostClass::Accepted), settled(OfferOutcome::Sold)];
    ok(ledger, write(id(1), sale)).await;
    let found = record(ledger, 1).await;
    assert_eq!((found.answered, found.disposition), (Some(Answered::New), Some(Disposition::Sold)));

    let both = vec![Entry::Answered(Answered::New), settled(OfferOutcome::Unsold)];
    ok(ledger, created(id(2), both)).await;
    assert_eq!(record(ledger, 2).await.answered, Some(Answered::New));
    ok(ledger, created(id(3), vec![settled(OfferOutcome::Unsold)])).await;
    assert_eq!(record(ledger, 3).await.answered, Some(Answered::NewFinal));
    for answered in Answered::ALL {
        assert_eq!(Answered::numbered(answered.number()), Some(*answered));
    }
}

pub(super) async fn a_start_is_shown_every_post_and_the_pings_since_a_time(ledger: &impl Recovery) {
    let mut early = claiming(1, 10, &[]);
    early.entries = vec![opened("nova", 0), classed("nova", PostClass::Accepted)];
    let mut late = claiming(2, 20, &[]);
    late.entries = vec![opened("nova", 0)];
    let mut rehearsal = claiming(3, 30, &[]);
    let mut submission = crate::sample::submission();
    submission.test = true;
    rehearsal.created.as_mut().unwrap().submission = submission.into();
    rehearsal.entries = vec![opened("orion", 0)];
    let times = [10, 20, 30];
    for (mut write, (number, millis)) in [early, late, rehearsal].into_iter().zip((1..).zip(times))
    {
        write.lead = id_at(number, millis);
        ok(ledger, write).await;
    }
    for (number, millis) in (1..).zip(times) {
        let mut settled = settlement(OfferOutcome::Pending, None);
        settled.decisions[1].ping_ms =
            if number == 2 { None } else { settled.decisions[1].ping_ms };
        let lead = id_at(number, millis);
        ok(ledger, write(lead, vec![Entry::Settled(settled)])).await;
    }

    let posts = posts_of(ledger).unwrap();
    let open = |number, buyer, test| PostRow {
        lead: Some(id_at(number, i64::from(number) * 10)),
        campaign: campaign(buyer),
        publisher: "acme-leads".parse().unwrap(),
        product: "personal-loan-es".parse().unwrap(),
        class: None,
        price: money("12.500"),
        payout: money("8.10"),
        expected: None,
        intent_at: at(20),
        test,
    };
    let (price, payout) = (money("11.00"), money("7.00"));
    let sold = PostRow {
        lead: None,
        class: Some(PostClass::Accepted),
        price,
        payout,
        ..open(1, "nova", false)
    };
    assert_eq!(posts, [sold, open(2, "nova", false), open(3, "orion", true)]);

    let pings = |since: Timestamp| {
        let mut pings = Vec::new();
        ledger.visit_pings(since, &mut |campaign, at| pings.push((campaign.clone(), at))).unwrap();
        pings
    };
    let (nova, orion) = (campaign("nova"), campaign("orion"));
    let all = [(nova.clone(), at(10)), (orion, at(10)), (nova.clone(), at(20))];
    assert_eq!(pings(at(10)), all);
    assert_eq!(pings(at(11)), [(nova, at(20))]);
    assert_eq!(pings(at(21)), []);
}

pub(super) async fn digests_are_of_a_domain_and_of_parts(ledger: &impl Ledger) {
    let digest = ledger.digest("email", &[b"a", b"bc"]);
    assert_eq!(digest, ledger.digest("email", &[b"a", b"bc"]));
    assert_ne!(digest, ledger.digest("email", &[b"ab", b"c"]));
    assert_ne!(digest, ledger.digest("phone", &[b"a", b"bc"]));
}
