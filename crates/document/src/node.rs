//! The tree: what JSON and TOML have in common. Knows nothing of either's syntax.

use std::borrow::Cow;

use rust_decimal::Decimal;

/// One value of a parsed document. Strings borrow from the input where they can.
///
/// `Debug` names kinds and sizes only: a document may be a lead.
#[derive(Clone, PartialEq)]
pub enum Node<'a> {
    /// JSON `null`; TOML has none.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, exact up to 15 significant digits from JSON and 28 from TOML.
    Number(Decimal),
    /// A number outside what a decimal can hold (about ±7.9e28); from JSON, one that 64 bits do not hold.
    HugeNumber,
    /// A string without NUL characters.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Self>),
    /// An object with unique keys, in the order written.
    Object(Vec<(Cow<'a, str>, Self)>),
}

impl<'a> Node<'a> {
    /// The member `name` of an object; `None` for other kinds too.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The string, if this is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What this value is, for "expected …, found …": never the value itself.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::HugeNumber => "a number out of range",
            Self::Text(text) if text.is_empty() => "an empty string",
            Self::Text(_) => "a string",
            Self::List(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// The same tree, owning its strings.
    #[must_use]
    pub fn into_owned(self) -> Node<'static> {
        match self {
            Self::Null => Node::Null,
            Self::Bool(value) => Node::Bool(value),
            Self::Number(value) => Node::Number(value),
            Self::HugeNumber => Node::HugeNumber,
            Self::Text(text) => Node::Text(Cow::Owned(text.into_owned())),
            Self::List(items) => Node::List(items.into_iter().map(Node::into_owned).collect()),
            Self::Object(members) => Node::Object(
                members
                    .into_iter()
                    .map(|(key, value)| (Cow::Owned(key.into_owned()), value.into_owned()))
                    .collect(),
            ),
        }
    }
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}
