//! Whole books: the index beside the same filters one after another and beside the oracle, at sizes
//! where words, blocks and lists of differences begin and end.

use lead::Attributes;
use proptest::prelude::*;
use proptest::sample::select;

use super::generate::filter;
use super::oracle::oracle;
use super::properties::{BOOKS, CHANGES, cases, encode, leads, parsed, show};
use super::{dictionary, encoded, filter as read, matched};
use crate::{Encoded, Filter, Linear, RuleBook, Scratch};

const SIZES: [usize; 11] = [0, 1, 2, 63, 64, 65, 511, 512, 513, 1_025, 2_049];

/// A book's filters by their place in a pool: mostly the first, and the others in some books so few that
/// they are kept as differences.
fn crowd(pool: usize, size: usize, seed: usize) -> Vec<usize> {
    let pick = |at: usize| {
        let random = (at + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let others = [1, 8, 128][seed % 3];
        if random % 512 >= 512 / others { 0 } else { random / 512 % pool }
    };
    if pool == 0 { Vec::new() } else { (0..size).map(pick).collect() }
}

fn wanted(crowd: &[usize], answers: &[bool]) -> Vec<usize> {
    (0..crowd.len()).filter(|at| answers[crowd[*at]]).collect()
}

proptest! {
    #![proptest_config(cases(BOOKS))]

    #[test]
    fn the_index_is_the_scan_is_the_oracle(
        nodes in proptest::collection::vec(filter(), 1..16),
        leads in leads(),
        size in select(&SIZES[..]),
        seed in any::<u16>(),
    ) {
        let (nodes, pool): (Vec<_>, Vec<Filter>) =
            nodes.iter().filter_map(|node| Some((node, parsed(node)?))).unzip();
        let crowd = crowd(pool.len(), size, seed.into());
        let filters = || crowd.iter().map(|at| pool[*at].clone());
        let (book, scan) = (RuleBook::compile(filters()), Linear::compile(filters()));
        let mut scratch = Scratch::new();
        for lead in &leads {
            let answers: Vec<bool> =
                nodes.iter().map(|node| oracle(node, lead, &dictionary()) == Some(true)).collect();
            let (encoded, wanted) = (encode(lead), wanted(&crowd, &answers));
            let found: Vec<usize> = book.matching(&encoded, &mut scratch).collect();
            let all = || nodes.iter().map(|node| show(node)).collect::<Vec<_>>();
            prop_assert_eq!(&found, &wanted, "{:?} of {:?}", lead, all());
            prop_assert_eq!(scan.matching(&encoded).collect::<Vec<_>>(), wanted);
            check_view(&book, &encoded, &found, &mut scratch);
        }
    }
}

proptest! {
    #![proptest_config(cases(CHANGES))]

    #[test]
    fn any_sequence_of_changes_is_the_book_compiled_anew(
        nodes in proptest::collection::vec(filter(), 2..12),
        leads in leads(),
        size in select(&SIZES[..]),
        seed in any::<u16>(),
        changes in proptest::collection::vec((0..5_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..20),
    ) {
        let pool: Vec<Filter> = nodes.iter().filter_map(parsed).collect();
        prop_assume!(!pool.is_empty());
        let crowd = crowd(pool.len(), size, seed.into());
        // Clones of one filter, and filters of their own, as campaigns have them.
        let own = |at: usize| parsed(&nodes[at]).unwrap_or_else(|| pool[0].clone());
        let mut filters: Vec<Filter> = crowd.iter().map(|at| pool[*at].clone()).collect();
        let mut book = RuleBook::compile(filters.clone());
        let mut scratch = Scratch::new();
        for (kind, at, what) in changes {
            let (what, end) = (own(what.index(nodes.len().min(pool.len()).max(1))), filters.len() + 1);
            match (kind, filters.is_empty()) {
                (0, _) | (_, true) => filters.insert(at.index(end), what),
                (1, _) => drop(filters.remove(at.index(end - 1))),
                (2, _) => {
                    let moved = filters.remove(at.index(end - 1));
                    filters.insert(0, moved);
                }
                (3, _) => filters.truncate(at.index(end)),
                _ => filters[at.index(end - 1)] = what,
            }
            book = book.changed(filters.clone());
            let anew = RuleBook::compile(filters.clone());
            for lead in leads.iter().map(encode) {
                let wanted = matched(&anew, &lead);
                prop_assert_eq!(matched(&book, &lead), wanted.clone());
                check_view(&book, &lead, &wanted, &mut scratch);
                let last = filters.len().saturating_sub(1);
                prop_assert_eq!(book.explain(last, &lead), anew.explain(last, &lead));
            }
        }
    }
}

/// Every way of reading the view gives the same campaigns.
fn check_view(book: &RuleBook, lead: &Encoded, wanted: &[usize], scratch: &mut Scratch) {
    let mut folded = Vec::new();
    book.matching(lead, scratch).for_each(|at| folded.push(at));
    assert_eq!(folded, wanted);
    assert_eq!(book.matching(lead, scratch).count(), wanted.len());
    for few in [0, 1, wanted.len() / 2, wanted.len(), wanted.len() + 1] {
        let first: Vec<usize> = book.matching(lead, scratch).take(few).collect();
        assert_eq!(first, wanted[..few.min(wanted.len())], "the first {few}");
        let mut rest = book.matching(lead, scratch);
        rest.by_ref().take(few).for_each(drop);
        assert_eq!(rest.count(), wanted.len().saturating_sub(few), "after the first {few}");
    }
}

#[test]
fn a_campaign_with_many_alternatives_matches_once() {
    let pair = |age: usize, region: &str| format!(r#"{{"age": {age}, "region": "{region}"}}"#);
    for alternatives in [2, 7, 8, 9, 40] {
        let branches: Vec<String> =
            (0..alternatives).map(|at| pair(20 + at % 3, ["CA", "NV"][at % 2])).collect();
        let filters = vec![read(&format!(r#"{{"any": [{}]}}"#, branches.join(","))); 150];
        let book = RuleBook::compile(filters);
        let all: Vec<usize> = (0..150).collect();
        assert_eq!(matched(&book, &encoded(r#"{"age": 20, "region": "CA"}"#)), all);
        assert_eq!(matched(&book, &encoded(r#"{"age": 29, "region": "CA"}"#)), [0; 0]);
    }
}

#[test]
fn numbers_at_any_scale_are_matched_exactly() {
    let bounds =
        ["0.0000001", "0.000001", "-0.0000005", "79228162514264337593543950335", "3000000000000"];
    let filters: Vec<Filter> = bounds
        .iter()
        .flat_map(|bound| ["lt", "lte", "eq", "ne"].map(|op| (bound, op)))
        .map(|(bound, op)| read(&format!(r#"{{"amount": {{"{op}": "{bound}"}}}}"#)))
        .collect();
    let (book, scan) = (RuleBook::compile(filters.clone()), Linear::compile(filters));
    for bound in bounds.iter().chain(&["0", "0.00000015", "1"]) {
        let mut attributes = Attributes::new();
        attributes
            .set_number(lead::Standard::Amount, bound.parse::<rust_decimal::Decimal>().unwrap());
        let lead = encode(&attributes);
        assert_eq!(matched(&book, &lead), scan.matching(&lead).collect::<Vec<_>>(), "{bound}");
    }
}

#[test]
fn long_lists_and_many_rare_values_are_matched() {
    let zips = |from: usize, count: usize| -> String {
        let zips: Vec<String> = (from..from + count).map(|zip| format!("\"{zip:05}\"")).collect();
        format!(r#"{{"zip": {{"in": [{}]}}}}"#, zips.join(","))
    };
    let mut filters: Vec<Filter> = (0..3_000).map(|at| read(&zips(at * 7, 5))).collect();
    filters.push(read(&zips(0, 5_000)));
    filters.push(read(r#"{"zip": {"starts_with": ["0001", "01"], "not_in": ["00012"]}}"#));
    filters.push(read(r#"{"zip": {"not_in": ["00014", "20999"], "or_missing": true}}"#));
    let (book, scan) = (RuleBook::compile(filters.clone()), Linear::compile(filters));
    for zip in ["00000", "00004", "00005", "00012", "00014", "0001", "01000", "20993", "x", ""] {
        let lead = encoded(&format!(r#"{{"zip": "{zip}"}}"#));
        assert_eq!(matched(&book, &lead), scan.matching(&lead).collect::<Vec<_>>(), "{zip}");
    }
}
