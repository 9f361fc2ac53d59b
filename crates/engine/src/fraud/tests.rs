//! Each signal shows where it should and nowhere else.

use super::*;

fn lead(change: impl FnOnce(&mut Submission)) -> Submission {
    let mut submission = Submission {
        door: lead::Door::Native,
        publisher: "demo".parse().unwrap(),
        product: "loan".parse().unwrap(),
        sub_id: None,
        external_id: None,
        min_payout: None,
        tags: std::collections::BTreeMap::new(),
        source_url: None,
        user_agent: None,
        attributes: lead::Attributes::new(),
        contact: lead::Contact::default(),
        consent: lead::Consent::default(),
        test: false,
        requested: None,
    };
    change(&mut submission);
    submission
}

fn product() -> Product {
    let text = include_str!("../../../../config/demo/market.toml").to_owned();
    let market = market::Sources::parse([("m".to_owned(), text)]).unwrap().market().unwrap();
    market.products.into_values().find(|product| product.country == "ES").unwrap()
}

fn shown(submission: &Submission, at: &str, fraud: &Fraud) -> Vec<&'static str> {
    let product = product();
    let shown = fraud.signals(submission, &product, at.parse().unwrap());
    shown.into_iter().map(|(_, signal)| signal.name).collect()
}

const NOON: &str = "2026-11-21T12:00:00Z";

#[test]
fn impossible_ages_and_filled_honeypots_are_suspected() {
    let fraud = Fraud::new(1_000, FraudRules::default());
    let born = |date: &str| lead(|lead| lead.contact.birth_date = date.parse().ok());
    let aged = |age: i64| lead(|lead| lead.attributes.set_number(Standard::Age, age));
    let field = |name: &str, value: serde_json::Value| {
        lead(|lead| drop(lead.contact.extra.insert(name.to_owned(), value)))
    };
    for (submission, expected) in [
        (lead(|_| {}), &[][..]),
        (born("1990-01-01"), &[]),
        (born("1907-01-01"), &[]),
        (born("1905-12-31"), &["impossible_age"]),
        (born("2026-11-22"), &[]),
        (born("2026-11-23"), &["impossible_age"]),
        (aged(120), &[]),
        (aged(121), &["impossible_age"]),
        (aged(-1), &["impossible_age"]),
        (field("honeypot", "".into()), &[]),
        (field("honeypot", "http://x".into()), &["honeypot"]),
        (field("customer.honeypot", true.into()), &["honeypot"]),
        (field("nectar", "x".into()), &[]),
        (field("phone_as_given", "x".into()), &["phone_unreadable"]),
    ] {
        assert_eq!(
            shown(&submission, NOON, &fraud),
            expected,
            "{:?}",
            submission.contact.extra.keys()
        );
    }
}

#[test]
fn what_leads_share_is_suspected_past_its_limit_and_forgotten_the_next_minute() {
    let rules = FraudRules {
        leads_per_device_minute: 3,
        leads_per_phone_minute: 3,
        ..FraudRules::default()
    };
    let from = |ip: &str| lead(|lead| lead.consent.ip = ip.parse().ok());
    let called = |phone: &str| lead(|lead| lead.contact.phone = Some(phone.to_owned()));
    let on = |device: &str| {
        lead(|lead| drop(lead.contact.extra.insert("meta.device_id".to_owned(), device.into())))
    };
    for (name, first, same, other) in [
        ("velocity_ip", from("203.0.113.9"), from("::ffff:203.0.113.9"), from("203.0.113.10")),
        ("velocity_phone", called("+34600111222"), called("+34600111222"), called("+34600111223")),
        ("velocity_device", on("d-1"), on("d-1"), on("d-2")),
    ] {
        let fraud = Fraud::new(3, rules.clone());
        let none: [&str; 0] = [];
        for _ in 0..3 {
            assert_eq!(shown(&first, NOON, &fraud), none);
        }
        assert_eq!(shown(&first, NOON, &fraud), [name]);
        assert_eq!(shown(&same, NOON, &fraud), [name]);
        assert_eq!(shown(&other, NOON, &fraud), none);
        assert_eq!(shown(&first, "2026-11-21T12:01:00Z", &fraud), none);
    }
}

#[test]
fn addresses_that_are_thrown_away_are_known_by_their_domain() {
    let disposable_domains = ["mailinator.com".to_owned()].into();
    let fraud = Fraud::new(9, FraudRules { disposable_domains, ..FraudRules::default() });
    for (email, suspected) in [
        ("a@mailinator.com", true),
        ("a@x.Mailinator.com", true),
        ("a@notmailinator.com", false),
        ("a@com", false),
    ] {
        let lead = lead(|lead| lead.contact.email = Some(email.to_owned()));
        assert_eq!(shown(&lead, NOON, &fraud) == ["disposable_email"], suspected, "{email}");
    }
}

#[test]
fn contradictions_are_named_and_refuse_nothing() {
    let fraud = Fraud::new(9, FraudRules::default());
    let says = |region: &str, code: &str, country: &str, phone: &str| {
        lead(|lead| {
            lead.attributes.set_text(Standard::Region, region);
            lead.attributes.set_text(Standard::PostalCode, code);
            lead.attributes.set_text(Standard::Country, country);
            lead.contact.phone = Some(phone.to_owned());
        })
    };
    for (lead, expected) in [
        (says("Madrid", "28001", "ES", "+34600111222"), &[][..]),
        (says("Madrid", "17001", "ES", "+34600111222"), &["region_mismatch"]),
        (says("Cataluña", "17001", "ES", ""), &[]),
        (says("Atlantis", "17001", "", "+13105551212"), &[]),
        (says("Madrid", "17001", "FR", "+34600111222"), &["country_mismatch"]),
    ] {
        assert_eq!(shown(&lead, NOON, &fraud), expected, "{:?}", lead.attributes);
    }
    let named: Vec<_> = SIGNALS.iter().filter(|signal| !signal.refuses).map(|it| it.name).collect();
    assert_eq!(named, ["phone_unreadable", "country_mismatch", "region_mismatch"]);
}
