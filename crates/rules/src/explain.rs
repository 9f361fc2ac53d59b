//! Why a lead did not match, predicate by predicate. For people, on demand; the match path must never
//! come here.

use document::Path;

use crate::encode::{Cell, Encoded};
use crate::evaluate::Truth;
use crate::filter::{Expr, Filter, Predicate};

/// One predicate that keeps a filter from being true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where it stands in the filter: `any.0.age.gte`.
    pub path: String,
    /// The attribute asked; empty where a `not` forbids everything.
    pub attribute: String,
    /// What was asked: "at least 21". Starts with "not" under a `not`.
    pub expected: String,
    /// The lead's value; `None` if there is none to show.
    pub actual: Option<String>,
    /// How it failed.
    pub verdict: Verdict,
}

/// How a predicate failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The value is another.
    Failed,
    /// The lead does not have the attribute.
    Missing,
    /// What the lead has is not a value of the attribute.
    Unreadable,
}

impl Verdict {
    /// As the API names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What keeps a filter from being true, before it is put into words.
#[derive(Debug, Clone, Copy)]
enum Miss<'f> {
    /// A predicate that is not as wanted.
    Is(&'f Predicate, bool),
    /// A `not` around what is always true.
    Always(&'f Path),
}

impl Filter {
    /// Every predicate that keeps this filter from being true; empty exactly if it is true.
    #[must_use]
    pub fn explain(&self, lead: &Encoded) -> Vec<Failure> {
        let mut misses = Vec::new();
        self.root.misses(true, lead, &mut misses);
        misses.into_iter().map(|miss| miss.told(lead)).collect()
    }

    /// How many predicates [`Filter::explain`] would name, without putting them into words.
    #[must_use]
    pub fn failing(&self, lead: &Encoded) -> usize {
        let mut misses = Vec::new();
        self.root.misses(true, lead, &mut misses);
        misses.len()
    }
}

impl Expr {
    /// Adds what keeps this part from being `wanted`; under a `not`, false is wanted and by De Morgan
    /// `all` and `any` change places.
    fn misses<'f>(&'f self, wanted: bool, lead: &Encoded, found: &mut Vec<Miss<'f>>) {
        match (self, wanted) {
            (Self::Always(_), true) => {}
            (Self::Always(path), false) => found.push(Miss::Always(path)),
            (Self::Not(part), _) => part.misses(!wanted, lead, found),
            (Self::Is(predicate), _) => {
                if predicate.evaluate(lead) != Truth::from(wanted) {
                    found.push(Miss::Is(predicate, wanted));
                }
            }
            (Self::All(parts), true) | (Self::Any(_, parts), false) => {
                parts.iter().for_each(|part| part.misses(wanted, lead, found));
            }
            (Self::Any(_, parts), true) | (Self::All(parts), false) => {
                let branch = |part: &'f Self| {
                    let mut misses = Vec::new();
                    part.misses(wanted, lead, &mut misses);
                    misses
                };
                let mut branches: Vec<_> = parts.iter().map(branch).collect();
                branches.sort_by_key(Vec::len);
                // The nearest miss comes first; without any failure it is a hit.
                if !branches.first().is_some_and(Vec::is_empty) {
                    found.extend(branches.into_iter().flatten());
                }
            }
        }
    }
}

impl Miss<'_> {
    fn told(self, lead: &Encoded) -> Failure {
        match self {
            Self::Always(path) => forbids_all(path),
            Self::Is(predicate, wanted) => predicate.failure(wanted, lead),
        }
    }
}

impl Predicate {
    fn failure(&self, wanted: bool, lead: &Encoded) -> Failure {
        Failure {
            path: self.path.dotted(),
            attribute: self.attribute.name().to_owned(),
            expected: if wanted { self.expected.clone() } else { format!("not {}", self.expected) },
            actual: lead.actual(self.slot).map(|actual| self.with_distance(actual.into())),
            verdict: match lead.cell(self.slot) {
                Cell::Missing => Verdict::Missing,
                Cell::Unreadable => Verdict::Unreadable,
                Cell::Known(_) => Verdict::Failed,
            },
        }
    }
}

impl Predicate {
    /// A postal code of which a radius was asked, with how far away it is.
    fn with_distance(&self, actual: String) -> String {
        let far = self
            .centre
            .as_ref()
            .and_then(|centre| centre.places.distance(&centre.postal_code, &actual, centre.unit));
        match far {
            Some(far) => format!("{actual}, {far} away"),
            None => actual,
        }
    }
}

fn forbids_all(path: &Path) -> Failure {
    Failure {
        path: path.dotted(),
        attribute: String::new(),
        expected: "not everything".to_owned(),
        actual: None,
        verdict: Verdict::Failed,
    }
}
