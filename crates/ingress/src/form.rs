//! HTML forms and query strings, for the doors that take them: percent-encoded pairs, as strict as JSON,
//! since what one reader sees is what every later reader must see. Knows no field, and quotes none.

use std::borrow::Cow;

use document::Node;
use hyper::header::{CONTENT_TYPE, HeaderMap};

use crate::reply::Fault;

/// Most fields; names are compared with one another.
const FIELDS_MAX: usize = 256;

/// Deepest name.
const DEPTH_MAX: usize = 5;

/// Said of a name that stands twice, whole or as another name's beginning.
const REPEATED: Fault = Fault::Form(TWICE);

/// For people.
pub(crate) const TWICE: &str = "a form must not name a field twice";

type Members = Vec<(Cow<'static, str>, Node<'static>)>;

/// Whether a body is a form. Many clients call everything one unless they are told; no form begins as JSON.
pub(crate) fn is_form(headers: &HeaderMap, body: &[u8]) -> bool {
    let said = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = said.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && body.trim_ascii_start().first() != Some(&b'{')
}

/// Reads `name=value&…` as an object of texts.
///
/// # Errors
/// Too many fields, what is no UTF-8, U+0000, or a name that is given twice.
pub(crate) fn flat(bytes: &[u8]) -> Result<Node<'static>, Fault> {
    let mut members = Members::new();
    for (name, value) in pairs(bytes)? {
        put(&mut members, &[&name], value)?;
    }
    Ok(Node::Object(members))
}

/// Reads `a[b][c]=value&…` as the tree that JSON would be, of texts only.
///
/// # Errors
/// As of [`flat`]; or a name whose brackets cannot be read.
pub(crate) fn nested(bytes: &[u8]) -> Result<Node<'static>, Fault> {
    let mut members = Members::new();
    for (name, value) in pairs(bytes)? {
        put(&mut members, &steps(&name)?, value)?;
    }
    Ok(Node::Object(members))
}

fn pairs(bytes: &[u8]) -> Result<Vec<(String, String)>, Fault> {
    let mut pairs = Vec::new();
    let parts = bytes.trim_ascii().split(|byte| *byte == b'&');
    for part in parts.filter(|part| !part.is_empty()) {
        if pairs.len() == FIELDS_MAX {
            return Err(Fault::Form("a form must hold at most 256 fields"));
        }
        let mut halves = part.splitn(2, |byte| *byte == b'=');
        let mut half = || unescape(halves.next().unwrap_or_default());
        pairs.push((half()?, half()?));
    }
    Ok(pairs)
}

/// `a[b][c]` as `a`, `b`, `c`.
fn steps(name: &str) -> Result<Vec<&str>, Fault> {
    const BROKEN: Fault = Fault::Form("a form's names must be written as name[part][part]");
    let (first, mut rest) = name.split_at(name.find('[').unwrap_or(name.len()));
    let mut steps = vec![first];
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (step, after) = inner.ok_or(BROKEN)?;
        steps.push(step);
        rest = after;
    }
    let right = steps.len() <= DEPTH_MAX && steps.iter().all(|step| !step.is_empty());
    if right { Ok(steps) } else { Err(BROKEN) }
}

fn put(members: &mut Members, steps: &[&str], value: String) -> Result<(), Fault> {
    let Some((first, rest)) = steps.split_first() else { return Ok(()) };
    let place = members.iter().position(|(name, _)| name == first);
    if rest.is_empty() {
        if place.is_some() {
            return Err(REPEATED);
        }
        members.push(((*first).to_owned().into(), Node::Text(value.into())));
        return Ok(());
    }
    let place = place.unwrap_or_else(|| {
        members.push(((*first).to_owned().into(), Node::Object(Vec::new())));
        members.len() - 1
    });
    match members.get_mut(place) {
        Some((_, Node::Object(inner))) => put(inner, rest, value),
        _ => Err(REPEATED),
    }
}

/// Said of what no escape can mend.
pub(crate) const BROKEN: &str = "a form must be percent-encoded UTF-8";

/// Percent-encoded UTF-8, with `+` for a space. A `%` that begins no escape stands for itself, as the URL
/// standard of browsers reads it.
fn unescape(part: &[u8]) -> Result<String, Fault> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part;
    while let Some((byte, after)) = rest.split_first() {
        let escaped = (*byte == b'%').then(|| escaped(after)).flatten();
        let (byte, after) = escaped.unwrap_or((if *byte == b'+' { b' ' } else { *byte }, after));
        bytes.push(byte);
        rest = after;
    }
    let text = String::from_utf8(bytes).map_err(|_| Fault::Form(BROKEN))?;
    if text.contains('\0') { Err(Fault::Form(BROKEN)) } else { Ok(text) }
}

/// The byte that two hexadecimal digits are, and what follows them.
fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, after) = text.split_at_checked(2)?;
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    let byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    Some((byte, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_read_as_objects_of_texts() {
        let text = b"first_name=Ana+Mar%C3%ADa&email=a%2Bb%40x.co&&flag&empty=&eq=a=b&u[]=1&rate=100%+5%4+%zz%+1%c3%A9%\n";
        let root = flat(text).unwrap();
        for (name, value) in [
            ("first_name", "Ana María"),
            ("email", "a+b@x.co"),
            ("flag", ""),
            ("empty", ""),
            ("eq", "a=b"),
            ("u[]", "1"),
            ("rate", "100% 5%4 %zz% 1é%"),
        ] {
            assert_eq!(root.member(name).and_then(Node::as_text), Some(value), "{name}");
        }
        assert!(matches!(flat(b""), Ok(Node::Object(members)) if members.is_empty()));
    }

    #[test]
    fn brackets_nest() {
        let root =
            nested(b"xauth[key]=a%2Db&transaction[finances][debttype]=Credit+Cards&x=").unwrap();
        for (path, value) in [
            (&["xauth", "key"][..], "a-b"),
            (&["transaction", "finances", "debttype"], "Credit Cards"),
            (&["x"], ""),
        ] {
            let node = path.iter().try_fold(&root, |node, step| node.member(step)).unwrap();
            assert_eq!(node.as_text(), Some(value), "{path:?}");
        }
    }

    #[test]
    fn what_two_readers_could_read_in_two_ways_is_refused() {
        let many: String = (0..300).map(|n| format!("f{n}=1&")).collect();
        let flats = ["a=1&a=2", "a=1&%61=2", "a=%ff", "a=%00", "%00=a", &many];
        for bad in flats {
            assert!(flat(bad.as_bytes()).is_err() && nested(bad.as_bytes()).is_err(), "{bad}");
        }
        for bad in
            ["a[b]=1&a=2", "a=1&a[b]=2", "a[b=1", "a[]=1", "[a]=1", "a[b]c=1", "a[b][c][d][e][f]=1"]
        {
            assert!(nested(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
