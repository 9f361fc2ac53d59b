//! Where a value stands among all values of its kind: numbers, dates and truths as whole numbers, texts
//! as places between texts. What cannot be placed exactly is not placed.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use crate::scalar::Scalar;

/// Digits after the point that places of numbers keep.
const SCALE: u32 = 6;
/// The powers of ten up to that.
const TENS: [i64; 7] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
/// No number of a filter is placed at or past it, so that a lead's greater ones may all stand there.
const FAR: i64 = 1 << 62;

/// The place of a filter's value: even, so that the next place holds what comes directly after it.
/// `None` for texts, and for numbers too fine or too great.
pub(crate) fn exact(value: &Scalar) -> Option<i64> {
    match value {
        Scalar::Number(number) => {
            Some(number_place(*number)).filter(|place| place % 2 == 0 && place.abs() < FAR)
        }
        other => place(other),
    }
}

/// The place of a lead's value; finer numbers stand between the even places. `None` for texts.
pub(crate) fn place(value: &Scalar) -> Option<i64> {
    match value {
        Scalar::Number(number) => Some(number_place(*number)),
        Scalar::Bool(value) => Some(2 * i64::from(*value)),
        Scalar::Date(date) => {
            let (year, month, day) = (date.year(), date.month(), date.day());
            Some(2 * ((i64::from(year) * 16 + i64::from(month)) * 32 + i64::from(day)))
        }
        Scalar::Text(_) => None,
    }
}

fn number_place(number: Decimal) -> i64 {
    let (digits, scale) = (number.mantissa(), number.scale());
    // Nearly all: few digits, none of them too fine.
    let up = SCALE.checked_sub(scale).and_then(|up| TENS.get(up as usize));
    if let (Ok(digits), Some(up)) = (i64::try_from(digits), up)
        && let Some(place) = digits.checked_mul(2 * up)
    {
        return place.clamp(-FAR, FAR);
    }
    let (whole, finer) = match SCALE.checked_sub(scale) {
        Some(up) => (digits.saturating_mul(10_i128.pow(up)), false),
        None => {
            let down = 10_i128.pow(scale - SCALE);
            (digits.div_euclid(down), digits.rem_euclid(down) != 0)
        }
    };
    let place = whole.saturating_mul(2).saturating_add(i128::from(finer));
    let far = i128::from(FAR);
    i64::try_from(place.clamp(-far, far)).unwrap_or(FAR)
}

/// A place between texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place<'t> {
    pub(crate) text: &'t str,
    pub(crate) side: Side,
}

/// Which place beside a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// The text itself comes next.
    Before,
    /// Only longer texts that start with it come next.
    After,
    /// It and all that start with it are over.
    Beyond,
}

impl<'t> Place<'t> {
    /// Where the text itself stands.
    pub(crate) fn of(text: &'t str) -> Self {
        Self { text, side: Side::Before }
    }

    /// The two places around the text alone.
    pub(crate) fn around(text: &'t str) -> [Self; 2] {
        [Self::of(text), Self { text, side: Side::After }]
    }

    /// The two places around all texts that start with `text`.
    pub(crate) fn around_all(text: &'t str) -> [Self; 2] {
        [Self::of(text), Self { text, side: Side::Beyond }]
    }

    fn is_beyond(self, other: Self) -> bool {
        self.side == Side::Beyond && other.text.starts_with(self.text)
    }
}

impl Ord for Place<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.text.cmp(other.text) {
            Ordering::Equal => self.side.cmp(&other.side),
            Ordering::Less if self.is_beyond(*other) => Ordering::Greater,
            Ordering::Greater if other.is_beyond(*self) => Ordering::Less,
            order => order,
        }
    }
}

impl PartialOrd for Place<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_order_and_only_exact_ones_are_placed_exactly() {
        let sorted = [
            "-79228162514264337593543950335",
            "-2.0000001",
            "-2",
            "-1.9999999999",
            "0",
            "0.0000004",
            "0.000001",
            "0.0000011",
            "1.50",
            "3000000000000",
        ];
        let places: Vec<i64> =
            sorted.iter().map(|text| number_place(text.parse().unwrap())).collect();
        assert!(places.is_sorted_by(|low, high| low < high), "{places:?}");
        let exactly = |text: &str| exact(&Scalar::Number(text.parse().unwrap()));
        assert_eq!(exactly("1.50"), exactly("1.5"));
        assert_eq!([exactly("0.0000004"), exactly("-79228162514264337593543950335")], [None, None]);
    }

    #[test]
    fn places_between_texts_are_one_order() {
        let texts = ["", "1", "17", "170", "18", "2"];
        let sides = [Side::Before, Side::After, Side::Beyond];
        let places: Vec<Place<'_>> =
            texts.iter().flat_map(|text| sides.map(|side| Place { text, side })).collect();
        for a in &places {
            for b in &places {
                assert_eq!(a.cmp(b), b.cmp(a).reverse());
                for c in &places {
                    assert!(!(a < b && b < c) || a < c, "{a:?} {b:?} {c:?}");
                }
            }
        }
        for text in texts {
            for prefix in texts {
                let [low, high] = Place::around_all(prefix);
                let inside = low <= Place::of(text) && Place::of(text) < high;
                assert_eq!(inside, text.starts_with(prefix), "{text} {prefix}");
            }
        }
    }
}
