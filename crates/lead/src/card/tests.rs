//! Every synthetic card is found however it is written; what is something else is let through.

use super::is_in;

/// A small generator, so that both counts are of the same numbers in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        // Steele and others' SplitMix.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % below
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| self.roll(10).to_string()).collect()
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
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

fn card(dice: &mut Dice) -> String {
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

/// In fours, as cards bear them, in other groups or in one, with a separator between.
fn written(dice: &mut Dice, number: &str) -> String {
    let separator = dice.one(&["", " ", "-", ".", " - ", "\u{a0}", "\u{2011}"]);
    let sizes: &[usize] = match dice.roll(3) {
        0 => &[4],
        1 => &[4, 6, 5],
        _ => &[2, 3, 5, 1],
    };
    let (mut rest, mut groups) = (number, Vec::new());
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (group, more) = rest.split_at((*size).min(rest.len()));
        groups.push(group);
        rest = more;
    }
    let number = groups.join(separator);
    let around = dice.one(&["{}", "card {} please", "cc:{}", "{}, 12/27", "№{}x", "PAN{}", "<{}>"]);
    around.replace("{}", &number)
}

#[test]
fn every_card_is_found_however_it_is_written() {
    let mut dice = Dice(1);
    for _ in 0..100_000 {
        let number = card(&mut dice);
        let text = written(&mut dice, &number);
        assert!(is_in(&text), "{text}");
    }
}

/// What forms hold: at most one in ten thousand may be taken for a card.
#[test]
fn other_numbers_are_let_through() {
    let mut dice = Dice(2);
    let mut taken = Vec::new();
    for kind in 0..100_000 {
        let text = match kind % 14 {
            0 => format!("+34{}", dice.digits(9)),
            1 => format!("({}) {}-{}", dice.digits(3), dice.digits(3), dice.digits(4)),
            2 => format!("+49 15{} {}", dice.digits(2), dice.digits(7)),
            3 => format!("+1{}, +1{}", dice.digits(10), dice.digits(10)),
            4 => format!("{}-{}", dice.digits(5), dice.digits(4)),
            5 => format!(
                "20{}-0{}-1{}T09:{}:00.{}Z",
                dice.digits(2),
                dice.roll(9) + 1,
                dice.digits(1),
                dice.digits(2),
                dice.digits(9)
            ),
            6 => {
                let mut day = || {
                    format!(
                        "{:02}.{:02}.{}",
                        dice.roll(31) + 1,
                        dice.roll(12) + 1,
                        1_930 + dice.roll(120)
                    )
                };
                format!("{} - {}", day(), day())
            }
            7 => format!("17{}", dice.digits(11)),
            8 => {
                let mut hex = |count: usize| -> String {
                    (0..count).map(|_| format!("{:x}", dice.roll(16))).collect()
                };
                [hex(8), hex(4), hex(4), hex(4), hex(12)].join("-")
            }
            9 => (0..24).map(|_| format!("{:x}", dice.roll(16))).collect(),
            10 => format!(
                "{}.{}, -{}.{}",
                dice.digits(2),
                dice.digits(6),
                dice.digits(3),
                dice.digits(6)
            ),
            11 => format!("4{}.{}", dice.digits(1), dice.digits(14)),
            12 => format!("{}-{}-{}", dice.digits(3), dice.digits(2), dice.digits(4)),
            _ => format!("{} {}", dice.digits(4), dice.digits(6)),
        };
        if is_in(&text) {
            taken.push(text);
        }
    }
    assert!(taken.len() <= 10, "{} of 100000: {taken:?}", taken.len());
}

#[test]
fn what_else_it_may_be() {
    for text in [
        "",
        "ES91 2100 0418 4502 0005 1332",
        "DE89370400440532013000",
        "4111-1111-1111-1112",
        "4111 1111 1111",
        "9111111111111111",
        "0000000000000000",
        "4444444444444444",
        "a4111b1111c1111d1111",
        "40.71272812345674",
        "40817810099910004312",
        "４１１１１１１１１１１１１１１１",
    ] {
        assert!(!is_in(text), "{text}");
    }
    for text in [
        "+4111111111111111",
        "4111  1111  1111  1111",
        "41111111.11111111",
        "x 4111111111111111 4111111111111112",
    ] {
        assert!(is_in(text), "{text}");
    }
}
