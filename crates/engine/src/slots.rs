//! How much of one lead is sold or held, and for whom. Pure; decides nothing.

use lead::PostClass;
use ledger::RESALE_SLOTS;

/// A buyer together with the sister brands of its group, by its number in a tree.
pub(crate) type Family = u32;

/// How much of a lead an offer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// All of it: nobody else gets it.
    Whole,
    /// One slot.
    Slot,
}

/// A lead's slots.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    all: u16,
    /// Who holds one: a sale, or a post that may have been one.
    held: Vec<Family>,
    is_whole: bool,
    /// Posts that may have been a sale, and whose place is sold on all the same.
    passed_on: Vec<Resold>,
}

/// Who may have a place that is sold on, and which: 0 is the whole lead.
#[derive(Debug, Clone, Copy)]
struct Resold {
    family: Family,
    place: u16,
}

impl Slots {
    /// The slots of a lead that may be sold `all` times; none is taken.
    pub(crate) fn new(all: u16) -> Self {
        Self { all, held: Vec::new(), is_whole: false, passed_on: Vec::new() }
    }

    /// Whether a slot is taken, or may be, so that the lead can no longer be sold whole.
    pub(crate) fn is_shared(&self) -> bool {
        let is_slot = |resold: &Resold| resold.place > 0;
        !self.is_whole && (!self.held.is_empty() || self.passed_on.iter().any(is_slot))
    }

    /// How many may still be sold.
    pub(crate) fn left(&self) -> u16 {
        if self.is_whole { 0 } else { self.all.saturating_sub(self.taken()) }
    }

    /// Whether a buyer or its group has one, or may have.
    pub(crate) fn serves(&self, family: Family) -> bool {
        self.held.contains(&family) || self.passed_on.iter().any(|it| it.family == family)
    }

    /// The ledger's number of the next one: 0 for a whole lead, those of a shared one from 1, and
    /// [`RESALE_SLOTS`] more for every post that may have bought the same place, or all of the lead.
    pub(crate) fn number(&self, part: Part) -> u16 {
        let place = self.place(part);
        let same = self.passed_on.iter().filter(|it| it.place == 0 || it.place == place).count();
        let resales = u16::try_from(same).unwrap_or(u16::MAX);
        place.saturating_add(resales.saturating_mul(RESALE_SLOTS))
    }

    /// Notes a post that may have bought its place, which is sold on at the seller's risk.
    pub(crate) fn pass_on(&mut self, part: Part, family: Family) {
        self.passed_on.push(Resold { family, place: self.place(part) });
    }

    /// Notes what became of a post; says whether more of the lead may be sold after it.
    pub(crate) fn settle(&mut self, part: Part, family: Family, class: PostClass) -> bool {
        if matches!(class, PostClass::Accepted | PostClass::Unknown) {
            self.held.push(family);
            self.is_whole |= part == Part::Whole;
        }
        self.left() > 0
    }

    fn place(&self, part: Part) -> u16 {
        match part {
            Part::Whole => 0,
            Part::Slot => self.taken().saturating_add(1),
        }
    }

    fn taken(&self) -> u16 {
        u16::try_from(self.held.len()).unwrap_or(u16::MAX)
    }
}
