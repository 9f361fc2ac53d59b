//! All conjunctions of a book side by side: a slot for each, in the order of the campaigns, and a column
//! for each attribute that some slot asks of. A lead is matched by reading one row for each column.

use std::collections::BTreeMap;

use crate::column::Column;
use crate::encode::Encoded;
use crate::filter::Filter;
use crate::normalise::{Conjunction, conjunctions};
use crate::pass::{Differences, Pass, Passes};
use crate::plan::Plan;
use crate::rows::{Block, FULL, NONE, Rows, put};
use crate::scratch;
use crate::states::States;

/// A campaign's slots stand in one word, so that one of them can be chosen without a branch.
const WORD_BITS: usize = 64;

/// The compiled filters of one book.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) rows: Rows,
    differences: Differences,
    columns: Box<[Column]>,
    /// Slots that hold a conjunction.
    pub(crate) live: Box<[Block]>,
    /// The number of the campaign that each slot belongs to.
    pub(crate) owners: Box<[u32]>,
    /// The least and the greatest slots of the campaigns, if some campaign has more than one.
    pub(crate) ends: Option<[Box<[Block]>; 2]>,
    /// Slots that ask more than the columns tell.
    pub(crate) checked: Option<Box<[Block]>>,
    /// What they ask, sorted by slot.
    checks: Box<[(u32, Plan)]>,
}

impl Index {
    pub(crate) fn of<'f>(filters: impl Iterator<Item = &'f Filter>) -> Self {
        let mut slots = Slots::default();
        for (campaign, filter) in filters.enumerate() {
            let campaign = u32::try_from(campaign).unwrap_or(u32::MAX);
            slots.add(campaign, conjunctions(&filter.root, true));
        }
        slots.build()
    }

    /// Finds the rows of a lead, for the slots in `live`.
    pub(crate) fn locate(&self, lead: &Encoded, live: &[Block], rows: &mut scratch::Rows) {
        rows.clear(live);
        // First all that is read of the lead, then all that is looked up, then what depends on it: so reads
        // wait for memory together.
        rows.codes.extend(self.columns.iter().map(|column| lead.code(column.attribute)));
        let pairs = self.columns.iter().zip(&rows.codes);
        rows.passes.extend(pairs.map(|(column, code)| column.pass(*code, lead)));
        for at in 0..rows.passes.len() {
            let pass = rows.passes.get(at).copied().unwrap_or_default();
            match self.differences.of(&pass) {
                None => rows.shared.push(self.rows.start(pass.row())),
                Some([less, more]) => self.locate_differing(pass, less, more, rows),
            }
        }
    }

    fn locate_differing(&self, pass: Pass, less: &[u32], more: &[u32], rows: &mut scratch::Rows) {
        less.iter().for_each(|slot| put(&mut rows.live, *slot, false));
        if more.is_empty() {
            return rows.shared.push(self.rows.start(pass.row()));
        }
        let start = rows.own.len();
        rows.own.extend_from_slice(self.rows.row(pass.row()));
        let own = rows.own.get_mut(start..).unwrap_or_default();
        more.iter().for_each(|slot| put(own, *slot, true));
    }

    /// Whether the lead passes what the slot asks beyond the columns.
    pub(crate) fn passes(&self, slot: u32, lead: &Encoded) -> bool {
        let found = self.checks.binary_search_by_key(&slot, |(slot, _)| *slot);
        let plan = found.ok().and_then(|at| self.checks.get(at));
        plan.is_none_or(|(_, plan)| plan.matches(lead))
    }

    /// Bytes on the heap, without what is asked beyond the columns.
    pub(crate) fn bytes(&self) -> usize {
        let columns: usize =
            self.columns.iter().map(|column| column.bytes() + size_of::<Column>()).sum();
        let rows = 4 * size_of_val(&*self.live) + self.rows.bytes();
        // Owners, and as many places.
        rows + columns + self.differences.bytes() + 2 * size_of_val(&*self.owners)
    }
}

/// The slots while they are handed out.
#[derive(Default)]
struct Slots<'f> {
    owners: Vec<u32>,
    taken: Vec<(u32, Conjunction<'f>)>,
    /// First and last slot of campaigns that have several.
    groups: Vec<[u32; 2]>,
}

impl<'f> Slots<'f> {
    fn add(&mut self, campaign: u32, conjunctions: Vec<Conjunction<'f>>) {
        let used = self.owners.len() % WORD_BITS;
        if used + conjunctions.len() > WORD_BITS {
            self.owners.resize(self.owners.len() - used + WORD_BITS, campaign);
        }
        let first = number(self.owners.len());
        if conjunctions.len() > 1 {
            self.groups.push([first, first + number(conjunctions.len()) - 1]);
        }
        for conjunction in conjunctions {
            self.taken.push((number(self.owners.len()), conjunction));
            self.owners.push(campaign);
        }
    }

    fn build(self) -> Index {
        let blocks = self.owners.len().div_ceil(crate::rows::BLOCK_BITS);
        let mut live = vec![NONE; blocks];
        let mut asked: BTreeMap<usize, Vec<(u32, &States<'_>)>> = BTreeMap::new();
        let mut checks = Vec::new();
        for (slot, conjunction) in &self.taken {
            put(&mut live, *slot, true);
            checks.extend(conjunction.plan().map(|plan| (*slot, plan)));
            for (attribute, states) in &conjunction.states {
                asked.entry(*attribute).or_default().push((*slot, states));
            }
        }
        let mut passes = Passes::new(blocks, self.owners.len());
        let columns = asked
            .iter()
            .map(|(attribute, asked)| Column::of(*attribute, asked, &mut passes))
            .collect();
        let mut checked = vec![NONE; blocks];
        checks.iter().for_each(|(slot, _)| put(&mut checked, *slot, true));
        let (rows, differences) = passes.finish();
        Index {
            columns,
            live: live.into(),
            ends: self.ends(blocks),
            checked: (!checks.is_empty()).then(|| checked.into()),
            checks: checks.into(),
            rows,
            differences,
            owners: self.owners.into(),
        }
    }

    fn ends(&self, blocks: usize) -> Option<[Box<[Block]>; 2]> {
        let (mut first, mut last) = (vec![FULL; blocks], vec![FULL; blocks]);
        for [low, high] in &self.groups {
            (*low + 1..=*high).for_each(|slot| put(&mut first, slot, false));
            (*low..*high).for_each(|slot| put(&mut last, slot, false));
        }
        (!self.groups.is_empty()).then(|| [first.into(), last.into()])
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
