//! Seeded synthetic leads. Must never make up a lead that could be taken for a real person: e-mail
//! domains are the reserved example ones, IP addresses the documentation ranges, United States numbers
//! lie in the 555 exchange, Russian ones in the same of their codes, Spanish ones count up behind +34600
//! and their identity numbers in a range that is not issued.

mod bodies;
mod draft;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::Value;

/// The demo market's Leadhub publisher.
pub const LEADHUB_PUBLISHER: &str = "b96bdbc6-437a-4e2f-9b0e-2d91a5767f3b";
/// The demo market's Leadhub product, which is `personal-loan-es`.
pub const LEADHUB_PRODUCT: &str = "36068625-4707-4ef8-a419-2aad1483db49";
/// The demo market's Bright Horizons affiliate.
pub const AFFILIATE: u64 = 123_456;
/// Its key, as the documentation's own sample has it.
pub const AFFILIATE_KEY: &str = "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz";

/// The demo market's BrainySoft credit product, which is `short-loan-ru`.
pub const CREDIT_PRODUCT: i64 = 101_339;

/// The products that leads can be made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Product {
    /// `personal-loan-es`.
    PersonalLoanEs,
    /// `personal-loan-us`.
    PersonalLoanUs,
    /// `debt-sub10k-us`.
    DebtSub10kUs,
    /// `short-loan-ru`.
    ShortLoanRu,
}

impl Product {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::PersonalLoanEs, Self::PersonalLoanUs, Self::DebtSub10kUs, Self::ShortLoanRu];

    /// The product's id.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::PersonalLoanEs => "personal-loan-es",
            Self::PersonalLoanUs => "personal-loan-us",
            Self::DebtSub10kUs => "debt-sub10k-us",
            Self::ShortLoanRu => "short-loan-ru",
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A product that leads cannot be made for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no leads can be made for {0:?}, only for personal-loan-es, personal-loan-us, debt-sub10k-us, \
     short-loan-ru"
)]
pub struct UnknownProduct(pub String);

impl FromStr for Product {
    type Err = UnknownProduct;

    fn from_str(text: &str) -> Result<Self, UnknownProduct> {
        let named = Self::ALL.into_iter().find(|product| product.id() == text);
        named.ok_or_else(|| UnknownProduct(text.to_owned()))
    }
}

/// E-mails that a later lead may come back with, per product.
const REMEMBERED: usize = 1000;
/// 2026-03-01T09:00:00Z.
const DEFAULT_TIME: i64 = 1_772_355_600;

/// A row of leads; the same seed gives the same row.
///
/// About one lead in ten is deliberately not eligible (age, income, geography, consent), and one in
/// fifty comes with an earlier lead's e-mail.
#[derive(Debug)]
pub struct Generator {
    rng: Rng,
    /// Keeps the e-mails of different seeds apart.
    tag: u16,
    at: Timestamp,
    made: u64,
    phones: BTreeMap<&'static str, u64>,
    emails: BTreeMap<Product, Vec<String>>,
}

impl Generator {
    /// The row of `seed`, its leads dated 2026-03-01.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        Self {
            tag: rng.u16(..),
            rng,
            at: Timestamp::from_second(DEFAULT_TIME).unwrap_or_default(),
            made: 0,
            phones: BTreeMap::new(),
            emails: BTreeMap::new(),
        }
    }

    /// Dates the leads: consents are given shortly before `now`, and ages hold on that day and for
    /// at least ten months after.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        Self { at: now, ..self }
    }

    /// The body of a `POST /v1/leads`.
    pub fn native(&mut self, product: Product) -> Value {
        let draft = self.draft(product);
        bodies::native(product, &draft)
    }

    /// The body of a Leadhub `POST /api/v1/lead`.
    pub fn leadhub(&mut self) -> Value {
        let draft = self.draft(Product::PersonalLoanEs);
        bodies::leadhub(&draft, &mut self.rng)
    }

    /// The body of a Bright Horizons `POST /post/debt/sub10k/`.
    pub fn bright_horizons(&mut self) -> Value {
        let draft = self.draft(Product::DebtSub10kUs);
        bodies::bright_horizons(&draft)
    }

    /// The body of a Pingtree `POST /api/lead/create/{source}`.
    pub fn pingtree(&mut self) -> Value {
        let draft = self.draft(Product::PersonalLoanUs);
        bodies::pingtree(&draft)
    }

    /// The body of a BrainySoft `POST /bs-core/main/leads`.
    pub fn brainysoft(&mut self) -> Value {
        let draft = self.draft(Product::ShortLoanRu);
        bodies::brainysoft(&draft)
    }
}
