//! The language once more, written as naively as it reads: recursive over the raw JSON and the lead's
//! own attributes, with its own text rules. Must share nothing with the code that it judges.

use document::Node;
use lead::{Attributes, Reading, Value};
use market::{Definition, Dictionary};
use rust_decimal::Decimal;

/// `None` is unknown.
pub(super) fn oracle(
    filter: &Node<'_>,
    lead: &Attributes,
    dictionary: &Dictionary,
) -> Option<bool> {
    let Node::Object(entries) = filter else { panic!("a filter is an object") };
    all(entries.iter().map(|(name, node)| match (name.as_ref(), node) {
        ("all", Node::List(parts)) => all(parts.iter().map(|part| oracle(part, lead, dictionary))),
        ("any", Node::List(parts)) => any(parts.iter().map(|part| oracle(part, lead, dictionary))),
        ("not", part) => oracle(part, lead, dictionary).map(|truth| !truth),
        (name, asked) => {
            let definition = dictionary.named(name).expect("a known attribute");
            attribute(definition, asked, lead)
        }
    }))
}

fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let parts: Vec<_> = parts.collect();
    if parts.contains(&Some(false)) {
        return Some(false);
    }
    if parts.contains(&None) { None } else { Some(true) }
}

fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let parts: Vec<_> = parts.collect();
    if parts.contains(&Some(true)) {
        return Some(true);
    }
    if parts.contains(&None) { None } else { Some(false) }
}

fn attribute(definition: &Definition, asked: &Node<'_>, lead: &Attributes) -> Option<bool> {
    let value = match lead.reading(&definition.attribute) {
        Some(Reading::Known(value)) => Some(value),
        Some(Reading::Unreadable) | None => None,
    };
    match asked {
        Node::List(_) => value.map(|value| operator("in", asked, value, definition)),
        Node::Object(operators) => {
            let or_missing = asked.member("or_missing") == Some(&Node::Bool(true));
            let operators = operators.iter().filter(|(name, _)| name != "or_missing");
            all(operators.map(|(name, operand)| match value {
                _ if name == "exists" => Some(*operand == Node::Bool(value.is_some())),
                None if or_missing => Some(true),
                None => None,
                Some(value) => Some(operator(name, operand, value, definition)),
            }))
        }
        _ => value.map(|value| operator("eq", asked, value, definition)),
    }
}

fn operator(name: &str, operand: &Node<'_>, value: &Value, definition: &Definition) -> bool {
    let text = |text: &str| naive(text, definition.exact);
    let items = || match operand {
        Node::List(items) => items.clone(),
        one => vec![one.clone()],
    };
    let same = |node: &Node<'_>| match (value, node) {
        (Value::Bool(value), Node::Bool(wanted)) => value == wanted,
        (Value::Date(date), Node::Text(wanted)) => date.to_string() == *wanted,
        (Value::Text(value), Node::Text(wanted)) => text(value) == text(wanted),
        (Value::Number(value), node) => *value == number(node),
        _ => panic!("kinds do not fit"),
    };
    // ISO dates order as their texts do.
    let order = |node: &Node<'_>| match (value, node) {
        (Value::Date(date), Node::Text(bound)) => date.to_string().as_str().cmp(bound),
        (Value::Number(value), bound) => value.cmp(&number(bound)),
        _ => panic!("no order"),
    };
    let raw = || {
        if let Value::Text(value) = value { text(value) } else { panic!("not a text") }
    };
    let operand_text = |node: &Node<'_>| text(node.as_text().expect("a text"));
    let listed = || match (operand.as_text().expect("a name"), value) {
        ("coast", Value::Text(value)) => ["Málaga", "Girona"].map(text).contains(&text(value)),
        ("twenties", Value::Number(value)) => [20, 21].map(Decimal::from).contains(value),
        ("nobody", _) => false,
        (list, _) => panic!("no list {list}"),
    };
    match name {
        "in_list" => listed(),
        "not_in_list" => !listed(),
        "eq" => same(operand),
        "ne" => !same(operand),
        "lt" => order(operand).is_lt(),
        "lte" => order(operand).is_le(),
        "gt" => order(operand).is_gt(),
        "gte" => order(operand).is_ge(),
        "between" => order(&items()[0]).is_ge() && order(&items()[1]).is_le(),
        "in" => items().iter().any(same),
        "not_in" => !items().iter().any(same),
        "starts_with" => items().iter().any(|prefix| raw().starts_with(&operand_text(prefix))),
        "contains" => raw().contains(&operand_text(operand)),
        "matches" => pattern(operand.as_text().expect("a text"), &raw()),
        _ => panic!("{name}"),
    }
}

fn number(node: &Node<'_>) -> Decimal {
    match node {
        Node::Number(number) => *number,
        Node::Text(text) => text.parse().expect("a number"),
        _ => panic!("not a number"),
    }
}

/// The three patterns that are generated, by hand.
fn pattern(pattern: &str, text: &str) -> bool {
    match pattern {
        "28.*" => text.starts_with("28"),
        "[^0-9]+" => !text.is_empty() && !text.contains(|c: char| c.is_ascii_digit()),
        "..." => text.chars().count() == 3,
        _ => panic!("{pattern}"),
    }
}

/// Knows just the letters that are generated.
fn naive(text: &str, exact: bool) -> String {
    let text = text.trim().replace("a\u{301}", "á");
    if exact {
        return text;
    }
    let mut out = String::new();
    for c in text.chars() {
        match c {
            'á' | 'Á' => out.push('a'),
            'ñ' | 'Ñ' => out.push('n'),
            'ß' => out.push_str("ss"),
            'ς' | 'Σ' => out.push('σ'),
            c => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}
