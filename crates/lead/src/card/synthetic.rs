//! Synthetic cards, and how people write them; also for tests of other crates, which read this file as a module.

/// A small generator, so that both counts are of the same numbers in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: usize) -> usize {
        // Steele and others' SplitMix.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % below
    }

    pub(crate) fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| self.roll(10).to_string()).collect()
    }

    pub(crate) fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.roll(of.len())]
    }
}

/// Prefixes and lengths as the networks publish them.
const ISSUED: &[(&str, usize)] = &[
    ("4", 13),
    ("4", 16),
    ("4", 19),
    ("51", 16),
    ("55", 16),
    ("2221", 16),
    ("2720", 16),
    ("34", 15),
    ("37", 15),
    ("300", 14),
    ("305", 14),
    ("36", 14),
    ("38", 14),
    ("3528", 16),
    ("3589", 16),
    ("6011", 16),
    ("6011", 19),
    ("644", 16),
    ("65", 16),
    ("62", 16),
    ("62", 17),
    ("62", 18),
    ("62", 19),
    ("2200", 16),
    ("2204", 16),
    ("5018", 13),
    ("5020", 16),
    ("6304", 18),
    ("6759", 19),
    ("6763", 16),
];

/// A number of one of the networks, right in its check digit and nobody's.
pub(crate) fn card(dice: &mut Dice) -> String {
    let (prefix, length) = ISSUED[dice.roll(ISSUED.len())];
    let mut number = format!("{prefix}{}", dice.digits(length - prefix.len() - 1));
    // The check digit, by trying: written apart from the code under test.
    let check = (0..10).find(|check| {
        let mut sum = 0;
        for (place, digit) in format!("{number}{check}").chars().rev().enumerate() {
            let digit = digit.to_digit(10).unwrap();
            sum +=
                if place % 2 == 1 { [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][digit as usize] } else { digit };
        }
        sum % 10 == 0
    });
    number.push_str(&check.unwrap().to_string());
    number
}

/// What may stand between two groups of digits.
const SEPARATORS: &[&str] =
    &["", " ", "-", ".", "/", " - ", " / ", "\u{a0}", "\u{202f}", "\u{2011}", "\u{200b}"];

/// In fours, as cards bear them, in other groups or in one, with a separator between.
pub(crate) fn written(dice: &mut Dice, number: &str) -> String {
    // One for all gaps, or another in every gap.
    let is_mixed = dice.roll(5) == 0;
    let separator = dice.one(SEPARATORS);
    let sizes: &[usize] = match dice.roll(3) {
        0 => &[4],
        1 => &[4, 6, 5],
        _ => &[2, 3, 5, 1],
    };
    let (mut rest, mut number) = (number, String::new());
    for size in sizes.iter().cycle() {
        let (group, more) = rest.split_at((*size).min(rest.len()));
        number.push_str(group);
        if more.is_empty() {
            break;
        }
        number.push_str(if is_mixed { dice.one(SEPARATORS) } else { separator });
        rest = more;
    }
    let around = dice.one(&["{}", "card {} please", "cc:{}", "{}, 12/27", "№{}x", "PAN{}", "<{}>"]);
    around.replace("{}", &number)
}
