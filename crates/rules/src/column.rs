//! What the book asks of one attribute: which state of it lets which slots pass. A state is found by
//! the value's place.

use crate::cuts::Cuts;
use crate::encode::{Encoded, MISSING};
use crate::pass::{Pass, Passes};
use crate::place::Place;
use crate::points::Points;
use crate::rows::{Block, flip, put};
use crate::spans::Spans;
use crate::states::{States, Values};
use crate::word::Word;

/// One attribute.
#[derive(Debug)]
pub(crate) struct Column {
    /// Its slot in the dictionary.
    pub(crate) attribute: usize,
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
    /// What the lead's state of this attribute lets pass, from its code.
    #[inline]
    pub(crate) fn pass(&self, code: i64, lead: &Encoded) -> Pass {
        let found = match &self.values {
            _ if code == MISSING => Some(&self.missing),
            Places::Ordered(cuts, passes) => passes.get(cuts.partition_point(|cut| *cut <= code)),
            Places::Texts(points, named, cuts, passes) => {
                let text = lead.word(code);
                match points.find(text) {
                    Some(point) => named.get(point),
                    None => passes.get(cuts.before(text)),
                }
            }
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

    /// The column of an attribute of which these slots ask; all others let everything pass.
    pub(crate) fn of(attribute: usize, asked: &[(u32, &States<'_>)], passes: &mut Passes) -> Self {
        let (mut missing, mut first) = (passes.everything(), passes.everything());
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
            put(&mut missing, *slot, states.missing);
        }
        let values = if texts.is_empty() {
            let (cuts, passes) = sweep(first, ordered, passes);
            Places::Ordered(cuts.into(), passes.into())
        } else {
            Places::texts(first, &texts, passes)
        };
        Self { attribute, missing: passes.whole(&missing), values }
    }
}

impl Places {
    fn texts(first: Vec<Block>, asked: &[(u32, &Spans<Place<'_>>)], passes: &mut Passes) -> Self {
        let mut cuts = Vec::new();
        let mut points = Points::default();
        let mut named: Vec<(u32, u32)> = Vec::new();
        for (slot, spans) in asked {
            let mut toggles = &spans.toggles[..];
            while let Some((at, rest)) = toggles.split_first() {
                match rest.split_first() {
                    Some((next, after)) if [*at, *next] == Place::around(at.text) => {
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
        let (cuts, between) = sweep(first, cuts, passes);
        let cuts = Cuts::new(&cuts);
        // Sorted by point, then slot: points are numbered from 0 without a gap.
        named.sort_unstable();
        let at_point = |group: &[(u32, u32)]| {
            let point = group.first().map_or(0, |(point, _)| *point);
            let around = between.get(cuts.before(Word::of(points.text(point)))).copied();
            passes.beside(around.unwrap_or_default(), group.iter().map(|(_, slot)| *slot))
        };
        let named: Vec<Pass> =
            named.chunk_by(|(one, _), (other, _)| one == other).map(at_point).collect();
        points.shrink();
        Self::Texts(points, named.into(), cuts, between.into())
    }
}

/// Walks over the places where slots change; the pass before each place, and after the last.
fn sweep<T: Ord + Copy>(
    mut row: Vec<Block>,
    mut changes: Vec<(T, u32)>,
    passes: &mut Passes,
) -> (Vec<T>, Vec<Pass>) {
    changes.sort_unstable();
    let mut groups = changes.chunk_by(|(one, _), (other, _)| one == other).peekable();
    let (mut cuts, mut found) = (Vec::new(), Vec::new());
    loop {
        // As many places as change few slots between them share a row with all of these set.
        let (mut window, mut touched) = (Vec::new(), Vec::new());
        while let Some(group) = groups.next_if(|group| passes.affords(&mut touched, group)) {
            window.push(group);
        }
        let mut wide = row.clone();
        touched.iter().for_each(|slot| put(&mut wide, *slot, true));
        let wide = passes.whole(&wide);
        found.push(passes.lacking(wide, &touched, &row));
        for group in window {
            cuts.extend(turn(&mut row, group));
            found.push(passes.lacking(wide, &touched, &row));
        }
        match groups.next() {
            Some(group) => cuts.extend(turn(&mut row, group)),
            None => return (cuts, found),
        }
    }
}

/// Turns over the slots that change at one place.
fn turn<T: Copy>(row: &mut [Block], group: &[(T, u32)]) -> Option<T> {
    group.iter().for_each(|(_, slot)| flip(row, *slot));
    group.first().map(|(at, _)| *at)
}
