//! One value in the form in which it compares, and ranges of them. Values of different kinds are never
//! equal and have no order.

use std::cmp::Ordering;
use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;

/// A value of a lead or of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Scalar {
    Number(Decimal),
    /// Normalised.
    Text(Arc<str>),
    Bool(bool),
    Date(Date),
}

impl Scalar {
    /// Which is greater; only numbers and dates have an order.
    pub(crate) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => Some(left.cmp(right)),
            (Self::Date(left), Self::Date(right)) => Some(left.cmp(right)),
            _ => None,
        }
    }
}

/// One end of a range.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) at: Scalar,
    /// The end itself is inside.
    pub(crate) closed: bool,
}

/// The values between two ends; an absent end is open to infinity.
#[derive(Debug, Clone, Default)]
pub(crate) struct Range {
    pub(crate) low: Option<Bound>,
    pub(crate) high: Option<Bound>,
}

impl Range {
    pub(crate) fn from(at: Scalar, closed: bool) -> Self {
        Self { low: Some(Bound { at, closed }), high: None }
    }

    pub(crate) fn to(at: Scalar, closed: bool) -> Self {
        Self { low: None, high: Some(Bound { at, closed }) }
    }

    pub(crate) fn between(low: Scalar, high: Scalar) -> Self {
        Self {
            low: Some(Bound { at: low, closed: true }),
            high: Some(Bound { at: high, closed: true }),
        }
    }

    pub(crate) fn holds(&self, value: &Scalar) -> bool {
        let inside = |bound: &Option<Bound>, side: Ordering| {
            bound.as_ref().is_none_or(|bound| match value.order(&bound.at) {
                Some(Ordering::Equal) => bound.closed,
                order => order == Some(side),
            })
        };
        inside(&self.low, Ordering::Greater) && inside(&self.high, Ordering::Less)
    }

    /// The values outside, if they are one range.
    pub(crate) fn complement(&self) -> Option<Self> {
        match (&self.low, &self.high) {
            (Some(low), None) => Some(Self::to(low.at.clone(), !low.closed)),
            (None, Some(high)) => Some(Self::from(high.at.clone(), !high.closed)),
            _ => None,
        }
    }

    /// The values that are also in `other`.
    pub(crate) fn intersect(&mut self, other: &Self) {
        tighten(&mut self.low, other.low.as_ref(), Ordering::Greater);
        tighten(&mut self.high, other.high.as_ref(), Ordering::Less);
    }

    /// No value can be inside. Dates count in days, numbers have no gaps.
    pub(crate) fn is_empty(&self) -> bool {
        let (Some(low), Some(high)) = (&self.low, &self.high) else {
            return false;
        };
        match low.at.order(&high.at) {
            Some(Ordering::Less) => {
                !low.closed && !high.closed && are_neighbours(&low.at, &high.at)
            }
            Some(Ordering::Equal) => !(low.closed && high.closed),
            _ => true,
        }
    }

    /// The only value inside, if the ends meet.
    pub(crate) fn point(&self) -> Option<&Scalar> {
        let (low, high) = (self.low.as_ref()?, self.high.as_ref()?);
        (low.at == high.at).then_some(&low.at)
    }
}

fn tighten(mine: &mut Option<Bound>, other: Option<&Bound>, inward: Ordering) {
    let Some(other) = other else { return };
    let replace = mine.as_ref().is_none_or(|mine| match other.at.order(&mine.at) {
        Some(Ordering::Equal) => mine.closed && !other.closed,
        order => order == Some(inward),
    });
    if replace {
        *mine = Some(other.clone());
    }
}

fn are_neighbours(low: &Scalar, high: &Scalar) -> bool {
    match (low, high) {
        (Scalar::Date(low), Scalar::Date(high)) => low.tomorrow().is_ok_and(|next| next == *high),
        _ => false,
    }
}
