//! The named lists of a buyer, for `in_list` and `not_in_list`. Holds raw values: how they compare
//! depends on the attribute that is asked.

use std::collections::BTreeMap;

use lead::Value;

/// A buyer's lists by name.
#[derive(Debug, Clone, Default)]
pub struct Lists(BTreeMap<String, Vec<Value>>);

impl Lists {
    /// No lists.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a list, replacing one of the same name.
    pub fn insert(&mut self, name: impl Into<String>, values: Vec<Value>) {
        self.0.insert(name.into(), values);
    }

    pub(crate) fn named(&self, name: &str) -> Option<&[Value]> {
        self.0.get(name).map(Vec::as_slice)
    }
}
