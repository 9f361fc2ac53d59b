//! Rows of bits, one bit for each slot of a book, in one piece of memory; equal rows are stored once.
//! Knows nothing of what a bit means.

use std::collections::HashMap;

/// Bits that are read together: a cache line.
pub(crate) type Block = [u64; 8];
/// Bits of a block.
pub(crate) const BLOCK_BITS: usize = 512;
/// No bit.
pub(crate) const NONE: Block = [0; 8];
/// Every bit.
pub(crate) const FULL: Block = [u64::MAX; 8];

/// Sets or clears the bit of a slot; nothing happens past the end.
pub(crate) fn put(row: &mut [Block], slot: u32, bit: bool) {
    if let Some((word, mask)) = word(row, slot) {
        *word = if bit { *word | mask } else { *word & !mask };
    }
}

/// Turns the bit of a slot over.
pub(crate) fn flip(row: &mut [Block], slot: u32) {
    if let Some((word, mask)) = word(row, slot) {
        *word ^= mask;
    }
}

/// The bit of a slot.
pub(crate) fn is_set(row: &[Block], slot: u32) -> bool {
    let slot = slot as usize;
    let word = row.get(slot / BLOCK_BITS).and_then(|block| block.get(slot / 64 % 8));
    word.is_some_and(|word| word >> (slot % 64) & 1 == 1)
}

fn word(row: &mut [Block], slot: u32) -> Option<(&mut u64, u64)> {
    let slot = slot as usize;
    let word = row.get_mut(slot / BLOCK_BITS)?.get_mut(slot / 64 % 8)?;
    Some((word, 1 << (slot % 64)))
}

/// Rows of equal length.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// Blocks of one row.
    pub(crate) blocks: usize,
    all: Box<[Block]>,
}

impl Rows {
    /// The row that [`Stock::store`] numbered.
    pub(crate) fn row(&self, number: u32) -> &[Block] {
        let start = number as usize * self.blocks;
        self.all.get(start..start + self.blocks).unwrap_or_default()
    }

    /// Where a row starts.
    #[inline]
    pub(crate) fn start(&self, number: u32) -> usize {
        number as usize * self.blocks
    }

    /// One block of the row that starts at `start`.
    #[inline]
    pub(crate) fn block(&self, start: usize, at: usize) -> &Block {
        self.all.get(start + at).unwrap_or(&NONE)
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.all)
    }
}

/// Rows while they are collected.
#[derive(Debug)]
pub(crate) struct Stock {
    pub(crate) blocks: usize,
    all: Vec<Block>,
    known: HashMap<u64, Vec<u32>>,
}

impl Stock {
    pub(crate) fn new(blocks: usize) -> Self {
        Self { blocks, all: Vec::new(), known: HashMap::new() }
    }

    /// The number of a row with these bits.
    pub(crate) fn store(&mut self, row: &[Block]) -> u32 {
        let hash = hash(row);
        let known = self.known.get(&hash).into_iter().flatten().copied();
        if let Some(same) = known.into_iter().find(|number| self.row(*number) == row) {
            return same;
        }
        let number = u32::try_from(self.all.len() / self.blocks.max(1)).unwrap_or(u32::MAX);
        self.all.extend_from_slice(row);
        self.known.entry(hash).or_default().push(number);
        number
    }

    pub(crate) fn row(&self, number: u32) -> &[Block] {
        let start = number as usize * self.blocks;
        self.all.get(start..start + self.blocks).unwrap_or_default()
    }

    pub(crate) fn finish(self) -> Rows {
        Rows { blocks: self.blocks, all: self.all.into() }
    }
}

fn hash(row: &[Block]) -> u64 {
    let words = row.iter().flatten();
    words.fold(0, |hash: u64, word| {
        (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}
