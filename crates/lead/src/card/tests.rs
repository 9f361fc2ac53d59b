//! Every synthetic card is found however it is written; what is something else is let through.

use super::synthetic::{Dice, card, written};
use super::{is_in, last_four};

#[test]
fn every_card_is_found_however_it_is_written() {
    let mut dice = Dice(1);
    for _ in 0..100_000 {
        let number = card(&mut dice);
        let text = written(&mut dice, &number);
        assert!(is_in(&text), "{text}");
        assert!(last_four(&text).is_some_and(|four| four.len() == 4 && number.contains(&four)));
    }
}

#[test]
fn the_last_four_digits_are_the_numbers_own() {
    for text in ["4111111111111234", "4111 1111 1111 1234, 12/27", "4111-1111-1111-1234 737"] {
        let four = last_four(&text.replace("1234", "1111"));
        assert_eq!(four.as_deref(), Some("1111"), "{text}");
        assert_eq!(last_four(text), None, "{text}");
    }
}

/// How many other numbers are looked at, unless the environment says otherwise.
const OTHERS: usize = 100_000;

#[expect(clippy::disallowed_methods, reason = "a longer run is asked for by its caller")]
fn others() -> usize {
    let given = std::env::var("GAVEL_CARD_LOOKALIKES").ok();
    given.map_or(OTHERS, |text| text.parse().unwrap())
}

fn phone(dice: &mut Dice) -> String {
    match dice.roll(8) {
        0 => format!("+34{}", dice.digits(9)),
        1 => format!("({}) {}-{}", dice.digits(3), dice.digits(3), dice.digits(4)),
        2 => format!("+49 15{} {}", dice.digits(2), dice.digits(7)),
        3 => format!("+1{}, +1{}", dice.digits(10), dice.digits(10)),
        4 => format!("{} {}", dice.digits(4), dice.digits(6)),
        5 => format!("{}/{}", dice.digits(4), dice.digits(7)),
        6 => {
            let mut one = || [3, 3, 4].map(|count| dice.digits(count)).join("-");
            format!("{} / {}", one(), one())
        }
        _ => format!("{} / {}", dice.digits(10), dice.digits(10)),
    }
}

fn zip(dice: &mut Dice) -> String {
    match dice.roll(2) {
        0 => format!("{}-{}", dice.digits(5), dice.digits(4)),
        _ => format!("{}, {} / {}", dice.digits(5), dice.digits(5), dice.digits(5)),
    }
}

fn date(dice: &mut Dice) -> String {
    let (day, month, year) = (dice.roll(28) + 1, dice.roll(12) + 1, 1_930 + dice.roll(90));
    let (last_day, last_year) = (dice.roll(28) + 1, 1_930 + dice.roll(90));
    match dice.roll(4) {
        0 => format!("{day:02}.{month:02}.{year} - {last_day:02}.{month:02}.{last_year}"),
        1 => format!("{month}/{day}/{year}-{month}/{last_day}/{last_year}"),
        2 => format!("{year}-{month:02}-{day:02} {last_year}-{month:02}-{last_day:02}"),
        _ => format!("{year}-{month:02}-{day:02}T09:{:02}:00.{}Z", dice.roll(60), dice.digits(9)),
    }
}

fn id(dice: &mut Dice) -> String {
    let hex = |count: usize, dice: &mut Dice| -> String {
        (0..count).map(|_| format!("{:x}", dice.roll(16))).collect()
    };
    match dice.roll(7) {
        0 => format!("17{}", dice.digits(11)),
        1 => [8, 4, 4, 4, 12].map(|count| hex(count, dice)).join("-"),
        2 => hex(24, dice),
        3 => {
            let [a, b, c, d] = [2, 6, 3, 6].map(|count| dice.digits(count));
            format!("{a}.{b}, -{c}.{d}")
        }
        4 => format!("4{}.{}", dice.digits(1), dice.digits(14)),
        5 => format!("{}-{}-{}", dice.digits(3), dice.digits(2), dice.digits(4)),
        _ => format!("https://a.example/20{}/0{}/{}", dice.digits(2), dice.roll(9), dice.digits(6)),
    }
}

/// What forms hold: at most one in ten thousand may be taken for a card.
#[test]
fn other_numbers_are_let_through() {
    let mut dice = Dice(2);
    let count = others();
    let texts = (0..count).map(|kind| [phone, zip, date, id][kind % 4](&mut dice));
    let taken: Vec<String> = texts.filter(|text| is_in(text)).collect();
    assert!(taken.len() <= count / 10_000, "{} of {count}: {taken:?}", taken.len());
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
        "415-555-0100 / 415-555-0101",
        "４１１１１１１１１１１１１１１１",
    ] {
        assert!(!is_in(text), "{text}");
    }
    for text in [
        "+4111111111111111",
        "4111  1111  1111  1111",
        "41111111.11111111",
        "x 4111111111111111 4111111111111112",
        "4111/1111/1111/1111",
        "4111 1111-1111/1111",
        "4111\u{200b}1111\u{200b}1111\u{200b}1111",
    ] {
        assert!(is_in(text), "{text}");
    }
}
