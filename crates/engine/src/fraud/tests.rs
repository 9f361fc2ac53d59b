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
    };
    change(&mut submission);
    submission
}

fn shown(submission: &Submission, at: &str, velocity: &Velocity) -> Option<&'static str> {
    signal(submission, at.parse().unwrap(), velocity).and_then(|at| SIGNALS.get(at)).map(|s| s.name)
}

#[test]
fn impossible_ages_and_filled_honeypots_are_suspected() {
    let velocity = Velocity::new(1_000);
    let at = "2026-11-21T12:00:00Z";
    let born = |date: &str| lead(|lead| lead.contact.birth_date = date.parse().ok());
    let field = |name: &str, value: serde_json::Value| {
        lead(|lead| drop(lead.contact.extra.insert(name.to_owned(), value)))
    };
    for (submission, expected) in [
        (lead(|_| {}), None),
        (born("1990-01-01"), None),
        (born("1907-01-01"), None),
        (born("1905-12-31"), Some("impossible_age")),
        (born("2026-11-22"), None),
        (born("2026-11-23"), Some("impossible_age")),
        (field("honeypot", "".into()), None),
        (field("honeypot", "http://x".into()), Some("honeypot")),
        (field("customer.honeypot", true.into()), Some("honeypot")),
        (field("nectar", "x".into()), None),
    ] {
        assert_eq!(
            shown(&submission, at, &velocity),
            expected,
            "{:?}",
            submission.contact.birth_date
        );
    }
}

#[test]
fn an_address_is_suspected_past_its_limit_and_forgotten_the_next_minute() {
    let velocity = Velocity::new(3);
    let from = |ip: &str| lead(|lead| lead.consent.ip = ip.parse().ok());
    let at = "2026-11-21T12:00:30Z";
    for _ in 0..3 {
        assert_eq!(shown(&from("203.0.113.9"), at, &velocity), None);
    }
    assert_eq!(shown(&from("203.0.113.9"), at, &velocity), Some("velocity_ip"));
    assert_eq!(shown(&from("::ffff:203.0.113.9"), at, &velocity), Some("velocity_ip"));
    assert_eq!(shown(&from("203.0.113.10"), at, &velocity), None);
    assert_eq!(shown(&from("203.0.113.9"), "2026-11-21T12:01:00Z", &velocity), None);
}
