//! Every operator against present, missing and unreadable values, then how answers combine.

use document::{Defects, Slot};
use lead::Value;

use super::{dictionary, encoded, filter, json, matched};
use crate::Truth::{self, False, True, Unknown};
use crate::{Filter, Lists, RuleBook};

struct Case {
    /// The members of the attribute's object.
    operator: &'static str,
    attribute: &'static str,
    /// Lead values, as JSON.
    passes: &'static [&'static str],
    fails: &'static [&'static str],
}

const fn case(
    attribute: &'static str,
    operator: &'static str,
    passes: &'static [&'static str],
    fails: &'static [&'static str],
) -> Case {
    Case { operator, attribute, passes, fails }
}

const OPERATORS: &[Case] = &[
    case("age", r#""eq": 30"#, &["30", "30.0"], &["29", "31", "30.01"]),
    case("age", r#""eq": "30.00""#, &["30"], &["31"]),
    case("age", r#""ne": 30"#, &["29", "30.5"], &["30", "30.0"]),
    case("age", r#""lt": 30"#, &["29.99", "-5"], &["30", "31"]),
    case("age", r#""lte": 30"#, &["30", "29"], &["30.01"]),
    case("age", r#""gt": 30"#, &["30.01"], &["30", "29"]),
    case("age", r#""gte": "1200.50""#, &["1200.5", "1201"], &["1200.49"]),
    case("age", r#""gte": 21, "lt": 30"#, &["21", "29.9"], &["20.9", "30"]),
    case("age", r#""between": [21, 30]"#, &["21", "30", "25"], &["20.99", "30.01"]),
    case("age", r#""between": [21, 21]"#, &["21"], &["20", "22"]),
    case("age", r#""in": [1, "2", 3.50]"#, &["1.0", "2", "3.5"], &["4"]),
    case("age", r#""not_in": [1, 2]"#, &["3"], &["1", "2.0"]),
    case("age", r#""not_in": []"#, &["3"], &[]),
    case("age", r#""in_list": "ages""#, &["30", "31"], &["32"]),
    case("birth_date", r#""eq": "1990-05-01""#, &[r#""1990-05-01""#], &[r#""1990-05-02""#]),
    case("birth_date", r#""lt": "1990-05-01""#, &[r#""1990-04-30""#], &[r#""1990-05-01""#]),
    case(
        "birth_date",
        r#""between": ["1990-01-01", "1990-12-31"]"#,
        &[r#""1990-01-01""#, r#""1990-12-31""#],
        &[r#""1989-12-31""#, r#""1991-01-01""#],
    ),
    case("direct_deposit", r#""eq": true"#, &["true"], &["false"]),
    case("direct_deposit", r#""ne": true"#, &["false"], &["true"]),
    case("region", r#""eq": "MALAGA""#, &[r#""Málaga""#, r#"" málaga ""#], &[r#""Malagon""#]),
    case("region", r#""ne": "Málaga""#, &[r#""Madrid""#], &[r#""malaga""#]),
    case(
        "region",
        r#""in": ["Madrid", "Straße"]"#,
        &[r#""MADRID""#, r#""STRASSE""#],
        &[r#""Mad""#],
    ),
    case("region", r#""not_in": ["Madrid"]"#, &[r#""Girona""#], &[r#""madrid""#]),
    case("region", r#""in_list": "coast""#, &[r#""malaga""#, r#""GIRONA""#], &[r#""Madrid""#]),
    case("region", r#""not_in_list": "coast""#, &[r#""Madrid""#], &[r#""malaga""#]),
    case("region", r#""in_list": "nobody""#, &[], &[r#""Madrid""#]),
    case(
        "postal_code",
        r#""starts_with": "28""#,
        &[r#""28013""#, r#""28""#],
        &[r#""2""#, r#""12800""#],
    ),
    case(
        "postal_code",
        r#""starts_with": ["28", "170"]"#,
        &[r#""17001""#, r#""28""#],
        &[r#""17100""#],
    ),
    case("city", r#""starts_with": "SÁN""#, &[r#""San Juan""#, r#""sánchez""#], &[r#""El San""#]),
    case("city", r#""contains": "cañ""#, &[r#""La Cañada""#, r#""CANON""#], &[r#""Cab""#]),
    case(
        "city",
        r#""matches": "San .*n""#,
        &[r#""SAN JUAN""#, r#""sán n""#],
        &[r#""San Juan!""#, r#""a San n""#],
    ),
    case("city", r#""matches": "a|ab""#, &[r#""a""#, r#""AB""#], &[r#""abc""#]),
    case("city", r#""matches": "\\D+ñ[é-ó]*""#, &[r#""peñón""#, r#""ESPAÑE""#], &[r#""p1n""#]),
    case(
        "plan",
        r#""eq": "Málaga""#,
        &[r#""Ma\u0301laga""#, r#"" Málaga ""#],
        &[r#""málaga""#, r#""Malaga""#],
    ),
    case("plan", r#""in": ["A", "b"]"#, &[r#""A""#], &[r#""a""#, r#""B""#]),
    case("plan", r#""in_list": "coast""#, &[r#""Málaga""#], &[r#""málaga""#, r#""Malaga""#]),
    case("plan", r#""starts_with": "Á""#, &[r#""Ábc""#], &[r#""ábc""#, r#""Abc""#]),
    case("plan", r#""contains": "X""#, &[r#""aXb""#], &[r#""axb""#]),
    case("plan", r#""matches": "[A-Z]+""#, &[r#""ABC""#], &[r#""abc""#, r#""ABc""#]),
];

fn truth(filter_text: &str, lead_text: &str) -> Truth {
    filter(filter_text).evaluate(&encoded(lead_text))
}

#[test]
fn operators_compare_present_values_and_do_not_know_of_absent_ones() {
    for Case { attribute, operator, passes, fails } in OPERATORS {
        let plain = format!(r#"{{"{attribute}": {{{operator}}}}}"#);
        let lenient = format!(r#"{{"{attribute}": {{{operator}, "or_missing": true}}}}"#);
        let strict = format!(r#"{{"{attribute}": {{{operator}, "or_missing": false}}}}"#);
        let values = passes.iter().map(|v| (v, True)).chain(fails.iter().map(|v| (v, False)));
        for (value, wanted) in values {
            let lead = format!(r#"{{"{attribute}": {value}}}"#);
            for text in [&plain, &lenient, &strict] {
                assert_eq!(truth(text, &lead), wanted, "{text} of {lead}");
            }
        }
        for absent in [
            "{}".to_owned(),
            format!(r#"{{"{attribute}": null}}"#),
            format!(r#"{{"{attribute}": [1]}}"#),
        ] {
            assert_eq!(truth(&plain, &absent), Unknown, "{plain} of {absent}");
            assert_eq!(truth(&strict, &absent), Unknown, "{strict} of {absent}");
            assert_eq!(truth(&lenient, &absent), True, "{lenient} of {absent}");
        }
    }
}

/// Filter, lead and answer.
const COMBINATIONS: &[(&str, &str, Truth)] = &[
    ("{}", "{}", True),
    (r#"{"all": []}"#, "{}", True),
    (r#"{"not": {}}"#, "{}", False),
    (r#"{"any": [{}, {"age": 1}]}"#, "{}", True),
    // Bare values and aliases.
    (r#"{"country": "ES"}"#, r#"{"country": "es"}"#, True),
    (r#"{"state": ["CA", "TX"]}"#, r#"{"region": "tx"}"#, True),
    (r#"{"region": "CA"}"#, r#"{"state": "NV"}"#, False),
    (r#"{"zip": "90210"}"#, r#"{"postal_code": "90210"}"#, True),
    (r#"{"direct_deposit": [true, false]}"#, r#"{"direct_deposit": true}"#, True),
    (r#"{"birth_date": ["1990-05-01"]}"#, r#"{"birth_date": "1990-05-01"}"#, True),
    // Presence is never unknown; an unreadable value is not there.
    (r#"{"age": {"exists": true}}"#, r#"{"age": 30}"#, True),
    (r#"{"age": {"exists": true}}"#, r#"{"age": ""}"#, False),
    (r#"{"age": {"exists": true}}"#, r#"{"age": "old"}"#, False),
    (r#"{"age": {"exists": false}}"#, r#"{"age": 30}"#, False),
    (r#"{"age": {"exists": false}}"#, "{}", True),
    (r#"{"age": {"exists": false}}"#, r#"{"age": "old"}"#, True),
    (r#"{"not": {"age": {"exists": true}}}"#, "{}", True),
    (r#"{"not": {"age": {"exists": false}}}"#, "{}", False),
    // "Not California" does not buy a lead of unknown state.
    (r#"{"not": {"region": "CA"}}"#, r#"{"region": "NV"}"#, True),
    (r#"{"not": {"region": "CA"}}"#, r#"{"region": "CA"}"#, False),
    (r#"{"not": {"region": "CA"}}"#, "{}", Unknown),
    (r#"{"not": {"not": {"region": "CA"}}}"#, "{}", Unknown),
    (r#"{"not": {"region": {"eq": "CA", "or_missing": true}}}"#, "{}", False),
    (r#"{"all": [{"age": 1}, {"region": "CA"}]}"#, r#"{"age": 1}"#, Unknown),
    (r#"{"all": [{"age": 1}, {"region": "CA"}]}"#, r#"{"age": 2}"#, False),
    (r#"{"age": 1, "region": "CA"}"#, r#"{"age": 1, "region": "CA"}"#, True),
    (r#"{"any": [{"age": 1}, {"region": "CA"}]}"#, r#"{"age": 1}"#, True),
    (r#"{"any": [{"age": 1}, {"region": "CA"}]}"#, r#"{"age": 2}"#, Unknown),
    (r#"{"any": [{"age": 1}, {"region": "CA"}]}"#, r#"{"age": 2, "region": "NV"}"#, False),
    (r#"{"any": [{"age": 1}, {"not": {"age": 1}}]}"#, "{}", Unknown),
];

#[test]
fn answers_combine_by_three_valued_logic() {
    for (filter, lead, wanted) in COMBINATIONS {
        assert_eq!(truth(filter, lead), *wanted, "{filter} of {lead}");
    }
}

#[test]
fn numbers_are_exact() {
    assert_eq!(truth(r#"{"amount": {"eq": "0.3"}}"#, r#"{"amount": 0.3}"#), True);
    let fine = r#"{"amount": {"gt": "0.2999999999999999999999999999"}}"#;
    assert_eq!(truth(fine, r#"{"amount": 0.3}"#), True);
}

/// As long as a list may be, asked in two ways, by filters that share it.
#[test]
fn the_longest_list_is_asked_like_a_short_one() {
    let values = (0..65_536).map(|at| Value::text(&format!("Zip {at}")).unwrap()).collect();
    let mut lists = Lists::new();
    lists.insert("zips", values);
    let read = |text: &str| {
        let (node, defects) = (json(text), Defects::new());
        let filter = Filter::parse(&Slot::root(&node, &defects), &dictionary(), &lists);
        defects.finish(filter).unwrap()
    };
    let asked = |operator: &str, name: &str| format!(r#"{{"{name}": {{"{operator}": "zips"}}}}"#);
    let mut filters = vec![read(&asked("in_list", "zip")); 500];
    filters.push(read(&asked("not_in_list", "zip")));
    filters.push(read(&asked("in_list", "plan")));
    let book = RuleBook::compile(filters);
    let all: Vec<usize> = (0..500).collect();
    assert_eq!(matched(&book, &encoded(r#"{"zip": "ZIP 65535"}"#)), all);
    assert_eq!(matched(&book, &encoded(r#"{"zip": "zip 65536", "plan": "zip 1"}"#)), [500]);
    assert_eq!(matched(&book, &encoded(r#"{"plan": "Zip 1"}"#)), [501]);
    let failures = book.explain(0, &encoded(r#"{"zip": "1"}"#));
    assert_eq!(failures[0].expected, "in the list zips");
}
