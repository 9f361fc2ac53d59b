//! Holds end when they should, whatever else is added and removed.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn prime() -> CampaignKey {
    CampaignKey { buyer: "nova".parse().unwrap(), campaign: "prime".parse().unwrap() }
}

fn hold(lead: u8, since: i64) -> Hold {
    let money = Money::zero("EUR".parse().unwrap());
    Hold {
        lead: LeadId::new(Timestamp::UNIX_EPOCH, [lead; 10]),
        campaign: prime(),
        publisher: "demo".parse().unwrap(),
        product: "loan".parse().unwrap(),
        deal: Deal { price: money, payout: money },
        since: Timestamp::from_second(since).unwrap(),
        test: false,
    }
}

proptest! {
    #[test]
    fn what_is_over_is_what_a_list_says(
        steps in prop::collection::vec((0u8..6, 0i64..50, 0u64..50, prop::bool::ANY), 0..60),
        now in 0i64..110,
    ) {
        let (holds, mut list) = (Holds::default(), BTreeMap::new());
        for (lead, since, span, gone) in steps {
            let hold = hold(lead, since);
            if gone {
                holds.remove(&hold);
                list.remove(&lead);
            } else {
                list.insert(lead, since + i64::try_from(span).unwrap());
                holds.add(hold, Duration::from_secs(span));
            }
        }
        let mut expected: Vec<(i64, LeadId)> = list
            .iter()
            .filter(|(_, end)| **end <= now)
            .map(|(lead, end)| (*end, hold(*lead, 0).lead))
            .collect();
        expected.sort_unstable();
        let over = holds.over(Timestamp::from_second(now).unwrap());
        let found: Vec<LeadId> = over.iter().map(|hold| hold.lead).collect();
        prop_assert_eq!(found, expected.into_iter().map(|(_, lead)| lead).collect::<Vec<_>>());
        prop_assert_eq!(holds.count(), list.len());
        for lead in 0..6 {
            let known = holds.of(hold(lead, 0).lead, &prime()).is_some();
            prop_assert_eq!(known, list.contains_key(&lead));
        }
    }
}
