//! TOML text to the same tree, with the line and column of every value. Knows nothing of what the
//! tables mean.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use ::toml::Spanned;
use ::toml::de::{DeInteger, DeTable, DeValue};
use rust_decimal::Decimal;

use crate::{Node, Path, Segment};

/// A parsed file that can say where each value stood.
#[derive(Debug)]
pub struct TomlSource {
    /// The values.
    pub root: Node<'static>,
    lines: Vec<usize>,
    spans: HashMap<Path, Range<usize>>,
}

/// A place in a text file, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column, in bytes.
    pub column: usize,
}

impl TomlSource {
    /// Where the value at `path` stands; for a value that is absent, where its nearest parent does.
    #[must_use]
    pub fn position(&self, path: &Path) -> Position {
        let nearest = (0..=path.0.len()).rev().find_map(|length| {
            let head = Path(path.0.iter().take(length).cloned().collect());
            self.spans.get(&head)
        });
        position(&self.lines, nearest.map_or(0, |span| span.start))
    }
}

/// Parses TOML.
///
/// # Errors
/// The first syntax fault: its place and what is wrong.
pub fn parse_toml(text: &str) -> Result<TomlSource, (Position, String)> {
    let lines: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let table = DeTable::parse(text).map_err(|fault| {
        let at = fault.span().map_or(0, |span| span.start);
        (position(&lines, at), fault.message().to_owned())
    })?;
    let mut spans = HashMap::new();
    let span = table.span();
    let root = object(table.into_inner(), &Path::default(), &mut spans);
    spans.insert(Path::default(), span);
    Ok(TomlSource { root, lines, spans })
}

fn position(lines: &[usize], at: usize) -> Position {
    let line = lines.partition_point(|start| *start <= at);
    let start = line.checked_sub(1).and_then(|index| lines.get(index)).copied().unwrap_or(0);
    Position { line: line.max(1), column: at.saturating_sub(start) + 1 }
}

fn object(
    table: DeTable<'_>,
    path: &Path,
    spans: &mut HashMap<Path, Range<usize>>,
) -> Node<'static> {
    let member = |(key, value): (Spanned<Cow<'_, str>>, Spanned<DeValue<'_>>)| {
        let name = key.into_inner().into_owned();
        let node = place(value, path.key(&name), spans);
        (Cow::Owned(name), node)
    };
    Node::Object(table.into_iter().map(member).collect())
}

fn place(
    value: Spanned<DeValue<'_>>,
    path: Path,
    spans: &mut HashMap<Path, Range<usize>>,
) -> Node<'static> {
    let span = value.span();
    let node = match value.into_inner() {
        DeValue::String(text) => Node::Text(Cow::Owned(text.into_owned())),
        DeValue::Integer(number) => integer(&number),
        DeValue::Float(number) => decimal(number.as_str()),
        DeValue::Boolean(value) => Node::Bool(value),
        DeValue::Datetime(value) => Node::Text(Cow::Owned(value.to_string())),
        DeValue::Array(items) => {
            let element = |(index, item): (usize, Spanned<DeValue<'_>>)| {
                let mut at = path.clone();
                at.0.push(Segment::Index(index));
                place(item, at, spans)
            };
            Node::List(items.into_iter().enumerate().map(element).collect())
        }
        DeValue::Table(table) => object(table, &path, spans),
    };
    spans.insert(path, span);
    node
}

fn integer(number: &DeInteger<'_>) -> Node<'static> {
    match i64::from_str_radix(number.as_str(), number.radix()) {
        Ok(value) => Node::Number(value.into()),
        Err(_) => Node::HugeNumber,
    }
}

fn decimal(text: &str) -> Node<'static> {
    let parsed = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text));
    parsed.map_or(Node::HugeNumber, Node::Number)
}
