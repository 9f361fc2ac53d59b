//! What buyers told of leads that they bought.

use lead::{BuyerEvent, OfferOutcome, PostClass};
use ledger::{EVENTS_MAX, Entry, Ledger, Reported};

use super::{illegal, ok, record};
use crate::sample::{at, campaign, classed, created, digest, id, opened, reported, settled, write};

pub(super) async fn an_event_of_a_sold_lead_reads_back_in_every_field(ledger: &impl Ledger) {
    ok(ledger, created(id(1), vec![opened("nova", 0)])).await;
    let sale = vec![classed("nova", PostClass::Accepted), settled(OfferOutcome::Sold)];
    ok(ledger, write(id(1), sale)).await;
    let before = record(ledger, 1).await;
    assert_eq!(before.events, []);

    let bare = Reported {
        reference: None,
        metadata: serde_json::Map::new(),
        event: BuyerEvent::Approved,
        at: at(901) + jiff::SignedDuration::from_nanos(999_999),
        ..reported("nova", 2)
    };
    ok(ledger, write(id(1), vec![Entry::Reported(reported("nova", 1))])).await;
    ok(ledger, write(id(1), vec![Entry::Reported(bare.clone())])).await;
    let found = record(ledger, 1).await;
    let bare = Reported { at: at(901), ..bare };
    assert_eq!(found.events, [reported("nova", 1), bare]);
    assert_eq!(ledger::LeadRecord { events: Vec::new(), ..found }, before, "nothing else changed");
}

pub(super) async fn an_event_is_told_once_and_by_who_may_have_bought(ledger: &impl Ledger) {
    let tells = |number: u16, buyer: &str, mark| {
        write(id(number), vec![Entry::Reported(reported(buyer, mark))])
    };
    illegal(ledger, tells(1, "nova", 1), "an unknown lead").await;
    let classes = [
        (None, true),
        (Some(PostClass::Accepted), true),
        (Some(PostClass::Unknown), true),
        (Some(PostClass::Rejected), false),
        (Some(PostClass::NotSent), false),
    ];
    for (number, (class, may)) in (1..).zip(classes) {
        let posted = class.map(|class| classed("nova", class));
        let entries = std::iter::once(opened("nova", 0)).chain(posted).collect();
        ok(ledger, created(id(number), entries)).await;
        illegal(ledger, tells(number, "orion", 1), "never posted to").await;
        if may {
            ok(ledger, tells(number, "nova", 1)).await;
            illegal(ledger, tells(number, "nova", 1), "told before").await;
            let twice = vec![reported("nova", 2), reported("nova", 2)];
            let twice = twice.into_iter().map(Entry::Reported).collect();
            illegal(ledger, write(id(number), twice), "twice in one write").await;
        } else {
            illegal(ledger, tells(number, "nova", 1), "not bought").await;
        }
        assert_eq!(record(ledger, number).await.events.len(), usize::from(may), "{class:?}");
    }
    let other = Reported {
        campaign: lead::CampaignKey { campaign: "second".parse().unwrap(), ..campaign("nova") },
        ..reported("nova", 3)
    };
    illegal(ledger, write(id(2), vec![Entry::Reported(other)]), "another campaign").await;
}

pub(super) async fn a_lead_has_so_many_events_and_no_more(ledger: &impl Ledger) {
    ok(ledger, created(id(1), vec![opened("nova", 0), classed("nova", PostClass::Accepted)])).await;
    for mark in 0..u8::try_from(EVENTS_MAX).unwrap() {
        ok(ledger, write(id(1), vec![Entry::Reported(reported("nova", mark))])).await;
    }
    illegal(ledger, write(id(1), vec![Entry::Reported(reported("nova", 255))]), "one more").await;
    let marks: Vec<_> = record(ledger, 1).await.events.iter().map(|event| event.mark).collect();
    assert_eq!(marks, (0..64).map(digest).collect::<Vec<_>>());
}
