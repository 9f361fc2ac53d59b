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
    /// The place in the book of the campaign that each slot belongs to.
    places: Box<[u32]>,
}

impl Part {
    /// A new index over `filters`, which stand in the book at `places`.
    pub(crate) fn compile<'f>(filters: impl Iterator<Item = &'f Filter>, places: &[u32]) -> Self {
        Self::of(Arc::new(Index::of(filters)), places)
    }

    /// The same index, with its campaigns at other places or [`GONE`].
    pub(crate) fn moved(&self, places: &[u32]) -> Self {
        Self::of(Arc::clone(&self.index), places)
    }

    fn of(index: Arc<Index>, places: &[u32]) -> Self {
        let place = |owner: &u32| places.get(*owner as usize).copied().unwrap_or(GONE);
        let places: Box<[u32]> = index.owners.iter().map(place).collect();
        let mut live = index.live.clone();
        for (slot, _) in (0..).zip(&places).filter(|(_, place)| **place == GONE) {
            put(&mut live, slot, false);
        }
        Self { index, live, places }
    }

    /// The place in the book of the campaign that a slot belongs to.
    #[inline]
    pub(crate) fn place(&self, slot: u32) -> usize {
        self.places.get(slot as usize).map_or(usize::MAX, |place| *place as usize)
    }
}
