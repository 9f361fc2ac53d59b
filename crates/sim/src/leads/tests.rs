//! Rows of leads: the same for a seed, in the promised proportions and shapes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

const MANY: usize = 4000;

fn row(seed: u64, product: Product, count: usize) -> Vec<Value> {
    let mut generator = Generator::new(seed);
    (0..count).map(|_| generator.native(product)).collect()
}

/// How many in a thousand.
fn share(leads: &[Value], is: impl Fn(&Value) -> bool) -> usize {
    leads.iter().filter(|lead| is(lead)).count() * 1000 / leads.len()
}

fn text<'a>(lead: &'a Value, pointer: &str) -> &'a str {
    lead.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer}: {lead}"))
}

fn number(lead: &Value, pointer: &str) -> u64 {
    lead.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer}: {lead}"))
}

#[test]
fn a_seed_makes_one_row() {
    for product in Product::ALL {
        assert_eq!(row(1, product, 50), row(1, product, 50));
        assert_ne!(row(1, product, 50), row(2, product, 50));
    }
    let leadhub = |seed| {
        let mut generator = Generator::new(seed);
        (0..50).map(|_| generator.leadhub()).collect::<Vec<_>>()
    };
    assert_eq!(leadhub(1), leadhub(1));
}

#[test]
fn spanish_leads_are_mostly_eligible_and_not_all() {
    let leads = row(3, Product::PersonalLoanEs, MANY);
    let age = |lead: &Value| number(lead, "/attributes/age");
    let income = |lead: &Value| number(lead, "/attributes/monthly_income");
    let consents = |lead: &Value| lead["consent"]["entries"][1]["accepted"] == true;
    let eligible = |lead: &Value| {
        (18..=75).contains(&age(lead))
            && income(lead) >= 600
            && lead["attributes"]["country"] == "ES"
            && consents(lead)
    };
    assert!((870..=920).contains(&share(&leads, eligible)), "{}", share(&leads, eligible));
    assert!((10..=35).contains(&share(&leads, |lead| age(lead) < 18)));
    assert!((5..=30).contains(&share(&leads, |lead| age(lead) > 75)));
    assert!((15..=45).contains(&share(&leads, |lead| income(lead) < 600)));
    assert!((10..=35).contains(&share(&leads, |lead| lead["attributes"]["country"] != "ES")));
    assert!((10..=35).contains(&share(&leads, |lead| !consents(lead))));
    for lead in &leads {
        assert!((16..=80).contains(&age(lead)) && (400..=6000).contains(&income(lead)), "{lead}");
        assert!((500..=20_000).contains(&number(lead, "/attributes/amount")));
        assert!((3..=84).contains(&number(lead, "/attributes/term_months")));
    }
}

#[test]
fn one_email_in_fifty_comes_back_and_phones_do_not() {
    for product in Product::ALL {
        let leads = row(4, product, MANY);
        let emails: BTreeSet<_> = leads.iter().map(|lead| text(lead, "/contact/email")).collect();
        let repeated = (MANY - emails.len()) * 1000 / MANY;
        assert!((10..=35).contains(&repeated), "{product}: {repeated}");
        let phones: BTreeSet<_> = leads.iter().map(|lead| text(lead, "/contact/phone")).collect();
        assert_eq!(phones.len(), MANY, "{product}");
    }
}

#[test]
fn nobody_can_be_reached() {
    for product in Product::ALL {
        for lead in row(5, product, MANY) {
            let (_, domain) = text(&lead, "/contact/email").split_once('@').unwrap();
            assert!(["example.org", "example.com", "example.net"].contains(&domain));
            let ip = text(&lead, "/consent/ip");
            assert!(
                ["192.0.2.", "198.51.100.", "203.0.113."].iter().any(|net| ip.starts_with(net))
            );
            let phone = text(&lead, "/contact/phone");
            if product == Product::PersonalLoanEs {
                assert!(phone.starts_with("+34600") && phone.len() == 12, "{phone}");
            } else {
                assert!(phone.len() == 12 && phone.get(5..8) == Some("555"), "{phone}");
            }
        }
    }
}

#[test]
fn postal_codes_lie_in_their_regions() {
    let regions = [
        ("Madrid", "28"),
        ("Barcelona", "08"),
        ("Girona", "17"),
        ("Valencia", "46"),
        ("Sevilla", "41"),
        ("TX", "7"),
        ("NY", "1"),
        ("NV", "89"),
    ];
    let mut seen = BTreeSet::new();
    for product in [Product::PersonalLoanEs, Product::DebtSub10kUs] {
        for lead in row(6, product, 500) {
            let (region, code) =
                (text(&lead, "/attributes/region"), text(&lead, "/attributes/postal_code"));
            assert!(lead["attributes"]["country"] == "PT" || code.len() == 5, "{code}");
            if let Some((region, prefix)) = regions.iter().find(|(name, _)| *name == region) {
                assert!(code.starts_with(prefix), "{region} {code}");
                seen.insert(*region);
            }
        }
    }
    assert_eq!(seen.len(), regions.len());
}

#[test]
fn debt_leads_come_mostly_from_states_that_are_taken() {
    let excluded = ["AK", "CA", "HI", "ID", "KS", "ME", "OR", "WA"];
    let leads = row(8, Product::DebtSub10kUs, MANY);
    let out = share(&leads, |lead| excluded.contains(&text(lead, "/attributes/region")));
    assert!((10..=35).contains(&out), "{out}");
    for lead in leads {
        assert!((1000..10_000).contains(&number(&lead, "/attributes/debt_amount")));
        assert_eq!(lead["contact"].get("birth_date"), None);
    }
}

#[test]
fn a_bright_horizons_body_has_the_members_of_the_documentations_sample() {
    let members = |value: &Value| -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    let sample = crate::samples::bright_horizons();
    let mut generator = Generator::new(11);
    let leads: Vec<Value> = (0..MANY).map(|_| generator.bright_horizons()).collect();
    for lead in &leads {
        assert_eq!(lead["xauth"], sample["xauth"]);
        let (own, theirs) = (members(&lead["transaction"]), members(&sample["transaction"]));
        let subs = ["sub2", "sub3", "sub4", "sub5"].map(str::to_owned);
        let expected: BTreeSet<String> = theirs
            .into_iter()
            .filter(|name| !subs.contains(name))
            .chain(["optin".to_owned()])
            .collect();
        assert_eq!(own, expected);
        assert_eq!(text(lead, "/transaction/phone").len(), 10);
    }
    let not_collected = |at: &str| share(&leads, |lead| number(lead, at) == 0);
    assert_eq!(not_collected("/transaction/credit/creditscore"), 125);
    assert_eq!(not_collected("/transaction/finances/unsecureddebtamount"), 125);
}

#[test]
fn pingtree_and_brainysoft_bodies_have_the_samples_members() {
    let mut generator = Generator::new(12);
    let (loan, short) = (crate::samples::pingtree(), crate::samples::brainysoft());
    // What a made-up consumer does not tell.
    let untold = ["birthPlace", "inn", "snils", "subdivisionId", "managerId", "referralLink"];
    for _ in 0..200 {
        let lead = generator.pingtree();
        assert!(loan.as_object().unwrap().keys().all(|name| lead.get(name).is_some()), "{lead}");
        assert_eq!(text(&lead, "/mobile").len(), 10);
        let lead = generator.brainysoft();
        let told = |name: &str| lead.get(name).is_some() || untold.contains(&name);
        assert!(short.as_object().unwrap().keys().all(|name| told(name)), "{lead}");
        assert_eq!(lead["creditProductId"], short["creditProductId"]);
        assert!(
            text(&lead, "/mobilePhone").starts_with("79")
                || lead["addressData"]["countryId"] == 101_041
        );
    }
}

#[test]
fn a_native_body_has_the_doors_members_and_standard_attributes() {
    for product in Product::ALL {
        let lead = &row(9, product, 1)[0];
        let members: Vec<_> = lead.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = [
            "attributes",
            "consent",
            "contact",
            "external_id",
            "product",
            "source_url",
            "sub_id",
            "tags",
            "test",
            "user_agent",
        ];
        assert_eq!(BTreeSet::from_iter(members), BTreeSet::from(expected));
        assert_eq!(lead["product"], product.id());
        for name in lead["attributes"].as_object().unwrap().keys() {
            let standard = lead::Standard::named(name).expect(name);
            assert!(standard.in_ping(), "{name}");
        }
        let contact: lead::contact::Contact =
            serde_json::from_value(lead["contact"].clone()).unwrap();
        assert!(contact.phone.is_some() && contact.address.is_some());
        let consent: lead::consent::Consent =
            serde_json::from_value(lead["consent"].clone()).unwrap();
        assert!(consent.accepts("terms"));
    }
}

#[test]
fn ages_and_consents_agree_with_the_date() {
    let now: Timestamp = "2028-02-29T12:00:00Z".parse().unwrap();
    let mut generator = Generator::new(10).at(now);
    for _ in 0..500 {
        let lead = generator.native(Product::PersonalLoanEs);
        let born: jiff::civil::Date = text(&lead, "/contact/birth_date").parse().unwrap();
        let today: jiff::civil::Date = "2028-02-29".parse().unwrap();
        let age = number(&lead, "/attributes/age");
        for day in [today, "2028-12-20".parse().unwrap()] {
            let years = born.until((jiff::Unit::Year, day)).unwrap().get_years();
            assert_eq!(u64::try_from(years), Ok(age), "{born}");
        }
        let given: Timestamp = text(&lead, "/consent/entries/0/accepted_at").parse().unwrap();
        assert!(given < now && now.duration_since(given).as_secs() <= 600);
    }
}

#[test]
fn a_leadhub_body_has_the_samples_shape() {
    let sample = crate::samples::leadhub();
    let mut generator = Generator::new(11);
    for _ in 0..200 {
        let lead = generator.leadhub();
        same_members(&sample, &lead, "");
        assert_eq!(lead["publisher_id"], LEADHUB_PUBLISHER);
        assert_eq!(lead["product_id"], LEADHUB_PRODUCT);
        let id = text(&lead, "/customer/personal_data/identification_number");
        assert!(id.len() == 9 && id.starts_with("99"), "{id}");
    }
}

/// Every member of `sample` is in `other`, with the same kind of value.
fn same_members(sample: &Value, other: &Value, path: &str) {
    match sample {
        Value::Object(members) => {
            for (name, value) in members {
                same_members(value, &other[name], &format!("{path}/{name}"));
            }
        }
        Value::Array(items) => {
            assert_eq!(other.as_array().map(Vec::len), Some(items.len()), "{path}");
            same_members(&items[0], &other[0], &format!("{path}/0"));
        }
        _ => assert_eq!(
            std::mem::discriminant(sample),
            std::mem::discriminant(other),
            "{path}: {other}"
        ),
    }
}

#[test]
fn products_are_known_by_id() {
    for product in Product::ALL {
        assert_eq!(product.id().parse(), Ok(product));
    }
    let error = "short-loan-kz".parse::<Product>().unwrap_err().to_string();
    assert!(error.starts_with("no leads can be made for \"short-loan-kz\""), "{error}");
}
