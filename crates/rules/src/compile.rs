//! Filters to plans, and the book that holds them. A plan has no `not` (De Morgan holds in Kleene's
//! logic, so negations move down into the tests), hence it is true or it is not: unknown need not be
//! told from false. Matching allocates nothing.

use crate::encode::{Cell, Encoded};
use crate::evaluate::Truth;
use crate::explain::Failure;
use crate::filter::{Expr, Filter, Predicate, Test};

/// The filters of one product's campaigns, compiled. Immutable: a change makes a new book.
#[derive(Debug, Default)]
pub struct RuleBook {
    plans: Box<[Plan]>,
    /// Apart from the plans: only explanations read them.
    filters: Box<[Filter]>,
}

impl RuleBook {
    /// Compiles filters that were parsed with one dictionary.
    #[must_use]
    pub fn compile(filters: impl IntoIterator<Item = Filter>) -> Self {
        let filters: Box<[Filter]> = filters.into_iter().collect();
        let plans = filters.iter().map(|filter| Plan::of(&filter.root, true)).collect();
        Self { plans, filters }
    }

    /// The places, in the order given to [`RuleBook::compile`], of the filters that are true for a lead
    /// encoded with the same dictionary.
    pub fn matching<'a>(&'a self, lead: &'a Encoded) -> impl Iterator<Item = usize> + 'a {
        let hits = |(index, plan): (usize, &Plan)| plan.matches(lead).then_some(index);
        self.plans.iter().enumerate().filter_map(hits)
    }

    /// Whether the filter at `index` is true for a lead; `None` for an index that is not in the book.
    #[must_use]
    pub fn evaluate(&self, index: usize, lead: &Encoded) -> Option<Truth> {
        self.filters.get(index).map(|filter| filter.evaluate(lead))
    }

    /// Every predicate that keeps the filter at `index` from being true; empty exactly if it is true.
    /// There is nothing to explain about an index that is not in the book.
    #[must_use]
    pub fn explain(&self, index: usize, lead: &Encoded) -> Vec<Failure> {
        self.filters.get(index).map(|filter| filter.explain(lead)).unwrap_or_default()
    }
}

#[derive(Debug)]
enum Plan {
    All(Box<[Self]>),
    Any(Box<[Self]>),
    Leaf(Leaf),
}

#[derive(Debug)]
struct Leaf {
    slot: usize,
    test: Test,
    negated: bool,
    /// A lead without the attribute passes.
    or_missing: bool,
}

impl Plan {
    /// A plan that matches exactly where `expr` is `wanted`.
    fn of(expr: &Expr, wanted: bool) -> Self {
        match (expr, wanted) {
            (Expr::Always(_), true) => Self::All(Box::default()),
            (Expr::Always(_), false) => Self::Any(Box::default()),
            (Expr::Not(part), _) => Self::of(part, !wanted),
            (Expr::Is(predicate), _) => Self::Leaf(Leaf::of(predicate, wanted)),
            (Expr::All(parts), true) | (Expr::Any(_, parts), false) => {
                Self::All(cheapest_first(parts, wanted))
            }
            (Expr::Any(_, parts), true) | (Expr::All(parts), false) => {
                Self::Any(cheapest_first(parts, wanted))
            }
        }
    }

    fn matches(&self, lead: &Encoded) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(lead)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(lead)),
            Self::Leaf(leaf) => leaf.matches(lead),
        }
    }

    /// A rough price; only the order counts.
    fn cost(&self) -> usize {
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
