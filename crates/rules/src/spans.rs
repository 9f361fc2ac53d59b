//! Sets of places on a line, as the sorted places where membership changes: every test that the index
//! can hold is one, and every way of joining tests is one walk over two of them. Knows no attribute.

/// Inside or outside from the far left on, then the other way from each toggle on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spans<T> {
    /// What comes before the first toggle is inside.
    pub(crate) first: bool,
    /// Sorted, without repetition.
    pub(crate) toggles: Vec<T>,
}

impl<T: Ord + Copy> Spans<T> {
    pub(crate) fn everything() -> Self {
        Self { first: true, toggles: Vec::new() }
    }

    pub(crate) fn nothing() -> Self {
        Self { first: false, toggles: Vec::new() }
    }

    /// From `low` on (`None`: from the far left) up to, but without, `high`.
    pub(crate) fn between(low: Option<T>, high: Option<T>) -> Self {
        if low.is_some() && high.is_some() && low >= high {
            return Self::nothing();
        }
        Self { first: low.is_none(), toggles: low.into_iter().chain(high).collect() }
    }

    /// What lies between each pair: sorted, and no two meet.
    pub(crate) fn pairs(pairs: impl Iterator<Item = [T; 2]>) -> Self {
        Self { first: false, toggles: pairs.flatten().collect() }
    }

    #[cfg(test)]
    pub(crate) fn holds(&self, at: T) -> bool {
        self.first != (self.toggles.partition_point(|toggle| *toggle <= at) % 2 == 1)
    }

    pub(crate) fn complement(self) -> Self {
        Self { first: !self.first, ..self }
    }

    /// What `keep` says of inside and outside of the two.
    pub(crate) fn join(&self, other: &Self, keep: fn(bool, bool) -> bool) -> Self {
        let (mut left, mut right) = (self.first, other.first);
        let (mut mine, mut theirs) =
            (self.toggles.iter().peekable(), other.toggles.iter().peekable());
        let first = keep(left, right);
        let (mut inside, mut toggles) = (first, Vec::new());
        while let Some(at) = [mine.peek(), theirs.peek()].into_iter().flatten().min() {
            let at = **at;
            left ^= mine.next_if(|toggle| **toggle == at).is_some();
            right ^= theirs.next_if(|toggle| **toggle == at).is_some();
            if keep(left, right) != inside {
                inside = !inside;
                toggles.push(at);
            }
        }
        Self { first, toggles }
    }

    /// Certainly nothing is inside.
    pub(crate) fn is_nothing(&self) -> bool {
        !self.first && self.toggles.is_empty()
    }

    /// Certainly nothing is outside.
    pub(crate) fn is_everything(&self) -> bool {
        self.first && self.toggles.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_agree_with_their_members() {
        let sets: Vec<Spans<i64>> = (0..64_u32)
            .map(|bits| Spans {
                first: bits & 1 == 1,
                toggles: (0..5).filter(|at| bits >> (at + 1) & 1 == 1).map(i64::from).collect(),
            })
            .collect();
        for left in &sets {
            for right in &sets {
                let both = left.join(right, |l, r| l && r);
                let either = left.join(right, |l, r| l || r);
                for at in -1..6 {
                    let (l, r) = (left.holds(at), right.holds(at));
                    assert_eq!((both.holds(at), either.holds(at)), (l && r, l || r));
                }
            }
            assert!(left.join(&left.clone().complement(), |l, r| l && r).is_nothing());
            assert!(left.join(&left.clone().complement(), |l, r| l || r).is_everything());
        }
    }
}
