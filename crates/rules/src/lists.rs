//! The named lists of a buyer, for `in_list` and `not_in_list`. How their values compare depends on the
//! attribute that is asked, so each list is read once for each way and shared by all filters.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock};

use lead::{Kind, Value};
use market::{Definition, ValueLists};
use rust_decimal::Decimal;

use crate::operand::regions;
use crate::scalar::Scalar;
use crate::text::normalise;

/// A buyer's lists by name.
#[derive(Debug, Clone, Default)]
pub struct Lists(BTreeMap<String, List>);

type Scalars = Option<Arc<HashSet<Scalar>>>;

/// One list; what is read of it is `None` if some value does not fit.
#[derive(Debug, Clone)]
struct List {
    values: Arc<[Value]>,
    folded: OnceLock<Scalars>,
    exact: OnceLock<Scalars>,
    numbers: OnceLock<Scalars>,
}

impl Lists {
    /// No lists.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The lists of a buyer.
    #[must_use]
    pub fn of(lists: &ValueLists) -> Self {
        let list =
            |(name, values): (&String, &Arc<[Value]>)| (name.clone(), List::of(Arc::clone(values)));
        Self(lists.iter().map(list).collect())
    }

    /// Adds a list, replacing one of the same name.
    pub fn insert(&mut self, name: impl Into<String>, values: Vec<Value>) {
        self.0.insert(name.into(), List::of(values.into()));
    }

    /// The names of all lists.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The values of a list as `asked` compares them: no list, or no fit.
    pub(crate) fn named(&self, name: &str, asked: &Definition) -> Option<Scalars> {
        let list = self.0.get(name)?;
        if asked.places.is_some() {
            // What a region is called depends on the country, so this reading is not shared.
            return Some(list.read(asked));
        }
        let read = match (asked.kind, asked.exact) {
            (Kind::Text, false) => &list.folded,
            (Kind::Text, true) => &list.exact,
            (Kind::Number, _) => &list.numbers,
            (Kind::Bool | Kind::Date, _) => return Some(None),
        };
        Some(read.get_or_init(|| list.read(asked)).clone())
    }
}

impl List {
    fn of(values: Arc<[Value]>) -> Self {
        Self { values, folded: OnceLock::new(), exact: OnceLock::new(), numbers: OnceLock::new() }
    }

    fn read(&self, asked: &Definition) -> Scalars {
        let values: Option<Vec<Vec<Scalar>>> =
            self.values.iter().map(|value| scalars(value, asked)).collect();
        values.map(|values| Arc::new(values.into_iter().flatten().collect()))
    }
}

/// What a value of a list stands for, as one that is written in the filter does.
fn scalars(value: &Value, asked: &Definition) -> Option<Vec<Scalar>> {
    let own = scalar(value, asked)?;
    let known = match value {
        Value::Text(text) => regions(text, asked),
        _ => None,
    };
    Some(known.unwrap_or_else(|| vec![own]))
}

fn scalar(value: &Value, asked: &Definition) -> Option<Scalar> {
    match (asked.kind, value) {
        (Kind::Text, Value::Text(text)) => Some(Scalar::Text(normalise(text, asked.exact).into())),
        (Kind::Number, Value::Text(text)) => {
            Decimal::from_str_exact(text.trim()).ok().map(Scalar::Number)
        }
        (Kind::Number, Value::Number(number)) => Some(Scalar::Number(*number)),
        _ => None,
    }
}
