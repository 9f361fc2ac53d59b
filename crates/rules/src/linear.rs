//! The same filters, one after another: what the index is held to, and measured against. Nothing of the
//! engine uses it.

use crate::encode::Encoded;
use crate::filter::Filter;
use crate::plan::Plan;

/// The plans of some filters.
#[derive(Debug, Default)]
pub struct Linear(Box<[Plan]>);

impl Linear {
    /// Compiles filters that were parsed with one dictionary.
    #[must_use]
    pub fn compile(filters: impl IntoIterator<Item = Filter>) -> Self {
        Self(filters.into_iter().map(|filter| Plan::of(&filter.root, true)).collect())
    }

    /// The places of the filters that are true for a lead encoded with the same dictionary.
    pub fn matching<'a>(&'a self, lead: &'a Encoded) -> impl Iterator<Item = usize> + 'a {
        let hits = |(index, plan): (usize, &Plan)| plan.matches(lead).then_some(index);
        self.0.iter().enumerate().filter_map(hits)
    }
}
