//! What is left of one attribute when several predicates must all pass. Errs to one side only: a domain
//! called empty is empty; one that is not called so may be.

use std::collections::HashSet;

use lead::Kind;

use crate::filter::Test;
use crate::scalar::{Range, Scalar};

static BOOLS: [Scalar; 2] = [Scalar::Bool(false), Scalar::Bool(true)];

/// The states of an attribute that pass everything asked so far.
#[derive(Debug, Clone)]
pub(crate) struct Domain<'f> {
    /// The attribute may be missing.
    missing: bool,
    range: Range,
    /// The only values left; `None` while they cannot be counted.
    among: Option<Vec<&'f Scalar>>,
    /// Tests asked, with their negation: for values that become countable later.
    asked: Vec<(&'f Test, bool)>,
}

impl<'f> Domain<'f> {
    /// Everything.
    pub(crate) fn new(kind: Kind) -> Self {
        let among = (kind == Kind::Bool).then(|| BOOLS.iter().collect());
        Self { missing: true, range: Range::default(), among, asked: Vec::new() }
    }

    /// Keeps the values for which `test` holds (or does not, if `negated`), and the state of missing
    /// only if `missing`.
    pub(crate) fn narrow(&mut self, test: &'f Test, negated: bool, missing: bool) {
        self.missing &= missing;
        self.asked.push((test, negated));
        match (test, negated) {
            (Test::Present, true) => self.among = Some(Vec::new()),
            (Test::Within(range), false) => self.range.intersect(range),
            (Test::Within(range), true) => {
                if let Some(outside) = range.complement() {
                    self.range.intersect(&outside);
                }
            }
            (Test::Equals(value), false) => self.limit(std::iter::once(value)),
            (Test::OneOf(values), false) => self.limit(values.iter()),
            (Test::StartsWith(_), false) if self.prefixes_exclude(test) => {
                self.among = Some(Vec::new())
            }
            _ => {}
        }
        if let Some(among) = &mut self.among {
            among.retain(|value| test.holds(value) != negated);
        }
    }

    /// Nothing passes, not even a missing attribute.
    pub(crate) fn is_empty(&self) -> bool {
        !self.missing && self.is_void()
    }

    /// The bounds asked for exclude each other.
    pub(crate) fn has_empty_range(&self) -> bool {
        self.range.is_empty()
    }

    /// No value passes.
    fn is_void(&self) -> bool {
        match &self.among {
            Some(values) => values.is_empty(),
            None => {
                self.range.is_empty() || self.range.point().is_some_and(|value| !self.admits(value))
            }
        }
    }

    fn limit(&mut self, values: impl Iterator<Item = &'f Scalar>) {
        if self.among.is_none() {
            self.among = Some(values.filter(|value| self.admits(value)).collect());
        }
    }

    fn admits(&self, value: &Scalar) -> bool {
        self.asked.iter().all(|(test, negated)| test.holds(value) != *negated)
    }

    fn prefixes_exclude(&self, test: &Test) -> bool {
        let Test::StartsWith(new) = test else {
            return false;
        };
        self.asked.iter().any(|asked| match asked {
            (Test::StartsWith(known), false) => known.is_disjoint(new),
            _ => false,
        })
    }
}

/// The values that a product allows at all, as tests.
pub(crate) fn limits(definition: &market::Definition) -> Vec<Test> {
    let least =
        definition.least.map(|least| Test::Within(Range::from(Scalar::Number(least), true)));
    let most = definition.most.map(|most| Test::Within(Range::to(Scalar::Number(most), true)));
    let allowed = (!definition.allowed.is_empty()).then(|| {
        let normal = |text: &std::sync::Arc<str>| {
            Scalar::Text(crate::text::normalise(text, definition.exact).into())
        };
        Test::OneOf(definition.allowed.iter().map(normal).collect::<HashSet<_>>().into())
    });
    [least, most, allowed].into_iter().flatten().collect()
}
