//! Any sequence of writes, legal or not, gets the same answers and leaves the same records in both
//! ledgers, and no lead ever has two posts that take one slot or one buyer.

use std::collections::HashSet;

use jiff::Timestamp;
use lead::{BuyerEvent, CampaignKey, Code, Disposition, OfferOutcome, PostClass, RejectionReason};
use ledger::{
    Answered, ClaimKind, Entry, Intent, LeadRecord, Ledger, MemoryLedger, PostRow, Posted,
    Recovery, Refused, Reopened, Reported, Settled, Write,
};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::sample::{
    at, claiming, digest, id, money, posts_of, requested, settlement, sqlite, write,
};

fn campaign() -> impl Strategy<Value = CampaignKey> {
    (select(vec!["nova", "orion", "lyra"]), select(vec!["a", "b"])).prop_map(|(buyer, campaign)| {
        CampaignKey { buyer: buyer.parse().unwrap(), campaign: campaign.parse().unwrap() }
    })
}

fn intent() -> impl Strategy<Value = Entry> {
    let prices = select(vec!["10", "10.00", "0.5"]);
    let expected = option::of(select(vec!["0", "0.50", "0.51"]));
    (campaign(), 0u32..2, 0u16..3, prices, expected).prop_map(
        |(campaign, attempt, slot, price, expected)| {
            let (price, payout, expected) = (money(price), money("0.25"), expected.map(money));
            Entry::Intent(Intent { campaign, attempt, slot, price, payout, expected, at: at(5) })
        },
    )
}

fn posted() -> impl Strategy<Value = Entry> {
    let classes = select(PostClass::ALL.to_vec());
    let codes = select(vec![Code::Sold, Code::Unknown, Code::Operator(500), Code::Operator(3)]);
    let redirects = option::of("[a-z]{0,8}");
    (campaign(), 0u32..2, classes, codes, select(vec!["10.0", "0.5", "0.50"]), redirects).prop_map(
        |(campaign, attempt, class, code, price, redirect_url)| {
            let (price, payout) = (money(price), money("0.20"));
            let reference = redirect_url.clone();
            let at = at(6);
            Entry::Posted(Posted {
                campaign,
                attempt,
                class,
                code,
                price,
                payout,
                redirect_url,
                reference,
                at,
            })
        },
    )
}

fn settled() -> impl Strategy<Value = Entry> {
    let outcomes = option::of(select(OfferOutcome::ALL.to_vec()));
    let dispositions = option::of(select(Disposition::ALL.to_vec()));
    (outcomes, dispositions, any::<bool>(), prop::bool::weighted(0.1)).prop_map(
        |(outcome, disposition, decided, odd)| {
            let fits = (disposition == Some(Disposition::Rejected)) != odd;
            let reason = fits.then_some(RejectionReason::EligibilityFailed);
            let mut decisions = settlement(OfferOutcome::Sold, None).decisions;
            decisions.truncate(usize::from(decided));
            let answered = decided.then_some(Answered::New);
            Entry::Settled(Settled { outcome, disposition, reason, decisions, answered, at: at(7) })
        },
    )
}

fn reported() -> impl Strategy<Value = Entry> {
    let references = option::of("[a-z]{0,8}");
    (campaign(), select(BuyerEvent::ALL.to_vec()), 0u8..4, references).prop_map(
        |(campaign, event, mark, reference)| {
            let metadata = serde_json::Map::new();
            let mark = digest(mark);
            Entry::Reported(Reported { campaign, event, mark, reference, metadata, at: at(8) })
        },
    )
}

fn any_write() -> impl Strategy<Value = Write> {
    let reopened = (option::of(select(vec!["4", "4.50"])), 1u64..3).prop_map(|(least, version)| {
        let least = least.map(|least| least.parse().unwrap());
        Entry::Reopened(Reopened { least, market_version: version })
    });
    let back = (1i64..9).prop_map(|millis| Entry::Withdrawn(at(millis)));
    let answered = select(Answered::ALL.to_vec()).prop_map(Entry::Answered);
    let entries = prop::collection::vec(
        prop_oneof![8 => intent(), 8 => posted(), 4 => settled(), 1 => answered, 4 => reported(), 3 => reopened, 1 => back],
        0..4,
    );
    let brought = option::of((0u8..3, 0i64..3));
    let claims = prop::collection::vec((select(ClaimKind::ALL.to_vec()), 0u8..4), 0..3);
    (1u16..=3, prop::bool::weighted(0.3), entries, brought, claims).prop_map(
        |(number, new, entries, brought, claims)| {
            if !new {
                return write(id(number), entries);
            }
            let mut write = claiming(number, 1, &claims);
            if let Some((key, days)) = brought {
                let brought = requested(number, days * 43_200_000, key, 9).created;
                let new = write.created.as_mut().unwrap();
                let brought = brought.unwrap();
                (new.request, new.received_at) = (brought.request, brought.received_at);
            }
            Write { entries, ..write }
        },
    )
}

fn takes_nothing_twice(record: &LeadRecord) -> bool {
    let takes = |class: Option<PostClass>| {
        matches!(class, None | Some(PostClass::Accepted | PostClass::Unknown))
    };
    let (mut slots, mut buyers) = (HashSet::new(), HashSet::new());
    let mut posts = record.posts.iter().filter(|post| takes(post.class));
    posts.all(|post| slots.insert(post.slot) && buyers.insert(&post.campaign.buyer))
}

fn visited(ledger: &impl Recovery) -> (Vec<PostRow>, Vec<(CampaignKey, Timestamp)>) {
    let (posts, mut pings) = (posts_of(ledger).unwrap(), Vec::new());
    ledger.visit_pings(at(0), &mut |campaign, at| pings.push((campaign.clone(), at))).unwrap();
    (posts, pings)
}

async fn agree(writes: Vec<Write>) {
    let dir = tempfile::tempdir().unwrap();
    let memory = MemoryLedger::new();
    let disk = sqlite(dir.path());
    for write in writes {
        let (expected, found) = (memory.commit(write.clone()).await, disk.commit(write).await);
        // Of two reasons to refuse a write either may be told.
        let refused = |told: &_| matches!(told, Err(Refused::Illegal(_)));
        assert!(
            found == expected || refused(&found) && refused(&expected),
            "{found:?} {expected:?}"
        );
    }
    assert_eq!(disk.open_intents().await, memory.open_intents().await);
    assert_eq!(disk.leads_unsettled().await, memory.leads_unsettled().await);
    drop(disk);
    let disk = sqlite(dir.path());
    let keys: Vec<_> = (0..4).map(digest).collect();
    assert_eq!(disk.claimants(&keys).await, memory.claimants(&keys).await);
    for key in 0..3 {
        assert_eq!(disk.request(digest(key)).await, memory.request(digest(key)).await);
    }
    assert_eq!(visited(&disk), visited(&memory));
    for number in 1..=3 {
        let found = disk.lead(id(number)).await.unwrap();
        assert!(found.iter().all(takes_nothing_twice));
        // Digits too, not only values.
        assert_eq!(format!("{found:?}"), format!("{:?}", memory.lead(id(number)).await.unwrap()));
        assert_eq!(found, memory.lead(id(number)).await.unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_ledgers_agree(writes in prop::collection::vec(any_write(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(agree(writes));
    }
}
