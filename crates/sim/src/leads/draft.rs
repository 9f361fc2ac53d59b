//! A lead before a door's dialect: who, where, how much, and what is wrong with it. Must never use the
//! same e-mail or phone twice, except where the repeat is meant.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span};

use super::tables::{self, Place};
use super::{Generator, Product, REMEMBERED};

/// What is deliberately wrong with a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    TooYoung,
    TooOld,
    LowIncome,
    Elsewhere,
    NoConsent,
    Repeat,
}

impl Flaw {
    /// `lot` is 0 to 999.
    fn drawn(lot: u32) -> Self {
        match lot {
            0..20 => Self::TooYoung,
            20..35 => Self::TooOld,
            35..65 => Self::LowIncome,
            65..85 => Self::Elsewhere,
            85..105 => Self::NoConsent,
            105..125 => Self::Repeat,
            _ => Self::None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Draft {
    pub(super) number: u64,
    pub(super) first_name: &'static str,
    pub(super) last_name: &'static str,
    pub(super) second_last_name: &'static str,
    pub(super) gender: &'static str,
    pub(super) email: String,
    /// Without the country's prefix.
    pub(super) phone: String,
    pub(super) place: &'static Place,
    pub(super) postal_code: String,
    pub(super) street: &'static str,
    pub(super) house: u32,
    pub(super) age: u32,
    pub(super) birth_date: Date,
    pub(super) income: u32,
    pub(super) amount: u32,
    /// In months.
    pub(super) term: u32,
    /// Of a loan until the next salary.
    pub(super) term_days: u32,
    pub(super) purpose: &'static str,
    pub(super) employment: &'static str,
    pub(super) credit_score: u32,
    pub(super) pay_frequency: &'static str,
    pub(super) debt: u32,
    pub(super) debt_type: &'static str,
    pub(super) channel: &'static str,
    pub(super) ip: String,
    /// RFC 3339.
    pub(super) consented_at: String,
    pub(super) consents: bool,
}

impl Generator {
    pub(super) fn draft(&mut self, product: Product) -> Draft {
        let flaw = Flaw::drawn(self.rng.u32(0..1000));
        let (firsts, lasts, streets) = match product {
            Product::PersonalLoanEs => (tables::FIRST_ES, tables::LAST_ES, tables::STREETS_ES),
            Product::ShortLoanRu => (tables::FIRST_RU, tables::LAST_RU, tables::STREETS_RU),
            Product::PersonalLoanUs | Product::DebtSub10kUs => {
                (tables::FIRST_US, tables::LAST_US, tables::STREETS_US)
            }
        };
        // What a loan of hundreds is in euros is one of thousands in roubles.
        let scale = if product == Product::ShortLoanRu { 20 } else { 1 };
        let &(first_name, first_plain, gender) = self.pick(firsts);
        let &(last_name, last_plain) = self.pick(lasts);
        let age = self.age(flaw);
        let place = self.place(product, flaw);
        let number = self.made;
        self.made += 1;
        Draft {
            number,
            first_name,
            last_name,
            second_last_name: self.pick(lasts).0,
            gender,
            email: self.email(product, flaw, &format!("{first_plain}.{last_plain}")),
            phone: self.phone(place),
            place,
            postal_code: self.postal_code(place),
            street: self.word(streets),
            house: self.rng.u32(1..=180),
            age,
            birth_date: self.birth_date(age),
            income: self.income(flaw) * scale,
            amount: match product {
                Product::ShortLoanRu => 1_000 * self.rng.u32(2..=40),
                _ => 100 * self.rng.u32(5..=200),
            },
            term: *self.pick(tables::TERMS),
            term_days: u32::try_from(7 + number % 25).unwrap_or(7),
            purpose: self.word(tables::PURPOSES),
            employment: match age {
                ..23 => "student",
                66.. => "retired",
                _ => self.word(tables::EMPLOYMENT),
            },
            credit_score: self.rng.u32(480..=800),
            pay_frequency: self.word(tables::PAY_FREQUENCIES),
            debt: 50 * self.rng.u32(20..200),
            debt_type: self.word(tables::DEBT_TYPES),
            channel: self.word(tables::CHANNELS),
            ip: format!("{}.{}", self.word(tables::NETWORKS), self.rng.u32(1..=254)),
            consented_at: self.consented_at(),
            consents: flaw != Flaw::NoConsent,
        }
    }

    fn pick<T>(&mut self, from: &'static [T]) -> &'static T {
        &from[self.rng.usize(..from.len())]
    }

    fn word(&mut self, from: &'static [&'static str]) -> &'static str {
        let word: &&'static str = self.pick(from);
        word
    }

    fn age(&mut self, flaw: Flaw) -> u32 {
        // The mean of two draws: more in the middle than at the ends.
        let ordinary = (self.rng.u32(18..=75) + self.rng.u32(18..=75)) / 2;
        match flaw {
            Flaw::TooYoung => self.rng.u32(16..=17),
            Flaw::TooOld => self.rng.u32(76..=80),
            _ => ordinary,
        }
    }

    fn income(&mut self, flaw: Flaw) -> u32 {
        let lowest = 10 * (60 + self.rng.u32(0..=540));
        match flaw {
            Flaw::LowIncome => 10 * self.rng.u32(40..60),
            // The lower of two draws: small incomes are the more frequent.
            _ => lowest.min(10 * (60 + self.rng.u32(0..=540))),
        }
    }

    fn place(&mut self, product: Product, flaw: Flaw) -> &'static Place {
        let elsewhere = flaw == Flaw::Elsewhere;
        self.pick(match (product, elsewhere) {
            (Product::PersonalLoanEs, false) => tables::SPAIN,
            (Product::PersonalLoanEs, true) => tables::NOT_SPAIN,
            (Product::ShortLoanRu, false) => tables::RUSSIA,
            (Product::ShortLoanRu, true) => tables::NOT_RUSSIA,
            (Product::DebtSub10kUs, true) => tables::EXCLUDED_STATES,
            (Product::PersonalLoanUs, true) => tables::NOT_STATES,
            (Product::PersonalLoanUs | Product::DebtSub10kUs, false) => tables::STATES,
        })
    }

    fn postal_code(&mut self, place: &Place) -> String {
        let low = self.rng.u32(1..=40);
        match place.country {
            "PT" => format!("{}{low:02}-{:03}", place.postal, low * 7),
            "CA" => format!("{}{}", place.postal, low % 10),
            _ => format!("{}{low:02}", place.postal),
        }
    }

    fn email(&mut self, product: Product, flaw: Flaw, name: &str) -> String {
        let domain = self.word(tables::EMAIL_DOMAINS);
        let email = format!("{name}.{:04x}-{}@{domain}", self.tag, self.made);
        let earlier = self.emails.entry(product).or_default();
        if flaw == Flaw::Repeat && !earlier.is_empty() {
            return earlier[self.rng.usize(..earlier.len())].clone();
        }
        if earlier.len() < REMEMBERED {
            earlier.push(email.clone());
        }
        email
    }

    /// Counts up within the area, scattered: ten thousand different ones behind each US area code, of
    /// which the first hundred are those reserved for fiction; a million behind the Spanish prefix.
    fn phone(&mut self, place: &Place) -> String {
        let count = self.phones.entry(place.area).or_default();
        let n = *count;
        *count += 1;
        if place.area.is_empty() {
            return format!("600{:06}", (n * 7919 + u64::from(self.tag)) % 1_000_000);
        }
        let line = (n * 37 + u64::from(self.tag)) % 100;
        let line = match n % 10_000 {
            0..100 => 100 + line,
            // Steps over 0100 to 0199, which are used up.
            n => (n - 100) + if n < 200 { 0 } else { 100 },
        };
        format!("{}555{line:04}", place.area)
    }

    /// The age's birthday was within the last eight weeks, so that the age holds for a while.
    fn birth_date(&mut self, age: u32) -> Date {
        let today = self.at.to_zoned(TimeZone::UTC).date();
        let before = Span::new().years(i64::from(age)).days(self.rng.i64(1..=56));
        today.saturating_sub(before)
    }

    fn consented_at(&mut self) -> String {
        let before = SignedDuration::from_secs(self.rng.i64(5..=600));
        self.at.saturating_sub(before).map_or_else(|_| self.at.to_string(), |at| at.to_string())
    }
}
