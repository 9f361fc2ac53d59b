//! A set of prefixes asked as one, in logarithmic time. Texts and prefixes come normalised.

/// Sorted, and none starts with another: so the one prefix that a text can start with is the last that
/// is not greater than the text.
#[derive(Debug)]
pub(crate) struct Prefixes(Vec<String>);

impl Prefixes {
    pub(crate) fn new(mut prefixes: Vec<String>) -> Self {
        prefixes.sort_unstable();
        prefixes.dedup_by(|longer, kept| longer.starts_with(kept.as_str()));
        Self(prefixes)
    }

    /// Sorted; none starts with another.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// `text` starts with one of them.
    pub(crate) fn cover(&self, text: &str) -> bool {
        let after = self.0.partition_point(|prefix| prefix.as_str() <= text);
        after
            .checked_sub(1)
            .and_then(|last| self.0.get(last))
            .is_some_and(|prefix| text.starts_with(prefix))
    }

    /// No text starts with one of these and one of `other`.
    pub(crate) fn is_disjoint(&self, other: &Self) -> bool {
        let (few, many) = if self.0.len() < other.0.len() { (self, other) } else { (other, self) };
        !few.0.iter().any(|prefix| many.cover(prefix) || many.extend(prefix))
    }

    /// One of them starts with `text`.
    fn extend(&self, text: &str) -> bool {
        let at = self.0.partition_point(|prefix| prefix.as_str() < text);
        self.0.get(at).is_some_and(|prefix| prefix.starts_with(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(prefixes: &str) -> Prefixes {
        Prefixes::new(prefixes.split(' ').map(str::to_owned).collect())
    }

    #[test]
    fn a_set_covers_what_one_of_its_prefixes_covers() {
        let list = ["28", "170", "281", "9", "a", "ab", "é"];
        let prefixes = set(&list.join(" "));
        for text in ["28013", "2", "17", "170", "1701", "99", "abc", "b", "éa", "", "29", "27"] {
            assert_eq!(prefixes.cover(text), list.iter().any(|p| text.starts_with(p)), "{text}");
        }
    }

    #[test]
    fn disjoint_sets_share_no_text() {
        assert!(set("28 17").is_disjoint(&set("29 18")));
        assert!(!set("28 17").is_disjoint(&set("1 3 4")));
        assert!(!set("1 3 4").is_disjoint(&set("179")));
    }
}
