//! Why a lead did not match: paths, words, order and verdicts.

use super::{encoded, filter, matched};
use crate::{RuleBook, Verdict};

/// Each failure as `path | expected | actual | verdict`.
fn check(text: &str, lead: &str, wanted: &[&str]) {
    let book = RuleBook::compile([filter(text)]);
    let failures = book.explain(0, &encoded(lead));
    let found: Vec<String> = failures
        .iter()
        .map(|f| {
            format!(
                "{} | {} | {} | {}",
                f.path,
                f.expected,
                f.actual.as_deref().unwrap_or("-"),
                f.verdict.name()
            )
        })
        .collect();
    assert_eq!(found, wanted, "{text} of {lead}");
}

#[test]
fn every_failing_predicate_is_named() {
    let wide = r#"{"age": {"gte": 21, "lte": 65}, "state": ["Málaga", "CA"], "country": "ES",
        "postal_code": {"starts_with": ["28", "170"]}, "credit_score": {"gte": 580, "or_missing": true}}"#;
    check(wide, r#"{"age": 30, "state": "malaga", "country": "es", "zip": "28013"}"#, &[]);
    check(
        wide,
        r#"{"age": 70.50, "region": "Cádiz", "country": 5, "credit_score": 500}"#,
        &[
            "age.lte | at most 65 | 70.5 | failed",
            "state | one of Málaga, CA | Cádiz | failed",
            "country | ES | - | unreadable",
            "postal_code.starts_with | starting with 28, 170 | - | missing",
            "credit_score.gte | at least 580, or missing | 500 | failed",
        ],
    );
    check(r#"{"age": {"exists": true}}"#, "{}", &["age.exists | present | - | missing"]);
    check(
        r#"{"age": {"exists": true}}"#,
        r#"{"age": "x"}"#,
        &["age.exists | present | - | unreadable"],
    );
    check(r#"{"age": {"exists": false}}"#, r#"{"age": 1}"#, &["age.exists | absent | 1 | failed"]);
    check(
        r#"{"birth_date": {"lt": "1990-01-01"}, "direct_deposit": {"ne": true}}"#,
        r#"{"birth_date": "1990-01-01", "direct_deposit": true}"#,
        &[
            "birth_date.lt | less than 1990-01-01 | 1990-01-01 | failed",
            "direct_deposit.ne | other than true | true | failed",
        ],
    );
    check(
        r#"{"age": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}"#,
        r#"{"age": 11}"#,
        &["age | one of 1, 2, 3, 4, 5, 6, 7, 8 and 2 more | 11 | failed"],
    );
}

#[test]
fn the_nearest_branch_of_any_comes_first() {
    let text = r#"{"any": [{"age": 1, "region": "CA"}, {"age": {"gte": 21}}], "country": "US"}"#;
    check(
        text,
        r#"{"age": 20, "region": "NV", "country": "US"}"#,
        &[
            "any.1.age.gte | at least 21 | 20 | failed",
            "any.0.age | 1 | 20 | failed",
            "any.0.region | CA | NV | failed",
        ],
    );
    check(text, r#"{"age": 21}"#, &["country | US | - | missing"]);
}

#[test]
fn under_not_the_truths_are_the_failures() {
    check(r#"{"not": {"purpose": "business"}}"#, r#"{"purpose": "home"}"#, &[]);
    check(
        r#"{"not": {"purpose": "business"}}"#,
        r#"{"purpose": "Business"}"#,
        &["not.purpose | not business | Business | failed"],
    );
    check(
        r#"{"not": {"purpose": "business"}}"#,
        "{}",
        &["not.purpose | not business | - | missing"],
    );
    check(
        r#"{"not": {"any": [{"age": 1}, {"region": {"ne": "CA"}}]}}"#,
        r#"{"age": 1, "region": "NV"}"#,
        &[
            "not.any.0.age | not 1 | 1 | failed",
            "not.any.1.region.ne | not other than CA | NV | failed",
        ],
    );
    check(r#"{"not": {"not": {"age": 1}}}"#, r#"{"age": 2}"#, &["not.not.age | 1 | 2 | failed"]);
    check(r#"{"not": {}}"#, "{}", &["not | not everything | - | failed"]);
}

#[test]
fn a_book_answers_by_position() {
    let texts =
        ["{}", r#"{"age": {"gte": 30}}"#, r#"{"age": {"lt": 30}}"#, r#"{"not": {"region": "CA"}}"#];
    let book = RuleBook::compile(texts.map(filter));
    let matching = |lead: &str| matched(&book, &encoded(lead));
    assert_eq!(matching("{}"), [0]);
    assert_eq!(matching(r#"{"age": 30}"#), [0, 1]);
    assert_eq!(matching(r#"{"age": 29.9, "region": "NV"}"#), [0, 2, 3]);
    assert_eq!(book.explain(99, &encoded("{}")), []);
    assert_eq!(matched(&RuleBook::compile([]), &encoded("{}")), [0; 0]);
    assert_eq!([Verdict::Failed, Verdict::Missing].map(Verdict::name), ["failed", "missing"]);
}
