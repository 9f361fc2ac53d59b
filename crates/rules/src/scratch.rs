//! What a match needs beside the book; kept between matches, so that none allocates.

use crate::pass::Pass;
use crate::rows::Block;

/// Memory that matches reuse: one for each thread, for any book.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) base: Rows,
    pub(crate) recent: Rows,
}

impl Scratch {
    /// Nothing to reuse yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// The rows of one lead in one index; a slot passes if it is set in all of them.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// Slots that may still pass.
    pub(crate) live: Vec<Block>,
    /// The lead's code for each column.
    pub(crate) codes: Vec<i64>,
    /// What each column lets pass.
    pub(crate) passes: Vec<Pass>,
    /// Where rows of the index start.
    pub(crate) shared: Vec<usize>,
    /// Rows that the index does not hold, one after another.
    pub(crate) own: Vec<Block>,
}

impl Rows {
    pub(crate) fn clear(&mut self, live: &[Block]) {
        self.live.clear();
        self.live.extend_from_slice(live);
        self.codes.clear();
        self.passes.clear();
        self.shared.clear();
        self.own.clear();
    }
}
