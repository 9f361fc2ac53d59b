//! Filters that are registered but can hardly be meant.

use super::filter;

fn check(text: &str, wanted: &[(&str, &str)]) {
    let filter = filter(text);
    let found: Vec<(String, &str)> = filter
        .warnings()
        .iter()
        .map(|warning| (warning.path.dotted(), warning.issue.as_str()))
        .collect();
    let wanted: Vec<(String, &str)> =
        wanted.iter().map(|(path, issue)| ((*path).to_owned(), *issue)).collect();
    assert_eq!(found, wanted, "{text}");
}

#[test]
fn dead_parts_are_named() {
    let never = "can never be true here";
    let nobody = ("", "can never be true: it wants no lead");
    let always = "is always true here, so the other branches decide nothing";
    let forbids = "is always true, so the `not` around it forbids every lead";
    check(r#"{"not": {}}"#, &[("not", forbids), nobody]);
    check(r#"{"any": [{"not": {}}, {"age": 1}]}"#, &[("any.0.not", forbids)]);
    check(r#"{"any": [{"age": 1}, {}]}"#, &[("any.1", always)]);
    check(r#"{"age": 1, "any": [{"age": 2}, {"region": "CA"}]}"#, &[("any.0.age", never)]);
    check(r#"{"any": [{"age": 2}, {"region": "CA"}], "age": {"gte": 3}}"#, &[("any.0.age", never)]);
    check(
        r#"{"age": {"gte": 21}, "any": [{"age": {"gte": 18}}, {"region": "CA"}]}"#,
        &[("any.0", always)],
    );
    check(
        r#"{"age": 1, "not": {"age": 1}}"#,
        &[("not.age", "is always true here, so its `not` never is"), nobody],
    );
    // The product's own limits.
    check(r#"{"rating": {"gt": 100}}"#, &[("rating.gt", never), nobody]);
    check(r#"{"class": ["GOLD", "bronze"]}"#, &[]);
    check(r#"{"class": "bronze"}"#, &[("class", never), nobody]);
    // Lists change without the filter.
    check(r#"{"region": {"in_list": "nobody"}}"#, &[("region.in_list", never), nobody]);
    check(r#"{"any": [{"age": {"exists": true}}, {"age": {"exists": false}}]}"#, &[]);
}

#[test]
fn live_filters_pass_in_silence() {
    for text in [
        "{}",
        r#"{"all": []}"#,
        r#"{"rating": {"gte": 0}}"#,
        r#"{"rating": {"gt": 100, "or_missing": true}}"#,
        r#"{"any": [{"age": {"lt": 5}}, {"age": {"gte": 5}}]}"#,
        r#"{"not": {"age": {"gte": 21}, "region": "CA"}, "age": {"gte": 21}}"#,
    ] {
        let warnings = filter(text).warnings().to_vec();
        let expected = usize::from(text.contains("not"));
        assert!(warnings.len() <= expected, "{text}: {warnings:?}");
    }
}
