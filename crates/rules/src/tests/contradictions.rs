//! Predicates that exclude each other inside one `all`, and those that only look so.

use super::{json, parse};

/// Filter, and the path of the predicate that is one too many.
const CONTRADICTIONS: &[(&str, &str)] = &[
    (r#"{"age": {"gte": 30, "lt": 30}}"#, "age.lt"),
    (r#"{"age": {"gte": 30, "lte": 20, "or_missing": true}}"#, "age.lte"),
    (r#"{"age": {"gt": 30, "between": [20, 30]}}"#, "age.between"),
    (r#"{"age": {"between": [30, 30], "ne": 30}}"#, "age.ne"),
    (r#"{"age": {"in": [1, 2], "gte": 3}}"#, "age.gte"),
    (r#"{"age": {"exists": false, "gte": 3}}"#, "age.gte"),
    (r#"{"age": {"exists": false}, "all": [{"age": {"exists": true}}]}"#, "all.0.age.exists"),
    (r#"{"birth_date": {"gt": "1990-01-01", "lt": "1990-01-02"}}"#, "birth_date.lt"),
    (r#"{"region": ["CA", "TX"], "all": [{"region": "NV"}]}"#, "all.0.region"),
    (r#"{"state": "CA", "region": "TX"}"#, "region"),
    (r#"{"region": {"eq": "Málaga", "ne": "MALAGA"}}"#, "region.ne"),
    (r#"{"region": {"in": ["CA", "TX"], "not_in": ["tx", "ca"]}}"#, "region.not_in"),
    (r#"{"region": {"eq": "CA", "starts_with": "T"}}"#, "region.starts_with"),
    (
        r#"{"zip": {"starts_with": ["28"]}, "postal_code": {"starts_with": "17"}}"#,
        "postal_code.starts_with",
    ),
    (
        r#"{"direct_deposit": true, "all": [{"all": [{"direct_deposit": false}]}]}"#,
        "all.0.all.0.direct_deposit",
    ),
    (
        r#"{"direct_deposit": {"ne": true}, "all": [{"direct_deposit": {"ne": false}}]}"#,
        "all.0.direct_deposit.ne",
    ),
    (r#"{"any": [{"age": 1}, {"age": {"gt": 5, "lt": 4}}]}"#, "any.1.age.lt"),
    (r#"{"not": {"age": {"gt": 5, "lt": 4}}}"#, "not.age.lt"),
];

#[test]
fn contradictions_inside_one_all_are_refused_where_they_arise() {
    for (filter, path) in CONTRADICTIONS {
        let found = parse(&json(filter)).expect_err(filter);
        let paths: Vec<String> = found.iter().map(|defect| defect.path.dotted()).collect();
        assert_eq!(paths, [*path], "{filter}");
        assert!(found.iter().all(|defect| defect.issue.starts_with("contradicts")), "{filter}");
    }
    let defects = parse(&json(r#"{"age": {"gte": 30, "lte": 20}}"#)).expect_err("a contradiction");
    let issue =
        "contradicts what is asked of age before (at least 30): no value is also at most 20";
    assert_eq!(defects[0].issue, issue);
}

#[test]
fn what_some_lead_could_pass_is_not_a_contradiction() {
    let fine = [
        r#"{"age": {"gte": 30, "lte": 30}}"#,
        r#"{"age": {"gt": 30, "lt": "30.1"}}"#,
        r#"{"age": 1, "any": [{"age": 2}, {"age": 1}]}"#,
        r#"{"age": 1, "not": {"age": 1}}"#,
        r#"{"age": {"exists": false}, "all": [{"age": {"gte": 3, "or_missing": true}}]}"#,
        r#"{"zip": {"starts_with": "28"}, "postal_code": {"starts_with": ["280", "17"]}}"#,
        r#"{"region": {"in_list": "coast", "not_in_list": "coast"}}"#,
        r#"{"region": "Madrid", "all": [{"region": {"in_list": "coast"}}]}"#,
        r#"{"city": {"contains": "a", "matches": "b"}}"#,
    ];
    for filter in fine {
        assert!(parse(&json(filter)).is_ok(), "{filter}");
    }
}
