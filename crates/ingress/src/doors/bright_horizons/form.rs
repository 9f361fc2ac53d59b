//! Bodies as HTML forms write nested values: `transaction[finances][debttype]=Credit+Cards`. Makes the
//! same tree as JSON would, of texts only, and is as strict: a repeated name is refused.

use std::borrow::Cow;

use document::Node;

/// Most fields of a form.
const FIELDS_MAX: usize = 256;

/// Deepest name.
const DEPTH_MAX: usize = 5;

/// What makes a form unreadable; quotes nothing of it.
pub(super) type Unreadable = &'static str;

/// The tree of a form.
///
/// # Errors
/// It has too many fields, a broken escape, a name that is repeated or cannot be read.
pub(super) fn parse(bytes: &[u8]) -> Result<Node<'static>, Unreadable> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the form must be UTF-8")?;
    let mut root = Vec::new();
    let fields = text.trim().split('&').filter(|field| !field.is_empty());
    for (count, field) in fields.enumerate() {
        if count == FIELDS_MAX {
            return Err("the form has too many fields");
        }
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        let (name, value) = (unescape(name)?, unescape(value)?);
        put(&mut root, &steps(&name)?, value)?;
    }
    Ok(Node::Object(root))
}

/// `a[b][c]` as `a`, `b`, `c`.
fn steps(name: &str) -> Result<Vec<&str>, Unreadable> {
    const BROKEN: Unreadable = "the form has a field name that cannot be read";
    let (first, rest) = match name.find('[') {
        Some(at) => name.split_at(at),
        None => (name, ""),
    };
    let mut steps = vec![first];
    let mut rest = rest;
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (step, after) = inner.ok_or(BROKEN)?;
        steps.push(step);
        rest = after;
    }
    let right = steps.len() <= DEPTH_MAX && steps.iter().all(|step| !step.is_empty());
    if right { Ok(steps) } else { Err(BROKEN) }
}

type Members = Vec<(Cow<'static, str>, Node<'static>)>;

fn put(members: &mut Members, steps: &[&str], value: String) -> Result<(), Unreadable> {
    const REPEATED: Unreadable = "the form repeats one of its field names";
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

fn unescape(text: &str) -> Result<String, Unreadable> {
    const BROKEN: Unreadable = "the form has an escape that cannot be read";
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
                let (high, low) = digit().zip(digit()).ok_or(BROKEN)?;
                bytes.push(u8::try_from(high * 16 + low).map_err(|_| BROKEN)?);
            }
            other => bytes.push(other),
        }
    }
    if bytes.contains(&0) {
        return Err("strings must not contain the character U+0000");
    }
    String::from_utf8(bytes).map_err(|_| BROKEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_nest_and_escapes_are_read() {
        let root =
            parse(b"xauth[key]=a%2Db&transaction[finances][debttype]=Credit+Cards&x=").unwrap();
        let at = |path: &[&str]| {
            let node = path.iter().try_fold(&root, |node, step| node.member(step)).unwrap();
            node.as_text().unwrap().to_owned()
        };
        assert_eq!(at(&["xauth", "key"]), "a-b");
        assert_eq!(at(&["transaction", "finances", "debttype"]), "Credit Cards");
        assert_eq!(at(&["x"]), "");
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        let many = vec!["a=1"; 300].join("&");
        for bad in [
            "a=1&a=2",
            "a[b]=1&a=2",
            "a=1&a[b]=2",
            "a[b=1",
            "a[]=1",
            "[a]=1",
            "a[b]c=1",
            "a=%zz",
            "a=%4",
            "a=%ff",
            "a=%00",
            "a[b][c][d][e][f]=1",
            &many,
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
