//! Places between texts where a column's passes change, as bytes that stand in the same order as the
//! texts around them.

use crate::place::{Place, Side};
use crate::word::{Word, head};

/// Sorted places.
#[derive(Debug)]
pub(crate) struct Cuts {
    /// The first eight bytes of each: they nearly always tell.
    heads: Box<[u64]>,
    cuts: Box<[Box<[u8]>]>,
}

impl Cuts {
    pub(crate) fn new(places: &[Place<'_>]) -> Self {
        let cuts: Box<[Box<[u8]>]> = places.iter().map(least_behind).collect();
        Self { heads: cuts.iter().map(|cut| head(cut)).collect(), cuts }
    }

    /// How many places come before a text.
    #[inline]
    pub(crate) fn before(&self, text: Word<'_>) -> usize {
        let own = text.head();
        let below = self.heads.partition_point(|head| *head < own);
        let rest = self.heads.get(below..).unwrap_or_default();
        let same = rest.partition_point(|head| *head == own);
        let same = self.cuts.get(below..below + same).unwrap_or_default();
        if same.is_empty() {
            return below;
        }
        below + text.with_bytes(|text| same.partition_point(|cut| **cut <= *text))
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        let cuts: usize = self.cuts.iter().map(|cut| cut.len().next_multiple_of(16)).sum();
        size_of_val(&*self.heads) + size_of_val(&*self.cuts) + cuts
    }
}

/// The least bytes that stand behind a place.
fn least_behind(place: &Place<'_>) -> Box<[u8]> {
    let mut bytes = place.text.as_bytes().to_vec();
    match (place.side, bytes.last_mut()) {
        (Side::Before, _) => {}
        (Side::After, _) => bytes.push(0),
        // No byte of a text is so great that there is none above it.
        (Side::Beyond, Some(last)) => *last += 1,
        (Side::Beyond, None) => bytes.push(u8::MAX),
    }
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stand_in_the_order_of_places() {
        let texts = [
            "",
            "1",
            "17",
            "170",
            "18",
            "2",
            "longer than eight",
            "longer than nine",
            "é",
            "\u{10ffff}",
        ];
        let sides = [Side::Before, Side::After, Side::Beyond];
        let mut places: Vec<Place<'_>> =
            texts.iter().flat_map(|text| sides.map(|side| Place { text, side })).collect();
        places.sort_unstable();
        let cuts = Cuts::new(&places);
        for text in texts.iter().chain(&["0", "171", "longer t", "longer than ten", "z"]) {
            let before = places.iter().filter(|place| **place <= Place::of(text)).count();
            assert_eq!(cuts.before(Word::of(text)), before, "{text}");
        }
    }
}
