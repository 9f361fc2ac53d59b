//! What every ledger does. Each test runs over both.

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use lead::{Disposition, Door, OfferOutcome, PostClass, RejectionReason, Sequence, Submission};
use ledger::{
    Answered, Entry, KeptMarket, LeadRecord, Ledger, MemoryLedger, PostRecord, Receipt, Recovery,
    Refused, SourceQuery, Write,
};

use crate::sample::{
    at, campaign, classed, created, id, intent, money, opened, posted, rejected, settled,
    settlement, submission, write,
};

mod events;
mod identity;
mod refusals;

use events::*;
use identity::*;
use refusals::*;

macro_rules! conformance {
    ($($name:ident,)+) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(&super::MemoryLedger::new()).await;
            })+
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                let dir = tempfile::tempdir().unwrap();
                super::$name(&crate::sample::sqlite(dir.path())).await;
            })+
        }
    };
}

conformance! {
    a_sold_lead_reads_back_in_every_field,
    a_rejected_lead_takes_one_write,
    the_signs_of_fraud_of_a_lead_read_back,
    times_are_kept_to_the_millisecond,
    what_is_not_legal_is_refused_and_leaves_no_trace,
    a_post_is_classed_as_its_intent_says,
    what_is_expected_is_at_most_the_price,
    a_class_once_set_stays,
    every_change_of_disposition_follows_the_table,
    a_slot_is_sold_once,
    a_buyer_buys_once,
    a_refused_post_frees_slot_and_buyer,
    a_review_settles_an_unknown_post,
    an_unsold_lead_is_offered_again_until_it_is_withdrawn,
    what_is_sold_held_or_open_is_neither_offered_again_nor_withdrawn,
    concurrent_writes_all_commit_and_are_numbered,
    an_illegal_neighbour_fails_alone,
    a_start_finds_what_is_open,
    an_unknown_lead_reads_as_none,
    a_lead_is_found_by_its_number_and_by_no_other,
    a_claimed_key_names_its_leads,
    claims_are_there_as_soon_as_the_write_is_answered,
    a_refused_write_claims_nothing,
    a_request_is_bound_for_a_day,
    the_first_answer_stays,
    a_start_is_shown_every_post_and_the_pings_since_a_time,
    digests_are_of_a_domain_and_of_parts,
    a_market_on_record_stays_as_it_is,
    a_source_reads_its_own_leads_newest_first,
    an_event_of_a_sold_lead_reads_back_in_every_field,
    an_event_is_told_once_and_by_who_may_have_bought,
    a_lead_has_so_many_events_and_no_more,
}

async fn a_source_reads_its_own_leads_newest_first(ledger: &impl Ledger) {
    let posted_by = |number: u16, publisher: &str, door| {
        let mut write = created(id(number), vec![]);
        let new = write.created.as_mut().unwrap();
        new.received_at = at(number.into());
        let own = Submission { publisher: publisher.parse().unwrap(), door, ..submission() };
        new.submission = Arc::new(own);
        write
    };
    for (number, publisher, door) in [
        (1, "store", Door::Pingtree),
        (2, "attic", Door::Pingtree),
        (3, "store", Door::Pingtree),
        (4, "store", Door::Native),
        (5, "store", Door::Pingtree),
        (6, "store", Door::Pingtree),
    ] {
        ok(ledger, posted_by(number, publisher, door)).await;
    }
    let all = SourceQuery {
        publisher: "store".parse().unwrap(),
        since: None,
        until: None,
        before: None,
        most: 100,
    };
    let (since, until, before) = (Some(at(3)), Some(at(6)), Some(Sequence(5)));
    for (query, expected) in [
        (all.clone(), vec![6, 5, 3, 1]),
        (SourceQuery { most: 2, ..all.clone() }, vec![6, 5]),
        (SourceQuery { most: 2, before, ..all.clone() }, vec![3, 1]),
        (SourceQuery { since, until, ..all.clone() }, vec![5, 3]),
        (SourceQuery { publisher: "attic".parse().unwrap(), ..all.clone() }, vec![2]),
        (SourceQuery { publisher: "nobody".parse().unwrap(), ..all.clone() }, vec![]),
    ] {
        let found = ledger.source_leads(query.clone()).await.unwrap();
        let ids: Vec<_> = found.iter().map(|lead| lead.id).collect();
        assert_eq!(ids, expected.into_iter().map(id).collect::<Vec<_>>(), "{query:?}");
    }
    let newest = ledger.source_leads(SourceQuery { most: 1, ..all }).await.unwrap();
    assert_eq!(newest[0], record(ledger, 6).await);
}

async fn record(ledger: &impl Ledger, number: u16) -> LeadRecord {
    ledger.lead(id(number)).await.unwrap().unwrap()
}

async fn ok(ledger: &impl Ledger, write: Write) -> Receipt {
    ledger.commit(write).await.unwrap()
}

async fn illegal(ledger: &impl Ledger, write: Write, what: &str) {
    let refused = ledger.commit(write).await;
    assert!(matches!(refused, Err(Refused::Illegal(_))), "{what}: {refused:?}");
}

async fn a_sold_lead_reads_back_in_every_field(ledger: &impl Ledger) {
    let receipt = ok(ledger, created(id(1), vec![opened("nova", 0)])).await;
    assert_eq!(receipt.sequence, Sequence(1));
    let sale = vec![classed("nova", PostClass::Accepted), settled(OfferOutcome::Sold)];
    assert_eq!(ok(ledger, write(id(1), sale)).await, receipt);

    let post = posted("nova", PostClass::Accepted);
    let expected = LeadRecord {
        id: id(1),
        sequence: Sequence(1),
        publisher: submission().publisher,
        product: submission().product,
        received_at: at(1),
        market_version: u64::MAX - 1,
        submission: Some(submission()),
        signals: Vec::new(),
        offers: 1,
        least: None,
        withdrawn: false,
        outcome: Some(OfferOutcome::Sold),
        disposition: Some(Disposition::Sold),
        reason: None,
        answered: Some(Answered::Distributed),
        posts: vec![PostRecord {
            campaign: campaign("nova"),
            attempt: 0,
            slot: 0,
            class: Some(PostClass::Accepted),
            code: Some(post.code),
            price: money("11.00"),
            payout: money("7.00"),
            expected: None,
            redirect_url: post.redirect_url,
            reference: post.reference,
            intent_at: at(20),
            posted_at: Some(at(300)),
        }],
        decisions: settlement(OfferOutcome::Sold, None).decisions,
        events: Vec::new(),
    };
    let found = record(ledger, 1).await;
    assert_eq!(found, expected);
    assert_eq!(found.sales().count(), 1);
    // Equal decimals may differ in their digits.
    assert_eq!(found.posts[0].price.amount.to_string(), "11.00");
    assert_eq!(found.decisions[0].bid.unwrap().to_string(), "12.500");
}

async fn the_signs_of_fraud_of_a_lead_read_back(ledger: &impl Ledger) {
    let mut suspect = created(id(1), vec![]);
    suspect.created.as_mut().unwrap().signals = vec!["country_mismatch", "phone_unreadable"];
    ok(ledger, suspect).await;
    ok(ledger, write(id(1), vec![settled(OfferOutcome::Unsold)])).await;
    let found = record(ledger, 1).await;
    assert_eq!(found.signals, ["country_mismatch", "phone_unreadable"]);
    assert_eq!(found.disposition, Some(Disposition::Unsold));
}

async fn a_rejected_lead_takes_one_write(ledger: &impl Ledger) {
    ok(ledger, created(id(1), vec![rejected(Some(RejectionReason::AgeRestriction))])).await;
    let found = record(ledger, 1).await;
    assert_eq!(found.disposition, Some(Disposition::Rejected));
    assert_eq!(found.reason, Some(RejectionReason::AgeRestriction));
    assert_eq!((found.outcome, found.posts.len(), found.decisions.len()), (None, 0, 0));
}

async fn times_are_kept_to_the_millisecond(ledger: &impl Ledger) {
    let late = |time: Timestamp| time + SignedDuration::from_nanos(999_999);
    let mut write = created(id(1), vec![]);
    let new = write.created.as_mut().unwrap();
    new.received_at = late(new.received_at);
    let mut sent = intent("nova", 0);
    sent.at = late(sent.at);
    write.entries.push(Entry::Intent(sent));
    ok(ledger, write).await;
    let found = record(ledger, 1).await;
    assert_eq!((found.received_at, found.posts[0].intent_at), (at(1), at(20)));
}

async fn a_refused_post_frees_slot_and_buyer(ledger: &impl Ledger) {
    ok(ledger, created(id(1), vec![opened("nova", 0)])).await;
    ok(ledger, write(id(1), vec![classed("nova", PostClass::NotSent), opened("nova", 0)])).await;
    ok(ledger, write(id(1), vec![classed("nova", PostClass::Rejected), opened("orion", 0)])).await;
    ok(ledger, write(id(1), vec![classed("orion", PostClass::Accepted)])).await;
    let found = record(ledger, 1).await;
    let posts: Vec<_> =
        found.posts.iter().map(|post| (post.campaign.buyer.as_str(), post.class)).collect();
    let expected = [
        ("nova", Some(PostClass::NotSent)),
        ("nova", Some(PostClass::Rejected)),
        ("orion", Some(PostClass::Accepted)),
    ];
    assert_eq!(posts, expected);
    assert_eq!(found.posts[1].price, money("12.500"), "only an acceptance bills");
}

async fn a_review_settles_an_unknown_post(ledger: &impl Ledger) {
    let unknown =
        || vec![classed("nova", PostClass::Unknown), settled(OfferOutcome::Indeterminate)];
    for number in [1, 2] {
        ok(ledger, created(id(number), vec![opened("nova", 0)])).await;
        ok(ledger, write(id(number), unknown())).await;
        assert_eq!(record(ledger, number).await.disposition, Some(Disposition::Indeterminate));
        for class in [PostClass::Unknown, PostClass::NotSent] {
            illegal(ledger, write(id(number), vec![classed("nova", class)]), "no verdict").await;
        }
    }
    let verdict = |outcome: OfferOutcome| {
        let mut settled = settlement(outcome, outcome.disposition());
        settled.decisions.clear();
        Entry::Settled(settled)
    };
    let sold = vec![classed("nova", PostClass::Accepted), verdict(OfferOutcome::Sold)];
    ok(ledger, write(id(1), sold)).await;
    ok(
        ledger,
        write(id(2), vec![classed("nova", PostClass::Rejected), verdict(OfferOutcome::Unsold)]),
    )
    .await;
    let (sold, unsold) = (record(ledger, 1).await, record(ledger, 2).await);
    assert_eq!(
        (sold.disposition, sold.outcome),
        (Some(Disposition::Sold), Some(OfferOutcome::Sold))
    );
    assert_eq!((sold.posts[0].price, sold.posts[0].payout), (money("11.00"), money("7.00")));
    assert_eq!(unsold.disposition, Some(Disposition::Unsold));
    assert_eq!(unsold.sales().count(), 0);
    assert_eq!(sold.decisions.len(), 3, "a review keeps the rows of the offer");
}

async fn concurrent_writes_all_commit_and_are_numbered(ledger: &impl Ledger) {
    let writes =
        (1..=300).map(|number| ledger.commit(created(id(number), vec![opened("nova", 0)])));
    let mut numbers: Vec<i64> =
        join_all(writes).await.into_iter().map(|done| done.unwrap().sequence.0).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=300).collect::<Vec<_>>());
}

async fn an_illegal_neighbour_fails_alone(ledger: &impl Ledger) {
    let writes = (1..=100u16).map(|number| {
        let slot = |buyer: &str| opened(buyer, 0);
        let entries = match number % 3 {
            0 => vec![slot("nova"), slot("orion")],
            _ => vec![slot("nova")],
        };
        ledger.commit(created(id(number), entries))
    });
    let answers = join_all(writes).await;
    for (number, answer) in (1..=100u16).zip(&answers) {
        assert_eq!(answer.is_ok(), number % 3 != 0, "{number}: {answer:?}");
        assert_eq!(ledger.lead(id(number)).await.unwrap().is_some(), answer.is_ok());
    }
    let numbers = answers.iter().flatten().map(|receipt| receipt.sequence.0);
    assert_eq!(numbers.max(), Some(67), "a refused write takes no number");
    assert_eq!(ledger.trouble(), None);
}

async fn a_start_finds_what_is_open(ledger: &impl Recovery) {
    ok(ledger, created(id(1), vec![settled(OfferOutcome::Unsold)])).await;
    ok(ledger, created(id(2), vec![opened("nova", 0), opened("orion", 1)])).await;
    ok(ledger, created(id(3), vec![opened("nova", 0), classed("nova", PostClass::Unknown)])).await;
    ok(ledger, write(id(2), vec![classed("nova", PostClass::Rejected)])).await;
    let open = ledger.open_intents().await.unwrap();
    let found: Vec<_> = open.iter().map(|open| (open.lead, &open.post)).collect();
    let record = record(ledger, 2).await;
    assert_eq!(found, [(id(2), &record.posts[1])]);
    assert_eq!(ledger.leads_unsettled().await, Ok(vec![id(2), id(3)]));
}

async fn an_unknown_lead_reads_as_none(ledger: &impl Ledger) {
    assert_eq!(ledger.lead(id(1)).await, Ok(None));
}

async fn a_lead_is_found_by_its_number_and_by_no_other(ledger: &impl Ledger) {
    assert_eq!(ledger.numbered(Sequence(1)).await, Ok(None));
    for n in 1..=3 {
        let receipt = ledger.commit(created(id(n), vec![])).await.unwrap();
        assert_eq!(ledger.numbered(receipt.sequence).await, Ok(Some(id(n))));
    }
    for unknown in [i64::MIN, -1, 0, 4, i64::MAX] {
        assert_eq!(ledger.numbered(Sequence(unknown)).await, Ok(None), "{unknown}");
    }
}

#[tokio::test]
async fn memory_fails_on_demand() {
    let ledger = MemoryLedger::new();
    ledger.fail_next(Refused::Full);
    assert_eq!(ledger.commit(created(id(1), vec![])).await, Err(Refused::Full));
    ledger.set_trouble(Some("disk full".to_owned()));
    assert_eq!(ledger.trouble().as_deref(), Some("disk full"));
    let refused = ledger.commit(created(id(1), vec![])).await;
    assert_eq!(refused, Err(Refused::Unavailable("disk full".to_owned())));
    ledger.set_trouble(None);
    ok(&ledger, created(id(1), vec![])).await;
    assert_eq!(ledger.records().len(), 1);
}

async fn a_market_on_record_stays_as_it_is(ledger: &impl Ledger) {
    assert_eq!(ledger.newest_market().await, Ok(None));
    assert_eq!(ledger.market(1).await, Ok(None));
    let market = |version, source: &str| KeptMarket { version, source: source.to_owned() };
    for version in [1, 2, 10] {
        ledger.keep_market(market(version, &format!("market {version}"))).await.unwrap();
    }
    assert_eq!(ledger.newest_market().await, Ok(Some(market(10, "market 10"))));
    assert_eq!(ledger.market(2).await, Ok(Some("market 2".to_owned())));
    assert_eq!(ledger.market(3).await, Ok(None));
    assert_eq!(ledger.keep_market(market(2, "market 2")).await, Ok(()), "twice is once");
    let refused = ledger.keep_market(market(2, "another")).await;
    assert!(matches!(refused, Err(Refused::Illegal(_))), "{refused:?}");
    assert_eq!(ledger.market(2).await, Ok(Some("market 2".to_owned())));
}
