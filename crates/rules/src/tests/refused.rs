//! Filters that must not be registered: the exact path and issue of every defect.

use super::{json, parse};
use crate::{NESTING_MAX, PATTERNS_MAX, PREDICATES_MAX, VALUES_MAX};

fn check(filter: &str, wanted: &[(&str, &str)]) {
    let found = parse(&json(filter)).expect_err(filter);
    let found: Vec<(String, &str)> =
        found.iter().map(|d| (d.path.dotted(), d.issue.as_str())).collect();
    let wanted: Vec<(String, &str)> =
        wanted.iter().map(|(path, issue)| ((*path).to_owned(), *issue)).collect();
    assert_eq!(found, wanted, "{filter}");
}

#[test]
fn unknown_names_are_refused_with_the_nearest_known_one() {
    check(r#"{"shoe_size": 4}"#, &[("shoe_size", "is not an attribute of this product")]);
    check(
        r#"{"regoin": "CA"}"#,
        &[("regoin", "is not an attribute of this product; did you mean region?")],
    );
    check(
        r#"{"any": [{"ag": 1}]}"#,
        &[("any.0.ag", "is not an attribute of this product; did you mean age?")],
    );
    let known = "known here: eq, ne, lt, lte, gt, gte, between, in, not_in, in_list, not_in_list, exists, or_missing";
    check(
        r#"{"age": {"gtr": 1}}"#,
        &[("age.gtr", &format!("is not an operator; did you mean gt?; {known}"))],
    );
    check(r#"{"age": {"around": 1}}"#, &[("age.around", &format!("is not an operator; {known}"))]);
}

/// Filter, path and issue.
const MISFITS: &[(&str, &str, &str)] = &[
    (r#"{"age": {"contains": "3"}}"#, "age.contains", "works on a string; age is a number"),
    (
        r#"{"region": {"gte": "A"}}"#,
        "region.gte",
        "works on a number or a date (YYYY-MM-DD); region is a string",
    ),
    (
        r#"{"direct_deposit": {"in": [true]}}"#,
        "direct_deposit.in",
        "works on a string or a number; direct_deposit is a boolean",
    ),
    (r#"{"age": "old"}"#, "age", "must be a number, found a string"),
    (r#"{"age": "1_000x"}"#, "age", "must be a number, found a string"),
    (r#"{"age": 1e40}"#, "age", "must be a number, found a number out of range"),
    (r#"{"age": null}"#, "age", "is required"),
    (r#"{"age": {"gte": [1]}}"#, "age.gte", "must be a number, found an array"),
    (r#"{"age": [1, true]}"#, "age.1", "must be a number, found a boolean"),
    (r#"{"age": {"in": 1}}"#, "age.in", "must be an array, found a number"),
    (r#"{"region": 5}"#, "region", "must be a string, found a number"),
    (r#"{"region": {"in": ["a", " "]}}"#, "region.in.1", "must not be empty"),
    (r#"{"region": "\u0301"}"#, "region", "must hold more than accents"),
    (r#"{"direct_deposit": "yes"}"#, "direct_deposit", "must be a boolean, found a string"),
    (
        r#"{"birth_date": "1990-02-30"}"#,
        "birth_date",
        "must be a date (YYYY-MM-DD), found a string",
    ),
    (
        r#"{"birth_date": "1990-02-03T00:00"}"#,
        "birth_date",
        "must be a date (YYYY-MM-DD), found a string",
    ),
    (r#"{"age": {}}"#, "age", "must hold at least one operator"),
    (r#"{"age": {"or_missing": true}}"#, "age", "must hold at least one operator"),
    (
        r#"{"age": {"eq": 1, "or_missing": 1}}"#,
        "age.or_missing",
        "must be a boolean, found a number",
    ),
    (
        r#"{"age": {"exists": true, "or_missing": true}}"#,
        "age.or_missing",
        "must not stand beside exists, which answers for missing values itself",
    ),
    (r#"{"age": {"exists": 1}}"#, "age.exists", "must be a boolean, found a number"),
    (r#"{"all": {"age": 1}}"#, "all", "must be an array, found an object"),
    (r#"{"any": [1]}"#, "any.0", "must be an object, found a number"),
    (r#"{"not": []}"#, "not", "must be an object, found an array"),
    ("[]", "", "must be an object, found an array"),
];

#[test]
fn operators_and_values_must_fit_the_kind() {
    for (filter, path, issue) in MISFITS {
        check(filter, &[(path, issue)]);
    }
}

#[test]
fn patterns_must_be_valid_and_small() {
    let cases = [
        (r#"{"city": {"matches": "a)|(?:b"}}"#, "must be a regular expression: unopened group"),
        (
            r#"{"city": {"matches": "(a)\\1"}}"#,
            "must be a regular expression: backreferences are not supported",
        ),
        (r#"{"city": {"matches": "\\w{500}"}}"#, "must be a smaller pattern"),
    ];
    for (filter, issue) in cases {
        check(filter, &[("city.matches", issue)]);
    }
}

#[test]
fn what_has_no_table_is_not_available() {
    let within = r#"{"zip": {"within": {"postal_code": "90210", "miles": 25}}}"#;
    check(
        within,
        &[(
            "zip.within",
            "is not available: no table of the postal codes of the product's country is loaded",
        )],
    );
    check(r#"{"city": {"within": {}}}"#, &[("city.within", "works on postal_code only")]);
    check(
        r#"{"region": {"in_list": "north"}}"#,
        &[("region.in_list", "is not available: there is no list north")],
    );
    check(
        r#"{"region": {"in_list": "coats"}}"#,
        &[("region.in_list", "is not available: there is no list coats; did you mean coast?")],
    );
    check(
        r#"{"direct_deposit": {"in_list": "coast"}}"#,
        &[("direct_deposit.in_list", "works on a string or a number; direct_deposit is a boolean")],
    );
    check(
        r#"{"age": {"not_in_list": "coast"}}"#,
        &[("age.not_in_list", "must name a list that fits: each value of coast must be a number")],
    );
}

#[test]
fn what_is_empty_can_never_be_true() {
    let cases = [
        (r#"{"any": []}"#, "any", "must hold at least one filter"),
        (r#"{"region": []}"#, "region", "must hold at least one value"),
        (r#"{"age": {"in": []}}"#, "age.in", "must hold at least one value"),
        (r#"{"zip": {"starts_with": []}}"#, "zip.starts_with", "must hold at least one value"),
        (
            r#"{"age": {"between": [30, 20]}}"#,
            "age.between",
            "is an empty range: the first value must not be greater than the second",
        ),
        (
            r#"{"age": {"between": [30]}}"#,
            "age.between",
            "must be an array of two values, the least and the greatest, found an array",
        ),
    ];
    for (filter, path, issue) in cases {
        check(filter, &[(path, issue)]);
    }
}

#[test]
fn every_defect_is_noted_at_once() {
    check(
        r#"{"age": {"gte": 30, "lt": 20, "in": []}, "any": [{"x": 1}, {"region": 2}], "not": {"city": null}}"#,
        &[
            ("age.in", "must hold at least one value"),
            ("any.0.x", "is not an attribute of this product"),
            ("any.1.region", "must be a string, found a number"),
            ("not.city", "is required"),
            (
                "age.lt",
                "contradicts what is asked of age before (at least 30): no value is also less than 20",
            ),
        ],
    );
}

#[test]
fn filters_are_bounded() {
    let nested = |levels: usize| {
        format!("{}{{\"age\": 1}}{}", r#"{"not": "#.repeat(levels), "}".repeat(levels))
    };
    assert!(parse(&json(&nested(NESTING_MAX))).is_ok());
    let path = vec!["not"; NESTING_MAX + 1].join(".");
    check(&nested(NESTING_MAX + 1), &[(&path, "must not be nested deeper than 16 levels")]);

    let list = |count: usize| vec!["1"; count].join(",");
    assert!(parse(&json(&format!(r#"{{"age": [{}]}}"#, list(VALUES_MAX)))).is_ok());
    let issue = "is too much: a filter may hold at most 65536 values";
    check(&format!(r#"{{"age": [{}]}}"#, list(VALUES_MAX + 1)), &[("age", issue)]);
    check(
        &format!(r#"{{"age": [{}], "amount": {{"in": [{}]}}}}"#, list(VALUES_MAX), list(1)),
        &[("amount.in", issue)],
    );

    let many =
        |part: &str, count: usize| format!(r#"{{"any": [{}]}}"#, vec![part; count].join(","));
    assert!(parse(&json(&many(r#"{"age": 1}"#, PREDICATES_MAX))).is_ok());
    assert!(parse(&json(&many(r#"{"age": 1}"#, PREDICATES_MAX + 1))).is_err());
    assert!(parse(&json(&many(r#"{"city": {"matches": "a"}}"#, PATTERNS_MAX))).is_ok());
    assert!(parse(&json(&many(r#"{"city": {"matches": "a"}}"#, PATTERNS_MAX + 1))).is_err());
}
