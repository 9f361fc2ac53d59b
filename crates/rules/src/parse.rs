//! A filter document to a typed filter, with every defect noted at once. Must never let an attribute,
//! operator or value through that the dictionary does not know how to compare.

use std::sync::Arc;

use document::{Fields, Node, Path, Segment, Slot};
use market::{Definition, Dictionary};

use crate::evaluate::Truth;
use crate::filter::{
    Centre, Expr, Filter, NESTING_MAX, PATTERNS_MAX, PREDICATES_MAX, Predicate, VALUES_MAX,
};
use crate::lists::Lists;
use crate::operator::Operator;
use crate::suggest::did_you_mean;
use crate::{check, operand};

const OR_MISSING: &str = "or_missing";

impl Filter {
    /// Reads and checks a filter. `None` if anything was refused: every defect is noted through `slot`.
    #[must_use]
    pub fn parse(slot: &Slot<'_, '_>, dictionary: &Dictionary, lists: &Lists) -> Option<Self> {
        let mut parser = Parser {
            dictionary,
            lists,
            root: slot.path().0.len(),
            predicates: 0,
            values: 0,
            patterns: 0,
            complete: true,
        };
        let root = parser.filter(slot, 0)?;
        // Also in what is left of a faulty filter: the buyer mends everything in one pass.
        let contradictions = check::contradictions(&root);
        for contradiction in &contradictions {
            refuse_at(slot, &contradiction.path.0, &contradiction.issue);
        }
        (parser.complete && contradictions.is_empty()).then(|| {
            let warnings = check::warnings(&root, dictionary).into();
            Self { root: Arc::new(root), warnings }
        })
    }
}

struct Parser<'d> {
    dictionary: &'d Dictionary,
    lists: &'d Lists,
    /// Segments of the path that lead to the filter itself.
    root: usize,
    predicates: usize,
    values: usize,
    patterns: usize,
    /// Nothing was refused so far.
    complete: bool,
}

/// The attribute that an entry asks about.
#[derive(Clone, Copy)]
struct Asked<'d> {
    definition: &'d Definition,
    slot: usize,
    or_missing: bool,
}

impl<'d> Parser<'d> {
    fn filter(&mut self, slot: &Slot<'_, '_>, depth: usize) -> Option<Expr> {
        if depth > NESTING_MAX {
            slot.refuse(format_args!("must not be nested deeper than {NESTING_MAX} levels"));
            return self.fail();
        }
        let Some(fields) = slot.fields() else {
            return self.fail();
        };
        let mut parts = Vec::new();
        for (name, entry) in fields.all() {
            match name {
                "all" => parts
                    .extend(self.filters(&entry, depth).map(|filters| self.all(&entry, filters))),
                "any" => parts.extend(self.any(&entry, depth)),
                "not" => parts
                    .extend(self.filter(&entry, depth + 1).map(|inner| Expr::Not(Box::new(inner)))),
                attribute => self.attribute(attribute, &entry, &mut parts),
            }
        }
        Some(self.all(slot, parts))
    }

    fn all(&self, slot: &Slot<'_, '_>, parts: Vec<Expr>) -> Expr {
        if parts.is_empty() { Expr::Always(self.path(slot)) } else { Expr::All(parts) }
    }

    fn any(&mut self, slot: &Slot<'_, '_>, depth: usize) -> Option<Expr> {
        if matches!(slot.node(), Some(Node::List(items)) if items.is_empty()) {
            slot.refuse("must hold at least one filter");
            return self.fail();
        }
        let branches = self.filters(slot, depth)?;
        Some(Expr::Any(self.path(slot), branches))
    }

    fn filters(&mut self, slot: &Slot<'_, '_>, depth: usize) -> Option<Vec<Expr>> {
        let filters = slot.each(|element| self.filter(&element, depth + 1));
        self.noted(filters)
    }

    fn attribute(&mut self, name: &str, slot: &Slot<'_, '_>, parts: &mut Vec<Expr>) {
        let Some(asked) = asked(self.dictionary, name) else {
            self.complete = false;
            let names = self.dictionary.definitions().iter().map(|known| known.attribute.name());
            let hint = did_you_mean(name, names.chain(["all", "any", "not"]));
            slot.refuse(format_args!("is not an attribute of this product{hint}"));
            return;
        };
        match slot.node() {
            Some(Node::Object(_)) => {
                if let Some(fields) = slot.fields() {
                    self.operators(asked, &fields, parts);
                }
            }
            Some(Node::List(_)) => parts.extend(self.predicate(asked, Operator::In, slot)),
            _ => parts.extend(self.predicate(asked, Operator::Eq, slot)),
        }
    }

    fn operators(&mut self, asked: Asked<'d>, fields: &Fields<'_, '_>, parts: &mut Vec<Expr>) {
        let or_missing = self.or_missing(fields);
        let asked = Asked { or_missing, ..asked };
        let mut empty = true;
        for (name, slot) in fields.all().filter(|(name, _)| *name != OR_MISSING) {
            empty = false;
            if let Some(operator) = self.operator(name, &slot, asked.definition) {
                parts.extend(self.predicate(asked, operator, &slot));
            }
        }
        if empty {
            fields.refuse("must hold at least one operator");
            self.complete = false;
        }
    }

    fn or_missing(&mut self, fields: &Fields<'_, '_>) -> bool {
        let Some((_, slot)) = fields.all().find(|(name, _)| *name == OR_MISSING) else {
            return false;
        };
        let or_missing = slot.bool();
        let or_missing = self.noted(or_missing).unwrap_or_default();
        if or_missing && fields.all().any(|(name, _)| name == Operator::Exists.name()) {
            slot.refuse("must not stand beside exists, which answers for missing values itself");
            self.complete = false;
        }
        or_missing
    }

    fn operator(
        &mut self,
        name: &str,
        slot: &Slot<'_, '_>,
        definition: &Definition,
    ) -> Option<Operator> {
        let allowed = |operator: &Operator| operator.kinds().contains(&definition.kind);
        let Some(operator) = Operator::named(name) else {
            let names: Vec<&str> =
                Operator::ALL.iter().filter(|o| allowed(o)).map(|o| o.name()).collect();
            let hint = did_you_mean(name, names.iter().copied().chain([OR_MISSING]));
            slot.refuse(format_args!(
                "is not an operator{hint}; known here: {}, {OR_MISSING}",
                names.join(", ")
            ));
            return self.fail();
        };
        if !allowed(&operator) {
            let kinds: Vec<&str> = operator.kinds().iter().map(|kind| kind.name()).collect();
            let (name, kind) = (definition.attribute.name(), definition.kind.name());
            slot.refuse(format_args!("works on {}; {name} is {kind}", kinds.join(" or ")));
            return self.fail();
        }
        Some(operator)
    }

    fn predicate(
        &mut self,
        asked: Asked<'d>,
        operator: Operator,
        slot: &Slot<'_, '_>,
    ) -> Option<Expr> {
        if !self.affords(operator, slot) {
            return self.fail();
        }
        let test = operand::read(operator, slot, asked.definition, self.lists);
        let test = self.noted(test)?;
        let absent = operator == Operator::Exists && slot.node() == Some(&Node::Bool(false));
        let when_missing = match operator {
            Operator::Exists => Truth::from(absent),
            _ if asked.or_missing => Truth::True,
            _ => Truth::Unknown,
        };
        let mut expected =
            slot.node().map(|node| operand::describe(operator, node)).unwrap_or_default();
        if asked.or_missing {
            expected.push_str(", or missing");
        }
        Some(Expr::Is(Box::new(Predicate {
            path: self.path(slot),
            attribute: asked.definition.attribute.clone(),
            slot: asked.slot,
            kind: asked.definition.kind,
            operator,
            expected,
            test,
            negated: absent || operator.negates(),
            when_missing,
            centre: centre(operator, slot, asked.definition),
        })))
    }

    /// Counts a predicate and refuses what goes past a limit, before its values are read.
    fn affords(&mut self, operator: Operator, slot: &Slot<'_, '_>) -> bool {
        self.predicates += 1;
        self.patterns += usize::from(operator == Operator::Matches);
        if let Some(Node::List(items)) = slot.node() {
            self.values += items.len();
        }
        let limits = [
            (self.predicates, PREDICATES_MAX, "predicates"),
            (self.patterns, PATTERNS_MAX, "patterns"),
            (self.values, VALUES_MAX, "values"),
        ];
        let passed = limits.into_iter().find(|(count, most, _)| count > most);
        if let Some((_, most, what)) = passed {
            slot.refuse(format_args!("is too much: a filter may hold at most {most} {what}"));
        }
        passed.is_none()
    }

    fn path(&self, slot: &Slot<'_, '_>) -> Path {
        Path(slot.path().0.into_iter().skip(self.root).collect())
    }

    fn noted<T>(&mut self, value: Option<T>) -> Option<T> {
        self.complete &= value.is_some();
        value
    }

    fn fail<T>(&mut self) -> Option<T> {
        self.noted(None)
    }
}

fn centre(operator: Operator, slot: &Slot<'_, '_>, definition: &Definition) -> Option<Box<Centre>> {
    let node = slot.node().filter(|_| operator == Operator::Within)?;
    let (postal_code, unit) = operand::centre(node)?;
    let places = Arc::clone(definition.places.as_ref()?);
    Some(Box::new(Centre { postal_code: postal_code.to_owned(), unit, places }))
}

fn asked<'d>(dictionary: &'d Dictionary, name: &str) -> Option<Asked<'d>> {
    let definition = dictionary.named(name)?;
    let slot = dictionary.slot(&definition.attribute)?;
    Some(Asked { definition, slot, or_missing: false })
}

/// Notes `issue` at the place that `path` leads to from `slot`.
fn refuse_at(slot: &Slot<'_, '_>, path: &[Segment], issue: &str) {
    let Some((first, rest)) = path.split_first() else {
        return slot.refuse(issue);
    };
    match first {
        Segment::Key(key) => {
            if let Some(fields) = slot.fields() {
                refuse_at(&fields.at(key), rest, issue);
            }
        }
        Segment::Index(wanted) => {
            let mut index = 0..;
            slot.each(|element| {
                (index.next() == Some(*wanted)).then(|| refuse_at(&element, rest, issue))
            });
        }
    }
}
