//! Any tree of any campaigns with any buyers behind them: what must hold after every lead holds after
//! these, and the publisher is told of exactly what was sold.

use lead::{Money, PayoutBasis, PostClass, Status};
use ledger::PostRecord;
use proptest::prelude::*;
use proptest::sample::select;

use crate::file::Scenario;
use crate::on_a_paused_clock;
use crate::world::World;

const MODES: [&str; 4] = ["auction", "waterfall", "weighted", "broadcast"];
const ANSWERS: [&str; 6] = ["accepted", "rejected", "duplicate", "not_sent", "unknown", "panics"];

/// Nova and orion are sister brands.
const BUYERS: [&str; 4] = ["nova", "orion", "atlas", "lyra"];

#[derive(Debug, Clone)]
struct Drawn {
    buyer: &'static str,
    tier: usize,
    sells: &'static str,
    pinged: bool,
    cents: u32,
    terms: (i32, u32),
    answer: &'static str,
    cut: Option<u32>,
    /// Whether the seller takes the risk of a second sale.
    risk: bool,
    /// Whether the price is due only with an outcome.
    outcome: bool,
}

fn campaign() -> impl Strategy<Value = Drawn> {
    let sells = select(vec!["exclusive", "shared", "both"]);
    // A panic ends the journey, so it is rare.
    let answer = prop_oneof![20 => select(ANSWERS[..5].to_vec()), 1 => Just(ANSWERS[5])];
    let terms = (-1i32..2, 1u32..4);
    let cut = prop::option::weighted(0.2, 0u32..1_000);
    let parts = (
        select(BUYERS.to_vec()),
        0usize..2,
        sells,
        any::<bool>(),
        100u32..1_000,
        terms,
        answer,
        cut,
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.3),
    );
    parts.prop_map(|(buyer, tier, sells, pinged, cents, terms, answer, cut, risk, outcome)| Drawn {
        buyer,
        tier,
        sells,
        pinged,
        cents,
        terms,
        answer,
        cut,
        risk,
        outcome,
    })
}

fn euros(cents: u32) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// A scenario file; what cannot be written in a market is bent until it can.
fn text(modes: &[&str], slots: u16, campaigns: &[Drawn]) -> String {
    let tier = |mode: &&str| {
        let mode = if slots < 2 && *mode == "broadcast" { "auction" } else { mode };
        format!("{{ mode = \"{mode}\" }}")
    };
    let tiers = modes.iter().map(tier).collect::<Vec<_>>().join(", ");
    let mut text = format!("[product]\nslots = {slots}\nmax_posts = 5\ntiers = [{tiers}]\n");
    for buyer in ["nova", "orion"].into_iter().filter(|it| campaigns.iter().any(|c| c.buyer == *it))
    {
        text.push_str(&format!("[buyers.{buyer}]\ngroup = \"stars\"\n"));
    }
    for (number, drawn) in campaigns.iter().enumerate() {
        let Drawn { buyer, tier, sells, pinged, cents, answer, cut, risk, .. } = drawn;
        let (priority, weight) = drawn.terms;
        let mode = modes[*tier];
        let sells = match (slots, *sells) {
            (1, _) => "exclusive",
            (_, "exclusive") if mode == "broadcast" => "shared",
            (_, sells) => sells,
        };
        let is_bid = *pinged && mode != "waterfall";
        let mut is = vec![
            format!("tier = {}", tier + 1),
            format!("sells = \"{sells}\""),
            format!("priority = {priority}"),
            format!("weight = {weight}"),
        ];
        if drawn.outcome {
            let (amount, expected) = (euros(cents * 9), euros(*cents));
            is.push(format!(
                "price.outcome = {{ event = \"sold\", amount = \"{amount}\", expected = \"{expected}\", window = \"1d\" }}"
            ));
        } else if !is_bid {
            is.push(format!("price = {{ fixed = \"{}\" }}", euros(*cents)));
        }
        if *risk {
            is.push("on_ambiguous = \"next_buyer\"".to_owned());
        }
        if sells == "both" {
            is.push(format!("shared_price = {{ fixed = \"{}\" }}", euros(cents / 2)));
        }
        text.push_str(&format!(
            "[campaigns.\"{buyer}/c{number}\"]\nis = {{ {} }}\n",
            is.join(", ")
        ));
        if *pinged {
            text.push_str(&format!(
                "ping = {{ bid = \"{}\", after_ms = {} }}\n",
                euros(*cents),
                cents % 50
            ));
        }
        let cut = cut.map(|cut| format!(", price = \"{}\"", euros(cut))).unwrap_or_default();
        text.push_str(&format!(
            "post = {{ answer = \"{answer}\", after_ms = {}{cut} }}\n",
            cents % 70
        ));
    }
    text
}

fn basis(sale: &PostRecord) -> PayoutBasis {
    if sale.expected.is_some() { PayoutBasis::Outcome } else { PayoutBasis::Sale }
}

/// What is wrong after one lead.
async fn faults(text: &str) -> Vec<String> {
    let world = World::of(Scenario::read(text).map_err(|faults| faults.join("\n")).unwrap());
    let answer = world.sell().await;
    world.engine.drain().await;
    let mut faults = world.buyers.faults();
    faults.extend(world.faults());
    let Some(record) = world.books.only_record() else { return faults };
    let mut campaigns: Vec<_> = record.posts.iter().map(|post| &post.campaign).collect();
    campaigns.sort();
    if campaigns.windows(2).any(|pair| pair[0] == pair[1]) {
        faults.push("a campaign was posted to twice".to_owned());
    }
    let sales: Vec<(PayoutBasis, Money)> =
        record.sales().map(|sale| (basis(sale), sale.payout)).collect();
    let told = match answer.map(|answer| answer.status) {
        Ok(Status::Distributed { payout, basis, sales, .. }) if sales.is_empty() => {
            vec![(basis, payout)]
        }
        Ok(Status::Distributed { payout, basis, sales, .. }) => {
            let due = sales.iter().filter(|sale| sale.basis == basis).map(|sale| sale.payout);
            if due.reduce(|a, b| a.plus(b).unwrap()) != Some(payout) {
                faults.push(format!("{payout} is not what is due of {sales:?}"));
            }
            sales.iter().map(|sale| (sale.basis, sale.payout)).collect()
        }
        Ok(_) => Vec::new(),
        // It was told of nothing: a journey broke.
        Err(_) => sales.clone(),
    };
    if told != sales {
        faults.push(format!("{sales:?} were sold and {told:?} told"));
    }
    let unknown = record.posts.iter().any(|post| post.class == Some(PostClass::Unknown));
    let expected = match (sales.is_empty(), unknown) {
        (false, _) => "sold",
        (true, true) => "indeterminate",
        (true, false) => "unsold",
    };
    if record.disposition.map(lead::Disposition::name) != Some(expected) {
        faults.push(format!("{:?} and not {expected}", record.disposition));
    }
    faults
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_buyers_do_a_slot_is_sold_once_and_everything_is_told(
        modes in prop::collection::vec(select(MODES.to_vec()), 2),
        slots in 1u16..4,
        campaigns in prop::collection::vec(campaign(), 1..8),
    ) {
        let text = text(&modes, slots, &campaigns);
        let found = on_a_paused_clock(faults(&text));
        prop_assert!(found.is_empty(), "{found:#?}\n{text}");
    }
}
