//! The native shape in other formats than JSON, for buyers that want our names in their format. Pure.
//!
//! - Fields: dotted names (`contact.first_name=Ana&consent.entries.0.type=terms`), percent-encoded.
//! - XML: `<post><contact><first_name>Ana</first_name>…`, one element a member; a list holds `<item>`s,
//!   and a name that XML cannot bear stands in `<field name="…">`.
//!
//! Members stand in their native order; what is `null` is left out of both.

use document::Node;
use market::call::{percent, xml};

/// Fields of a form or a query.
pub(crate) fn fields(shape: &Node<'_>) -> String {
    let mut out = String::with_capacity(1_024);
    add_fields("", shape, &mut out);
    out
}

fn add_fields(path: &str, value: &Node<'_>, out: &mut String) {
    let join = |name: &str| {
        if path.is_empty() { percent(name) } else { format!("{path}.{}", percent(name)) }
    };
    match value {
        Node::Object(members) => {
            members.iter().for_each(|(name, value)| add_fields(&join(name), value, out));
        }
        Node::List(items) => {
            let numbered = items.iter().enumerate();
            numbered.for_each(|(at, item)| add_fields(&join(&at.to_string()), item, out));
        }
        _ => {
            if let Some(text) = text(value) {
                let join = if out.is_empty() { "" } else { "&" };
                out.extend([join, path, "=", &percent(&text)]);
            }
        }
    }
}

/// A document whose root is `root`.
pub(crate) fn document(root: &str, shape: &Node<'_>) -> String {
    let mut out = String::with_capacity(2_048);
    out.push_str(r#"<?xml version="1.0" encoding="UTF-8"?>"#);
    add_element(root, shape, &mut out);
    out
}

fn add_element(name: &str, value: &Node<'_>, out: &mut String) {
    if *value == Node::Null {
        return;
    }
    let plain = is_plain(name);
    if plain {
        out.extend(["<", name, ">"]);
    } else {
        out.extend(["<field name=\"", &xml(name), "\">"]);
    }
    match value {
        Node::Object(members) => {
            members.iter().for_each(|(name, value)| add_element(name, value, out));
        }
        Node::List(items) => items.iter().for_each(|item| add_element("item", item, out)),
        _ => out.push_str(&xml(&text(value).unwrap_or_default())),
    }
    out.extend(["</", if plain { name } else { "field" }, ">"]);
}

fn is_plain(name: &str) -> bool {
    let follows = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(follows)
}

fn text(value: &Node<'_>) -> Option<String> {
    match value {
        Node::Text(text) => Some(text.clone().into_owned()),
        Node::Number(number) => Some(number.to_string()),
        Node::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}
