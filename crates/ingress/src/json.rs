//! Parts of a document that are passed on as they stand. Interprets nothing.

use document::{Fields, Node, Slot};
use serde_json::{Map, Value};

/// The same value for serde.
pub(crate) fn value(node: &Node<'_>) -> Value {
    match node {
        Node::Null | Node::HugeNumber => Value::Null,
        Node::Bool(value) => Value::Bool(*value),
        Node::Number(number) => number.to_string().parse().map_or(Value::Null, Value::Number),
        Node::Text(text) => Value::String(text.clone().into_owned()),
        Node::List(items) => Value::Array(items.iter().map(value).collect()),
        Node::Object(members) => Value::Object(
            members.iter().map(|(key, node)| (key.clone().into_owned(), value(node))).collect(),
        ),
    }
}

/// An object, whole.
pub(crate) fn object(slot: Slot<'_, '_>) -> Option<Map<String, Value>> {
    let fields = slot.fields()?;
    Some(
        fields
            .all()
            .filter_map(|(key, slot)| Some((key.to_owned(), value(slot.node()?))))
            .collect(),
    )
}

/// Members that the door does not know, kept for the post under their dotted paths.
pub(crate) fn keep_unread(fields: &Fields<'_, '_>, into: &mut Map<String, Value>) {
    for (_, slot) in fields.unread() {
        if let Some(node) = slot.node() {
            into.insert(slot.path().dotted(), value(node));
        }
    }
}
