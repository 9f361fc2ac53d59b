//! Cards leave a document before anybody else sees it: of a number the last four digits stay, of a
//! check code nothing. Works on the bare tree; must run before a digest, a defect or a log line is made.

use std::borrow::Cow;

use document::Node;

/// Takes cards out of a whole document, wherever they stand and however the names are cased.
pub(super) fn strip(node: &mut Node<'_>) {
    match node {
        Node::List(items) => items.iter_mut().for_each(strip),
        Node::Object(members) => {
            members.retain(|(name, _)| !is_code(name));
            let named = members.iter().find(|(name, _)| name == "key");
            let key = named.and_then(|(_, key)| key.as_text()).unwrap_or_default().to_owned();
            if is_code(&key) {
                members.retain(|(name, _)| name != "value");
            }
            for (name, node) in members {
                if is_number(name) || (name == "value" && is_number(&key)) {
                    cut(node);
                } else {
                    strip(node);
                }
            }
        }
        _ => {}
    }
}

/// Only the number's last four digits stay: not those of a date or a check code that stands behind it.
fn cut(node: &mut Node<'_>) {
    let text = match &*node {
        Node::Text(text) => text.clone().into_owned(),
        Node::Number(number) => number.trunc().to_string(),
        _ => {
            *node = Node::Null;
            return;
        }
    };
    let kept = lead::card::last_four(&text).unwrap_or_else(|| {
        let digits = digits(&text);
        // More than any card has: who knows what they are.
        let some = if digits.len() <= DIGITS_MAX { digits.as_str() } else { "" };
        some.get(some.len().saturating_sub(4)..).unwrap_or_default().to_owned()
    });
    *node = Node::Text(Cow::Owned(kept));
}

/// Most digits of a card's number.
const DIGITS_MAX: usize = 19;

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// `cardNumber`, also as the end of a dotted path.
fn is_number(name: &str) -> bool {
    is_one_of(name, &["cardnumber", "card_number", "pan"])
}

/// `cardCvc` and what else it is called.
fn is_code(name: &str) -> bool {
    is_one_of(name, &["cardcvc", "cardcvv", "card_cvc", "card_cvv", "cvc", "cvv", "cvc2", "cvv2"])
}

fn is_one_of(name: &str, known: &[&str]) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name).trim();
    known.iter().any(|word| last.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn of_a_card_only_the_last_four_digits_stay() {
        let body = r#"{"cardNumber":"4111 1111-1111 1234","cardCvc":"737","CARDNUMBER":5555555555554444,
            "client":{"cvv":1,"cardnumber":["4111111111111111"]},"passport":{"no":"112233"},
            "more":{"pan":"4111 1111 1111 1111, 12/27 737","card_number":"**** 1111","cardNumber":"11112222333344445555"},
            "extraFields":[{"key":"client.cardNumber","value":"4000000000000002"},{"key":"client.cardCvc","value":"737"}]}"#;
        let mut bytes = body.as_bytes().to_vec();
        let mut root = document::parse_json(&mut bytes).unwrap();
        strip(&mut root);
        let left = serde_json::json!({
            "cardNumber": "1234", "CARDNUMBER": "4444", "client": {"cardnumber": null},
            "passport": {"no": "112233"},
            "more": {"pan": "1111", "card_number": "1111", "cardNumber": ""},
            "extraFields": [{"key": "client.cardNumber", "value": "0002"}, {"key": "client.cardCvc"}],
        });
        assert_eq!(json::value(&root), left);
    }
}
