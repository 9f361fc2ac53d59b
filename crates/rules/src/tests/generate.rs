//! Filters and leads that meet: a small pool of values around a few bounds, one unit to either side,
//! with missing and unreadable values, accents and case.

use document::Node;
use lead::{Attribute, Attributes, Kind, Reading, Value};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rust_decimal::Decimal;

pub(super) const ATTRIBUTES: [(&str, Kind); 7] = [
    ("age", Kind::Number),
    ("rating", Kind::Number),
    ("region", Kind::Text),
    ("plan", Kind::Text),
    ("postal_code", Kind::Text),
    ("direct_deposit", Kind::Bool),
    ("birth_date", Kind::Date),
];

const TEXTS: [&str; 12] = [
    "Málaga",
    "MALAGA",
    " ma\u{301}laga ",
    "Mal",
    "España",
    "espana",
    "Straße",
    "STRASSE",
    "28001",
    "28",
    "280",
    "ΟΔΟΣς",
];
const DATES: [&str; 4] = ["1990-01-31", "1990-02-01", "1990-02-02", "1991-02-01"];

fn decimal() -> impl Strategy<Value = Decimal> {
    // 20 and 21 with a unit to either side, and the limits of `rating`.
    select(vec![0, 1999, 2000, 2001, 2099, 2100, 2101, 10_000])
        .prop_map(|cents| Decimal::new(cents, 2))
}

/// A value of a lead.
fn value(kind: Kind) -> BoxedStrategy<Value> {
    match kind {
        Kind::Text => select(&TEXTS[..]).prop_map(|text| Value::text(text).unwrap()).boxed(),
        Kind::Number => decimal().prop_map(Value::Number).boxed(),
        Kind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Kind::Date => {
            select(&DATES[..]).prop_map(|date| Value::Date(date.parse().unwrap())).boxed()
        }
    }
}

pub(super) fn lead() -> impl Strategy<Value = Attributes> {
    let reading = |kind| {
        prop_oneof![
            1 => Just(None),
            1 => Just(Some(Reading::Unreadable)),
            5 => value(kind).prop_map(|value| Some(Reading::Known(value))),
        ]
    };
    ATTRIBUTES.map(|(_, kind)| reading(kind)).prop_map(|readings| {
        let mut attributes = Attributes::new();
        for ((name, _), reading) in ATTRIBUTES.iter().zip(readings) {
            if let Some(reading) = reading {
                attributes.set(Attribute::named(name), reading);
            }
        }
        attributes
    })
}

/// A value of a filter.
fn operand(kind: Kind) -> BoxedStrategy<Node<'static>> {
    match kind {
        Kind::Number => (decimal(), any::<bool>())
            .prop_map(
                |(number, quoted)| {
                    if quoted { text(&number.to_string()) } else { Node::Number(number) }
                },
            )
            .boxed(),
        Kind::Bool => any::<bool>().prop_map(Node::Bool).boxed(),
        Kind::Text => select(&TEXTS[..]).prop_map(text).boxed(),
        Kind::Date => select(&DATES[..]).prop_map(text).boxed(),
    }
}

fn text(text: &str) -> Node<'static> {
    Node::Text(text.to_owned().into())
}

fn object(members: Vec<(&str, Node<'static>)>) -> Node<'static> {
    Node::Object(members.into_iter().map(|(name, node)| (name.to_owned().into(), node)).collect())
}

fn list(kind: Kind) -> impl Strategy<Value = Node<'static>> {
    proptest::collection::vec(operand(kind), 1..6).prop_map(Node::List)
}

/// One operator with its operand.
fn operator(kind: Kind) -> BoxedStrategy<(&'static str, Node<'static>)> {
    let named = |names: &'static [&'static str]| (select(names), operand(kind));
    let any_kind = named(&["eq", "ne"]);
    let exists = any::<bool>().prop_map(|present| ("exists", Node::Bool(present)));
    let member = (select(&["in", "not_in"][..]), list(kind));
    let known = if kind == Kind::Number { "twenties" } else { "coast" };
    let listed = (
        select(&["in_list", "not_in_list"][..]),
        select(vec![known, known, "nobody"]).prop_map(text),
    );
    let between = (operand(kind), operand(kind)).prop_map(|(a, b)| {
        let number = |node: &Node<'_>| match node {
            Node::Number(number) => *number,
            node => node.as_text().and_then(|text| text.parse().ok()).unwrap_or_default(),
        };
        let reversed = (number(&a), a.as_text().map(str::to_owned))
            > (number(&b), b.as_text().map(str::to_owned));
        // Quoted and plain numbers that are equal may stand in either order.
        let pair = if reversed { vec![b, a] } else { vec![a, b] };
        ("between", Node::List(pair))
    });
    match kind {
        Kind::Bool => prop_oneof![2 => any_kind, 1 => exists].boxed(),
        Kind::Date => prop_oneof![1 => any_kind, 1 => exists, 4 => named(&["lt", "lte", "gt", "gte"]), 1 => between].boxed(),
        Kind::Number => {
            prop_oneof![1 => any_kind, 1 => exists, 2 => member, 1 => listed, 4 => named(&["lt", "lte", "gt", "gte"]), 1 => between]
                .boxed()
        }
        Kind::Text => {
            let patterns = select(&["28.*", "[^0-9]+", "..."][..]).prop_map(|pattern| ("matches", text(pattern)));
            let prefixes = list(kind).prop_map(|prefixes| ("starts_with", prefixes));
            prop_oneof![2 => any_kind, 1 => exists, 3 => member, 1 => listed, 2 => named(&["starts_with", "contains"]), 1 => prefixes, 1 => patterns]
                .boxed()
        }
    }
}

/// What stands under an attribute: a bare value, a bare list, or an object of operators.
fn asked(kind: Kind) -> BoxedStrategy<Node<'static>> {
    let operators = proptest::collection::vec(operator(kind), 1..3).prop_flat_map(|operators| {
        let exists = operators.iter().any(|(name, _)| *name == "exists");
        let or_missing = if exists { Just(false).boxed() } else { any::<bool>().boxed() };
        or_missing.prop_map(move |or_missing| {
            let mut members: Vec<(&str, Node<'static>)> = Vec::new();
            for (name, node) in &operators {
                if members.iter().all(|(known, _)| known != name) {
                    members.push((name, node.clone()));
                }
            }
            if or_missing {
                members.push(("or_missing", Node::Bool(true)));
            }
            object(members)
        })
    });
    prop_oneof![1 => operand(kind), 1 => list(kind), 4 => operators].boxed()
}

/// An object that asks about up to three attributes.
pub(super) fn predicates() -> impl Strategy<Value = Node<'static>> {
    subsequence(ATTRIBUTES.to_vec(), 0..=3).prop_flat_map(|chosen| {
        let entries: Vec<_> =
            chosen.iter().map(|(name, kind)| (Just(*name), asked(*kind))).collect();
        entries.prop_map(object)
    })
}

/// A filter of any shape.
pub(super) fn filter() -> impl Strategy<Value = Node<'static>> {
    predicates().prop_recursive(3, 12, 3, |inner| {
        let some =
            |least: usize| proptest::collection::vec(inner.clone(), least..3).prop_map(Node::List);
        let nested = prop_oneof![
            some(0).prop_map(|parts| ("all", parts)),
            some(1).prop_map(|parts| ("any", parts)),
            inner.clone().prop_map(|part| ("not", part)),
        ];
        (predicates(), nested).prop_map(|(own, (name, part))| {
            let Node::Object(mut members) = own else {
                return own;
            };
            members.push((name.into(), part));
            Node::Object(members)
        })
    })
}

/// Documents that are mostly no filters at all.
pub(super) fn nonsense() -> impl Strategy<Value = Node<'static>> {
    let words = [
        "age",
        "region",
        "all",
        "any",
        "not",
        "gte",
        "in",
        "between",
        "matches",
        "(",
        "or_missing",
        "",
        "zip",
    ];
    let leaf = prop_oneof![
        Just(Node::Null),
        Just(Node::HugeNumber),
        any::<bool>().prop_map(Node::Bool),
        any::<i64>().prop_map(|number| Node::Number(number.into())),
        select(words.to_vec()).prop_map(text),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        let members = proptest::collection::btree_map(select(words.to_vec()), inner.clone(), 0..4);
        prop_oneof![
            1 => proptest::collection::vec(inner, 0..4).prop_map(Node::List),
            3 => members.prop_map(|members| object(members.into_iter().collect())),
        ]
    })
}
