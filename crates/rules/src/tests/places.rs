//! Filters that know of places: a radius against a naive measure, regions by every name.

use std::sync::Arc;

use document::{Defects, Slot};
use lead::{Attributes, Standard};
use market::{Dictionary, Places};

use super::json;
use crate::{Encoded, Filter, Lists, RuleBook, Scratch, Truth};

const TABLE: &str = include_str!("../../../../config/tables/us-postal-codes.csv");

fn dictionary(country: &str) -> Dictionary {
    let places = Places::read([("us.csv".to_owned(), TABLE.to_owned())]).unwrap();
    let mut dictionary = Dictionary::default();
    dictionary.place_in(places.country(country));
    dictionary
}

fn read(filter: &str, dictionary: &Dictionary) -> Result<Filter, Vec<String>> {
    let (node, defects) = (json(filter), Defects::new());
    let mut lists = Lists::new();
    lists.insert("north", lead::Value::text("ES-CT").into_iter().collect());
    let filter = Filter::parse(&Slot::root(&node, &defects), dictionary, &lists);
    defects.finish(filter).map_err(|found| found.iter().map(ToString::to_string).collect())
}

fn lead(standard: Standard, text: &str, dictionary: &Dictionary) -> Encoded {
    let mut attributes = Attributes::new();
    attributes.set_text(standard, text);
    Encoded::new(&attributes, dictionary)
}

#[test]
fn a_radius_takes_exactly_the_codes_that_a_naive_measure_takes() {
    let us = dictionary("US");
    let coordinates: Vec<(&str, f64, f64)> = TABLE
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            (fields[1], fields[4].parse::<f64>().unwrap(), fields[5].parse::<f64>().unwrap())
        })
        .collect();
    for (centre, radius) in [("90210", 25), ("10001", 100), ("99501", 400), ("73301", 7)] {
        let Some((_, north, east)) = coordinates.iter().find(|(code, ..)| *code == centre) else {
            let filter =
                format!(r#"{{"zip": {{"within": {{"postal_code": "{centre}", "km": 7}}}}}}"#);
            assert_eq!(
                read(&filter, &us).unwrap_err(),
                ["zip.within.postal_code is not in the table of postal codes of US"]
            );
            continue;
        };
        let filter = format!(
            r#"{{"postal_code": {{"within": {{"postal_code": "{centre}", "km": {radius}}}}}}}"#
        );
        let filter = read(&filter, &us).unwrap();
        let book = RuleBook::compile([filter.clone()]);
        let mut scratch = Scratch::default();
        for (code, other_north, other_east) in &coordinates {
            // By the angle between two arrows from the Earth's middle.
            let arrow = |north: f64, east: f64| {
                let (n, e) = (north.to_radians(), east.to_radians());
                [n.cos() * e.cos(), n.cos() * e.sin(), n.sin()]
            };
            let (a, b) = (arrow(*north, *east), arrow(*other_north, *other_east));
            let cosine: f64 = (0..3).map(|axis| a[axis] * b[axis]).sum();
            let km = 6_371.008_8 * cosine.clamp(-1.0, 1.0).acos();
            if (km - f64::from(radius)).abs() < 0.01 {
                continue;
            }
            let encoded = lead(Standard::PostalCode, code, &us);
            let expected = km < f64::from(radius);
            assert_eq!(filter.evaluate(&encoded) == Truth::True, expected, "{code} {km}");
            assert_eq!(book.matching(&encoded, &mut scratch).count() == 1, expected, "{code}");
        }
    }
}

#[test]
fn a_radius_is_explained_with_the_distance() {
    let us = dictionary("US");
    let near = r#"{"zip": {"within": {"postal_code": "10001-1234", "miles": 25}}}"#;
    let filter = read(near, &us).unwrap();
    let told = |code: &str| {
        let failures = filter.explain(&lead(Standard::PostalCode, code, &us));
        failures.into_iter().map(|it| (it.expected, it.actual)).collect::<Vec<_>>()
    };
    let expected = "within 25 miles of 10001-1234".to_owned();
    assert_eq!(told("10002"), []);
    assert_eq!(told("90210"), [(expected.clone(), Some("90210, 2453.4 miles away".to_owned()))]);
    assert_eq!(told("00000"), [(expected.clone(), Some("00000".to_owned()))]);
    assert_eq!(told(""), [(expected, None)]);
}

#[test]
fn a_radius_that_cannot_be_measured_is_refused() {
    let us = dictionary("US");
    let refused =
        |within: &str| read(&format!(r#"{{"zip": {{"within": {within}}}}}"#), &us).unwrap_err();
    assert_eq!(
        refused(r#"{"postal_code": "90210", "miles": 0, "mile": 3}"#),
        [
            "zip.within.miles must be more than 0 and at most 1000",
            "zip.within.mile is not a known field; known here: postal_code, miles, km",
        ]
    );
    let one = "zip.within must hold a postal_code and one of miles and km";
    assert_eq!(refused(r#"{"postal_code": "90210"}"#), [one]);
    assert_eq!(refused(r#"{"postal_code": "90210", "miles": 1, "km": 1}"#), [one]);
    assert_eq!(refused(r#"{"miles": 1}"#), ["zip.within.postal_code is required"]);
    assert_eq!(refused("7"), ["zip.within must be an object, found a number"]);
    for country in ["ES", "FR"] {
        let near = r#"{"zip": {"within": {"postal_code": "28001", "km": 25}}}"#;
        assert_eq!(
            read(near, &dictionary(country)).unwrap_err(),
            [
                "zip.within is not available: no table of the postal codes of the product's country is loaded"
            ]
        );
    }
}

#[test]
fn regions_are_asked_for_by_any_name() {
    let places = Places::built_in();
    for (country, filter, passes, fails) in [
        ("US", r#""California""#, &["CA", "ca"][..], &["NY"][..]),
        ("US", r#"["US-NY", "tx"]"#, &["NY", "TX"], &["CA"]),
        ("ES", r#""ES-GI""#, &["Girona"], &["Madrid"]),
        ("ES", r#"{"eq": "Catalunya"}"#, &["Cataluña", "Girona", "Lleida"], &["Madrid"]),
        ("ES", r#"{"ne": "ES-CT"}"#, &["Madrid"], &["Cataluña", "Girona"]),
        ("ES", r#"{"not_in": ["Catalonia", "ES-M"]}"#, &["Sevilla"], &["Tarragona", "Madrid"]),
        ("ES", r#"{"in_list": "north"}"#, &["Girona"], &["Madrid"]),
        ("ES", r#"["Atlantis"]"#, &["atlantis"], &["Madrid"]),
        ("FR", r#""California""#, &["california"], &["CA"]),
    ] {
        let mut dictionary = Dictionary::default();
        dictionary.place_in(places.country(country).map(Arc::clone).as_ref());
        let filter = read(&format!(r#"{{"state": {filter}}}"#), &dictionary).unwrap();
        let truth = |text: &&str| filter.evaluate(&lead(Standard::Region, text, &dictionary));
        assert!(passes.iter().all(|text| truth(text) == Truth::True), "{passes:?}");
        assert!(fails.iter().all(|text| truth(text) == Truth::False), "{fails:?}");
    }
}
