//! One value of a transaction: what it must be, and how it may be written. A defect is what follows a
//! field's label; none holds a value.

use std::borrow::Cow;

use document::{Defects, Node, Slot};
use lead::{Attribute, Kind, Reading};
use market::Dictionary;
use rust_decimal::Decimal;

/// Why a field is not valid, after its label: `must be 5 digits`.
pub(super) type Issue = Cow<'static, str>;

/// Texts, and numbers as they would be written.
pub(super) fn plain<'n>(node: &'n Node<'_>) -> Option<Cow<'n, str>> {
    match node {
        Node::Text(text) => Some(Cow::Borrowed(text.trim())),
        Node::Number(number) => Some(Cow::Owned(number.normalize().to_string())),
        _ => None,
    }
}

pub(super) fn text(node: &Node<'_>, most: usize) -> Result<String, Issue> {
    let text = plain(node).ok_or("must be a string")?;
    if text.chars().count() > most {
        return Err(format!("must be at most {most} characters").into());
    }
    Ok(text.into_owned())
}

/// What a shared check makes of a value.
pub(super) fn passes<T>(
    node: &Node<'_>,
    check: impl FnOnce(Slot<'_, '_>) -> Option<T>,
) -> Option<T> {
    let defects = Defects::new();
    let value = check(Slot::root(node, &defects));
    defects.finish(value).ok()
}

/// Ten digits of the North American plan, however they are written; `+1` and them.
pub(super) fn phone(node: &Node<'_>) -> Result<String, Issue> {
    let issue = "must be a valid 10 digit phone number";
    let text = plain(node).ok_or(issue)?;
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let ten = match digits.len() {
        11 => digits.strip_prefix('1').unwrap_or_default(),
        _ => &digits,
    };
    let strange = text.chars().any(|c| !c.is_ascii_digit() && !" +-().".contains(c));
    let leads =
        |at: usize| ten.as_bytes().get(at).is_some_and(|digit| (b'2'..=b'9').contains(digit));
    if ten.len() != 10 || strange || !leads(0) || !leads(3) {
        return Err(issue.into());
    }
    Ok(format!("+1{ten}"))
}

/// Five digits; four more behind a dash are cut off, zeros that a number lost are put back.
pub(super) fn zip(node: &Node<'_>) -> Result<String, Issue> {
    let text = plain(node).unwrap_or_default();
    let (five, four) = text.split_once('-').unwrap_or((&text, "0000"));
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let padded = match node {
        Node::Number(_) if five.len() >= 3 => format!("{five:0>5}"),
        _ => five.to_owned(),
    };
    let right = digits(&padded, 5) && digits(four, 4);
    if right { Ok(padded) } else { Err("must be 5 digits".into()) }
}

/// A page or a domain, without what its query would tell.
pub(super) fn source(node: &Node<'_>) -> Result<String, Issue> {
    let issue = "must be a URL or a domain";
    let text = node.as_text().ok_or(issue)?.trim();
    let page = text.split(['?', '#']).next().unwrap_or_default();
    let host = page.split_once("://").map_or(page, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    let plain =
        page.chars().count() <= 2_048 && !page.chars().any(|c| c.is_whitespace() || c.is_control());
    if plain && host.contains('.') { Ok(page.to_owned()) } else { Err(issue.into()) }
}

pub(super) fn certificate(node: &Node<'_>) -> Result<String, Issue> {
    let issue = "must be a valid TrustedForm URL";
    let text = node.as_text().ok_or(issue)?.trim();
    let token = text.strip_prefix("https://cert.trustedform.com/").unwrap_or_default();
    let plain = token.len() <= 2_048 && token.bytes().all(|b| b.is_ascii_graphic());
    if plain && !token.is_empty() { Ok(text.to_owned()) } else { Err(issue.into()) }
}

/// A value by the product's dictionary; numbers and truths may be written as texts.
pub(super) fn attribute(
    dictionary: &Dictionary,
    name: &Attribute,
    node: &Node<'_>,
) -> Result<Reading, Issue> {
    let Some(definition) = dictionary.named(name.name()) else { return Ok(Reading::Unreadable) };
    let written = match (definition.kind, plain(node)) {
        (Kind::Number, Some(text)) => text.replace(',', "").parse().ok().map(Node::Number),
        (Kind::Bool, Some(text)) => match &*text.to_ascii_lowercase() {
            "true" | "1" | "yes" => Some(Node::Bool(true)),
            "false" | "0" | "no" => Some(Node::Bool(false)),
            _ => None,
        },
        (Kind::Text, Some(text)) => Some(Node::Text(text)),
        _ => None,
    };
    match definition.read(written.as_ref().unwrap_or(node)) {
        Some(Reading::Known(value)) => Ok(Reading::Known(value)),
        _ => Err(format!("must be {}", definition.expected()).into()),
    }
}

/// The middle of `5000-7500`, `$5,000 - $7,500`; none of anything else.
pub(super) fn middle(range: &str) -> Option<Decimal> {
    let (low, high) = range.split_once('-')?;
    let number = |text: &str| -> Option<Decimal> {
        text.trim().trim_start_matches('$').replace(',', "").parse().ok()
    };
    let (low, high) = (number(low)?, number(high)?);
    let sum = low.checked_add(high).filter(|_| low <= high && low.is_sign_positive())?;
    sum.checked_div(Decimal::TWO)
}
