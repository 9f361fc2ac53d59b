//! Filters that cannot mean what they say. Contradictions inside one `all` are refused; other dead parts
//! are warnings, for a product's limits and a buyer's lists change under a filter. Must never find fault
//! with a part that some lead could pass.

use std::collections::BTreeMap;

use document::Path;
use market::Dictionary;

use crate::domain::{Domain, limits};
use crate::evaluate::Truth;
use crate::filter::{Expr, Predicate, Test, Warning};

/// Every predicate that contradicts earlier ones on its attribute inside one `all`, nested `all`s and
/// objects included.
pub(crate) fn contradictions(expr: &Expr) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut asked = BTreeMap::new();
    contradict(expr, &mut asked, &mut found);
    found
}

/// What one `all` asks of one attribute.
struct Asked<'f> {
    domain: Domain<'f>,
    predicates: Vec<&'f Predicate>,
}

fn contradict<'f>(
    expr: &'f Expr,
    asked: &mut BTreeMap<usize, Asked<'f>>,
    found: &mut Vec<Warning>,
) {
    match expr {
        Expr::Always(_) => {}
        Expr::All(parts) => parts.iter().for_each(|part| contradict(part, asked, found)),
        Expr::Any(_, parts) => parts.iter().for_each(|part| found.extend(contradictions(part))),
        Expr::Not(part) => found.extend(contradictions(part)),
        Expr::Is(predicate) => found.extend(contradiction(predicate, asked)),
    }
}

fn contradiction<'f>(
    predicate: &'f Predicate,
    asked: &mut BTreeMap<usize, Asked<'f>>,
) -> Option<Warning> {
    if predicate.operator.is_listed() {
        return None;
    }
    let Asked { domain, predicates } = asked
        .entry(predicate.slot)
        .or_insert_with(|| Asked { domain: Domain::new(predicate.kind), predicates: Vec::new() });
    let dead = |domain: &Domain<'_>| domain.is_empty() || domain.has_empty_range();
    let before = dead(domain);
    domain.narrow(&predicate.test, predicate.negated, predicate.when_missing == Truth::True);
    let contradicts = !before && dead(domain) && !predicates.is_empty();
    let issue = contradicts.then(|| {
        let earlier: Vec<&str> =
            predicates.iter().take(4).map(|earlier| earlier.expected.as_str()).collect();
        let (name, expected) = (&predicate.attribute, &predicate.expected);
        format!(
            "contradicts what is asked of {name} before ({}): no value is also {expected}",
            earlier.join("; ")
        )
    });
    predicates.push(predicate);
    issue.map(|issue| Warning { path: predicate.path.clone(), issue })
}

/// Parts that no lead, or every lead, of this product passes.
pub(crate) fn warnings(root: &Expr, dictionary: &Dictionary) -> Vec<Warning> {
    let limits: Vec<Vec<Test>> = dictionary.definitions().iter().map(limits).collect();
    let mut check = Check { limits: &limits, warnings: Vec::new() };
    let outer = Scope { outer: None, domains: BTreeMap::new() };
    if check.conjunction(root, true, &outer) == Truth::False {
        check.warn(&Path::default(), "can never be true: it wants no lead");
    }
    check.warnings
}

/// What is known of the attributes at one place of a filter: own narrowings over those around it.
struct Scope<'s, 'f> {
    outer: Option<&'s Self>,
    domains: BTreeMap<usize, Domain<'f>>,
}

impl<'f> Scope<'_, 'f> {
    fn domain(&self, slot: usize) -> Option<&Domain<'f>> {
        self.domains.get(&slot).or_else(|| self.outer?.domain(slot))
    }
}

struct Check<'f> {
    limits: &'f [Vec<Test>],
    warnings: Vec<Warning>,
}

/// Each method answers what is known of a part before any lead is: true or false only if that is sure.
impl<'f> Check<'f> {
    /// A part together with all that must be true beside it.
    fn conjunction(&mut self, expr: &'f Expr, wanted: bool, outer: &Scope<'_, 'f>) -> Truth {
        let (mut leaves, mut others) = (Vec::new(), Vec::new());
        gather(expr, wanted, &mut leaves, &mut others);
        let mut scope = Scope { outer: Some(outer), domains: BTreeMap::new() };
        let mut truth = Truth::True;
        for (predicate, wanted) in leaves {
            truth = truth.min(self.predicate(predicate, wanted, &mut scope));
        }
        for (other, wanted) in others {
            truth = truth.min(self.alternatives(other, wanted, &scope));
        }
        truth
    }

    fn predicate(
        &mut self,
        predicate: &'f Predicate,
        wanted: bool,
        scope: &mut Scope<'_, 'f>,
    ) -> Truth {
        let mut inside = self.domain(predicate, scope);
        if inside.is_empty() {
            return Truth::False;
        }
        let negated = predicate.negated == wanted;
        let missing = predicate.when_missing == Truth::from(wanted);
        let mut outside = inside.clone();
        outside.narrow(&predicate.test, !negated, !missing);
        inside.narrow(&predicate.test, negated, missing);
        let dead = inside.is_empty();
        scope.domains.insert(predicate.slot, inside);
        if dead {
            let issue = if wanted {
                "can never be true here"
            } else {
                "is always true here, so its `not` never is"
            };
            self.warn(&predicate.path, issue);
            return Truth::False;
        }
        if outside.is_empty() { Truth::True } else { Truth::Unknown }
    }

    fn domain(&self, predicate: &Predicate, scope: &Scope<'_, 'f>) -> Domain<'f> {
        scope.domain(predicate.slot).cloned().unwrap_or_else(|| {
            let mut domain = Domain::new(predicate.kind);
            for limit in self.limits.get(predicate.slot).into_iter().flatten() {
                domain.narrow(limit, false, true);
            }
            domain
        })
    }

    fn alternatives(&mut self, expr: &'f Expr, wanted: bool, scope: &Scope<'_, 'f>) -> Truth {
        let parts = match expr {
            Expr::Always(_) if wanted => return Truth::True,
            Expr::Always(path) => {
                self.warn(path, "is always true, so the `not` around it forbids every lead");
                return Truth::False;
            }
            Expr::All(parts) | Expr::Any(_, parts) => parts,
            Expr::Not(_) | Expr::Is(_) => return Truth::Unknown,
        };
        let mut truth = Truth::False;
        for (index, part) in parts.iter().enumerate() {
            let branch = self.conjunction(part, wanted, scope);
            if let (Expr::Any(path, _), true, Truth::True) = (expr, wanted, branch) {
                self.warn(
                    &path.index(index),
                    "is always true here, so the other branches decide nothing",
                );
            }
            truth = truth.max(branch);
        }
        truth
    }

    fn warn(&mut self, path: &Path, issue: &str) {
        self.warnings.push(Warning { path: path.clone(), issue: issue.to_owned() });
    }
}

/// Splits what must be `wanted` into predicates and the parts that leave a choice.
fn gather<'f>(
    expr: &'f Expr,
    wanted: bool,
    leaves: &mut Vec<(&'f Predicate, bool)>,
    others: &mut Vec<(&'f Expr, bool)>,
) {
    match (expr, wanted) {
        (Expr::All(parts), true) | (Expr::Any(_, parts), false) => {
            parts.iter().for_each(|part| gather(part, wanted, leaves, others));
        }
        (Expr::Not(part), _) => gather(part, !wanted, leaves, others),
        (Expr::Is(predicate), _) => leaves.push((predicate, wanted)),
        _ => others.push((expr, wanted)),
    }
}
