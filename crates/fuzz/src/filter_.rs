//! Filters, from a stranger's JSON to a match and its explanation. The input is a filter, a blank line,
//! and a lead's attributes.

use document::{Defects, Node, Slot, parse_json};
use lead::Attributes;
use market::Dictionary;
use rules::{Encoded, Filter, Lists, PREDICATES_MAX, RuleBook, Scratch, Truth};

/// A lead to match, where the input brings none.
const LEAD: &str = r#"{"age":38,"region":"Madrid","postal_code":"28013","monthly_income":2500,"birth_date":"1988-05-10","direct_deposit":true}"#;

/// Reads a filter, compiles it, and asks it three times about one lead.
pub fn filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(super::bounded(data)) else { return };
    let (filter, lead) = super::halves(text);
    let mut filter = filter.as_bytes().to_vec();
    let Ok(root) = parse_json(&mut filter) else { return };
    let dictionary = Dictionary::new([]);
    let defects = Defects::new();
    let parsed = Filter::parse(&Slot::root(&root, &defects), &dictionary, &Lists::new());
    let Ok(filter) = defects.finish(parsed) else { return };

    let lead = Encoded::new(&attributes(lead, &dictionary), &dictionary);
    let book = RuleBook::compile([filter.clone()]);
    let again = RuleBook::compile([]).changed([filter]);
    let mut scratch = Scratch::new();
    let matched = book.matching(&lead, &mut scratch).next().is_some();
    let matched_again = again.matching(&lead, &mut Scratch::new()).next().is_some();
    let truth = book.evaluate(0, &lead);
    let failures = book.explain(0, &lead);
    assert_eq!(matched, matched_again, "a changed book is another book");
    assert_eq!(matched, truth == Some(Truth::True), "index and evaluation differ: {truth:?}");
    assert_eq!(matched, failures.is_empty(), "an explanation of a match, or none of a miss");
    // One for each predicate, and for each empty group under a `not`, which takes bytes to write.
    assert!(failures.len() <= PREDICATES_MAX + text.len());
}

/// The attributes that a text tells, or those of our own lead.
fn attributes(text: &str, dictionary: &Dictionary) -> Attributes {
    let read = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        let root = parse_json(&mut bytes).ok()?;
        Some(every(&root, dictionary))
    };
    read(text).or_else(|| read(LEAD)).unwrap_or_default()
}

fn every(root: &Node<'_>, dictionary: &Dictionary) -> Attributes {
    let mut attributes = Attributes::new();
    let Node::Object(members) = root else { return attributes };
    for (name, node) in members {
        if let Some(definition) = dictionary.named(name)
            && let Some(reading) = definition.read(node)
        {
            attributes.set(definition.attribute.clone(), reading);
        }
    }
    attributes
}
