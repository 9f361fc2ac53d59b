//! What a match needs beside the book; kept between matches, so that none allocates.

use crate::rows::Block;

/// Memory that matches reuse: one for each thread, for any book.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Slots that may still pass.
    pub(crate) live: Vec<Block>,
    /// Rows of the book that all apply.
    pub(crate) rows: Vec<u32>,
    /// Rows that the book does not hold, one after another.
    pub(crate) more: Vec<Block>,
}

impl Scratch {
    /// Nothing to reuse yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn clear(&mut self, live: &[Block]) {
        self.live.clear();
        self.live.extend_from_slice(live);
        self.rows.clear();
        self.more.clear();
    }
}
