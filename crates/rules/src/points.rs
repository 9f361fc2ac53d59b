//! The texts that filters of a book name for one attribute, numbered from 0 in the order in which they
//! came: a hash table over one string. A lead's text that nobody names has no number.

const EMPTY: u32 = u32::MAX;

/// Numbered texts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Points {
    texts: String,
    /// Where each text ends.
    ends: Vec<u32>,
    /// Tag and number by hash; a power of two of places, at most half of them taken.
    table: Vec<(u32, u32)>,
}

impl Points {
    /// The number of a text, given to it if it has none.
    pub(crate) fn insert(&mut self, text: &str) -> u32 {
        if self.ends.len() * 2 >= self.table.len() {
            self.grow();
        }
        let hash = hash(text);
        let (at, number) = self.probe(hash, text);
        if number != EMPTY {
            return number;
        }
        let number = u32::try_from(self.ends.len()).unwrap_or(EMPTY);
        self.texts.push_str(text);
        self.ends.push(u32::try_from(self.texts.len()).unwrap_or(EMPTY));
        if let Some(place) = self.table.get_mut(at) {
            *place = (tag(hash), number);
        }
        number
    }

    /// The number of a text.
    #[inline]
    pub(crate) fn find(&self, text: &str) -> Option<usize> {
        if self.table.is_empty() {
            return None;
        }
        let (_, number) = self.probe(hash(text), text);
        (number != EMPTY).then_some(number as usize)
    }

    /// The text with a number.
    pub(crate) fn text(&self, number: u32) -> &str {
        let number = number as usize;
        let end = |number: usize| self.ends.get(number).map_or(0, |end| *end as usize);
        let start = number.checked_sub(1).map_or(0, end);
        self.texts.get(start..end(number)).unwrap_or_default()
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        self.texts.len() + size_of_val(&*self.ends) + size_of_val(&*self.table)
    }

    /// Where the text stands, or the free place where it would.
    fn probe(&self, hash: u64, text: &str) -> (usize, u32) {
        let mask = self.table.len().wrapping_sub(1);
        let mut at = index(hash, mask);
        while let Some((tagged, number)) = self.table.get(at) {
            let found = *tagged == tag(hash) && self.text(*number) == text;
            if *number == EMPTY || found {
                return (at, *number);
            }
            at = (at + 1) & mask;
        }
        (at, EMPTY)
    }

    fn grow(&mut self) {
        let size = (self.table.len() * 2).max(8);
        self.table = vec![(0, EMPTY); size];
        for number in 0..self.ends.len() {
            let number = u32::try_from(number).unwrap_or(EMPTY);
            let hash = hash(self.text(number));
            let mut at = index(hash, size - 1);
            while self.table.get(at).is_some_and(|(_, taken)| *taken != EMPTY) {
                at = (at + 1) & (size - 1);
            }
            if let Some(place) = self.table.get_mut(at) {
                *place = (tag(hash), number);
            }
        }
    }
}

fn index(hash: u64, mask: usize) -> usize {
    usize::try_from(hash >> 32).unwrap_or_default() & mask
}

fn tag(hash: u64) -> u32 {
    (hash & u64::from(u32::MAX)).try_into().unwrap_or_default()
}

/// Multiplies and folds, eight bytes at a time.
fn hash(text: &str) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |state: u64, word: u64| {
        let product = (state ^ word).wrapping_mul(ODD);
        product ^ product >> 32
    };
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let state = ODD ^ text.len() as u64;
    let state = words.iter().fold(state, |state, word| mix(state, u64::from_le_bytes(*word)));
    let rest = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    mix(mix(state, rest), ODD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_keeps_its_number() {
        let mut points = Points::default();
        let texts: Vec<String> = (0..2_000).map(|at| format!("{:01$}", at, at % 19)).collect();
        let distinct: std::collections::BTreeSet<&String> = texts.iter().collect();
        let numbers: Vec<u32> = texts.iter().map(|text| points.insert(text)).collect();
        assert_eq!(points.ends.len(), distinct.len());
        for (text, number) in texts.iter().zip(numbers) {
            assert_eq!(points.find(text), Some(number as usize));
            assert_eq!(points.text(number), text);
        }
        assert_eq!(points.find("nobody"), None);
        assert_eq!(Points::default().find(""), None);
    }
}
