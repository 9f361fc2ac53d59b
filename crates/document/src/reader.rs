//! Reading a tree into types, all defects at once: a failed field is noted and reading goes on, so a
//! publisher or buyer mends everything in one pass. Never stops at the first fault.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt::Display;

use rust_decimal::Decimal;

use crate::{Defect, Node, Path, Segment};

/// Most defects of one document that are told: who posts nothing but defects shall not be answered at
/// many times the length.
pub const DEFECTS_MAX: usize = 100;

/// Where defects gather while one document is read: the first [`DEFECTS_MAX`].
#[derive(Debug, Default)]
pub struct Defects(RefCell<Vec<Defect>>);

impl Defects {
    /// An empty collection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes one defect.
    pub fn add(&self, path: Path, issue: impl Display) {
        self.push(path, issue, false);
    }

    fn push(&self, path: Path, issue: impl Display, missing: bool) {
        let mut defects = self.0.borrow_mut();
        if defects.len() < DEFECTS_MAX {
            defects.push(Defect { path, issue: issue.to_string(), missing });
        }
    }

    /// Whether no more are taken.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.borrow().len() >= DEFECTS_MAX
    }

    /// `value` if nothing was noted, else everything that was.
    ///
    /// # Errors
    /// The defects, in the order in which fields were read.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Vec<Defect>> {
        let defects = self.0.into_inner();
        match value {
            Some(value) if defects.is_empty() => Ok(value),
            _ => Err(defects),
        }
    }

    /// Nothing noted so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

/// The place of a value, kept as a chain so that the path is built only when something is wrong.
#[derive(Debug, Clone, Copy)]
enum Trail<'t> {
    Root,
    Key(&'t Self, &'t str),
    Index(&'t Self, usize),
}

impl Trail<'_> {
    fn path(&self) -> Path {
        let mut segments = Vec::new();
        let mut at = self;
        loop {
            match at {
                Trail::Root => break,
                Trail::Key(parent, key) => {
                    segments.push(Segment::Key((*key).to_owned()));
                    at = parent;
                }
                Trail::Index(parent, index) => {
                    segments.push(Segment::Index(*index));
                    at = parent;
                }
            }
        }
        segments.reverse();
        Path(segments)
    }
}

/// One value and its place, ready to be read as a type.
#[derive(Debug, Clone, Copy)]
pub struct Slot<'n, 't> {
    node: Option<&'n Node<'n>>,
    trail: Trail<'t>,
    defects: &'t Defects,
}

impl<'n, 't> Slot<'n, 't> {
    /// The root of a document.
    #[must_use]
    pub fn root(node: &'n Node<'n>, defects: &'t Defects) -> Self {
        Self { node: Some(node), trail: Trail::Root, defects }
    }

    /// Where this value stands.
    #[must_use]
    pub fn path(&self) -> Path {
        self.trail.path()
    }

    /// The raw value; `None` if the field is absent.
    #[must_use]
    pub fn node(&self) -> Option<&'n Node<'n>> {
        self.node
    }

    /// Neither absent nor `null`.
    #[must_use]
    pub fn is_given(&self) -> bool {
        !matches!(self.node, None | Some(Node::Null))
    }

    /// Itself if given, so that optional fields read as `slot.given().and_then(|s| s.text())`.
    #[must_use]
    pub fn given(self) -> Option<Self> {
        self.is_given().then_some(self)
    }

    /// Notes a defect at this place.
    pub fn refuse(&self, issue: impl Display) {
        self.defects.add(self.path(), issue);
    }

    /// Reads with `read`; notes "must be {expected}" when that fails.
    pub fn parse<T>(
        &self,
        expected: impl Display,
        read: impl FnOnce(&'n Node<'n>) -> Option<T>,
    ) -> Option<T> {
        let Some(node) = self.node.filter(|node| **node != Node::Null) else {
            self.defects.push(self.path(), "is required", true);
            return None;
        };
        let value = read(node);
        if value.is_none() {
            self.refuse(format_args!("must be {expected}, found {}", node.kind()));
        }
        value
    }

    /// A string, possibly empty.
    #[must_use]
    pub fn text(&self) -> Option<&'n str> {
        self.parse("a string", Node::as_text)
    }

    /// A string with something in it, trimmed.
    #[must_use]
    pub fn filled(&self) -> Option<&'n str> {
        let text = self.text()?.trim();
        if text.is_empty() {
            self.defects.push(self.path(), "must not be empty", true);
            return None;
        }
        Some(text)
    }

    /// `true` or `false`.
    #[must_use]
    pub fn bool(&self) -> Option<bool> {
        self.parse(
            "a boolean",
            |node| {
                if let Node::Bool(value) = node { Some(*value) } else { None }
            },
        )
    }

    /// A decimal number.
    #[must_use]
    pub fn number(&self) -> Option<Decimal> {
        self.parse(
            "a number",
            |node| {
                if let Node::Number(value) = node { Some(*value) } else { None }
            },
        )
    }

    /// A decimal written as a string (`"12.50"`) or as a number.
    #[must_use]
    pub fn decimal(&self) -> Option<Decimal> {
        self.parse("a decimal such as \"12.50\"", |node| match node {
            Node::Number(value) => Some(*value),
            Node::Text(text) => text.parse().ok(),
            _ => None,
        })
    }

    /// A whole number in `least..=most`.
    #[must_use]
    pub fn integer<T>(&self, least: T, most: T) -> Option<T>
    where
        T: TryFrom<i64> + Display + Copy + PartialOrd,
    {
        self.parse(format_args!("a whole number from {least} to {most}"), |node| {
            let Node::Number(value) = node else {
                return None;
            };
            let whole = i64::try_from(*value).ok().filter(|_| value.is_integer())?;
            T::try_from(whole).ok().filter(|whole| *whole >= least && *whole <= most)
        })
    }

    /// One of a closed set of names.
    #[must_use]
    pub fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        self.parse(format_args!("one of {}", names.join(", ")), |node| {
            let text = node.as_text()?;
            choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value)
        })
    }

    /// A string that `T` can be parsed from.
    #[must_use]
    pub fn parsed<T: std::str::FromStr>(&self, expected: impl Display) -> Option<T> {
        self.parse(expected, |node| node.as_text()?.trim().parse().ok())
    }

    /// An object's fields.
    #[must_use]
    pub fn fields(&self) -> Option<Fields<'n, '_>> {
        let members = self.parse("an object", |node| match node {
            Node::Object(members) => Some(members.as_slice()),
            _ => None,
        })?;
        Some(Fields {
            members,
            trail: &self.trail,
            defects: self.defects,
            read: RefCell::default(),
        })
    }

    /// Reads every element of an array; elements that fail are noted and left out.
    pub fn each<T>(&self, mut read: impl FnMut(Slot<'n, '_>) -> Option<T>) -> Option<Vec<T>> {
        let items = self.parse("an array", |node| match node {
            Node::List(items) => Some(items),
            _ => None,
        })?;
        Some(self.elements(items, &mut read))
    }

    fn elements<T>(
        &self,
        items: &'n [Node<'n>],
        read: &mut impl FnMut(Slot<'n, '_>) -> Option<T>,
    ) -> Vec<T> {
        let element = |(index, node): (usize, &'n Node<'n>)| {
            let trail = Trail::Index(&self.trail, index);
            read(Slot { node: Some(node), trail, defects: self.defects })
        };
        items.iter().enumerate().filter_map(element).collect()
    }
}

/// The members of one object, read by name.
#[derive(Debug)]
pub struct Fields<'n, 't> {
    members: &'n [(Cow<'n, str>, Node<'n>)],
    trail: &'t Trail<'t>,
    defects: &'t Defects,
    read: RefCell<Vec<&'t str>>,
}

impl<'n, 't> Fields<'n, 't> {
    /// The member called `name`, present or not.
    #[must_use]
    pub fn at<'s>(&'s self, name: &'t str) -> Slot<'n, 's> {
        self.read.borrow_mut().push(name);
        let node = self.members.iter().find(|(key, _)| key == name).map(|(_, node)| node);
        Slot { node, trail: Trail::Key(self.trail, name), defects: self.defects }
    }

    /// The member called `name`, if it is there and not `null`.
    #[must_use]
    pub fn given<'s>(&'s self, name: &'t str) -> Option<Slot<'n, 's>> {
        self.at(name).given()
    }

    /// Visits every member, known or not.
    pub fn all<'s>(&'s self) -> impl Iterator<Item = (&'n str, Slot<'n, 's>)> {
        self.members.iter().map(|(key, node)| {
            (
                key.as_ref(),
                Slot {
                    node: Some(node),
                    trail: Trail::Key(self.trail, key),
                    defects: self.defects,
                },
            )
        })
    }

    /// Members that nothing has asked for.
    pub fn unread<'s>(&'s self) -> impl Iterator<Item = (&'n str, Slot<'n, 's>)> {
        self.all().filter(|(key, _)| !self.read.borrow().contains(key))
    }

    /// Notes every member that nothing has asked for.
    pub fn deny_unknown(&self) {
        for (_, slot) in self.unread() {
            let mut known: Vec<&str> = self.read.borrow().clone();
            known.dedup();
            slot.refuse(format_args!("is not a known field; known here: {}", known.join(", ")));
        }
    }

    /// Where this object stands.
    #[must_use]
    pub fn path(&self) -> Path {
        self.trail.path()
    }

    /// Notes a defect about the object as a whole.
    pub fn refuse(&self, issue: impl Display) {
        self.defects.add(self.path(), issue);
    }
}
