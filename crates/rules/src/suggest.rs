//! The name that a misspelt one was probably meant to be. Helps a person; decides nothing.

/// `; did you mean …?` with the nearest of `known`, or nothing.
pub(crate) fn did_you_mean<'k>(wrong: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    // Past this length the squared cost would be the sender's choice.
    if wrong.len() > 64 {
        return String::new();
    }
    let near = |name: &'k str| (distance(wrong, name), name);
    match known.into_iter().map(near).min() {
        Some((distance, name)) if distance <= 1 + wrong.len() / 5 => {
            format!("; did you mean {name}?")
        }
        _ => String::new(),
    }
}

/// Letters to insert, delete or replace.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (at, a) in left.chars().enumerate() {
        let mut diagonal = at;
        let mut before = at + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(right.chars()) {
            let changed = diagonal + usize::from(a != b);
            diagonal = *cell;
            before = changed.min(before + 1).min(diagonal + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_suggested_only_when_near() {
        let known = ["age", "amount", "monthly_income", "region"];
        assert_eq!(did_you_mean("montly_incme", known), "; did you mean monthly_income?");
        assert_eq!(did_you_mean("ages", known), "; did you mean age?");
        assert_eq!(did_you_mean("shoe_size", known), "");
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
