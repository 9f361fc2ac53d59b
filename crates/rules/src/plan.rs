//! Filters to plans: what a lead is asked, cheapest first. A plan has no `not` (De Morgan holds in
//! Kleene's logic, so negations move down into the tests), hence it is true or it is not: unknown need
//! not be told from false. Matching allocates nothing.

use crate::encode::{Cell, Encoded};
use crate::evaluate::Truth;
use crate::filter::{Expr, Predicate, Test};

#[derive(Debug)]
pub(crate) enum Plan {
    All(Box<[Self]>),
    Any(Box<[Self]>),
    Leaf(Box<Leaf>),
}

#[derive(Debug)]
pub(crate) struct Leaf {
    slot: usize,
    test: Test,
    negated: bool,
    /// A lead without the attribute passes.
    or_missing: bool,
}

impl Plan {
    /// A plan that matches exactly where `expr` is `wanted`.
    pub(crate) fn of(expr: &Expr, wanted: bool) -> Self {
        match (expr, wanted) {
            (Expr::Always(_), true) => Self::All(Box::default()),
            (Expr::Always(_), false) => Self::Any(Box::default()),
            (Expr::Not(part), _) => Self::of(part, !wanted),
            (Expr::Is(predicate), _) => Self::Leaf(Box::new(Leaf::of(predicate, wanted))),
            (Expr::All(parts), true) | (Expr::Any(_, parts), false) => {
                Self::All(cheapest_first(parts, wanted))
            }
            (Expr::Any(_, parts), true) | (Expr::All(parts), false) => {
                Self::Any(cheapest_first(parts, wanted))
            }
        }
    }

    pub(crate) fn matches(&self, lead: &Encoded) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(lead)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(lead)),
            Self::Leaf(leaf) => leaf.matches(lead),
        }
    }

    /// A rough price; only the order counts.
    pub(crate) fn cost(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::cost).sum(),
            Self::Leaf(leaf) => match leaf.test {
                Test::Present => 1,
                Test::Equals(_) | Test::Within(_) => 2,
                Test::OneOf(_) => 4,
                Test::StartsWith(_) | Test::Contains(_) => 8,
                Test::Matches(_) => 32,
            },
        }
    }
}

fn cheapest_first(parts: &[Expr], wanted: bool) -> Box<[Plan]> {
    let mut plans: Vec<Plan> = parts.iter().map(|part| Plan::of(part, wanted)).collect();
    plans.sort_by_cached_key(Plan::cost);
    plans.into()
}

impl Leaf {
    fn of(predicate: &Predicate, wanted: bool) -> Self {
        Self {
            slot: predicate.slot,
            test: predicate.test.clone(),
            negated: predicate.negated == wanted,
            or_missing: predicate.when_missing == Truth::from(wanted),
        }
    }

    fn matches(&self, lead: &Encoded) -> bool {
        match lead.cell(self.slot) {
            Cell::Missing | Cell::Unreadable => self.or_missing,
            Cell::Known(value) => self.test.holds(value) != self.negated,
        }
    }
}
