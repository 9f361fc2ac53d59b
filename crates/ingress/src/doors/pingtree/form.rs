//! Query strings and form bodies as the tree that JSON becomes: one object of texts, as strict as JSON,
//! since what one reader sees is what every later reader must see. Knows no field.

use std::borrow::Cow;

use document::Node;

use crate::reply::Fault;

/// Reads `name=value&…` with percent-encoding and `+` for a space.
///
/// # Errors
/// A broken encoding, U+0000, or a name that is given twice.
pub(crate) fn parse(text: &[u8]) -> Result<Node<'static>, Fault> {
    let mut members: Vec<(Cow<'static, str>, Node<'static>)> = Vec::new();
    for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = decode(halves.next().unwrap_or_default())?;
        let value = decode(halves.next().unwrap_or_default())?;
        if members.iter().any(|(known, _)| *known == name) {
            return Err(Fault::Request("a form must not name a field twice"));
        }
        members.push((Cow::Owned(name), Node::Text(Cow::Owned(value))));
        if members.len() > FIELDS_MAX {
            return Err(Fault::Request("a form must hold at most 256 fields"));
        }
    }
    Ok(Node::Object(members))
}

/// Most fields; names are compared with one another.
const FIELDS_MAX: usize = 256;

fn decode(part: &[u8]) -> Result<String, Fault> {
    const BROKEN: Fault = Fault::Request("a form must be percent-encoded UTF-8");
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) =
                    (hex(rest.next()).ok_or(BROKEN)?, hex(rest.next()).ok_or(BROKEN)?);
                high << 4 | low
            }
            plain => *plain,
        });
    }
    let text = String::from_utf8(bytes).map_err(|_| BROKEN)?;
    if text.contains('\0') { Err(BROKEN) } else { Ok(text) }
}

fn hex(digit: Option<&u8>) -> Option<u8> {
    u8::try_from(char::from(*digit?).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::parse;
    use document::Node;

    #[test]
    fn forms_read_as_objects_of_texts() {
        let read = |text: &str| parse(text.as_bytes()).unwrap();
        let root = read("first_name=Ana+Mar%C3%ADa&email=a%2Bb%40x.co&&flag&empty=&eq=a=b");
        for (name, value) in [
            ("first_name", "Ana María"),
            ("email", "a+b@x.co"),
            ("flag", ""),
            ("empty", ""),
            ("eq", "a=b"),
        ] {
            assert_eq!(root.member(name).and_then(Node::as_text), Some(value), "{name}");
        }
        assert!(matches!(read(""), Node::Object(members) if members.is_empty()));
    }

    #[test]
    fn what_two_readers_could_read_in_two_ways_is_refused() {
        for bad in ["a=1&a=2", "a=1&%61=2", "a=%", "a=%4", "a=%zz", "a=%ff", "a=%00", "%00=a"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        let many: String = (0..300).map(|n| format!("f{n}=1&")).collect();
        assert!(parse(many.as_bytes()).is_err());
    }
}
