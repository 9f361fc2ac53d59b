//! The campaigns that want a lead, as a view that is worked out block by block: the first twenty cost
//! what the first twenty cost. Allocates nothing.

use crate::encode::Encoded;
use crate::part::Part;
use crate::rows::{BLOCK_BITS, Block, NONE};
use crate::scratch::Rows;

/// Places of campaigns, ascending, each once. [`Iterator::take`] leaves the rest unread.
#[derive(Debug)]
pub struct Matches<'m> {
    base: Run<'m>,
    /// What changed since the base was compiled.
    recent: Run<'m>,
    /// The next of each, once both have been read.
    ahead: Option<[Option<usize>; 2]>,
}

impl<'m> Matches<'m> {
    pub(crate) fn new(base: Run<'m>, recent: Run<'m>) -> Self {
        Self { base, recent, ahead: None }
    }

    fn merged(&mut self) -> Option<usize> {
        let ahead = self.ahead.get_or_insert_with(|| [self.base.next(), self.recent.next()]);
        let [base, recent] = ahead;
        // Nothing is less than some place, but here it comes last.
        let recent_first = base.is_none_or(|base| recent.is_some_and(|recent| recent < base));
        if recent_first {
            std::mem::replace(recent, self.recent.next())
        } else {
            std::mem::replace(base, self.base.next())
        }
    }
}

impl Iterator for Matches<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.recent.is_empty() { self.base.next() } else { self.merged() }
    }

    /// Reads no ids.
    fn count(self) -> usize {
        let ahead = self.ahead.into_iter().flatten().flatten().count();
        ahead + self.base.count() + self.recent.count()
    }

    fn fold<B, F: FnMut(B, usize) -> B>(mut self, first: B, mut add: F) -> B {
        if self.recent.is_empty() {
            return self.base.fold(first, add);
        }
        let mut sum = first;
        while let Some(place) = self.merged() {
            sum = add(sum, place);
        }
        sum
    }
}

/// The matches of one part.
#[derive(Debug)]
pub(crate) struct Run<'m> {
    part: &'m Part,
    rows: &'m Rows,
    lead: &'m Encoded,
    /// The next block to work out.
    next: usize,
    /// What is left of the one before it.
    bits: Block,
    /// Words of `bits` that are used up.
    word: usize,
}

impl<'m> Run<'m> {
    pub(crate) fn new(part: &'m Part, lead: &'m Encoded, rows: &'m mut Rows) -> Self {
        part.index.locate(lead, &part.live, rows);
        Self { part, rows, lead, next: 0, bits: NONE, word: 0 }
    }

    fn is_empty(&self) -> bool {
        self.part.live.is_empty()
    }

    /// The next block, one bit for each campaign that matches.
    fn block(&mut self) -> Option<Block> {
        let (at, index) = (self.next, &*self.part.index);
        let mut bits = *self.rows.live.get(at)?;
        for row in &self.rows.shared {
            narrow(&mut bits, index.rows.block(*row, at));
        }
        for row in self.rows.own.chunks_exact(index.rows.blocks) {
            narrow(&mut bits, row.get(at).unwrap_or(&NONE));
        }
        if let Some(checked) = index.checked.as_ref().and_then(|row| row.get(at)) {
            self.check(&mut bits, checked);
        }
        if let Some([firsts, lasts]) = &index.ends
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
                if !self.part.index.passes(slot, self.lead) {
                    *word &= !(left & left.wrapping_neg());
                }
                left &= left - 1;
            }
        }
    }
}

impl Iterator for Run<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        loop {
            while let Some(word) = self.bits.get_mut(self.word) {
                if *word != 0 {
                    let slot = slot(self.next - 1, self.word, *word);
                    *word &= *word - 1;
                    return Some(self.part.place(slot));
                }
                self.word += 1;
            }
            self.bits = self.block()?;
            self.word = 0;
        }
    }

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
            for (at, word) in self.bits.iter().enumerate().skip(self.word) {
                let mut left = *word;
                while left != 0 {
                    sum = add(sum, self.part.place(slot(self.next - 1, at, left)));
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
