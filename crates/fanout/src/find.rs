//! Values in a reply: applies selectors to a head and a body that strangers wrote. Strict where two
//! readers could see two things: duplicate member names, document types and entities make a body
//! unreadable. Never says what a value means.

use std::borrow::Cow;
use std::collections::VecDeque;

use document::Node;
use hyper::HeaderMap;
use market::call::{Response, Selector, SelectorKind, XmlPath, XmlStep};
use roxmltree::{Document, ParsingOptions};
use rust_decimal::Decimal;
use serde_json::Value;

/// Most matches of a pattern in a body: the time to find them all grows with their number.
const MATCHES_MAX: usize = 16;

/// Most nodes of an XML body.
const XML_NODES_MAX: u32 = 20_000;

/// Most attributes of an element, and most equals signs of a text.
const XML_ATTRIBUTES_MAX: usize = 1_000;

/// Most declarations of namespaces: nested ones cost the parser the cube of their number.
const XML_NAMESPACES_MAX: usize = 256;

/// Deepest XML body.
const XML_DEPTH_MAX: usize = document::DEPTH_MAX;

/// A reply, parsed as far as its call's selectors need.
pub(crate) struct Parsed<'r> {
    headers: &'r HeaderMap,
    text: Option<&'r str>,
    json: Option<Value>,
    xml: Option<Document<'r>>,
}

/// One value found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'p> {
    /// `null`, an empty text, an empty list or object.
    Empty,
    /// A text, a number or a boolean, as text.
    Text(Cow<'p, str>),
    /// A list or an object with something in it.
    More,
}

impl<'r> Parsed<'r> {
    /// Parses a complete reply. `body` is scratch for it.
    pub(crate) fn new(headers: &'r HeaderMap, body: &'r [u8], response: &Response) -> Self {
        let (mut json, mut xml) = (false, false);
        for selector in response.selectors() {
            json |= matches!(selector.kind, SelectorKind::Json(_));
            xml |= matches!(selector.kind, SelectorKind::Xml(_));
        }
        let text = std::str::from_utf8(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).ok();
        Self {
            headers,
            text,
            json: if json { parse_json(body) } else { None },
            xml: if xml { text.and_then(parse_xml) } else { None },
        }
    }

    /// Everything that a selector names; `None` if the body cannot be read as the selector needs it.
    pub(crate) fn find(&self, selector: &Selector) -> Option<Vec<Found<'_>>> {
        match &selector.kind {
            SelectorKind::Json(path) => {
                Some(path.query(self.json.as_ref()?).all().into_iter().map(of_json).collect())
            }
            SelectorKind::Xml(path) => Some(of_xml(self.xml.as_ref()?, path)),
            SelectorKind::Text(pattern) => {
                let matches = pattern.captures_iter(self.text?).take(MATCHES_MAX + 1);
                let groups: Vec<_> = matches.map(|found| found.get(1)).collect();
                let found = groups.iter().flatten().map(|group| of_text(group.as_str())).collect();
                (groups.len() <= MATCHES_MAX).then_some(found)
            }
            SelectorKind::Header(name) => {
                let values = self.headers.get_all(name).iter();
                values.map(|value| value.to_str().ok().map(of_text)).collect()
            }
        }
    }
}

fn of_text(text: &str) -> Found<'_> {
    match text.trim() {
        "" => Found::Empty,
        text => Found::Text(Cow::Borrowed(text)),
    }
}

fn of_json(value: &Value) -> Found<'_> {
    match value {
        Value::Null => Found::Empty,
        Value::Bool(value) => Found::Text(Cow::Borrowed(if *value { "true" } else { "false" })),
        Value::Number(number) => Found::Text(Cow::Owned(number.to_string())),
        Value::String(text) => of_text(text),
        Value::Array(items) if items.is_empty() => Found::Empty,
        Value::Object(members) if members.is_empty() => Found::Empty,
        Value::Array(_) | Value::Object(_) => Found::More,
    }
}

/// Strictly parsed, then as the JSONPath engine wants it.
fn parse_json(body: &[u8]) -> Option<Value> {
    let mut scratch = body.to_vec();
    document::parse_json(&mut scratch).ok().map(|node| value(&node))
}

fn value(node: &Node<'_>) -> Value {
    match node {
        Node::Null => Value::Null,
        Node::Bool(value) => Value::Bool(*value),
        Node::Number(number) => number.to_string().parse().map_or(Value::Null, Value::Number),
        // No decimal, as it was none before.
        Node::HugeNumber => {
            serde_json::Number::from_f64(f64::MAX).map_or(Value::Null, Value::Number)
        }
        Node::Text(text) => Value::String(text.as_ref().to_owned()),
        Node::List(items) => Value::Array(items.iter().map(value).collect()),
        Node::Object(members) => {
            let member = |(key, node): &(Cow<'_, str>, Node<'_>)| (key.to_string(), value(node));
            Value::Object(members.iter().map(member).collect())
        }
    }
}

pub(crate) fn parse_xml(text: &str) -> Option<Document<'_>> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: XML_NODES_MAX,
        ..ParsingOptions::default()
    };
    if attributes(text) > XML_ATTRIBUTES_MAX || text.matches("xmlns").count() > XML_NAMESPACES_MAX {
        return None;
    }
    let document = Document::parse_with_options(text.trim_start(), options).ok()?;
    (depth(&document) <= XML_DEPTH_MAX).then_some(document)
}

/// At least how many attributes the richest element has, found without the parser, whose time grows
/// with the square of it.
fn attributes(text: &str) -> usize {
    let tags = text.as_bytes().split(|byte| *byte == b'<');
    tags.map(|tag| tag.iter().filter(|byte| **byte == b'=').count()).max().unwrap_or_default()
}

/// How deep the deepest node stands. Parents come before their children.
fn depth(document: &Document<'_>) -> usize {
    let mut depths: Vec<usize> = Vec::new();
    for node in document.descendants() {
        let above = node.parent().and_then(|parent| depths.get(parent.id().get_usize()).copied());
        depths.push(above.map_or(0, |above| above + 1));
    }
    depths.into_iter().max().unwrap_or_default()
}

type Element<'d> = roxmltree::Node<'d, 'd>;

fn of_xml<'d>(document: &'d Document<'_>, path: &XmlPath) -> Vec<Found<'d>> {
    let Some((first, rest)) = path.steps.split_first() else {
        return Vec::new();
    };
    let begin: VecDeque<Element<'d>> = if path.anywhere {
        let parents = document.descendants().filter(|node| node.has_children());
        parents.flat_map(|parent| children(parent, first)).collect()
    } else {
        children(document.root(), first).collect()
    };
    let mut found = begin;
    for step in rest {
        found = found.into_iter().flat_map(|parent| children(parent, step)).collect();
    }
    let named = |element: Element<'d>| match &path.attribute {
        None => Some(of_element(element)),
        Some(name) => element
            .attributes()
            .find(|attribute| attribute.name() == name)
            .map(|a| of_text(a.value())),
    };
    found.into_iter().filter_map(named).collect()
}

fn children<'d>(parent: Element<'d>, step: &XmlStep) -> impl Iterator<Item = Element<'d>> {
    let fits = |child: &Element<'d>| {
        let name = child.tag_name().name();
        child.is_element() && step.name.as_deref().is_none_or(|wanted| wanted == name)
    };
    let skipped = step.place.map_or(0, |place| place - 1);
    let most = if step.place.is_some() { 1 } else { usize::MAX };
    let fitting: Vec<Element<'d>> =
        parent.children().filter(fits).skip(skipped).take(most).collect();
    fitting.into_iter()
}

/// The text of an element and of all that it holds.
fn of_element(element: Element<'_>) -> Found<'_> {
    let mut texts = element.descendants().filter(|node| node.is_text()).filter_map(|n| n.text());
    let Some(first) = texts.next() else {
        let holds_elements = element.children().any(|child| child.is_element());
        return if holds_elements { Found::More } else { Found::Empty };
    };
    let rest: String = texts.collect();
    if rest.is_empty() {
        return of_text(first);
    }
    match format!("{first}{rest}").trim() {
        "" => Found::More,
        text => Found::Text(Cow::Owned(text.to_owned())),
    }
}

/// A plain decimal such as `12.50`: no sign, no exponent, no separators.
pub(crate) fn plain_decimal(text: &str) -> Option<Decimal> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let plain = text.len() <= 28 && is_digits(whole) && is_digits(part);
    plain.then(|| text.parse().ok()).flatten()
}
