//! The meaning of a filter: Kleene's three-valued logic over one lead. Allocates nothing.

use crate::encode::{Cell, Encoded};
use crate::filter::{Expr, Filter, Predicate, Test};
use crate::scalar::Scalar;

/// An answer. In this order `all` is the least of its parts and `any` the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// No.
    False,
    /// The lead does not say.
    Unknown,
    /// Yes.
    True,
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl Filter {
    /// Whether the lead passes. A campaign buys only if this is [`Truth::True`].
    #[must_use]
    pub fn evaluate(&self, lead: &Encoded) -> Truth {
        self.root.evaluate(lead)
    }
}

impl Expr {
    pub(crate) fn evaluate(&self, lead: &Encoded) -> Truth {
        match self {
            Self::Always(_) => Truth::True,
            Self::All(parts) => {
                parts.iter().map(|part| part.evaluate(lead)).min().unwrap_or(Truth::True)
            }
            Self::Any(_, parts) => {
                parts.iter().map(|part| part.evaluate(lead)).max().unwrap_or(Truth::False)
            }
            Self::Not(part) => !part.evaluate(lead),
            Self::Is(predicate) => predicate.evaluate(lead),
        }
    }
}

impl Predicate {
    pub(crate) fn evaluate(&self, lead: &Encoded) -> Truth {
        match lead.cell(self.slot) {
            Cell::Missing | Cell::Unreadable => self.when_missing,
            Cell::Known(value) => Truth::from(self.test.holds(value) != self.negated),
        }
    }
}

impl Test {
    pub(crate) fn holds(&self, value: &Scalar) -> bool {
        match (self, value) {
            (Self::Present, _) => true,
            (Self::Equals(wanted), value) => wanted == value,
            (Self::Within(range), value) => range.holds(value),
            (Self::OneOf(values), value) => values.contains(value),
            (Self::StartsWith(prefixes), Scalar::Text(text)) => prefixes.cover(text),
            (Self::Contains(part), Scalar::Text(text)) => text.contains(part.as_ref()),
            (Self::Matches(pattern), Scalar::Text(text)) => pattern.is_match(text),
            (Self::StartsWith(_) | Self::Contains(_) | Self::Matches(_), _) => false,
        }
    }
}
