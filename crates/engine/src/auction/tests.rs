//! The auction over any campaigns and any bids: who may buy, at what price, in which order.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use lead::{Bid, CampaignKey, Code, Currency, LeadId, Money, PostClass};
use market::{Campaign, Outcome, PayoutRule, Price, Score, Sells, Sources, TierMode};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{Floors, Offer, Place, appraise, bill, drop_served, next, rank};
use crate::reserve::Deal;
use crate::slots::{Part, Slots};

const MARKET: &str = r#"
[products.loan]
name = "Loan"
vertical = "loans"
country = "ES"
currency = "EUR"
timezone = "Europe/Madrid"
budget_ms = 2000
tiers = [{ mode = "auction" }]

[buyers.nova]
name = "Nova"
allowed_hosts = ["127.0.0.1"]

[buyers.nova.campaigns.main]
product = "loan"
filter = {}
price = { fixed = "1.00" }
delivery.post = { url = "http://127.0.0.1:9000/post" }
"#;

fn template() -> Campaign {
    static CAMPAIGN: LazyLock<Campaign> = LazyLock::new(|| {
        let sources = Sources::parse([("m.toml".to_owned(), MARKET.to_owned())]).unwrap();
        let market = sources.market().unwrap();
        std::sync::Arc::unwrap_or_clone(market.campaigns.into_values().next().unwrap())
    });
    CAMPAIGN.clone()
}

fn currency() -> Currency {
    "EUR".parse().unwrap()
}

fn eur(cents: i64) -> Money {
    Money { amount: Decimal::new(cents, 2), currency: currency() }
}

fn place(index: usize) -> Place {
    Place { index, row: index, family: index.try_into().unwrap(), ping: None }
}

/// Small amounts, so that limits, floors and bids meet often.
fn cents() -> impl Strategy<Value = i64> {
    0i64..2_000
}

fn rule() -> impl Strategy<Value = PayoutRule> {
    prop_oneof![
        (0i64..=1_000).prop_map(|share| PayoutRule::Share(Decimal::new(share, 3))),
        (0i64..20_000).prop_map(|fixed| PayoutRule::Fixed(Decimal::new(fixed, 3))),
        (0i64..20_000).prop_map(|margin| PayoutRule::Margin(Decimal::new(margin, 3))),
    ]
}

fn price() -> impl Strategy<Value = Price> {
    prop_oneof![
        cents().prop_map(|price| Price::Fixed(eur(price))),
        (cents(), cents()).prop_map(|(a, b)| Price::Bid { min: eur(a.min(b)), max: eur(a.max(b)) }),
        (cents(), cents()).prop_map(|(a, b)| Price::Outcome(Outcome {
            event: "loan_issued".into(),
            amount: eur(a.max(b)),
            expected: eur(a.min(b)),
            window: Duration::from_hours(24),
        })),
    ]
}

fn score() -> impl Strategy<Value = Score> {
    (0i64..30, 0i64..500).prop_map(|(multiplier, penalty)| Score {
        multiplier: Decimal::new(multiplier, 1),
        penalty: Decimal::new(penalty, 2),
    })
}

fn campaign() -> impl Strategy<Value = Campaign> {
    let payout = prop::option::of(rule());
    (price(), score(), payout, -2i32..3).prop_map(|(price, score, payout, priority)| Campaign {
        price,
        score,
        payout,
        priority,
        ..template()
    })
}

/// Bids of up to three decimals, some negative, some absurd.
fn bid() -> impl Strategy<Value = Bid> {
    let amount = prop_oneof![
        8 => (0i64..2_000).prop_map(|cents| Decimal::new(cents, 2)),
        2 => (-500i64..20_000).prop_map(|mills| Decimal::new(mills, 3)),
        1 => Just(Decimal::MAX),
        1 => Just(Decimal::MIN),
    ];
    amount.prop_map(|amount| Bid {
        price: Money { amount, currency: currency() },
        reference: Some("ref".to_owned()),
    })
}

fn floors() -> impl Strategy<Value = Floors> {
    (0i64..800, 0i64..800, 0i64..300, rule()).prop_map(|(price, payout, margin, rule)| Floors {
        price: eur(price),
        payout: eur(payout),
        margin: eur(margin),
        rule,
    })
}

/// Campaigns under distinct keys, each with an offer; scores and priorities collide often.
fn offers() -> impl Strategy<Value = (Vec<Campaign>, Vec<Offer>)> {
    let one = (0i64..4, -1i32..2);
    prop::collection::vec(one, 0..12).prop_map(|drawn| {
        let campaigns = drawn.iter().enumerate().map(|(index, (_, priority))| Campaign {
            key: CampaignKey {
                buyer: format!("b{index}").parse().unwrap(),
                campaign: "main".parse().unwrap(),
            },
            priority: *priority,
            ..template()
        });
        let offers = drawn.iter().enumerate().map(|(index, (score, _))| Offer {
            place: place(index),
            part: Part::Whole,
            price: eur(1_000),
            payout: eur(800),
            expected: None,
            score: Decimal::from(*score),
            reference: None,
        });
        (campaigns.collect(), offers.collect())
    })
}

/// Offers of up to seven campaigns for all of a lead, for a slot or for either, by few families and at
/// few scores.
fn parts() -> impl Strategy<Value = (Vec<Campaign>, Vec<Offer>)> {
    let one = (-2i64..6, prop::option::of(-2i64..6), 0u32..4, any::<bool>());
    prop::collection::vec(one, 0..7).prop_map(|drawn| {
        let campaigns = vec![template(); drawn.len()];
        let mut offers = Vec::new();
        for (index, (score, other, family, is_whole)) in drawn.into_iter().enumerate() {
            let part = if is_whole { Part::Whole } else { Part::Slot };
            let offer = |part, score: i64| Offer {
                place: Place { family, ..place(index) },
                part,
                price: eur(1_000),
                payout: eur(800),
                expected: None,
                score: score.into(),
                reference: None,
            };
            offers.push(offer(part, score));
            if let Some(score) = other.filter(|_| is_whole) {
                offers.push(offer(Part::Slot, score));
            }
        }
        (campaigns, offers)
    })
}

/// The greatest sum of scores of 1 to `slots` offers for slots by different families: every set is tried.
fn dearest_set(offers: &[Offer], slots: u16) -> Option<Decimal> {
    let offers: Vec<&Offer> = offers.iter().filter(|offer| offer.part == Part::Slot).collect();
    let set = |bits: u32| {
        let chosen = (0..).zip(&offers).filter(move |(bit, _)| bits >> bit & 1 == 1);
        chosen.map(|(_, offer)| *offer).collect::<Vec<_>>()
    };
    let may = |set: &Vec<&Offer>| {
        let families: BTreeSet<_> = set.iter().map(|offer| offer.place.family).collect();
        families.len() == set.len() && set.len() <= slots.into()
    };
    let sets = (1..1u32 << offers.len()).map(set).filter(may);
    sets.map(|set| set.iter().map(|offer| offer.score).sum()).max()
}

const MODES: [TierMode; 4] =
    [TierMode::Auction, TierMode::Waterfall, TierMode::Weighted, TierMode::Broadcast];

fn lead(entropy: u8) -> LeadId {
    LeadId::new("2026-03-02T09:00:00Z".parse().unwrap(), [entropy; 10])
}

fn is_whole(money: Money) -> bool {
    money.floor_to_minor() == money && money.amount >= Decimal::ZERO
}

proptest! {
    #[test]
    fn an_offer_clears_every_floor_and_keeps_within_its_limits(
        campaign in campaign(), bid in bid(), floors in floors(),
    ) {
        let Ok(offer) = appraise(place(3), (&campaign, Part::Whole), &bid, &floors) else {
            return Ok(());
        };
        let counts = offer.deal();
        prop_assert!(counts.price.amount >= floors.price.amount);
        prop_assert!(counts.payout.amount >= floors.payout.amount);
        prop_assert!(counts.payout.amount <= counts.price.amount - floors.margin.amount);
        prop_assert!(offer.payout.amount <= offer.price.amount);
        prop_assert!(is_whole(offer.price) && is_whole(offer.payout) && is_whole(counts.payout));
        prop_assert!(counts.price.amount <= offer.price.amount);
        prop_assert!(counts.payout.amount <= offer.payout.amount);
        match &campaign.price {
            Price::Fixed(price) => prop_assert_eq!(offer.price, *price),
            Price::Bid { min, max } => {
                prop_assert!(offer.price.amount >= min.amount && offer.price.amount <= max.amount);
                prop_assert_eq!(offer.price, bid.price, "a bid is never clipped");
            }
            Price::Outcome(outcome) => {
                let agreed = (offer.price, offer.expected);
                prop_assert_eq!(agreed, (outcome.amount, Some(outcome.expected)));
            }
        }
        let Score { multiplier, penalty } = campaign.score;
        prop_assert_eq!(offer.score, counts.price.amount * multiplier - penalty);
        prop_assert_eq!((offer.place, offer.reference), (place(3), bid.reference));
    }

    #[test]
    fn a_refusal_names_a_limit_that_is_really_missed(
        campaign in campaign(), bid in bid(), floors in floors(),
    ) {
        let Err(code) = appraise(place(0), (&campaign, Part::Whole), &bid, &floors) else {
            return Ok(());
        };
        let (price, expected) = match &campaign.price {
            Price::Fixed(price) => (*price, None),
            Price::Bid { .. } => (bid.price, None),
            Price::Outcome(outcome) => (outcome.amount, Some(outcome.expected)),
        };
        let counts = || {
            let payout = campaign.payout.unwrap_or(floors.rule).payout(price)?;
            Some(Deal::of(price, payout, expected))
        };
        match code {
            Code::InvalidBid => {
                let Price::Bid { min, max } = &campaign.price else {
                    return Err(TestCaseError::fail("only a bid is ever invalid"));
                };
                let within = price.amount >= min.amount && price.amount <= max.amount;
                prop_assert!(!within || !is_whole(price), "{price:?}");
            }
            Code::TierFloor => {
                prop_assert!(expected.unwrap_or(price).amount < floors.price.amount);
            }
            Code::Margin => prop_assert!(
                counts().is_none_or(|it| it.price.amount - it.payout.amount < floors.margin.amount)
            ),
            Code::PublisherFloor => {
                prop_assert!(counts().unwrap().payout.amount < floors.payout.amount);
            }
            other => return Err(TestCaseError::fail(format!("{other} is no refusal of a bid"))),
        }
    }

    #[test]
    fn a_price_cut_is_billed_and_its_payout_keeps_the_margin(
        campaign in campaign(), bid in bid(), floors in floors(), stated in prop::option::of(bid()),
    ) {
        let offer = appraise(place(0), (&campaign, Part::Whole), &bid, &floors);
        // What is due only with an outcome is not cut by the answer to a post.
        let Some(offer) = offer.ok().filter(|offer| offer.expected.is_none()) else {
            return Ok(());
        };
        let rule = campaign.payout.unwrap_or(floors.rule);
        let stated = stated.map(|bid| bid.price.amount);
        let agreed = (offer.price, offer.payout);
        let (price, payout) = bill(agreed, stated, rule, floors.margin);
        prop_assert!(is_whole(price) && is_whole(payout));
        prop_assert!(payout.amount <= (price.amount - floors.margin.amount).max(Decimal::ZERO));
        match stated {
            Some(cut) if cut < offer.price.amount && is_whole(Money { amount: cut, ..price }) => {
                prop_assert_eq!(price.amount, cut);
                prop_assert!(payout.amount <= offer.payout.amount, "a cut never pays more");
            }
            _ => prop_assert_eq!((price, payout), (offer.price, offer.payout)),
        }
    }

    #[test]
    fn a_slot_and_a_whole_lead_are_appraised_alike(
        campaign in campaign(), bid in bid(), floors in floors(), slot in cents(),
    ) {
        let both = Campaign { sells: Sells::Both(Price::Fixed(eur(slot))), ..campaign.clone() };
        let fixed = Campaign { price: Price::Fixed(eur(slot)), ..campaign.clone() };
        let shared = Campaign { sells: Sells::Shared, ..campaign.clone() };
        let appraised = |campaign: &Campaign, part| {
            let offer = appraise(place(0), (campaign, part), &bid, &floors);
            offer.map(|offer| Offer { part: Part::Whole, ..offer })
        };
        let whole = appraised(&campaign, Part::Whole);
        prop_assert_eq!(appraised(&both, Part::Whole), whole.clone());
        prop_assert_eq!(appraised(&both, Part::Slot), appraised(&fixed, Part::Whole));
        prop_assert_eq!(appraised(&shared, Part::Slot), whole);
        prop_assert_eq!(appraised(&shared, Part::Whole), Err(Code::InvalidBid));
        prop_assert_eq!(appraised(&campaign, Part::Slot), Err(Code::InvalidBid));
    }

    #[test]
    fn an_auction_sells_what_is_worth_most(
        (campaigns, mut ranked) in parts(), slots in 1u16..4, entropy: u8,
    ) {
        rank(lead(entropy), &mut ranked, &campaigns);
        let all = ranked.clone();
        let best = |part| all.iter().find(|offer| offer.part == part);
        let whole = best(Part::Whole).map(|offer| offer.score);
        let shared = dearest_set(&all, slots);
        let next = next(&mut ranked, &Slots::new(slots), TierMode::Auction);
        match (next, whole.max(shared)) {
            (None, worth) => prop_assert_eq!(worth, None),
            (Some(offer), worth) => {
                let chosen = if offer.part == Part::Whole { whole } else { shared };
                prop_assert_eq!(chosen, worth);
                prop_assert_eq!(Some(&offer), best(offer.part), "the best of its kind goes first");
                let left = all.iter().filter(|left| **left != offer).cloned().collect::<Vec<_>>();
                prop_assert_eq!(ranked, left, "nobody else is lost");
            }
        }
    }

    #[test]
    fn no_mode_sells_more_than_a_lead_has(
        (campaigns, mut ranked) in parts(),
        slots in 1u16..4,
        mode in prop::sample::select(MODES.to_vec()),
        classes in prop::collection::vec(prop::sample::select(PostClass::ALL.to_vec()), 24),
    ) {
        rank(lead(0), &mut ranked, &campaigns);
        let mut sold = Slots::new(slots);
        let (mut held, mut numbers) = (Vec::new(), BTreeSet::new());
        let mut more = true;
        for class in classes {
            drop_served(&mut ranked, &sold);
            let Some(offer) = next(&mut ranked, &sold, mode).filter(|_| more) else { break };
            ranked.retain(|other| other.place.index != offer.place.index);
            let number = sold.number(offer.part);
            more = sold.settle(offer.part, offer.place.family, class);
            if matches!(class, PostClass::Accepted | PostClass::Unknown) {
                prop_assert!(numbers.insert(number), "a slot is taken once");
                held.push(offer);
            }
        }
        let whole = held.iter().any(|offer| offer.part == Part::Whole);
        let most = if whole { 1 } else { slots.into() };
        prop_assert!(held.len() <= most);
        let families: BTreeSet<_> = held.iter().map(|offer| offer.place.family).collect();
        prop_assert_eq!(families.len(), held.len());
        prop_assert_eq!(numbers.contains(&0), whole);
    }

    #[test]
    fn a_rank_does_not_depend_on_who_answered_first(
        ((campaigns, ranked), shuffled) in offers().prop_flat_map(|(campaigns, offers)| {
            (Just((campaigns, offers.clone())), Just(offers).prop_shuffle())
        }),
        entropy: u8,
    ) {
        let (mut ranked, mut shuffled) = (ranked, shuffled);
        rank(lead(entropy), &mut ranked, &campaigns);
        rank(lead(entropy), &mut shuffled, &campaigns);
        prop_assert_eq!(&ranked, &shuffled);
        for pair in ranked.windows(2) {
            let [better, worse] = pair else { continue };
            let priority = |offer: &Offer| campaigns[offer.place.index].priority;
            prop_assert!(
                (better.score, priority(better)) >= (worse.score, priority(worse)),
                "{better:?} before {worse:?}"
            );
        }
    }
}

#[test]
fn no_campaign_wins_every_tie() {
    let campaign = |name: &str| Campaign {
        key: CampaignKey { buyer: name.parse().unwrap(), campaign: "main".parse().unwrap() },
        ..template()
    };
    let campaigns = [campaign("nova"), campaign("orion")];
    let offer = |index| Offer {
        place: place(index),
        part: Part::Whole,
        price: eur(1_000),
        payout: eur(800),
        expected: None,
        score: Decimal::TEN,
        reference: None,
    };
    let wins = |entropy: u8| {
        let mut offers = [offer(0), offer(1)];
        rank(lead(entropy), &mut offers, &campaigns);
        offers[0].place.index == 0
    };
    let won = (0..=u8::MAX).filter(|entropy| wins(*entropy)).count();
    assert!((96..=160).contains(&won), "{won} of 256");
}

#[test]
fn a_bid_in_another_currency_is_refused() {
    let campaign = Campaign { price: Price::Bid { min: eur(100), max: eur(2_000) }, ..template() };
    let floors = Floors {
        price: eur(0),
        payout: eur(0),
        margin: eur(0),
        rule: PayoutRule::Share(Decimal::ONE),
    };
    let bid = |code: &str| Bid {
        price: Money { amount: Decimal::TEN, currency: code.parse().unwrap() },
        reference: None,
    };
    let appraised = |code| appraise(place(0), (&campaign, Part::Whole), &bid(code), &floors);
    assert!(appraised("EUR").is_ok());
    assert_eq!(appraised("JPY"), Err(Code::InvalidBid));
}
