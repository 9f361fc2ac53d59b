//! JSON as we read it and as `serde_json` does: what we take, it takes too and sees the same in it; what
//! we refuse, it refuses too, but for what we are stricter in.

use document::{DEPTH_MAX, Node, Unparsable, parse_json};
use rust_decimal::Decimal;
use serde_json::Value;

/// Reads bytes as JSON.
pub fn document(data: &[u8]) {
    let data = super::bounded(data);
    let mut scratch = data.to_vec();
    let ours = parse_json(&mut scratch);
    let theirs =
        serde_json::from_slice::<Value>(data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data));
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            // A tree is made of its bytes: a node needs one at least.
            assert!(nodes(&ours) <= data.len() && depth(&ours) <= DEPTH_MAX + 1);
            assert!(same(&ours, &theirs), "two readers see two documents");
        }
        (Ok(ours), Err(fault)) => assert!(has_huge(&ours), "only we read this: {fault}"),
        (Err(Unparsable::Syntax(_)), Ok(_)) => panic!("only they read this"),
        (Err(_), _) => {}
    }
}

fn nodes(node: &Node<'_>) -> usize {
    1 + match node {
        Node::List(items) => items.iter().map(nodes).sum(),
        Node::Object(members) => members.iter().map(|(_, node)| nodes(node)).sum(),
        _ => 0,
    }
}

fn depth(node: &Node<'_>) -> usize {
    1 + match node {
        Node::List(items) => items.iter().map(depth).max().unwrap_or_default(),
        Node::Object(members) => members.iter().map(|(_, at)| depth(at)).max().unwrap_or_default(),
        _ => 0,
    }
}

fn same(ours: &Node<'_>, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Node::Null, Value::Null) => true,
        (Node::Bool(ours), Value::Bool(theirs)) => ours == theirs,
        (Node::Text(ours), Value::String(theirs)) => ours == theirs,
        (Node::Number(ours), Value::Number(theirs)) => close(*ours, theirs),
        (Node::HugeNumber, Value::Number(theirs)) => theirs.as_f64().is_some(),
        (Node::List(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(one, two)| same(one, two))
        }
        (Node::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().all(|(name, node)| {
                    theirs.get(name.as_ref()).is_some_and(|value| same(node, value))
                })
        }
        _ => false,
    }
}

/// Equal where integers, else equal to the fifteen digits that we promise.
#[allow(clippy::float_arithmetic, reason = "the other reader has nothing better")]
fn close(ours: Decimal, theirs: &serde_json::Number) -> bool {
    let whole = theirs.as_i64().map(Decimal::from).or_else(|| theirs.as_u64().map(Decimal::from));
    if let Some(theirs) = whole {
        return ours == theirs;
    }
    let (Some(theirs), Ok(ours)) = (theirs.as_f64(), ours.to_string().parse::<f64>()) else {
        return false;
    };
    (ours - theirs).abs() <= theirs.abs() * 1e-15 + 1e-28
}

fn has_huge(node: &Node<'_>) -> bool {
    match node {
        Node::HugeNumber => true,
        Node::List(items) => items.iter().any(has_huge),
        Node::Object(members) => members.iter().any(|(_, node)| has_huge(node)),
        _ => false,
    }
}
