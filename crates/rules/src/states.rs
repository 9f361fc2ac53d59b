//! The states of one attribute that pass: missing or not, and which values. The index holds nothing
//! else; a test that cannot be told from a value's place alone is not a state set.

use crate::evaluate::Truth;
use crate::filter::{Predicate, Test};
use crate::place::{Place, exact};
use crate::scalar::{Range, Scalar};
use crate::spans::Spans;

/// Longer lists are asked of survivors, by hash: an entry for each value would waste memory.
const LISTED_MAX: usize = 4_096;

/// What passes.
#[derive(Debug, Clone)]
pub(crate) struct States<'f> {
    pub(crate) missing: bool,
    pub(crate) values: Values<'f>,
}

/// Which values.
#[derive(Debug, Clone)]
pub(crate) enum Values<'f> {
    /// Numbers, dates, truths.
    Ordered(Spans<i64>),
    Texts(Spans<Place<'f>>),
}

impl<'f> States<'f> {
    /// The states for which `predicate` is `wanted`, if they can be told by place.
    pub(crate) fn of(predicate: &'f Predicate, wanted: bool) -> Option<Self> {
        let values = Values::of(predicate)?;
        let values = if predicate.negated == wanted { values.complement() } else { values };
        Some(Self { missing: predicate.when_missing == Truth::from(wanted), values })
    }

    /// What passes both.
    pub(crate) fn and(&self, other: &Self) -> Option<Self> {
        let values = self.values.join(&other.values, |left, right| left && right)?;
        Some(Self { missing: self.missing && other.missing, values })
    }

    /// What passes one of them.
    pub(crate) fn or(&self, other: &Self) -> Option<Self> {
        let values = self.values.join(&other.values, |left, right| left || right)?;
        Some(Self { missing: self.missing || other.missing, values })
    }

    /// Certainly nothing passes.
    pub(crate) fn is_nothing(&self) -> bool {
        !self.missing && self.values.all(Spans::is_nothing, Spans::is_nothing)
    }

    /// Certainly everything passes.
    pub(crate) fn is_everything(&self) -> bool {
        self.missing && self.values.all(Spans::is_everything, Spans::is_everything)
    }
}

impl<'f> Values<'f> {
    fn of(predicate: &'f Predicate) -> Option<Self> {
        let text = predicate.kind == lead::Kind::Text;
        match &predicate.test {
            Test::Present if text => Some(Self::Texts(Spans::everything())),
            Test::Present => Some(Self::Ordered(Spans::everything())),
            Test::Equals(value) => Self::among(std::iter::once(value)),
            Test::OneOf(values) if values.is_empty() && text => Some(Self::Texts(Spans::nothing())),
            Test::OneOf(values) if values.len() > LISTED_MAX => None,
            Test::OneOf(values) => Self::among(values.iter()),
            Test::Within(range) => within(range).map(Self::Ordered),
            Test::StartsWith(prefixes) => {
                Some(Self::Texts(Spans::pairs(prefixes.iter().map(Place::around_all))))
            }
            Test::Contains(_) | Test::Matches(_) => None,
        }
    }

    fn among(values: impl Iterator<Item = &'f Scalar>) -> Option<Self> {
        let (mut places, mut texts) = (Vec::new(), Vec::new());
        for value in values {
            match value {
                Scalar::Text(text) => texts.push(&**text),
                other => places.push(exact(other)?),
            }
        }
        places.sort_unstable();
        texts.sort_unstable();
        match texts.is_empty() {
            true => Some(Self::Ordered(Spans::pairs(places.into_iter().map(|at| [at, at + 1])))),
            false => Some(Self::Texts(Spans::pairs(texts.into_iter().map(Place::around)))),
        }
    }

    fn complement(self) -> Self {
        match self {
            Self::Ordered(spans) => Self::Ordered(spans.complement()),
            Self::Texts(spans) => Self::Texts(spans.complement()),
        }
    }

    /// Nothing for values of two kinds, which no attribute has.
    fn join(&self, other: &Self, keep: fn(bool, bool) -> bool) -> Option<Self> {
        match (self, other) {
            (Self::Ordered(left), Self::Ordered(right)) => {
                Some(Self::Ordered(left.join(right, keep)))
            }
            (Self::Texts(left), Self::Texts(right)) => Some(Self::Texts(left.join(right, keep))),
            _ => None,
        }
    }

    fn all(&self, ordered: fn(&Spans<i64>) -> bool, texts: fn(&Spans<Place<'f>>) -> bool) -> bool {
        match self {
            Self::Ordered(spans) => ordered(spans),
            Self::Texts(spans) => texts(spans),
        }
    }
}

fn within(range: &Range) -> Option<Spans<i64>> {
    let low = match &range.low {
        Some(bound) => Some(exact(&bound.at)? + i64::from(!bound.closed)),
        None => None,
    };
    let high = match &range.high {
        Some(bound) => Some(exact(&bound.at)? + i64::from(bound.closed)),
        None => None,
    };
    Some(Spans::between(low, high))
}
