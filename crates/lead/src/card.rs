//! Numbers of payment cards, found so that they can be refused: no field of a lead may hold one.
//!
//! A number is one if it has 13 to 19 digits of a card network and a right check digit, written together
//! or in groups with spaces, dashes, dots or slashes between them. What looks the same but is something else (a
//! decimal number, a UUID, an account's IBAN, a phone number with its `+`) is not taken for one. Must never
//! show what it found.

/// Fewest and most digits of a card's number.
const DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// Most digits of a phone number after its `+`.
const PHONE_DIGITS_MAX: usize = 15;

/// Most separators between two groups.
const SEPARATORS_MAX: usize = 3;

/// Whether a text holds the number of a payment card.
#[must_use]
pub fn is_in(text: &str) -> bool {
    find(text).is_some()
}

/// The last four digits of the first card's number in a text, and none of what stands around it: of two ways to
/// read it the shorter counts, since a date or a check code may follow.
#[must_use]
pub fn last_four(text: &str) -> Option<String> {
    let number = find(text)?;
    let last = number.get(number.len().saturating_sub(4)..)?;
    Some(last.iter().map(|digit| char::from(b'0' + digit)).collect())
}

/// The digits of the first card's number.
fn find(text: &str) -> Option<Vec<u8>> {
    // Most texts end here.
    if text.bytes().filter(u8::is_ascii_digit).count() < *DIGITS.start()
        || is_uuid(text.trim())
        || is_decimal(text.trim())
        || is_iban(text)
    {
        return None;
    }
    let mut run = Run::default();
    let mut separators = 0;
    for token in Tokens(text) {
        match token {
            Token::Separators(count) => separators = count,
            Token::Digits { digits, after_plus } => {
                if separators > SEPARATORS_MAX || after_plus {
                    let ended = std::mem::replace(&mut run, Run { after_plus, ..Run::default() });
                    if let Some(number) = ended.card() {
                        return Some(number);
                    }
                }
                run.groups.push(digits);
                separators = 0;
            }
            Token::Other => {
                if let Some(number) = std::mem::take(&mut run).card() {
                    return Some(number);
                }
            }
        }
    }
    run.card()
}

/// Groups of digits with nothing but separators between them.
#[derive(Debug, Default)]
struct Run<'t> {
    groups: Vec<&'t str>,
    after_plus: bool,
}

impl Run<'_> {
    /// The first groups in a row that are a card's number.
    fn card(&self) -> Option<Vec<u8>> {
        let all: usize = self.groups.iter().map(|group| group.len()).sum();
        if self.after_plus && all <= PHONE_DIGITS_MAX || self.is_dates() || self.is_phones() {
            return None;
        }
        let mut number = Vec::with_capacity(*DIGITS.end());
        for first in 0..self.groups.len() {
            number.clear();
            for group in self.groups.iter().skip(first) {
                number.extend(group.bytes().map(|byte| byte - b'0'));
                if number.len() > *DIGITS.end() {
                    break;
                }
                if is_card(&number) {
                    return Some(number);
                }
            }
        }
        None
    }
}

impl Run<'_> {
    /// Nothing but days: `01.02.2026 - 03.04.2026`, or years first.
    fn is_dates(&self) -> bool {
        let is_year =
            |group: &str| group.len() == 4 && (group.starts_with("19") || group.starts_with("20"));
        let number = |group: &str| group.parse().unwrap_or(0);
        // Which of the two is the month differs by country.
        let is_day_of_month = |a: &str, b: &str| {
            let (a, b): (u32, u32) = (number(a), number(b));
            (1..=12).contains(&a.min(b)) && (1..=31).contains(&a.max(b))
        };
        let is_day = |groups: &[&str]| match groups {
            [year, month, day] if is_year(year) => is_day_of_month(month, day),
            [a, b, year] if is_year(year) => is_day_of_month(a, b),
            _ => false,
        };
        self.groups.chunks(3).all(is_day)
    }

    /// Nothing but American phone numbers: `415-555-0100 / 415-555-0101`. No card is written so.
    fn is_phones(&self) -> bool {
        let is_phone = |groups: &[&str]| groups.iter().map(|group| group.len()).eq([3, 3, 4]);
        self.groups.chunks(3).all(is_phone)
    }
}

enum Token<'t> {
    /// So many of space, dash, dot and slash.
    Separators(usize),
    /// A group, perhaps with letters in front of it or after it.
    Digits { digits: &'t str, after_plus: bool },
    /// Anything else, and what mixes letters with digits.
    Other,
}

/// A text in tokens.
struct Tokens<'t>(&'t str);

impl<'t> Iterator for Tokens<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        let first = self.0.chars().next()?;
        let alike = |of: fn(char) -> bool| {
            let end = self.0.find(|c| !of(c)).unwrap_or(self.0.len());
            self.0.split_at(end)
        };
        if is_separator(first) {
            let (separators, rest) = alike(is_separator);
            self.0 = rest;
            return Some(Token::Separators(separators.chars().count()));
        }
        if first.is_alphanumeric() {
            let (word, rest) = alike(char::is_alphanumeric);
            self.0 = rest;
            return Some(token(word, false));
        }
        let rest = self.0.get(first.len_utf8()..).unwrap_or_default();
        self.0 = rest;
        if first == '+' && rest.starts_with(|c: char| c.is_ascii_digit()) {
            let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            let (word, rest) = rest.split_at(end);
            self.0 = rest;
            return Some(token(word, true));
        }
        Some(Token::Other)
    }
}

/// The digits of a word that has letters at its ends at most.
fn token(word: &str, after_plus: bool) -> Token<'_> {
    let digits = word.trim_matches(|c: char| !c.is_ascii_digit());
    match !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Token::Digits { digits, after_plus },
        false => Token::Other,
    }
}

fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '.' | '_' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{b7}')
        // Those that nobody sees.
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// A known network's number of a length that it has, with a right check digit.
fn is_card(digits: &[u8]) -> bool {
    DIGITS.contains(&digits.len()) && is_issued(digits) && luhn(digits)
}

/// First and last prefix of six digits, and the lengths that its numbers have.
const NETWORKS: &[(u32, u32, &[usize])] = &[
    (220_000, 220_499, &[16, 17, 18, 19]),         // Mir
    (222_100, 272_099, &[16]),                     // Mastercard
    (300_000, 305_999, &[14, 15, 16, 17, 18, 19]), // Diners Club
    (309_500, 309_599, &[14, 15, 16, 17, 18, 19]),
    (340_000, 349_999, &[15]),                         // American Express
    (352_800, 358_999, &[16, 17, 18, 19]),             // JCB
    (360_000, 369_999, &[14, 15, 16, 17, 18, 19]),     // Diners Club
    (370_000, 379_999, &[15]),                         // American Express
    (380_000, 399_999, &[14, 15, 16, 17, 18, 19]),     // Diners Club
    (400_000, 499_999, &[13, 16, 18, 19]),             // Visa
    (500_000, 509_999, &[13, 14, 15, 16, 17, 18, 19]), // Maestro and national debit cards
    (510_000, 559_999, &[16]),                         // Mastercard
    (560_000, 589_999, &[13, 14, 15, 16, 17, 18, 19]), // Maestro
    (601_100, 601_199, &[16, 17, 18, 19]),             // Discover
    (604_000, 609_999, &[16]),                         // RuPay
    (620_000, 629_999, &[16, 17, 18, 19]),             // UnionPay
    (630_400, 630_499, &[13, 14, 15, 16, 17, 18, 19]), // Maestro
    (637_000, 639_999, &[16]),                         // InstaPayment and Maestro
    (644_000, 659_999, &[16, 17, 18, 19]),             // Discover
    (670_000, 679_999, &[13, 14, 15, 16, 17, 18, 19]), // Maestro
    (810_000, 817_199, &[16, 17, 18, 19]),             // UnionPay
    (979_200, 979_299, &[16]),                         // Troy
];

fn is_issued(digits: &[u8]) -> bool {
    let prefix = digits.iter().take(6).fold(0, |prefix, digit| prefix * 10 + u32::from(*digit));
    let here = |(first, last, lengths): &(u32, u32, &[usize])| {
        (*first..=*last).contains(&prefix) && lengths.contains(&digits.len())
    };
    // Nobody's number is one digit over and over.
    NETWORKS.iter().any(here) && digits.iter().any(|digit| Some(digit) != digits.first())
}

/// The check digit that all networks use: every second digit from the right counts double.
fn luhn(digits: &[u8]) -> bool {
    let weighed = |(place, digit): (usize, &u8)| match (place % 2, digit * 2) {
        (0, _) => u32::from(*digit),
        (_, double) => u32::from(double / 10 + double % 10),
    };
    digits.iter().rev().enumerate().map(weighed).sum::<u32>() % 10 == 0
}

fn is_uuid(text: &str) -> bool {
    let hex = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.split('-').all(hex)
}

/// Digits with one point among them, such as a coordinate.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let Some((whole, fraction)) = digits.split_once('.') else { return false };
    let all = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    // Cards are not written with so few digits before the first separator.
    whole.len() <= 3 && all(whole) && all(fraction)
}

/// Countries whose accounts have long numbers of their own, and how many letters and digits they have.
const IBANS: &[(&[u8; 2], usize)] = &[
    (b"AT", 20),
    (b"BE", 16),
    (b"CH", 21),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"EE", 20),
    (b"ES", 24),
    (b"FI", 18),
    (b"FR", 27),
    (b"GR", 27),
    (b"HR", 21),
    (b"HU", 28),
    (b"IT", 27),
    (b"LT", 20),
    (b"LU", 20),
    (b"NO", 15),
    (b"PL", 28),
    (b"PT", 25),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
];

/// A bank account's number, by its own check digits.
fn is_iban(text: &str) -> bool {
    let plain: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b' ' | b'-')).collect();
    let known = |(country, length): &(&[u8; 2], usize)| {
        plain.len() == *length && plain.starts_with(*country)
    };
    if !IBANS.iter().any(known) || !plain.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    let (head, rest) = plain.split_at(4);
    let modulo = rest.iter().chain(head).fold(0_u32, |modulo, byte| match byte {
        b'0'..=b'9' => (modulo * 10 + u32::from(byte - b'0')) % 97,
        letter => (modulo * 100 + u32::from(letter.to_ascii_uppercase() - b'A') + 10) % 97,
    });
    modulo == 1
}

#[cfg(test)]
mod synthetic;
#[cfg(test)]
mod tests;
