//! The texts that filters of a book name for one attribute, numbered from 0 in the order in which they
//! came: a hash table over one string. A lead's text that nobody names has no number.

use crate::word::{Word, head};

const EMPTY: u32 = u32::MAX;

/// Numbered texts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Points {
    texts: String,
    /// Where each text ends.
    ends: Vec<u32>,
    /// By hash; at most four in five places are taken.
    table: Vec<Entry>,
}

/// One place of the table.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// The first bytes of the text.
    head: u64,
    /// The length of a short text, a hash of a long one.
    tag: u32,
    /// `EMPTY`: there is none.
    number: u32,
}

impl Points {
    /// The number of a text, given to it if it has none.
    pub(crate) fn insert(&mut self, text: &str) -> u32 {
        if (self.ends.len() + 1) * 5 > self.table.len() * 4 {
            self.resize((self.table.len() * 2).max(8));
        }
        let (at, number) = self.probe(Word::of(text));
        if number != EMPTY {
            return number;
        }
        let number = u32::try_from(self.ends.len()).unwrap_or(EMPTY);
        self.texts.push_str(text);
        self.ends.push(u32::try_from(self.texts.len()).unwrap_or(EMPTY));
        self.put(at, text, number);
        number
    }

    /// The number of a text.
    #[inline]
    pub(crate) fn find(&self, text: Word<'_>) -> Option<usize> {
        if self.table.is_empty() {
            return None;
        }
        let (_, number) = self.probe(text);
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
    #[inline]
    fn probe(&self, text: Word<'_>) -> (usize, u32) {
        let (hash, tag) = spread(text);
        let mut at = place(hash, self.table.len());
        let head = text.head();
        loop {
            let Some(entry) = self.table.get(at) else {
                at = 0;
                continue;
            };
            let same = entry.head == head && entry.tag == tag;
            let found = same
                && match text {
                    Word::Short(..) => true,
                    Word::Long(text) => self.text(entry.number) == text,
                };
            if entry.number == EMPTY || found {
                return (at, entry.number);
            }
            at += 1;
        }
    }

    fn put(&mut self, at: usize, text: &str, number: u32) {
        if let Some(entry) = self.table.get_mut(at) {
            let text = Word::of(text);
            *entry = Entry { head: text.head(), tag: spread(text).1, number };
        }
    }

    /// Gives back what is not needed to find texts.
    pub(crate) fn shrink(&mut self) {
        self.resize(self.ends.len() * 5 / 4 + 1);
        self.texts.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    fn resize(&mut self, size: usize) {
        self.table = vec![Entry { head: 0, tag: 0, number: EMPTY }; size];
        for number in (0..).take(self.ends.len()) {
            let text = self.text(number).to_owned();
            let (at, _) = self.probe(Word::of(&text));
            self.put(at, &text, number);
        }
    }
}

/// The place of a hash among `places`, without a division.
#[inline]
fn place(hash: u32, places: usize) -> usize {
    usize::try_from((u64::from(hash) * places as u64) >> 32).unwrap_or_default()
}

/// Where a text is looked for first, and its tag: a short text's length, a long one's second hash with
/// the top bit set.
fn spread(text: Word<'_>) -> (u32, u32) {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |state: u64, word: u64| {
        let product = (state ^ word).wrapping_mul(ODD);
        product ^ product >> 32
    };
    let half = |hash: u64| u32::try_from(hash >> 32).unwrap_or_default();
    let (hash, tag) = match text {
        Word::Short(head, length) => {
            (mix(length as u64, head), u32::try_from(length).unwrap_or_default())
        }
        Word::Long(text) => {
            let (words, rest) = text.as_bytes().as_chunks::<8>();
            let words = words.iter().map(|word| u64::from_be_bytes(*word));
            let hash = mix(words.fold(text.len() as u64, mix), head(rest));
            (hash, half(hash) | 1 << 31)
        }
    };
    (half(mix(hash, ODD)), tag)
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
        points.shrink();
        assert_eq!(points.ends.len(), distinct.len());
        for (text, number) in texts.iter().zip(numbers) {
            assert_eq!(points.find(Word::of(text)), Some(number as usize));
            assert_eq!(points.text(number), text);
        }
        assert_eq!(points.find(Word::of("nobody")), None);
        assert_eq!(Points::default().find(Word::of("")), None);
    }
}
