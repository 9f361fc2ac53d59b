//! What a verification found, for people and for programs. Must never hold a consumer's data.

use std::collections::BTreeMap;
use std::fmt;

use lead::{Currency, LeadId, Money};
use rust_decimal::Decimal;

use crate::sqlite::fault::Fault;

/// So that a wreck does not fill the memory; the rest is counted.
const FINDINGS_MAX: usize = 1000;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flaw {
    /// The database itself: pages, indexes, tables.
    Database,
    /// A row points to none.
    Reference,
    /// Something of a lead does not read back.
    Unreadable,
    /// A disposition that does not fit what became of the posts.
    Disposition,
    /// A rejection without a reason, or a reason without a rejection.
    Reason,
    /// A slot that is taken twice.
    Slot,
    /// A buyer that is posted to while it holds the lead.
    Buyer,
    /// A campaign that was posted to again without a complete reject between, or a wrong count of them.
    Attempt,
    /// A post whose columns contradict each other.
    Post,
    /// An amount out of its bounds.
    Price,
    /// Two currencies on one lead.
    Currency,
    /// An event of a campaign that was never posted to, or more of them than a lead may have.
    Event,
    /// The index of claims and requests does not say what the leads' rows say.
    Claim,
}

impl Flaw {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Reference => "reference",
            Self::Unreadable => "unreadable",
            Self::Disposition => "disposition",
            Self::Reason => "reason",
            Self::Slot => "slot",
            Self::Buyer => "buyer",
            Self::Attempt => "attempt",
            Self::Post => "post",
            Self::Price => "price",
            Self::Currency => "currency",
            Self::Event => "event",
            Self::Claim => "claim",
        }
    }
}

/// One flaw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Of which kind.
    pub flaw: Flaw,
    /// Of which lead, as far as that can be told.
    pub lead: Option<LeadId>,
    /// In words.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.flaw.name())?;
        if let Some(lead) = self.lead {
            write!(f, "lead {lead}: ")?;
        }
        f.write_str(&self.what)
    }
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Leads, all of them.
    pub leads: u64,
    /// Those that are rehearsals.
    pub tests: u64,
    /// Those without a consumer.
    pub erased: u64,
    /// Posts.
    pub posts: u64,
    /// Accepted posts of leads that are no rehearsals.
    pub sales: u64,
    /// Events that buyers told.
    pub events: u64,
    /// Claims.
    pub claims: u64,
    /// Requests.
    pub requests: u64,
    /// The money of those sales that was due at once.
    pub money: BTreeMap<Currency, MoneyTotals>,
}

/// Sums in one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MoneyTotals {
    /// What buyers are billed.
    pub price: Decimal,
    /// What publishers get of it.
    pub payout: Decimal,
    /// What stays.
    pub margin: Decimal,
}

/// What became of a verification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// Every flaw, up to a bound.
    pub findings: Vec<Finding>,
    /// How many flaws there are past it.
    pub more: u64,
    /// What was read.
    pub totals: Totals,
}

impl Verification {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// A verification under way.
#[derive(Default)]
pub(super) struct Report {
    pub(super) totals: Totals,
    findings: Vec<Finding>,
    more: u64,
}

impl Report {
    pub(super) fn add(&mut self, flaw: Flaw, lead: Option<LeadId>, what: String) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { flaw, lead, what });
        } else {
            self.more += 1;
        }
    }

    /// SQLite could not go on.
    pub(super) fn database(&mut self, fault: &Fault) {
        let what = match fault {
            Fault::Refused(refused) => refused.to_string(),
            Fault::Store(error) => error.to_string(),
        };
        self.add(Flaw::Database, None, what);
    }

    /// Counts a sale, and its money if that is due at once: price and payout.
    pub(super) fn sale(&mut self, lead: LeadId, due: Option<(Money, Money)>) {
        self.totals.sales += 1;
        let Some((price, payout)) = due else { return };
        let sums = self.totals.money.entry(price.currency).or_default();
        let added = || {
            Some(MoneyTotals {
                price: sums.price.checked_add(price.amount)?,
                payout: sums.payout.checked_add(payout.amount)?,
                margin: sums.margin.checked_add(price.amount.checked_sub(payout.amount)?)?,
            })
        };
        match added() {
            Some(added) => *sums = added,
            None => self.add(Flaw::Price, Some(lead), "the sum overflows".to_owned()),
        }
    }

    pub(super) fn done(self) -> Verification {
        let Self { totals, findings, more } = self;
        Verification { findings, more, totals }
    }
}
