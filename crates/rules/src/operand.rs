//! What stands after an operator, read as a test. Must never accept a value that could not compare with
//! the attribute's own.

use std::sync::Arc;

use document::{Fields, Node, Slot};
use lead::{Attribute, Kind, Standard};
use market::{Definition, Radius, Unit};
use regex::RegexBuilder;
use rust_decimal::Decimal;

use crate::filter::Test;
use crate::lists::Lists;
use crate::operator::Operator;
use crate::prefixes::Prefixes;
use crate::scalar::{Range, Scalar};
use crate::suggest::did_you_mean;
use crate::text::{normalise, normalise_pattern};

/// Most bytes that one compiled pattern may take: a few Unicode classes, not hundreds.
const PATTERN_BYTES_MAX: usize = 512 * 1024;
/// Deepest nesting of groups in a pattern.
const PATTERN_NESTING_MAX: u32 = 32;
/// Greatest radius, in miles or kilometres.
const RADIUS_MAX: u32 = 1_000;
/// How a radius may be told.
const UNITS: [Unit; 2] = [Unit::Miles, Unit::Km];
/// Values shown in the description of a list.
const SHOWN_MAX: usize = 8;

/// Reads the operand at `slot`; what is wrong with it is noted there. `exists` reads as "any value".
pub(crate) fn read(
    operator: Operator,
    slot: &Slot<'_, '_>,
    asked: &Definition,
    lists: &Lists,
) -> Option<Test> {
    match operator {
        Operator::Eq | Operator::Ne => equal(slot, asked),
        Operator::Lt => scalar(slot, asked).map(|at| Test::Within(Range::to(at, false))),
        Operator::Lte => scalar(slot, asked).map(|at| Test::Within(Range::to(at, true))),
        Operator::Gt => scalar(slot, asked).map(|at| Test::Within(Range::from(at, false))),
        Operator::Gte => scalar(slot, asked).map(|at| Test::Within(Range::from(at, true))),
        Operator::Between => between(slot, asked).map(Test::Within),
        Operator::In => one_of(filled(slot)?, asked),
        // A buyer that excludes nobody may say so.
        Operator::NotIn => one_of(slot, asked),
        Operator::InList | Operator::NotInList => listed(slot, asked, lists),
        Operator::StartsWith => starts_with(slot, asked),
        Operator::Contains => text(slot, asked).map(|part| Test::Contains(part.into())),
        Operator::Matches => pattern(slot, asked),
        Operator::Within => within(slot, asked),
        Operator::Exists => slot.bool().map(|_| Test::Present),
    }
}

/// The operand in the buyer's words, for explanations.
pub(crate) fn describe(operator: Operator, node: &Node<'_>) -> String {
    let value = written(node);
    match operator {
        Operator::Eq => value,
        Operator::Ne => format!("other than {value}"),
        Operator::Lt => format!("less than {value}"),
        Operator::Lte => format!("at most {value}"),
        Operator::Gt => format!("more than {value}"),
        Operator::Gte => format!("at least {value}"),
        Operator::Between => format!("between {value}"),
        Operator::In => format!("one of {value}"),
        Operator::NotIn => format!("none of {value}"),
        Operator::InList => format!("in the list {value}"),
        Operator::NotInList => format!("outside the list {value}"),
        Operator::StartsWith => format!("starting with {value}"),
        Operator::Contains => format!("containing {value}"),
        Operator::Matches => format!("matching {value}"),
        Operator::Within => format!("within {}", near(node).unwrap_or(value)),
        Operator::Exists if *node == Node::Bool(false) => "absent".to_owned(),
        Operator::Exists => "present".to_owned(),
    }
}

fn written(node: &Node<'_>) -> String {
    match node {
        Node::Text(text) => text.trim().to_owned(),
        Node::Number(number) => number.normalize().to_string(),
        Node::Bool(value) => value.to_string(),
        Node::List(items) => {
            let shown: Vec<String> = items.iter().take(SHOWN_MAX).map(written).collect();
            match items.len().saturating_sub(SHOWN_MAX) {
                0 => shown.join(", "),
                more => format!("{} and {more} more", shown.join(", ")),
            }
        }
        Node::Null | Node::HugeNumber | Node::Object(_) => node.kind().to_owned(),
    }
}

/// A value; where it names a region that has parts, that one and its parts.
fn equal(slot: &Slot<'_, '_>, asked: &Definition) -> Option<Test> {
    let mut values = scalars(slot, asked)?;
    match values.len() {
        1 => values.pop().map(Test::Equals),
        _ => Some(Test::OneOf(Arc::new(values.into_iter().collect()))),
    }
}

/// What one written value stands for: itself, but a known region by its one name and with its parts.
fn scalars(slot: &Slot<'_, '_>, asked: &Definition) -> Option<Vec<Scalar>> {
    let value = scalar(slot, asked)?;
    let written = slot.node().and_then(Node::as_text);
    Some(written.and_then(|written| regions(written, asked)).unwrap_or_else(|| vec![value]))
}

/// The names that leads are given of a region and its parts; `None` if it is not known as one.
pub(crate) fn regions(written: &str, asked: &Definition) -> Option<Vec<Scalar>> {
    let places = asked.places.as_ref().filter(|_| asked.attribute == Standard::Region.into())?;
    let names = places.region_with_parts(written)?;
    Some(names.into_iter().map(|name| Scalar::Text(normalise(name, asked.exact).into())).collect())
}

fn scalar(slot: &Slot<'_, '_>, asked: &Definition) -> Option<Scalar> {
    match asked.kind {
        Kind::Text => text(slot, asked).map(|text| Scalar::Text(text.into())),
        Kind::Number => slot.parse("a number", number).map(Scalar::Number),
        Kind::Bool => slot.bool().map(Scalar::Bool),
        Kind::Date => slot.parse(asked.kind.name(), date).map(Scalar::Date),
    }
}

/// Written as a number or as a string, and kept exactly.
fn number(node: &Node<'_>) -> Option<Decimal> {
    match node {
        Node::Number(number) => Some(*number),
        Node::Text(text) => exact_number(text),
        _ => None,
    }
}

fn exact_number(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text.trim()).ok()
}

fn date(node: &Node<'_>) -> Option<jiff::civil::Date> {
    // The length keeps out times and shortened dates, which the parser would take.
    node.as_text().map(str::trim).filter(|text| text.len() == "YYYY-MM-DD".len())?.parse().ok()
}

fn text(slot: &Slot<'_, '_>, asked: &Definition) -> Option<String> {
    let text = normalise(slot.filled()?, asked.exact);
    if text.is_empty() {
        slot.refuse("must hold more than accents");
        return None;
    }
    Some(text)
}

fn between(slot: &Slot<'_, '_>, asked: &Definition) -> Option<Range> {
    slot.parse("an array of two values, the least and the greatest", |node| match node {
        Node::List(items) if items.len() == 2 => Some(()),
        _ => None,
    })?;
    let [low, high] = <[Scalar; 2]>::try_from(every(slot, |end| scalar(end, asked))?).ok()?;
    let range = Range::between(low, high);
    if range.is_empty() {
        slot.refuse("is an empty range: the first value must not be greater than the second");
        return None;
    }
    Some(range)
}

fn one_of(slot: &Slot<'_, '_>, asked: &Definition) -> Option<Test> {
    let values = every(slot, |value| scalars(value, asked))?;
    Some(Test::OneOf(Arc::new(values.into_iter().flatten().collect())))
}

fn starts_with(slot: &Slot<'_, '_>, asked: &Definition) -> Option<Test> {
    let prefixes = match slot.node() {
        Some(Node::List(_)) => every(filled(slot)?, |prefix| text(prefix, asked))?,
        _ => vec![text(slot, asked)?],
    };
    Some(Test::StartsWith(Arc::new(Prefixes::new(prefixes))))
}

/// The slot itself unless it holds an empty array.
fn filled<'s, 'n, 't>(slot: &'s Slot<'n, 't>) -> Option<&'s Slot<'n, 't>> {
    if matches!(slot.node(), Some(Node::List(items)) if items.is_empty()) {
        slot.refuse("must hold at least one value");
        return None;
    }
    Some(slot)
}

/// All elements, or nothing; every faulty one is noted.
fn every<T>(
    slot: &Slot<'_, '_>,
    mut read: impl FnMut(&Slot<'_, '_>) -> Option<T>,
) -> Option<Vec<T>> {
    slot.each(|element| Some(read(&element)))?.into_iter().collect()
}

fn listed(slot: &Slot<'_, '_>, asked: &Definition, lists: &Lists) -> Option<Test> {
    let name = slot.filled()?;
    let Some(values) = lists.named(name, asked) else {
        let hint = did_you_mean(name, lists.names());
        slot.refuse(format_args!("is not available: there is no list {name}{hint}"));
        return None;
    };
    if values.is_none() {
        slot.refuse(format_args!(
            "must name a list that fits: each value of {name} must be {}",
            asked.kind.name()
        ));
    }
    values.map(Test::OneOf)
}

fn pattern(slot: &Slot<'_, '_>, asked: &Definition) -> Option<Test> {
    let pattern = normalise_pattern(slot.filled()?, asked.exact);
    let build = |pattern: &str| {
        RegexBuilder::new(pattern)
            .case_insensitive(!asked.exact)
            .size_limit(PATTERN_BYTES_MAX)
            .dfa_size_limit(PATTERN_BYTES_MAX)
            .nest_limit(PATTERN_NESTING_MAX)
            .build()
    };
    // First as written, so that no parenthesis in it can close the group around it.
    match build(&pattern).and_then(|_| build(&format!(r"\A(?:{pattern})\z"))) {
        Ok(pattern) => Some(Test::Matches(pattern)),
        Err(regex::Error::CompiledTooBig(_)) => {
            slot.refuse("must be a smaller pattern");
            None
        }
        Err(fault) => {
            let fault = fault.to_string();
            let reason = fault.lines().last().unwrap_or_default().trim_start_matches("error: ");
            slot.refuse(format_args!("must be a regular expression: {reason}"));
            None
        }
    }
}

/// The postal codes around one: a filter asks which code it is, as if all were listed.
fn within(slot: &Slot<'_, '_>, asked: &Definition) -> Option<Test> {
    if asked.attribute != Attribute::Standard(Standard::PostalCode) {
        slot.refuse("works on postal_code only");
        return None;
    }
    let Some(places) = asked.places.as_ref().filter(|places| places.has_centroids()) else {
        slot.refuse(
            "is not available: no table of the postal codes of the product's country is loaded",
        );
        return None;
    };
    let fields = slot.fields()?;
    let centre = fields.at("postal_code");
    let code = centre.filled();
    let radius = radius(&fields, slot);
    fields.deny_unknown();
    let (code, radius) = (code?, radius?);
    let Some(codes) = places.within(code, radius) else {
        centre.refuse(format_args!("is not in the table of postal codes of {}", places.code()));
        return None;
    };
    let values = codes.into_iter().map(|code| Scalar::Text(normalise(code, asked.exact).into()));
    Some(Test::OneOf(Arc::new(values.collect())))
}

fn radius(fields: &Fields<'_, '_>, slot: &Slot<'_, '_>) -> Option<Radius> {
    let given = UNITS.map(|unit| (unit, fields.given(unit.name())));
    let mut lengths = given.into_iter().filter_map(|(unit, length)| Some((unit, length?)));
    let (Some((unit, given)), None) = (lengths.next(), lengths.next()) else {
        slot.refuse("must hold a postal_code and one of miles and km");
        return None;
    };
    let length = given.decimal()?;
    if length <= Decimal::ZERO || length > RADIUS_MAX.into() {
        given.refuse(format_args!("must be more than 0 and at most {RADIUS_MAX}"));
        return None;
    }
    Some(Radius { length, unit })
}

/// The operand of `within` in words; `None` if it cannot be read.
fn near(node: &Node<'_>) -> Option<String> {
    let (centre, unit) = centre(node)?;
    let length = written(node.member(unit.name())?);
    Some(format!("{length} {} of {centre}", unit.name()))
}

/// From where the operand of `within` measures, and in what.
pub(crate) fn centre<'n>(node: &'n Node<'_>) -> Option<(&'n str, Unit)> {
    let code = node.member("postal_code").and_then(Node::as_text)?.trim();
    let unit = UNITS.into_iter().find(|unit| node.member(unit.name()).is_some())?;
    Some((code, unit))
}
