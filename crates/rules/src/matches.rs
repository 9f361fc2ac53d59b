//! The campaigns that want a lead, as a view that is worked out block by block: the first twenty cost
//! what the first twenty cost. Allocates nothing.

use crate::encode::Encoded;
use crate::index::Index;
use crate::rows::{BLOCK_BITS, Block, NONE};
use crate::scratch::Scratch;

/// Places of campaigns, ascending, each once. [`Iterator::take`] leaves the rest unread.
#[derive(Debug)]
pub struct Matches<'m> {
    index: &'m Index,
    scratch: &'m Scratch,
    lead: &'m Encoded,
    /// The next block to work out.
    next: usize,
    /// What is left of the one before it.
    bits: Block,
    /// Words of `bits` that are used up.
    word: usize,
}

impl<'m> Matches<'m> {
    pub(crate) fn new(index: &'m Index, lead: &'m Encoded, scratch: &'m mut Scratch) -> Self {
        index.locate(lead, scratch);
        Self { index, scratch, lead, next: 0, bits: NONE, word: 0 }
    }

    /// The next block, one bit for each campaign that matches.
    fn block(&mut self) -> Option<Block> {
        let at = self.next;
        let mut bits = *self.scratch.live.get(at)?;
        for row in &self.scratch.rows {
            narrow(&mut bits, self.index.rows.block(*row, at));
        }
        for row in self.scratch.more.chunks_exact(self.index.rows.blocks) {
            narrow(&mut bits, row.get(at).unwrap_or(&NONE));
        }
        if let Some(checked) = self.index.checked.as_ref().and_then(|row| row.get(at)) {
            self.check(&mut bits, checked);
        }
        if let Some([firsts, lasts]) = &self.index.ends
            && let (Some(firsts), Some(lasts)) = (firsts.get(at), lasts.get(at))
        {
            once(&mut bits, firsts, lasts);
        }
        self.next += 1;
        Some(bits)
    }

    fn check(&self, bits: &mut Block, checked: &Block) {
        for (at, (word, checked)) in bits.iter_mut().zip(checked).enumerate() {
            let mut left = *word & checked;
            while left != 0 {
                let slot = slot(self.next, at, left);
                if !self.index.passes(slot, self.lead) {
                    *word &= !(left & left.wrapping_neg());
                }
                left &= left - 1;
            }
        }
    }

    fn owner(&self, slot: u32) -> usize {
        self.index.owners.get(slot as usize).map_or(usize::MAX, |owner| *owner as usize)
    }
}

impl Iterator for Matches<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        loop {
            while let Some(word) = self.bits.get_mut(self.word) {
                if *word != 0 {
                    let slot = slot(self.next - 1, self.word, *word);
                    *word &= *word - 1;
                    return Some(self.owner(slot));
                }
                self.word += 1;
            }
            self.bits = self.block()?;
            self.word = 0;
        }
    }

    /// Reads no ids.
    fn count(mut self) -> usize {
        let mut count = ones(&self.bits);
        while let Some(bits) = self.block() {
            count += ones(&bits);
        }
        count
    }

    fn fold<B, F: FnMut(B, usize) -> B>(mut self, first: B, mut add: F) -> B {
        let mut sum = first;
        loop {
            for at in self.word..self.bits.len() {
                let mut left = self.bits.get(at).copied().unwrap_or_default();
                while left != 0 {
                    sum = add(sum, self.owner(slot(self.next - 1, at, left)));
                    left &= left - 1;
                }
            }
            match self.block() {
                Some(bits) => (self.bits, self.word) = (bits, 0),
                None => return sum,
            }
        }
    }
}

fn narrow(bits: &mut Block, row: &Block) {
    for (word, row) in bits.iter_mut().zip(row) {
        *word &= row;
    }
}

/// Keeps the least bit of each campaign; `firsts` and `lasts` are the ends of the campaigns' bits. Taking
/// one from each stretch turns over its bits up to the least that is set; the last is set for that time,
/// so that no stretch borrows from the next.
fn once(bits: &mut Block, firsts: &Block, lasts: &Block) {
    for ((word, first), last) in bits.iter_mut().zip(firsts).zip(lasts) {
        let filled = *word | last;
        *word &= !filled.wrapping_sub(*first);
    }
}

fn slot(block: usize, word: usize, bits: u64) -> u32 {
    let start = block * BLOCK_BITS + word * 64;
    u32::try_from(start).unwrap_or(u32::MAX) + bits.trailing_zeros()
}

fn ones(bits: &Block) -> usize {
    bits.iter().map(|word| word.count_ones() as usize).sum()
}
