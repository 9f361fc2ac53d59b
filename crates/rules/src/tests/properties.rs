//! Laws that hold for every filter and lead, judged by the oracle.

use document::{Node, Segment};
use lead::Attributes;
use proptest::prelude::*;

use super::generate::{filter, lead, nonsense, predicates};
use super::oracle::oracle;
use super::{dictionary, matched, parse};
use crate::{Encoded, Filter, Linear, RuleBook, Truth, Verdict};

pub(super) fn leads() -> impl Strategy<Value = Vec<Attributes>> {
    proptest::collection::vec(lead(), 6)
}

/// The filter, or nothing if it contradicts itself; the generators make no other fault.
pub(super) fn parsed(node: &Node<'_>) -> Option<Filter> {
    parse(node)
        .map_err(|defects| {
            for defect in defects {
                assert!(defect.issue.starts_with("contradicts"), "{} in {}", defect, show(node));
            }
        })
        .ok()
}

fn truth(known: Option<bool>) -> Truth {
    known.map_or(Truth::Unknown, Truth::from)
}

pub(super) fn encode(lead: &Attributes) -> Encoded {
    Encoded::new(lead, &dictionary())
}

fn object(name: &'static str, node: Node<'static>) -> Node<'static> {
    Node::Object(vec![(name.into(), node)])
}

fn at<'n>(node: &'n Node<'n>, path: &str) -> Option<&'n Node<'n>> {
    path.split('.').filter(|step| !step.is_empty()).try_fold(node, |node, step| match node {
        Node::List(items) => items.get(step.parse::<usize>().ok()?),
        node => node.member(step),
    })
}

/// Nodes keep their values out of `Debug`; a failing case needs them.
pub(super) fn show(node: &Node<'_>) -> String {
    let join = |parts: Vec<String>| parts.join(", ");
    match node {
        Node::Text(text) => format!("{text:?}"),
        Node::Number(number) => number.to_string(),
        Node::Bool(value) => value.to_string(),
        Node::List(items) => format!("[{}]", join(items.iter().map(show).collect())),
        Node::Object(members) => {
            format!(
                "{{{}}}",
                join(
                    members
                        .iter()
                        .map(|(name, node)| format!("{name:?}: {}", show(node)))
                        .collect()
                )
            )
        }
        other => other.kind().to_owned(),
    }
}

/// Cases of a law that looks at one filter, of one that looks at several, of one that looks at whole
/// books, and of one that compiles books again and again. Each case asks its filters of six leads.
pub(super) const ONE: u32 = 3_500;
pub(super) const SOME: u32 = 500;
pub(super) const BOOKS: u32 = 400;
pub(super) const CHANGES: u32 = 120;
/// There are so many of them.
const ALL: u32 = 6 * ONE + 2 * SOME + BOOKS + CHANGES;
const _: () = assert!(ALL >= 20_000, "too few cases to be sure of anything");

pub(super) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(ONE))]

    #[test]
    fn the_compiled_filter_is_what_the_language_says(node in filter(), leads in leads()) {
        let Some(filter) = parsed(&node) else { return Ok(()) };
        let book = RuleBook::compile([filter.clone()]);
        for lead in &leads {
            let wanted = truth(oracle(&node, lead, &dictionary()));
            let encoded = encode(lead);
            prop_assert_eq!(filter.evaluate(&encoded), wanted, "{} of {:?}", show(&node), lead);
            let matched = matched(&book, &encoded).contains(&0);
            prop_assert_eq!(matched, wanted == Truth::True, "{} of {:?}", show(&node), lead);
        }
    }

    #[test]
    fn normalising_keeps_all_three_values(node in filter(), leads in leads()) {
        let pair = [node.clone(), object("not", node)];
        let Some(filters) = pair.iter().map(parsed).collect::<Option<Vec<Filter>>>() else { return Ok(()) };
        let (book, scan) = (RuleBook::compile(filters.clone()), Linear::compile(filters));
        for lead in &leads {
            let encoded = encode(lead);
            let wanted: &[usize] = match oracle(&pair[0], lead, &dictionary()) {
                Some(true) => &[0],
                Some(false) => &[1],
                None => &[],
            };
            prop_assert_eq!(&matched(&book, &encoded), wanted, "{} of {:?}", show(&pair[0]), lead);
            prop_assert_eq!(&scan.matching(&encoded).collect::<Vec<_>>(), wanted);
        }
    }

    #[test]
    fn an_explanation_is_empty_exactly_for_a_match(node in filter(), leads in leads()) {
        let Some(filter) = parsed(&node) else { return Ok(()) };
        let book = RuleBook::compile([filter.clone()]);
        for lead in &leads {
            let encoded = encode(lead);
            let failures = book.explain(0, &encoded);
            prop_assert_eq!(failures.len(), filter.failing(&encoded));
            let matched = oracle(&node, lead, &dictionary()) == Some(true);
            prop_assert_eq!(failures.is_empty(), matched, "{} of {:?}", show(&node), lead);
            for failure in failures {
                prop_assert!(at(&node, &failure.path).is_some(), "{} in {}", failure.path, show(&node));
                prop_assert!(failure.actual.is_none() || failure.verdict == Verdict::Failed);
            }
        }
    }

    #[test]
    fn what_is_refused_or_called_dead_is_never_true(
        one in predicates(), two in predicates(), three in filter(), leads in leads(),
    ) {
        let node = object("all", Node::List(vec![one.clone(), two.clone()]));
        let refused = parsed(&node).is_none();
        let wide = object("all", Node::List(vec![one, three]));
        let dead = parsed(&wide).is_some_and(|filter| filter.warnings().iter().any(|w| w.path.0.is_empty()));
        // A range may be refused for being empty although missing values pass beside it.
        let lenient = show(&node).contains("or_missing");
        for lead in &leads {
            prop_assert!(lenient || !refused || oracle(&node, lead, &dictionary()) != Some(true), "{}", show(&node));
            prop_assert!(!dead || oracle(&wide, lead, &dictionary()) != Some(true), "{}", show(&wide));
        }
    }

    #[test]
    fn a_branch_called_always_true_decides_alone(branches in proptest::collection::vec(filter(), 1..4), leads in leads()) {
        let node = object("any", Node::List(branches));
        let Some(filter) = parsed(&node) else { return Ok(()) };
        let decided = filter.warnings().iter().any(|warning| {
            warning.issue.starts_with("is always true here, so the other") && matches!(warning.path.0[..], [_, Segment::Index(_)])
        });
        for lead in &leads {
            prop_assert!(!decided || oracle(&node, lead, &dictionary()) == Some(true), "{}", show(&node));
        }
    }

    #[test]
    fn no_document_is_too_strange_to_be_read(node in nonsense(), lead in lead()) {
        if let Ok(filter) = parse(&node) {
            let encoded = encode(&lead);
            prop_assert_eq!(filter.explain(&encoded).is_empty(), filter.evaluate(&encoded) == Truth::True);
        }
    }
}

// Several filters a case, so fewer cases.
proptest! {
    #![proptest_config(cases(SOME))]

    #[test]
    fn de_morgan_holds_for_all_three_values(left in filter(), right in filter(), leads in leads()) {
        let not = |node: &Node<'static>| object("not", node.clone());
        let both = |left, right| Node::List(vec![left, right]);
        let pairs = [
            (not(&object("any", both(left.clone(), right.clone()))), object("all", both(not(&left), not(&right)))),
            (not(&object("all", both(left.clone(), right.clone()))), object("any", both(not(&left), not(&right)))),
            (not(&not(&left)), left),
        ];
        for (one, other) in &pairs {
            let (Some(one), Some(other)) = (parsed(one), parsed(other)) else { continue };
            for encoded in leads.iter().map(encode) {
                prop_assert_eq!(one.evaluate(&encoded), other.evaluate(&encoded));
                prop_assert_eq!(one.explain(&encoded).len(), other.explain(&encoded).len());
            }
        }
    }

    #[test]
    fn the_order_of_campaigns_does_not_matter(
        nodes in proptest::collection::vec(filter(), 0..12),
        leads in leads(),
        seed in any::<usize>(),
    ) {
        let filters: Vec<Filter> = nodes.iter().filter_map(parsed).collect();
        let mut order: Vec<usize> = (0..filters.len()).collect();
        order.reverse();
        order.rotate_left(seed % filters.len().max(1));
        let book = RuleBook::compile(filters.iter().cloned());
        let shuffled = RuleBook::compile(order.iter().map(|at| filters[*at].clone()));
        for encoded in leads.iter().map(encode) {
            let mut found: Vec<usize> = matched(&shuffled, &encoded).into_iter().map(|at| order[at]).collect();
            found.sort_unstable();
            prop_assert_eq!(matched(&book, &encoded), found);
        }
    }
}
