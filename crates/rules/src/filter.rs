//! A filter as types: what the parser makes and every later stage reads. Knows the dictionary's slots,
//! never a lead.

use std::collections::HashSet;
use std::sync::Arc;

use document::Path;
use lead::{Attribute, Kind};
use market::{Country, Unit};
use regex::Regex;

use crate::evaluate::Truth;
use crate::operator::Operator;
use crate::prefixes::Prefixes;
use crate::scalar::{Range, Scalar};

/// Deepest nesting of `all`, `any` and `not`.
pub const NESTING_MAX: usize = 16;
/// Most values that the lists written in one filter may hold together.
pub const VALUES_MAX: usize = 65_536;
/// Most predicates in one filter: a lead may have to pass all of them.
pub const PREDICATES_MAX: usize = 1_024;
/// Most `matches` in one filter: each may take the memory of a large pattern.
pub const PATTERNS_MAX: usize = 64;

/// What a campaign wants, checked against the dictionary of its product.
#[derive(Debug, Clone)]
pub struct Filter {
    pub(crate) root: Arc<Expr>,
    pub(crate) warnings: Arc<[Warning]>,
}

impl Filter {
    /// Parts that are legal but decide nothing, or forbid everything.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// A part of a filter that its author can hardly have meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where, from the filter's own root.
    pub path: Path,
    /// A sentence part that follows the path: "can never be true here".
    pub issue: String,
}

/// One node of a filter.
#[derive(Debug)]
pub(crate) enum Expr {
    /// An object or list without entries. Keeps its path because a `not` around it must be explained.
    Always(Path),
    /// Every part is required.
    All(Vec<Self>),
    /// One part is enough; the path is that of the list.
    Any(Path, Vec<Self>),
    /// The opposite; unknown stays unknown.
    Not(Box<Self>),
    /// A question about one attribute.
    Is(Box<Predicate>),
}

/// One operator on one attribute.
#[derive(Debug)]
pub(crate) struct Predicate {
    /// As the buyer wrote it, from the filter's root: `any.0.age.gte`.
    pub(crate) path: Path,
    pub(crate) attribute: Attribute,
    /// The attribute's place in the dictionary and in an encoded lead.
    pub(crate) slot: usize,
    pub(crate) kind: Kind,
    pub(crate) operator: Operator,
    /// The operand in the buyer's words: "at least 21".
    pub(crate) expected: String,
    pub(crate) test: Test,
    /// A value passes if the test does not hold.
    pub(crate) negated: bool,
    /// The answer for a lead without the attribute.
    pub(crate) when_missing: Truth,
    /// From where `within` measures, for explanations.
    pub(crate) centre: Option<Box<Centre>>,
}

/// From where a radius is measured, and by what.
#[derive(Debug)]
pub(crate) struct Centre {
    pub(crate) postal_code: String,
    pub(crate) unit: Unit,
    pub(crate) places: Arc<Country>,
}

/// What is asked of a value that is there. Cheap to clone: large parts are shared.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// Any value will do.
    Present,
    Equals(Scalar),
    Within(Range),
    OneOf(Arc<HashSet<Scalar>>),
    StartsWith(Arc<Prefixes>),
    Contains(Arc<str>),
    Matches(Regex),
}
