//! No field of a body may hold the number of a payment card or its security code: refused here, for all
//! doors, before anything is decoded, stored or logged. Must never show what it found, nor a name that may
//! be one.

use document::{Defect, Defects, Node, Path};

/// Names of a card's security code, as letters and digits in lower case.
const CODES: &[&str] = &["cvc", "cvv", "cvc2", "cvv2", "cardcvc", "cardcvv", "cardsecuritycode"];

const NUMBER: &str = "must not hold the number of a payment card";
const CODE: &str = "must not hold the security code of a payment card";
const NAME: &str = "must not have a field whose name holds the number of a payment card";

/// Longest part of a name that is told, in characters: a long one may stand above many cards.
const NAME_CHARS_MAX: usize = 64;

/// Looks through a body. A door whose publishers send cards by contract cuts them first.
///
/// # Errors
/// Every field that holds one, in the order of the body.
pub(crate) fn refuse(root: &Node<'_>) -> Result<(), Vec<Defect>> {
    let defects = Defects::new();
    look(root, &Place::Root, &defects);
    defects.finish(Some(()))
}

/// Where a value stands; a path is made only where something is found.
#[derive(Clone, Copy)]
enum Place<'p> {
    Root,
    Name(&'p Self, &'p str),
    Index(&'p Self, usize),
}

impl Place<'_> {
    fn path(&self) -> Path {
        match self {
            Self::Root => Path::default(),
            Self::Name(above, name) => {
                above.path().key(&name.chars().take(NAME_CHARS_MAX).collect::<String>())
            }
            Self::Index(above, index) => above.path().index(*index),
        }
    }
}

fn look(node: &Node<'_>, place: &Place<'_>, defects: &Defects) {
    if defects.is_full() {
        return;
    }
    match node {
        Node::Text(text) if lead::card::is_in(text) => defects.add(place.path(), NUMBER),
        // A fraction is an amount or a coordinate.
        Node::Number(number)
            if number.is_integer() && lead::card::is_in(&number.normalize().to_string()) =>
        {
            defects.add(place.path(), NUMBER);
        }
        Node::List(items) => {
            for (index, item) in items.iter().enumerate() {
                look(item, &Place::Index(place, index), defects);
            }
        }
        Node::Object(members) => {
            for (name, member) in members {
                let at = Place::Name(place, name);
                if lead::card::is_in(name) {
                    defects.add(place.path(), NAME);
                } else if names_code(name) && is_filled(member) {
                    defects.add(at.path(), CODE);
                } else {
                    look(member, &at, defects);
                }
            }
        }
        _ => {}
    }
}

fn names_code(name: &str) -> bool {
    let plain = name.chars().filter(|c| c.is_ascii_alphanumeric());
    name.len() <= 32 && {
        let plain: String = plain.map(|c| c.to_ascii_lowercase()).collect();
        CODES.contains(&plain.as_str())
    }
}

fn is_filled(node: &Node<'_>) -> bool {
    match node {
        Node::Null => false,
        Node::Text(text) => !text.trim().is_empty(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::refuse;

    fn found(body: &str) -> Vec<String> {
        let mut bytes = body.as_bytes().to_vec();
        let root = document::parse_json(&mut bytes).unwrap();
        let defects = refuse(&root).err().unwrap_or_default();
        defects.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_card_is_refused_wherever_it_stands_and_never_shown() {
        let body = r#"{
            "contact": {"extra": {"note": "pay with 4111-1111-1111-1111", "a": [1, {"b": 5500005555555559}]}},
            "tags": {"378282246310005": "x", "cvv": "123", "cardCvc": "", "Card_CVC": 7},
            "attributes": {"amount": 4111111111111112, "longitude": 4.111111111111111}
        }"#;
        let told = found(body);
        assert_eq!(
            told,
            [
                "contact.extra.note must not hold the number of a payment card",
                "contact.extra.a.1.b must not hold the number of a payment card",
                "tags must not have a field whose name holds the number of a payment card",
                "tags.cvv must not hold the security code of a payment card",
                "tags.Card_CVC must not hold the security code of a payment card",
            ]
        );
        let digits = |text: &String| text.chars().filter(char::is_ascii_digit).count();
        assert!(told.iter().all(|text| digits(text) <= 1));
        assert_eq!(found(r#""4111 1111 1111 1111""#).len(), 1);
    }
}
