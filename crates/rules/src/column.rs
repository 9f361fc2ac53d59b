//! What the book asks of one attribute: which state of it lets which slots pass. A state is found by
//! the value's place; what it lets pass is a row, or a row and the few slots where it differs from it.

use crate::cuts::Cuts;
use crate::encode::{Cell, Encoded};
use crate::place::{Place, place};
use crate::points::Points;
use crate::rows::{Block, FULL, Stock, flip, is_set, put};
use crate::scalar::Scalar;
use crate::spans::Spans;
use crate::states::{States, Values};

/// A row lets a state differ in one of so many slots before it becomes a row of its own.
const SLOTS_PER_DIFFERENCE: usize = 512;

/// What one state lets pass.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pass {
    /// `None`: everything.
    pub(crate) row: Option<u32>,
    /// From here on in the book's list of differences.
    start: u32,
    /// So many slots that the row lets pass do not.
    less: u32,
    /// And behind them so many that it does not let pass do.
    more: u32,
}

impl Pass {
    /// The slots to take from the row.
    pub(crate) fn less<'d>(&self, differences: &'d [u32]) -> &'d [u32] {
        let start = self.start as usize;
        differences.get(start..start + self.less as usize).unwrap_or_default()
    }

    /// The slots to add to it.
    pub(crate) fn more<'d>(&self, differences: &'d [u32]) -> &'d [u32] {
        let start = self.start as usize + self.less as usize;
        differences.get(start..start + self.more as usize).unwrap_or_default()
    }
}

/// One attribute.
#[derive(Debug)]
pub(crate) struct Column {
    /// Its slot in the dictionary.
    attribute: usize,
    missing: Pass,
    values: Places,
}

/// Where a value's pass is found.
#[derive(Debug)]
enum Places {
    /// Pass `i` is for values from cut `i - 1` on.
    Ordered(Box<[i64]>, Box<[Pass]>),
    /// Texts that some filter names stand apart from the places between cuts.
    Texts(Points, Box<[Pass]>, Cuts, Box<[Pass]>),
}

impl Column {
    /// What the lead's state of this attribute lets pass.
    #[inline]
    pub(crate) fn pass(&self, lead: &Encoded) -> Pass {
        let found = match (lead.cell(self.attribute), &self.values) {
            (Cell::Missing | Cell::Unreadable, _) => Some(&self.missing),
            (Cell::Known(Scalar::Text(text)), Places::Texts(points, named, cuts, passes)) => {
                match points.find(text) {
                    Some(point) => named.get(point),
                    None => passes.get(cuts.before(text)),
                }
            }
            (Cell::Known(value), Places::Ordered(cuts, passes)) => {
                let at = place(value).unwrap_or_default();
                passes.get(cuts.partition_point(|cut| *cut <= at))
            }
            (Cell::Known(_), Places::Texts(..)) => None,
        };
        found.copied().unwrap_or_default()
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        match &self.values {
            Places::Ordered(cuts, passes) => size_of_val(&**cuts) + size_of_val(&**passes),
            Places::Texts(points, named, cuts, passes) => {
                let passes = size_of_val(&**named) + size_of_val(&**passes);
                points.bytes() + passes + cuts.bytes()
            }
        }
    }
}

/// What the columns of one book are built into.
#[derive(Debug)]
pub(crate) struct Builder {
    pub(crate) stock: Stock,
    pub(crate) differences: Vec<u32>,
    differences_max: usize,
}

impl Builder {
    pub(crate) fn new(blocks: usize, slots: usize) -> Self {
        let differences_max = slots / SLOTS_PER_DIFFERENCE;
        Self { stock: Stock::new(blocks), differences: Vec::new(), differences_max }
    }

    /// The column of an attribute of which these slots ask; all others let everything pass.
    pub(crate) fn column(&mut self, attribute: usize, asked: &[(u32, &States<'_>)]) -> Column {
        let mut missing = vec![FULL; self.stock.blocks];
        for (slot, _) in asked.iter().filter(|(_, states)| !states.missing) {
            put(&mut missing, *slot, false);
        }
        let missing = self.own(&missing);
        let mut first = vec![FULL; self.stock.blocks];
        let (mut ordered, mut texts) = (Vec::new(), Vec::new());
        for (slot, states) in asked {
            let starts = match &states.values {
                Values::Ordered(spans) => {
                    ordered.extend(spans.toggles.iter().map(|at| (*at, *slot)));
                    spans.first
                }
                Values::Texts(spans) => {
                    texts.push((*slot, spans));
                    spans.first
                }
            };
            put(&mut first, *slot, starts);
        }
        let values = if texts.is_empty() {
            let (cuts, passes) = self.sweep(first, ordered);
            Places::Ordered(cuts.into(), passes.into())
        } else {
            self.texts(first, &texts)
        };
        Column { attribute, missing, values }
    }

    fn texts<'f>(&mut self, first: Vec<Block>, asked: &[(u32, &Spans<Place<'f>>)]) -> Places {
        let mut cuts = Vec::new();
        let mut points = Points::default();
        let mut named: Vec<(u32, u32)> = Vec::new();
        for (slot, spans) in asked {
            let mut toggles = &spans.toggles[..];
            while let Some((at, rest)) = toggles.split_first() {
                match rest.split_first() {
                    Some((next, after))
                        if *at == Place::of(at.text) && [*at, *next] == Place::around(at.text) =>
                    {
                        named.push((points.insert(at.text), *slot));
                        toggles = after;
                    }
                    _ => {
                        cuts.push((*at, *slot));
                        toggles = rest;
                    }
                }
            }
        }
        let (cuts, passes) = self.sweep(first, cuts);
        let cuts = Cuts::new(&cuts);
        // Sorted by point, then slot: points are numbered from 0 without a gap.
        named.sort_unstable();
        let around = |point: u32| passes.get(cuts.before(points.text(point))).copied();
        let named: Box<[Pass]> = named
            .chunk_by(|(one, _), (other, _)| one == other)
            .map(|group| {
                let point = group.first().map_or(0, |(point, _)| *point);
                let slots = group.iter().map(|(_, slot)| *slot);
                self.beside(around(point).unwrap_or_default(), slots)
            })
            .collect();
        Places::Texts(points, named, cuts, passes.into())
    }

    /// The pass that differs from another in some slots.
    fn beside(&mut self, around: Pass, slots: impl Iterator<Item = u32>) -> Pass {
        let mut flips: Vec<u32> = around.less(&self.differences).to_vec();
        flips.extend(around.more(&self.differences));
        flips.extend(slots);
        odd(&mut flips);
        if flips.len() <= self.differences_max {
            return self.differing(around.row, &flips);
        }
        let mut row = match around.row {
            Some(row) => self.stock.row(row).to_vec(),
            None => vec![FULL; self.stock.blocks],
        };
        flips.iter().for_each(|slot| flip(&mut row, *slot));
        self.own(&row)
    }

    fn own(&mut self, row: &[Block]) -> Pass {
        let all = row.iter().all(|block| *block == FULL);
        Pass { row: (!all).then(|| self.stock.store(row)), ..Pass::default() }
    }

    fn differing(&mut self, row: Option<u32>, flips: &[u32]) -> Pass {
        let start = self.differences.len();
        let bits = row.map(|row| self.stock.row(row));
        let passes = |slot: &&u32| bits.is_none_or(|bits| is_set(bits, **slot));
        self.differences.extend(flips.iter().filter(passes));
        let less = self.differences.len() - start;
        self.differences.extend(flips.iter().filter(|slot| !passes(slot)));
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Pass { row, start: count(start), less: count(less), more: count(flips.len() - less) }
    }

    /// Walks over the places where slots change; the pass before each place, and after the last.
    fn sweep<T: Ord + Copy>(
        &mut self,
        mut row: Vec<Block>,
        mut changes: Vec<(T, u32)>,
    ) -> (Vec<T>, Vec<Pass>) {
        changes.sort_unstable();
        let mut pass = self.own(&row);
        let (mut cuts, mut passes, mut flips) = (Vec::new(), vec![pass], Vec::new());
        for group in changes.chunk_by(|(one, _), (other, _)| one == other) {
            for (_, slot) in group {
                flip(&mut row, *slot);
                flips.push(*slot);
            }
            odd(&mut flips);
            if flips.len() <= self.differences_max {
                pass = self.differing(pass.row, &flips);
            } else {
                pass = self.own(&row);
                flips.clear();
            }
            cuts.extend(group.first().map(|(at, _)| *at));
            passes.push(pass);
        }
        (cuts, passes)
    }
}

/// Sorted, without those that stand there twice.
fn odd(slots: &mut Vec<u32>) {
    slots.sort_unstable();
    let (mut kept, mut at) = (0, 0);
    while at < slots.len() {
        if at + 1 < slots.len() && slots[at] == slots[at + 1] {
            at += 2;
        } else {
            slots[kept] = slots[at];
            (kept, at) = (kept + 1, at + 1);
        }
    }
    slots.truncate(kept);
}
