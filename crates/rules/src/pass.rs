//! What one state of an attribute lets pass: a row, and where that would waste memory the few slots in
//! which it differs from the row.

use crate::rows::{Block, FULL, Rows, Stock, flip, is_set};

/// A state may differ from a row in one of so many slots before it becomes a row of its own.
const SLOTS_PER_DIFFERENCE: usize = 512;
/// The row that lets everything pass.
const EVERYTHING: u32 = 0;

/// Bits of a pass's row that say how it differs from it: lacks one slot, has one more.
const LACKS_ONE: u32 = 1 << 30;
const HAS_ONE: u32 = 1 << 31;

/// What one state lets pass; by default everything.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pass {
    /// The row's number, and in its greatest bits how the pass differs from it.
    row: u32,
    /// The one slot; else counted from 1 in the list of differences, and 0: it does not differ.
    differs: u32,
}

impl Pass {
    /// The number of its row.
    #[inline]
    pub(crate) fn row(self) -> u32 {
        self.row & !(LACKS_ONE | HAS_ONE)
    }
}

/// How passes differ from their rows.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    /// Where in `slots` a pass's slots start, where those to add start, and where they end.
    parts: Vec<[u32; 3]>,
    slots: Vec<u32>,
}

impl Differences {
    /// The slots to take from a pass's row, and those to add to it.
    #[inline]
    pub(crate) fn of<'p>(&'p self, pass: &'p Pass) -> Option<[&'p [u32]; 2]> {
        let one = std::slice::from_ref(&pass.differs);
        if pass.row & LACKS_ONE != 0 {
            return Some([one, &[]]);
        }
        if pass.row & HAS_ONE != 0 {
            return Some([&[], one]);
        }
        let at = pass.differs.checked_sub(1)?;
        let [less, more, end] = self.parts.get(at as usize)?.map(|at| at as usize);
        Some([self.slots.get(less..more)?, self.slots.get(more..end)?])
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.parts) + size_of_val(&*self.slots)
    }
}

/// Passes while they are collected.
#[derive(Debug)]
pub(crate) struct Passes {
    stock: Stock,
    differences: Differences,
    differences_max: usize,
}

impl Passes {
    /// None yet, over rows of `blocks` for `slots`.
    pub(crate) fn new(blocks: usize, slots: usize) -> Self {
        let mut stock = Stock::new(blocks);
        stock.store(&vec![FULL; blocks]);
        let differences_max = slots / SLOTS_PER_DIFFERENCE;
        Self { stock, differences: Differences::default(), differences_max }
    }

    /// A row that lets everything pass.
    pub(crate) fn everything(&self) -> Vec<Block> {
        self.stock.row(EVERYTHING).to_vec()
    }

    /// The pass of a row.
    pub(crate) fn whole(&mut self, row: &[Block]) -> Pass {
        Pass { row: self.stock.store(row), differs: 0 }
    }

    /// Adds the slots that change at one place to those that may differ, unless they become too many.
    pub(crate) fn affords<T>(&self, touched: &mut Vec<u32>, group: &[(T, u32)]) -> bool {
        if group.len() > self.differences_max {
            return false;
        }
        let before = touched.len();
        for (_, slot) in group {
            if !touched.iter().take(before).any(|known| known == slot) {
                touched.push(*slot);
            }
        }
        let affords = touched.len() <= self.differences_max;
        if !affords {
            touched.truncate(before);
        }
        affords
    }

    /// The pass of `row`, which lacks of `wide` only some of `touched`.
    pub(crate) fn lacking(&mut self, wide: Pass, touched: &[u32], row: &[Block]) -> Pass {
        let lacks: Vec<u32> = touched.iter().copied().filter(|slot| !is_set(row, *slot)).collect();
        self.differing(wide, &lacks)
    }

    /// The pass that differs from a whole one in `flips`.
    fn differing(&mut self, pass: Pass, flips: &[u32]) -> Pass {
        if flips.is_empty() {
            return Pass { row: pass.row(), differs: 0 };
        }
        let row = self.stock.row(pass.row());
        if let [slot] = flips {
            let how = if is_set(row, *slot) { LACKS_ONE } else { HAS_ONE };
            return Pass { row: pass.row() | how, differs: *slot };
        }
        let Differences { parts, slots } = &mut self.differences;
        let count = |slots: &Vec<u32>| u32::try_from(slots.len()).unwrap_or(u32::MAX);
        let less = count(slots);
        slots.extend(flips.iter().filter(|slot| is_set(row, **slot)));
        let more = count(slots);
        slots.extend(flips.iter().filter(|slot| !is_set(row, **slot)));
        parts.push([less, more, count(slots)]);
        let differs = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        Pass { row: pass.row(), differs }
    }

    /// The pass that differs from any other in `slots`.
    pub(crate) fn beside(&mut self, around: Pass, slots: impl Iterator<Item = u32>) -> Pass {
        let mut flips =
            self.differences.of(&around).map(|parts| parts.concat()).unwrap_or_default();
        flips.extend(slots);
        odd(&mut flips);
        if flips.len() <= self.differences_max {
            return self.differing(around, &flips);
        }
        let mut row = self.stock.row(around.row()).to_vec();
        flips.iter().for_each(|slot| flip(&mut row, *slot));
        self.whole(&row)
    }

    pub(crate) fn finish(self) -> (Rows, Differences) {
        (self.stock.finish(), self.differences)
    }
}

/// Sorted, without those that stand there twice.
fn odd(slots: &mut Vec<u32>) {
    slots.sort_unstable();
    let mut kept: Vec<u32> = Vec::with_capacity(slots.len());
    for slot in slots.iter() {
        if kept.last() == Some(slot) {
            kept.pop();
        } else {
            kept.push(*slot);
        }
    }
    *slots = kept;
}
