//! A buyer's own lists of values, which its filters ask for by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use document::{Node, Slot};
use lead::{Value, id::SLUG};

/// Most values of one list.
const VALUES_MAX: usize = 65_536;

/// Lists by name.
pub type ValueLists = BTreeMap<String, Arc<[Value]>>;

/// Reads a table of lists of strings and numbers; an empty list is one, too.
pub(crate) fn lists(slot: Option<Slot<'_, '_>>) -> Option<ValueLists> {
    let Some(slot) = slot else { return Some(ValueLists::new()) };
    let fields = slot.fields()?;
    let mut lists = ValueLists::new();
    let mut complete = true;
    for (name, slot) in fields.all() {
        if !is_name(name) {
            slot.refuse(format_args!("is no name of a list: names are {SLUG}"));
        }
        match values(&slot) {
            Some(values) => drop(lists.insert(name.to_owned(), values.into())),
            None => complete = false,
        }
    }
    complete.then_some(lists)
}

fn is_name(name: &str) -> bool {
    name.parse::<lead::BuyerId>().is_ok()
}

fn values(slot: &Slot<'_, '_>) -> Option<Vec<Value>> {
    if let Some(Node::List(items)) = slot.node()
        && items.len() > VALUES_MAX
    {
        slot.refuse(format_args!("must hold at most {VALUES_MAX} values, found {}", items.len()));
        return None;
    }
    slot.each(|item| {
        item.parse("a string or a number", |node| match node {
            Node::Text(text) => Value::text(text),
            Node::Number(number) => Some(Value::Number(*number)),
            _ => None,
        })
    })
}
