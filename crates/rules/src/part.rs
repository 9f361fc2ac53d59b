//! An index in use: which of its campaigns are still as it knows them, and where each stands now. A
//! change to a book leaves the index alone and changes these two lists.

use std::sync::Arc;

use crate::filter::Filter;
use crate::index::Index;
use crate::rows::{Block, put};

/// No longer a campaign of the book.
pub(crate) const GONE: u32 = u32::MAX;

/// Some campaigns of a book.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) index: Arc<Index>,
    /// Slots of the campaigns that are still the same.
    pub(crate) live: Box<[Block]>,
    /// The place in the book of each of the index's campaigns.
    places: Box<[u32]>,
}

impl Part {
    /// A new index over `filters`, which stand in the book at `places`.
    pub(crate) fn compile<'f>(
        filters: impl Iterator<Item = &'f Filter>,
        places: Box<[u32]>,
    ) -> Self {
        let index = Index::of(filters);
        Self { live: index.live.clone(), index: Arc::new(index), places }
    }

    /// The same index, with its campaigns at other places or [`GONE`].
    pub(crate) fn moved(&self, places: Box<[u32]>) -> Self {
        let mut live = self.index.live.clone();
        let gone = |owner: &u32| places.get(*owner as usize).is_none_or(|place| *place == GONE);
        for (slot, owner) in (0..).zip(&self.index.owners) {
            if gone(owner) {
                put(&mut live, slot, false);
            }
        }
        Self { index: Arc::clone(&self.index), live, places }
    }

    /// The place in the book of the campaign that a slot belongs to.
    #[inline]
    pub(crate) fn place(&self, slot: u32) -> usize {
        let owner = self.index.owners.get(slot as usize);
        owner.and_then(|owner| self.places.get(*owner as usize)).map_or(usize::MAX, |p| *p as usize)
    }
}
