//! The campaigns' filters of one product, compiled to be asked together. Immutable: a change makes a new
//! book, and shares with the old one what did not change.

use std::collections::HashMap;
use std::sync::Arc;

use crate::encode::Encoded;
use crate::evaluate::Truth;
use crate::explain::Failure;
use crate::filter::Filter;
use crate::matches::{Matches, Run};
use crate::part::{GONE, Part};
use crate::scratch::Scratch;

/// So many filters may differ from those of the base before all are compiled anew.
const RECENT_MAX: usize = 256;

/// The filters of one product's campaigns.
#[derive(Debug, Default)]
pub struct RuleBook {
    /// Nearly all campaigns.
    base: Part,
    /// Those that changed since the base was compiled.
    recent: Part,
    /// What the base was compiled from.
    compiled: Arc<[Filter]>,
    /// Apart from the parts: only explanations read them.
    filters: Arc<[Filter]>,
}

impl RuleBook {
    /// Compiles filters that were parsed with one dictionary.
    #[must_use]
    pub fn compile(filters: impl IntoIterator<Item = Filter>) -> Self {
        Self::anew(filters.into_iter().collect())
    }

    /// The book of other filters, as [`RuleBook::compile`] would make it, but quick to make where most of
    /// them are clones of filters in this book, and in the same order.
    #[must_use]
    pub fn changed(&self, filters: impl IntoIterator<Item = Filter>) -> Self {
        let filters: Arc<[Filter]> = filters.into_iter().collect();
        let kept = ascending(&known(&self.compiled, &filters));
        let mut places = vec![GONE; self.compiled.len()];
        let mut recent = Vec::new();
        for (place, compiled) in (0..).zip(kept) {
            match compiled.and_then(|at| places.get_mut(at)) {
                Some(known) => *known = place,
                None => recent.push(place),
            }
        }
        if recent.len() > RECENT_MAX || self.compiled.len() > filters.len() + RECENT_MAX {
            return Self::anew(filters);
        }
        let changed = recent.iter().filter_map(|place| filters.get(*place as usize));
        Self {
            base: self.base.moved(&places),
            recent: Part::compile(changed, &recent),
            compiled: Arc::clone(&self.compiled),
            filters,
        }
    }

    fn anew(filters: Arc<[Filter]>) -> Self {
        let places: Vec<u32> = (0..).take(filters.len()).collect();
        let base = Part::compile(filters.iter(), &places);
        Self { base, recent: Part::default(), compiled: Arc::clone(&filters), filters }
    }

    /// The places, in the order given to [`RuleBook::compile`], of the filters that are true for a lead
    /// encoded with the same dictionary. Allocates nothing once `scratch` has grown.
    pub fn matching<'m>(&'m self, lead: &'m Encoded, scratch: &'m mut Scratch) -> Matches<'m> {
        let base = Run::new(&self.base, lead, &mut scratch.base);
        Matches::new(base, Run::new(&self.recent, lead, &mut scratch.recent))
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
        self.base.index.bytes() + self.recent.index.bytes()
    }
}

/// Where each filter stands in `compiled`, if it is a clone of one there; each of those is used once.
fn known(compiled: &[Filter], filters: &[Filter]) -> Vec<Option<usize>> {
    let mut places: HashMap<_, Vec<usize>> = HashMap::with_capacity(compiled.len());
    for (at, filter) in compiled.iter().enumerate().rev() {
        places.entry(Arc::as_ptr(&filter.root)).or_default().push(at);
    }
    filters.iter().map(|filter| places.get_mut(&Arc::as_ptr(&filter.root))?.pop()).collect()
}

/// As many as possible that ascend; the others become `None`.
fn ascending(numbers: &[Option<usize>]) -> Vec<Option<usize>> {
    // The place of the least number that ends an ascent of each length, and what came before each.
    let mut ends: Vec<usize> = Vec::new();
    let mut before = vec![None; numbers.len()];
    for (place, number) in numbers.iter().enumerate().filter(|(_, number)| number.is_some()) {
        let length = ends.partition_point(|end| numbers.get(*end) < Some(number));
        if let Some(link) = before.get_mut(place) {
            *link = length.checked_sub(1).and_then(|last| ends.get(last)).copied();
        }
        match ends.get_mut(length) {
            Some(end) => *end = place,
            None => ends.push(place),
        }
    }
    let mut kept = vec![None; numbers.len()];
    let mut place = ends.last().copied();
    while let Some(at) = place {
        if let (Some(kept), Some(number)) = (kept.get_mut(at), numbers.get(at)) {
            *kept = *number;
        }
        place = before.get(at).copied().flatten();
    }
    kept
}
