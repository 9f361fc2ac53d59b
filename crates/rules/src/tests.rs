//! What filters mean, what is refused, and the compiled book against a naive reader of the raw JSON.
//! Tests of one stage alone stand in its own module.

mod books;
mod contradictions;
mod explanations;
mod generate;
mod oracle;
mod places;
mod properties;
mod refused;
mod semantics;
mod warnings;

use std::sync::Arc;

use document::{Defect, Defects, Node, Slot, parse_json};
use lead::{Attribute, Attributes, Kind, Reading, Standard, Value};
use market::{Definition, Dictionary};

use crate::{Encoded, Filter, Lists, RuleBook, Scratch};

/// The standard attributes, an exact text, a limited number and a closed list.
fn dictionary() -> Dictionary {
    let declared = |name: &str, kind| Definition::plain(Attribute::named(name), kind, true);
    Dictionary::new([
        Definition { exact: true, ..declared("plan", Kind::Text) },
        Definition {
            least: Some(0.into()),
            most: Some(100.into()),
            ..declared("rating", Kind::Number)
        },
        Definition {
            allowed: vec!["gold".into(), "silver".into()],
            ..declared("class", Kind::Text)
        },
        Definition::standard(Standard::Age),
    ])
}

fn lists() -> Lists {
    let texts = |texts: &[&str]| texts.iter().filter_map(|text| Value::text(text)).collect();
    let mut lists = Lists::new();
    lists.insert("coast", texts(&["Málaga", "Girona"]));
    lists.insert("ages", vec![Value::Number(30.into()), Value::Text("31.0".into())]);
    lists.insert("twenties", vec![Value::Number(20.into()), Value::Text("21.00".into())]);
    lists.insert("nobody", Vec::new());
    lists
}

fn json(text: &str) -> Node<'static> {
    let mut bytes = text.as_bytes().to_vec();
    parse_json(&mut bytes).unwrap_or_else(|fault| panic!("{fault}: {text}")).into_owned()
}

fn parse(node: &Node<'_>) -> Result<Filter, Vec<Defect>> {
    let defects = Defects::new();
    let filter = Filter::parse(&Slot::root(node, &defects), &dictionary(), &lists());
    assert_eq!(
        filter.is_some(),
        defects.is_empty(),
        "a filter is refused exactly if a defect is noted"
    );
    defects.finish(filter)
}

fn filter(text: &str) -> Filter {
    parse(&json(text)).unwrap_or_else(|defects| panic!("{text}: {defects:?}"))
}

/// A lead as a lenient door reads it.
fn lead(text: &str) -> Attributes {
    let Node::Object(members) = json(text) else { panic!("not an object: {text}") };
    let dictionary = dictionary();
    let mut attributes = Attributes::new();
    for (name, node) in &members {
        let definition = dictionary.named(name).expect("a known attribute");
        if let Some(reading) = definition.read(node) {
            attributes.set(definition.attribute.clone(), reading);
        }
    }
    attributes
}

/// The places of a book's filters that want the lead.
fn matched(book: &RuleBook, lead: &Encoded) -> Vec<usize> {
    book.matching(lead, &mut Scratch::new()).collect()
}

fn encoded(text: &str) -> Encoded {
    Encoded::new(&lead(text), &dictionary())
}

#[test]
fn a_value_of_another_kind_or_outside_the_dictionary_is_no_value() {
    let mut attributes = Attributes::new();
    attributes.set_text(Standard::Age, "thirty");
    attributes.set_text(Attribute::named("unheard_of"), "x");
    attributes.set(Standard::Region, Reading::Known(Value::Text(Arc::from("  "))));
    let lead = Encoded::new(&attributes, &dictionary());
    for (text, verdict) in
        [(r#"{"age": {"gte": 1}}"#, "unreadable"), (r#"{"region": "x"}"#, "missing")]
    {
        let failures = filter(text).explain(&lead);
        assert_eq!(failures.iter().map(|f| f.verdict.name()).collect::<Vec<_>>(), [verdict]);
    }
}
