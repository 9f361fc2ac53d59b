//! One sale at a time: what stops it, and what each ending leaves behind.

use super::*;
use lead::Code;
use proptest::prelude::*;

const NOW: &str = "2026-06-10T10:00:30Z";

#[test]
fn a_stop_says_which_cap_and_how_much_of_it_is_used() {
    type Limit = fn(&mut Parties);
    let cases: [(Limit, Code, &str, &str); 7] = [
        (
            |p| p.campaign = vec![leads(Window::Day, 1, CapOf::Sold)],
            Code::Cap,
            "day leads 1 of sold",
            "1",
        ),
        (
            |p| p.campaign = vec![leads(Window::Hour, 1, CapOf::Posted)],
            Code::Cap,
            "hour leads 1 of posted",
            "1",
        ),
        (
            |p| p.campaign = vec![spend(Window::Month, "19.99")],
            Code::Cap,
            "month spend 19.99 EUR of sold",
            "10.00 EUR",
        ),
        (
            |p| p.buyer = vec![leads(Window::Week, 1, CapOf::Sold)],
            Code::Cap,
            "week leads 1 of sold",
            "1",
        ),
        (
            |p| p.buyer = vec![spend(Window::Total, "15")],
            Code::Cap,
            "total spend 15.00 EUR of sold",
            "10.00 EUR",
        ),
        (
            |p| p.seller = vec![spend(Window::Day, "15.99")],
            Code::Cap,
            "day spend 15.99 EUR of sold",
            "8.00 EUR",
        ),
        (
            |p| p.funds = Some(euros("19.99")),
            Code::Balance,
            "total spend 19.99 EUR of sold",
            "10.00 EUR",
        ),
    ];
    for (limit, code, cap, used) in cases {
        let books = Reservations::default();
        let mut parties = Parties::new("b", "c");
        // The first sale comes before its cap: a new cap knows what was sold without it.
        books.reserve(&parties.scope(), deal("10", "8"), at(NOW)).unwrap().freeze();
        limit(&mut parties);
        let before = dump(&books);
        let stop = books.reserve(&parties.scope(), deal("10", "8"), at(NOW)).unwrap_err();
        let limit = stop.limit.unwrap();
        let party = party(&parties);
        let spent = match limit.used {
            CapLimit::Leads(leads) => leads.to_string(),
            CapLimit::Spend(money) => money.to_string(),
        };
        assert_eq!(
            (stop.code, limit.cap.to_string(), spent.as_str()),
            (code, cap.to_owned(), used)
        );
        assert_eq!((limit.party, limit.window.is_none()), (party, cap.starts_with("total")));
        assert_eq!(dump(&books), before, "{cap}");
        let gate = books.admits(&parties.scope(), Some(euros("10")), at(NOW));
        // The gate does not know the payout yet.
        assert_eq!(gate.is_err(), parties.seller.is_empty(), "{cap}");
    }
}

/// The only one that has a limit.
fn party(parties: &Parties) -> Party {
    match (parties.campaign.len(), parties.seller.len()) {
        (1, _) => Party::Campaign,
        (_, 1) => Party::Publisher,
        _ => Party::Buyer,
    }
}

#[test]
fn all_or_nothing_when_the_third_cap_fails() {
    let books = Reservations::default();
    let mut parties = Parties::new("b", "c");
    parties.campaign = vec![leads(Window::Day, 5, CapOf::Sold)];
    parties.buyer = vec![spend(Window::Day, "100")];
    parties.seller = vec![leads(Window::Day, 1, CapOf::Sold)];
    books.reserve(&parties.scope(), deal("10", "8"), at(NOW)).unwrap().freeze();
    let before = dump(&books);
    assert!(books.reserve(&parties.scope(), deal("10", "8"), at(NOW)).is_err());
    assert_eq!(dump(&books), before);
    let left: Vec<_> =
        books.headroom(&parties.scope(), at(NOW)).iter().map(|row| row.left).collect();
    assert_eq!(left, [4.into(), 90.into(), 0.into()]);
}

#[test]
fn every_ending_leaves_what_it_should() {
    type End = fn(Reservation);
    let endings: [(End, &str); 6] = [
        (|r| r.commit(deal("10", "8")), "[1, 1, 0] 10"),
        (|r| r.commit(deal("7", "5")), "[1, 1, 0] 7"),
        (|r| r.commit(deal("70", "50")), "[1, 1, 0] 10"),
        (|r| r.release(true), "[0, 1, 0] 0"),
        (|r| r.freeze(), "[1, 1, 0] 10"),
        (drop, "[1, 1, 0] 10"),
    ];
    for (end, row) in endings {
        let books = Reservations::default();
        let parties = Parties::new("b", "c");
        let taken = books.reserve(&parties.scope(), deal("10", "8"), at(NOW)).unwrap();
        end(taken);
        let rows = dump(&books);
        assert!(rows.contains(&format!("b/c Day 2026-06-09T22:00:00Z {row}")), "{rows:#?}");
    }
    let books = Reservations::default();
    let parties = Parties::new("b", "c");
    books.reserve(&parties.scope(), deal("10", "8"), at(NOW)).unwrap().release(false);
    assert_eq!(dump(&books), Vec::<String>::new());
}

#[test]
fn a_frozen_post_is_settled_later_as_either() {
    for (sold, room) in [(true, "0"), (false, "1")] {
        let books = Reservations::default();
        let mut parties = Parties::new("b", "c");
        parties.campaign = vec![leads(Window::Day, 1, CapOf::Sold)];
        books.reserve(&parties.scope(), deal("10", "8"), at(NOW)).unwrap().freeze();
        let billed = sold.then(|| deal("9", "7"));
        books.settle_frozen(&parties.scope(), deal("10", "8"), at(NOW), billed);
        assert_eq!(left(&books, &parties.scope(), at(NOW)), room);
    }
}

#[test]
fn pings_have_caps_of_their_own() {
    let books = Reservations::default();
    let mut parties = Parties::new("b", "c");
    parties.campaign = vec![leads(Window::Minute, 2, CapOf::Pinged)];
    let scope = parties.scope();
    books.pinged(&scope, at(NOW)).unwrap();
    books.pinged(&scope, at(NOW)).unwrap();
    assert!(books.admits(&scope, None, at(NOW)).is_err());
    let limit = books.pinged(&scope, at(NOW)).unwrap_err().limit.unwrap();
    assert_eq!(limit.used, CapLimit::Leads(2));
    // Whoever was asked may buy.
    books.reserve(&scope, deal("10", "8"), at(NOW)).unwrap().commit(deal("10", "8"));
    assert!(books.admits(&scope, None, at("2026-06-10T10:01:00Z")).is_ok());
}

#[test]
fn money_of_another_currency_is_not_limited() {
    let books = Reservations::default();
    let mut parties = Parties::new("b", "c");
    let usd = Money { currency: "USD".parse().unwrap(), ..euros("1") };
    parties.buyer = vec![Cap { limit: CapLimit::Spend(usd), ..spend(Window::Day, "1") }];
    books.reserve(&parties.scope(), deal("10", "8"), at(NOW)).unwrap().freeze();
    assert!(books.admits(&parties.scope(), None, at(NOW)).is_ok());
    assert_eq!(left(&books, &parties.scope(), at(NOW)), "1");
}

#[test]
fn without_a_price_something_must_be_left() {
    let books = Reservations::default();
    let mut parties = Parties::new("b", "c");
    parties.funds = Some(euros("10"));
    books.reserve(&parties.scope(), deal("9.99", "8"), at(NOW)).unwrap().freeze();
    assert!(books.admits(&parties.scope(), None, at(NOW)).is_ok());
    assert!(books.admits(&parties.scope(), Some(euros("0.02")), at(NOW)).is_err());
    books.reserve(&parties.scope(), deal("0.01", "0"), at(NOW)).unwrap().freeze();
    assert_eq!(books.admits(&parties.scope(), None, at(NOW)).unwrap_err().code, Code::Balance);
}

#[test]
fn a_scope_finds_its_caps_in_the_market() {
    let text = r#"
        products.loan = { name = "Loan", vertical = "loans", country = "ES", currency = "EUR", timezone = "Europe/Madrid", budget_ms = 2000, tiers = [{ mode = "auction" }] }
        [publishers.demo]
        name = "Demo"
        doors.native.keys = ["k"]
        products.loan = { caps = [{ per = "day", spend = "80.00" }] }
        [buyers.nova]
        name = "Nova"
        timezone = "Asia/Tokyo"
        allowed_hosts = ["127.0.0.1"]
        balance = { EUR = "500.00" }
        credit_limit = { EUR = "100.00" }
        caps = [{ per = "day", spend = "50.00", currency = "EUR" }]
        [buyers.nova.campaigns.prime]
        product = "loan"
        filter = {}
        price = { fixed = "12.50" }
        caps = [{ per = "hour", leads = 3, of = "posted" }]
        delivery.post = { url = "http://127.0.0.1:1/" }
    "#;
    let sources = market::Sources::parse([("m.toml".to_owned(), text.to_owned())]).unwrap();
    let market = sources.market().unwrap_or_else(|faults| panic!("{faults:?}"));
    let key = market.campaigns.keys().next().unwrap();
    let (publisher, product) = ("demo".parse().unwrap(), "loan".parse().unwrap());
    let scope = Scope::known(&market, key, (&publisher, &product));
    let caps =
        [scope.of_campaign, scope.of_buyer, scope.of_publisher].map(|l| l.caps[0].to_string());
    assert_eq!(
        caps,
        ["hour leads 3 of posted", "day spend 50.00 EUR of sold", "day spend 80.00 EUR of sold"]
    );
    assert_eq!(scope.funds, Some(euros("600")));
    let zones = [scope.of_campaign, scope.of_buyer, scope.of_publisher].map(|l| l.zone.iana_name());
    assert_eq!(zones, [Some("Asia/Tokyo"), Some("Asia/Tokyo"), Some("Europe/Madrid")]);
    // What the market no longer has is still counted.
    let gone = CampaignKey { buyer: key.buyer.clone(), campaign: "old".parse().unwrap() };
    let scope = Scope::known(&market, &gone, (&publisher, &product));
    assert!(scope.of_campaign.caps.is_empty() && scope.funds.is_some());
    let books = Reservations::default();
    books.restore(&scope, std::iter::once((Some(PostClass::Accepted), deal("30", "20"), at(NOW))));
    assert!(books.reserve(&scope, deal("30", "20"), at(NOW)).is_err());
    assert_eq!(
        books
            .headroom(&scope, at(NOW))
            .iter()
            .map(|row| (row.party, row.left.to_string()))
            .collect::<Vec<_>>(),
        [
            (Party::Buyer, "20.00".to_owned()),
            (Party::Buyer, "570.00".to_owned()),
            (Party::Publisher, "60.00".to_owned()),
        ]
    );
}

proptest! {
    /// Whatever is given back, in whatever order, money stays between nothing and the limit.
    #[test]
    fn money_is_never_negative_nor_over(
        steps in prop::collection::vec((0u8..5, 0i64..2_000, 0i64..2_000), 1..60),
    ) {
        let books = Reservations::default();
        let mut parties = Parties::new("b", "c");
        parties.funds = Some(euros("50"));
        let scope = parties.scope();
        let cents = |amount| Money { amount: rust_decimal::Decimal::new(amount, 2), currency: eur() };
        for (end, price, other) in steps {
            let held = Deal { price: cents(price), payout: cents(price) };
            let billed = Deal { price: cents(other), payout: cents(other) };
            if let Ok(taken) = books.reserve(&scope, held, at(NOW)) {
                match end {
                    0 => taken.commit(billed),
                    1 => taken.release(true),
                    2 => taken.release(false),
                    3 => taken.freeze(),
                    // A settlement that does not fit what was taken.
                    _ => books.settle_frozen(&scope, billed, at(NOW), None),
                }
            }
            let left = books.headroom(&scope, at(NOW))[0].left;
            prop_assert!(left >= 0.into() && left <= 50.into(), "{left}");
        }
    }
}
