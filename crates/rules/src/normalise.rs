//! Filters to conjunctions: negations pushed down, one state set per attribute, alternatives multiplied
//! out while they stay few. A lead matches the filter exactly if it matches one conjunction. What cannot
//! be told by place, or would grow too much, stays a plan that is asked of survivors.

use crate::filter::{Expr, Predicate};
use crate::plan::Plan;
use crate::states::States;

/// Most conjunctions that one filter may become.
const ALTERNATIVES_MAX: usize = 8;

/// What must all be true.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conjunction<'f> {
    /// By the attribute's slot in the dictionary, sorted.
    pub(crate) states: Vec<(usize, States<'f>)>,
    /// What is asked of a lead that passed the rest.
    pub(crate) checks: Vec<&'f Expr>,
    pub(crate) denials: Vec<&'f Expr>,
}

/// The conjunctions of which one is true exactly where `expr` is `wanted`; none if that never is.
pub(crate) fn conjunctions(expr: &Expr, wanted: bool) -> Vec<Conjunction<'_>> {
    let found = match (expr, wanted) {
        (Expr::Always(_), true) => vec![Conjunction::default()],
        (Expr::Always(_), false) => Vec::new(),
        (Expr::Not(part), _) => conjunctions(part, !wanted),
        (Expr::Is(predicate), _) => leaf(expr, predicate, wanted),
        (Expr::All(parts), true) | (Expr::Any(_, parts), false) => every(parts, wanted),
        (Expr::Any(_, parts), true) | (Expr::All(parts), false) => either(parts, wanted),
    };
    if found.len() > ALTERNATIVES_MAX { vec![Conjunction::asking(expr, wanted)] } else { found }
}

fn leaf<'f>(expr: &'f Expr, predicate: &'f Predicate, wanted: bool) -> Vec<Conjunction<'f>> {
    match States::of(predicate, wanted) {
        Some(states) if states.is_nothing() => Vec::new(),
        Some(states) if states.is_everything() => vec![Conjunction::default()],
        Some(states) => {
            vec![Conjunction { states: vec![(predicate.slot, states)], ..Conjunction::default() }]
        }
        None => vec![Conjunction::asking(expr, wanted)],
    }
}

fn every(parts: &[Expr], wanted: bool) -> Vec<Conjunction<'_>> {
    let mut found = vec![Conjunction::default()];
    for part in parts {
        let choices = conjunctions(part, wanted);
        if found.len() * choices.len() > ALTERNATIVES_MAX {
            found.iter_mut().for_each(|one| one.ask(part, wanted));
        } else if let ([_], [_]) = (&found[..], &choices[..]) {
            found =
                found.into_iter().zip(choices).filter_map(|(one, other)| one.and(other)).collect();
        } else {
            let pairs = found.iter().flat_map(|one| choices.iter().map(move |other| (one, other)));
            found = pairs.filter_map(|(one, other)| one.clone().and(other.clone())).collect();
        }
    }
    found
}

fn either(parts: &[Expr], wanted: bool) -> Vec<Conjunction<'_>> {
    let mut found: Vec<Conjunction<'_>> = Vec::new();
    for choice in parts.iter().flat_map(|part| conjunctions(part, wanted)) {
        if choice.is_everything() {
            return vec![choice];
        }
        if !found.iter_mut().any(|known| known.absorb(&choice)) {
            found.push(choice);
        }
    }
    found
}

impl<'f> Conjunction<'f> {
    fn asking(expr: &'f Expr, wanted: bool) -> Self {
        let mut asking = Self::default();
        asking.ask(expr, wanted);
        asking
    }

    fn ask(&mut self, expr: &'f Expr, wanted: bool) {
        if wanted { self.checks.push(expr) } else { self.denials.push(expr) }
    }

    /// What is asked of survivors; `None` if nothing is.
    pub(crate) fn plan(&self) -> Option<Plan> {
        let checks = self.checks.iter().map(|expr| Plan::of(expr, true));
        let mut plans: Vec<Plan> =
            checks.chain(self.denials.iter().map(|expr| Plan::of(expr, false))).collect();
        plans.sort_by_cached_key(Plan::cost);
        if plans.len() > 1 { Some(Plan::All(plans.into())) } else { plans.pop() }
    }

    fn is_everything(&self) -> bool {
        self.states.is_empty() && self.checks.is_empty() && self.denials.is_empty()
    }

    /// Both; `None` if they exclude each other.
    fn and(mut self, other: Self) -> Option<Self> {
        for (slot, states) in other.states {
            match self.states.binary_search_by_key(&slot, |(slot, _)| *slot) {
                Ok(at) => {
                    let (_, mine) = self.states.get_mut(at)?;
                    *mine = mine.and(&states)?;
                    if mine.is_nothing() {
                        return None;
                    }
                }
                Err(at) => self.states.insert(at, (slot, states)),
            }
        }
        self.checks.extend(other.checks);
        self.denials.extend(other.denials);
        Some(self)
    }

    /// Takes in an alternative that asks about the same single attribute.
    fn absorb(&mut self, other: &Self) -> bool {
        let plain = |one: &Self| one.checks.is_empty() && one.denials.is_empty();
        let ([(mine, states)], [(theirs, more)]) = (&mut self.states[..], &other.states[..]) else {
            return false;
        };
        if mine != theirs || !(self.checks.is_empty() && self.denials.is_empty() && plain(other)) {
            return false;
        }
        match states.or(more) {
            Some(merged) => {
                *states = merged;
                true
            }
            None => false,
        }
    }
}
