//! The campaigns' filters of one product, compiled to be asked together. Immutable: a change makes a new
//! book.

use crate::encode::Encoded;
use crate::evaluate::Truth;
use crate::explain::Failure;
use crate::filter::Filter;
use crate::index::Index;
use crate::matches::Matches;
use crate::scratch::Scratch;

/// The filters of one product's campaigns.
#[derive(Debug, Default)]
pub struct RuleBook {
    index: Index,
    /// Apart from the index: only explanations read them.
    filters: Box<[Filter]>,
}

impl RuleBook {
    /// Compiles filters that were parsed with one dictionary.
    #[must_use]
    pub fn compile(filters: impl IntoIterator<Item = Filter>) -> Self {
        let filters: Box<[Filter]> = filters.into_iter().collect();
        Self { index: Index::of(&filters), filters }
    }

    /// The places, in the order given to [`RuleBook::compile`], of the filters that are true for a lead
    /// encoded with the same dictionary. Allocates nothing once `scratch` has grown.
    pub fn matching<'m>(&'m self, lead: &'m Encoded, scratch: &'m mut Scratch) -> Matches<'m> {
        Matches::new(&self.index, lead, scratch)
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

    /// Bytes that matching reads from, without patterns and what else is asked of survivors.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.index.bytes()
    }
}
