//! Whether a tier is closed early or not, the same campaign wins, and no ping outlives its deadline as a
//! bid.

use std::fmt::Write;

use proptest::prelude::*;

use crate::file::Scenario;
use crate::on_a_paused_clock;
use crate::world::World;

/// One campaign: what it bids of what it may at most, in whole euros; when it answers; how it ranks.
#[derive(Debug, Clone)]
struct Bidder {
    bid: u8,
    spare: u8,
    after_ms: u16,
    multiplier: u8,
    penalty: u8,
    priority: u8,
}

fn bidder() -> impl Strategy<Value = Bidder> {
    (1u8..8, 0u8..4, 0u16..700, 0u8..4, 0u8..3, 0u8..2).prop_map(
        |(bid, spare, after_ms, multiplier, penalty, priority)| Bidder {
            bid,
            spare,
            after_ms,
            multiplier,
            penalty,
            priority,
        },
    )
}

/// Pings end at 475 ms. With `waiter`, a campaign that could outbid all others says no just before, so
/// that all of them are waited for.
fn scenario(bidders: &[Bidder], waiter: bool) -> Scenario {
    let mut text = "[product]\nbudget_ms = 660\n".to_owned();
    for (number, bidder) in bidders.iter().enumerate() {
        let Bidder { bid, spare, after_ms, multiplier, penalty, priority } = bidder;
        let most = bid + spare;
        write!(
            text,
            "[campaigns.b{number}]\nis.priority = {priority}\nis.score = {{ multiplier = \"{multiplier}\", penalty = \"{penalty}\" }}\nis.price = {{ bid = {{ min = \"1.00\", max = \"{most}.00\" }} }}\nping = {{ bid = \"{bid}.00\", after_ms = {after_ms} }}\npost = {{ answer = \"accepted\" }}\n"
        )
        .unwrap();
    }
    if waiter {
        text.push_str("[campaigns.waiter]\nis.price = { bid = { min = \"1.00\", max = \"9999.00\" } }\nping = { no_bid = 1, after_ms = 474 }\n");
    }
    Scenario::read(&text).map_err(|defects| defects.join("\n")).unwrap()
}

/// Who bought and what the record says of each campaign, if anybody did.
async fn sold(bidders: &[Bidder], waiter: bool) -> (Option<String>, Vec<(String, u16)>, u128) {
    let world = World::of(scenario(bidders, waiter));
    world.sell().await.unwrap();
    let took = world.elapsed_ms();
    world.engine.drain().await;
    assert_eq!(world.buyers.faults(), Vec::<String>::new());
    let record = world.books.only_record().unwrap();
    let winner = record.sales().next().map(|sale| sale.campaign.to_string());
    let rows = record.decisions.iter().map(|row| (row.campaign.to_string(), row.code.number()));
    (winner, rows.collect(), took)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn closing_early_never_changes_the_winner(bidders in prop::collection::vec(bidder(), 1..7)) {
        let (early, rows, took) = on_a_paused_clock(sold(&bidders, false));
        let (waited, all, _) = on_a_paused_clock(sold(&bidders, true));
        prop_assert_eq!(&early, &waited, "{:?} {:?}", rows, all);
        prop_assert!(took <= 475, "{took} ms");
        for (number, bidder) in bidders.iter().enumerate() {
            let name = format!("b{number}/main");
            let code = rows.iter().find(|(row, _)| *row == name).map(|(_, code)| *code);
            let late = bidder.after_ms > 475;
            // Out of time or not waited for, or it answered.
            let told = matches!(code, Some(100 | 105 | 216));
            prop_assert!(!late || told, "{name}: {code:?}");
            prop_assert!(!late || early.as_deref() != Some(&*name));
        }
    }
}
