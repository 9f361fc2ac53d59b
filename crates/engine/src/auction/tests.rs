//! The auction over any campaigns and any bids: who may buy, at what price, in which order.

use std::sync::LazyLock;

use lead::{Bid, CampaignKey, Code, Currency, LeadId, Money};
use market::{Campaign, PayoutRule, Price, Score, Sources};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{Floors, Offer, Place, appraise, rank};

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
        sources.market().unwrap().campaigns.into_values().next().unwrap()
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
    Place { index, row: index, ping: None }
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
            index,
            row: index,
            ping: None,
            price: eur(1_000),
            payout: eur(800),
            score: Decimal::from(*score),
            reference: None,
        });
        (campaigns.collect(), offers.collect())
    })
}

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
        let Ok(offer) = appraise(place(3), &campaign, bid.clone(), &floors) else {
            return Ok(());
        };
        prop_assert!(offer.price.amount >= floors.price.amount);
        prop_assert!(offer.payout.amount >= floors.payout.amount);
        prop_assert!(offer.payout.amount <= offer.price.amount - floors.margin.amount);
        prop_assert!(is_whole(offer.price) && is_whole(offer.payout));
        match campaign.price {
            Price::Fixed(price) => prop_assert_eq!(offer.price, price),
            Price::Bid { min, max } => {
                prop_assert!(offer.price.amount >= min.amount && offer.price.amount <= max.amount);
                prop_assert_eq!(offer.price, bid.price, "a bid is never clipped");
            }
        }
        let Score { multiplier, penalty } = campaign.score;
        prop_assert_eq!(offer.score, offer.price.amount * multiplier - penalty);
        prop_assert_eq!((offer.index, offer.row, offer.reference), (3, 3, bid.reference));
    }

    #[test]
    fn a_refusal_names_a_limit_that_is_really_missed(
        campaign in campaign(), bid in bid(), floors in floors(),
    ) {
        let Err(code) = appraise(place(0), &campaign, bid.clone(), &floors) else {
            return Ok(());
        };
        let price = match campaign.price { Price::Fixed(price) => price, Price::Bid { .. } => bid.price };
        let payout = || campaign.payout.unwrap_or(floors.rule).payout(price);
        match code {
            Code::InvalidBid => {
                let Price::Bid { min, max } = campaign.price else {
                    return Err(TestCaseError::fail("a fixed price is never invalid"));
                };
                let within = price.amount >= min.amount && price.amount <= max.amount;
                prop_assert!(!within || !is_whole(price), "{price:?}");
            }
            Code::TierFloor => prop_assert!(price.amount < floors.price.amount),
            Code::Margin => prop_assert!(
                payout().is_none_or(|payout| price.amount - payout.amount < floors.margin.amount)
            ),
            Code::PublisherFloor => {
                prop_assert!(payout().unwrap().amount < floors.payout.amount);
            }
            other => return Err(TestCaseError::fail(format!("{other} is no refusal of a bid"))),
        }
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
            let priority = |offer: &Offer| campaigns[offer.index].priority;
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
        index,
        row: index,
        ping: None,
        price: eur(1_000),
        payout: eur(800),
        score: Decimal::TEN,
        reference: None,
    };
    let wins = |entropy: u8| {
        let mut offers = [offer(0), offer(1)];
        rank(lead(entropy), &mut offers, &campaigns);
        offers[0].index == 0
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
    assert!(appraise(place(0), &campaign, bid("EUR"), &floors).is_ok());
    assert_eq!(appraise(place(0), &campaign, bid("JPY"), &floors), Err(Code::InvalidBid));
}
