//! JSON bytes to a tree, with simd-json, and with the strictness that a marketplace needs: what one
//! reader sees is what every later reader sees. Knows nothing of what the members mean.

use std::borrow::Cow;
use std::collections::HashSet;

use rust_decimal::Decimal;
use simd_json::{Node as Tape, StaticNode};

use crate::Node;

/// Deepest nesting accepted; simd-json alone would allow 1,024.
pub const DEPTH_MAX: usize = 64;

/// Why bytes are not a document. Never quotes them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unparsable {
    /// Not JSON at all, or JSON that stops early.
    #[error("the body must be valid JSON (fault near byte {0})")]
    Syntax(usize),
    /// Nothing but white space.
    #[error("the body must be JSON; it is empty")]
    Empty,
    /// An object names one member twice, so two readers could see two values.
    #[error("an object repeats one of its member names")]
    DuplicateKey,
    /// A string holds U+0000.
    #[error("strings must not contain the character U+0000")]
    Nul,
    /// Nested past [`DEPTH_MAX`].
    #[error("the body is nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
}

/// Parses JSON in place; the tree borrows from `bytes`. A leading byte order mark is dropped.
///
/// # Errors
/// Says what is wrong without quoting the input.
pub fn parse_json(bytes: &mut [u8]) -> Result<Node<'_>, Unparsable> {
    let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let body = bytes.get_mut(start..).unwrap_or_default();
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Unparsable::Empty);
    }
    let tape = simd_json::to_tape(body).map_err(|fault| match fault.error() {
        simd_json::ErrorType::DepthLimitExceeded => Unparsable::TooDeep,
        _ => Unparsable::Syntax(fault.index()),
    })?;
    let mut cursor = tape.0.into_iter();
    build(&mut cursor, 0)
}

fn build<'a>(
    tape: &mut impl Iterator<Item = Tape<'a>>,
    depth: usize,
) -> Result<Node<'a>, Unparsable> {
    if depth > DEPTH_MAX {
        return Err(Unparsable::TooDeep);
    }
    match tape.next().ok_or(Unparsable::Syntax(0))? {
        Tape::Static(value) => Ok(scalar(value)),
        Tape::String(text) => Ok(Node::Text(clean(text)?)),
        Tape::Array { len, .. } => {
            let mut items = Vec::with_capacity(len);
            for _ in 0..len {
                items.push(build(tape, depth + 1)?);
            }
            Ok(Node::List(items))
        }
        Tape::Object { len, .. } => {
            let mut members = Vec::with_capacity(len);
            for _ in 0..len {
                let Some(Tape::String(key)) = tape.next() else {
                    return Err(Unparsable::Syntax(0));
                };
                members.push((clean(key)?, build(tape, depth + 1)?));
            }
            unique(&members)?;
            Ok(Node::Object(members))
        }
    }
}

fn clean(text: &str) -> Result<Cow<'_, str>, Unparsable> {
    if text.as_bytes().contains(&0) { Err(Unparsable::Nul) } else { Ok(Cow::Borrowed(text)) }
}

fn unique(members: &[(Cow<'_, str>, Node<'_>)]) -> Result<(), Unparsable> {
    // Comparing pairs beats hashing for the sizes that real bodies have.
    let repeated = if members.len() <= 16 {
        members
            .iter()
            .enumerate()
            .any(|(at, (key, _))| members.iter().skip(at + 1).any(|(k, _)| k == key))
    } else {
        let mut seen = HashSet::with_capacity(members.len());
        !members.iter().all(|(key, _)| seen.insert(key.as_ref()))
    };
    if repeated { Err(Unparsable::DuplicateKey) } else { Ok(()) }
}

fn scalar(value: StaticNode) -> Node<'static> {
    match value {
        StaticNode::Null => Node::Null,
        StaticNode::Bool(value) => Node::Bool(value),
        StaticNode::I64(value) => Node::Number(value.into()),
        StaticNode::U64(value) => Node::Number(value.into()),
        StaticNode::F64(value) => decimal(value),
    }
}

/// From here on a whole number is a float here, and which one it was nobody knows any more: simd-json reads
/// what 64 bits do not hold as the nearest.
const HUGE: f64 = 18_446_744_073_709_551_616.0;
/// The same below zero.
const HUGE_BELOW: f64 = -9_223_372_036_854_775_808.0;

/// The shortest text that reads back as this float is what the sender wrote, up to 15 digits.
fn decimal(value: f64) -> Node<'static> {
    if value >= HUGE || value <= HUGE_BELOW {
        return Node::HugeNumber;
    }
    let text = value.to_string();
    text.parse::<Decimal>().map_or(Node::HugeNumber, |number| Node::Number(number.normalize()))
}
