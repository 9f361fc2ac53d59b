//! Campaigns' objects as JSON and back. Numbers are exact up to 15 digits, which is what the strict reader
//! takes from JSON; money is text.

use std::borrow::Cow;

use document::Node;
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};

/// A tree as JSON.
#[must_use]
pub fn to_json(node: &Node<'_>) -> Value {
    match node {
        Node::Null | Node::HugeNumber => Value::Null,
        Node::Bool(value) => (*value).into(),
        Node::Number(value) => {
            value.normalize().to_string().parse().map_or(Value::Null, Value::Number)
        }
        Node::Text(text) => text.as_ref().into(),
        Node::List(items) => items.iter().map(to_json).collect(),
        Node::Object(members) => {
            let member =
                |(name, node): &(Cow<'_, str>, Node<'_>)| (name.to_string(), to_json(node));
            Value::Object(members.iter().map(member).collect::<Map<_, _>>())
        }
    }
}

/// The tree of JSON that [`to_json`] made.
#[must_use]
pub fn from_json(value: &Value) -> Node<'static> {
    match value {
        Value::Null => Node::Null,
        Value::Bool(value) => Node::Bool(*value),
        Value::Number(number) => decimal(number).map_or(Node::HugeNumber, Node::Number),
        Value::String(text) => Node::Text(Cow::Owned(text.clone())),
        Value::Array(items) => Node::List(items.iter().map(from_json).collect()),
        Value::Object(members) => {
            let member =
                |(name, value): (&String, &Value)| (Cow::Owned(name.clone()), from_json(value));
            Node::Object(members.iter().map(member).collect())
        }
    }
}

fn decimal(number: &Number) -> Option<Decimal> {
    let text = number.to_string();
    let read = text.parse().or_else(|_| Decimal::from_scientific(&text)).ok();
    read.map(|number: Decimal| number.normalize())
}
