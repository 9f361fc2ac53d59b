//! A product's attributes: the standard ones and its own, with kinds and limits. Filters, doors and
//! pings all read the same dictionary. Never holds a lead's values.

use std::collections::BTreeMap;
use std::sync::Arc;

use document::{Node, Slot};
use lead::{Attribute, Kind, Reading, Standard, Value};
use rust_decimal::Decimal;

use crate::Country;

/// What a product says of one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Which attribute.
    pub attribute: Attribute,
    /// What its values are.
    pub kind: Kind,
    /// A native lead without it is refused.
    pub required: bool,
    /// The only values, if the list is closed.
    pub allowed: Vec<Arc<str>>,
    /// Least number.
    pub least: Option<Decimal>,
    /// Greatest number.
    pub most: Option<Decimal>,
    /// Strings compare as they stand: case and accents matter.
    pub exact: bool,
    /// A ping may carry it.
    pub in_ping: bool,
    /// Of regions and postal codes: what is known of those of the product's country.
    pub places: Option<Arc<Country>>,
}

impl Definition {
    /// The definition that a standard attribute has unless a product says more.
    #[must_use]
    pub fn standard(standard: Standard) -> Self {
        Self::plain(standard.into(), standard.kind(), standard.in_ping())
    }

    /// A definition without limits.
    #[must_use]
    pub fn plain(attribute: Attribute, kind: Kind, in_ping: bool) -> Self {
        Self {
            attribute,
            kind,
            required: false,
            allowed: Vec::new(),
            least: None,
            most: None,
            exact: false,
            in_ping,
            places: None,
        }
    }

    /// Reads a lead's value. `None` means missing (absent, `null` or blank); a value of another kind
    /// or outside the limits is unreadable.
    #[must_use]
    pub fn read(&self, node: &Node<'_>) -> Option<Reading> {
        if matches!(node, Node::Null) || node.as_text().is_some_and(|text| text.trim().is_empty()) {
            return None;
        }
        let value = self.value(node).filter(|value| self.admits(value));
        Some(value.map_or(Reading::Unreadable, Reading::Known))
    }

    fn value(&self, node: &Node<'_>) -> Option<Value> {
        match (self.kind, node) {
            (Kind::Text, Node::Text(text)) => Value::text(text),
            (Kind::Number, Node::Number(number)) => Some(Value::Number(*number)),
            (Kind::Bool, Node::Bool(value)) => Some(Value::Bool(*value)),
            (Kind::Date, Node::Text(text)) => text.trim().parse().ok().map(Value::Date),
            _ => None,
        }
    }

    fn admits(&self, value: &Value) -> bool {
        match value {
            Value::Number(number) => {
                self.least.is_none_or(|least| *number >= least)
                    && self.most.is_none_or(|most| *number <= most)
            }
            Value::Text(text) => {
                self.allowed.is_empty() || self.allowed.iter().any(|known| known == text)
            }
            Value::Bool(_) | Value::Date(_) => true,
        }
    }

    /// What a publisher must send, for error texts.
    #[must_use]
    pub fn expected(&self) -> String {
        let limits = match (self.least, self.most) {
            (Some(least), Some(most)) => format!(" from {least} to {most}"),
            (Some(least), None) => format!(" of at least {least}"),
            (None, Some(most)) => format!(" of at most {most}"),
            (None, None) => String::new(),
        };
        let allowed: Vec<&str> = self.allowed.iter().map(AsRef::as_ref).collect();
        match self.allowed.is_empty() {
            true => format!("{}{limits}", self.kind.name()),
            false => format!("one of {}", allowed.join(", ")),
        }
    }
}

/// All attributes of one product. Each has a slot: a dense number from 0, standard ones first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dictionary {
    definitions: Vec<Definition>,
    declared: BTreeMap<Arc<str>, usize>,
}

impl Default for Dictionary {
    fn default() -> Self {
        Self::new([])
    }
}

impl Dictionary {
    /// The standard attributes, changed and extended by a product's own definitions.
    #[must_use]
    pub fn new(own: impl IntoIterator<Item = Definition>) -> Self {
        let mut definitions: Vec<Definition> =
            Standard::ALL.iter().copied().map(Definition::standard).collect();
        let mut declared = BTreeMap::new();
        for definition in own {
            match &definition.attribute {
                Attribute::Standard(standard) => {
                    if let Some(known) = definitions.get_mut(*standard as usize) {
                        *known = definition;
                    }
                }
                Attribute::Declared(name) => {
                    declared.insert(Arc::clone(name), definitions.len());
                    definitions.push(definition);
                }
            }
        }
        Self { definitions, declared }
    }

    /// Lets regions and postal codes be read by what is known of a country.
    pub fn place_in(&mut self, country: Option<&Arc<Country>>) {
        for standard in [Standard::Region, Standard::PostalCode] {
            if let Some(definition) = self.definitions.get_mut(standard as usize) {
                definition.places = country.map(Arc::clone);
            }
        }
    }

    /// The definition of a name or alias.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Definition> {
        let slot = match Standard::named(name) {
            Some(standard) => standard as usize,
            None => *self.declared.get(name)?,
        };
        self.definitions.get(slot)
    }

    /// The slot of an attribute; `None` if this product does not have it.
    #[must_use]
    pub fn slot(&self, attribute: &Attribute) -> Option<usize> {
        match attribute {
            Attribute::Standard(standard) => Some(*standard as usize),
            Attribute::Declared(name) => self.declared.get(name).copied(),
        }
    }

    /// All definitions in slot order.
    #[must_use]
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// Whether a ping may carry the declared attribute `name`.
    #[must_use]
    pub fn declared_in_ping(&self, name: &str) -> bool {
        self.declared
            .get(name)
            .and_then(|slot| self.definitions.get(*slot))
            .is_some_and(|d| d.in_ping)
    }

    /// Reads an object of attributes strictly: a wrong kind, an unknown name or an absent required
    /// attribute is noted as a defect.
    #[must_use]
    pub fn read_strictly(&self, attributes: &Slot<'_, '_>) -> Option<lead::Attributes> {
        let fields = attributes.fields()?;
        let mut read = lead::Attributes::new();
        for (name, slot) in fields.all() {
            let Some(definition) = self.named(name) else {
                slot.refuse("is not an attribute of this product");
                continue;
            };
            match slot.node().and_then(|node| definition.read(node)) {
                Some(Reading::Known(_)) if read.reading(&definition.attribute).is_some() => {
                    slot.refuse("is given twice: it is another name of the same attribute");
                }
                Some(Reading::Known(value)) => {
                    read.set(definition.attribute.clone(), Reading::Known(value));
                }
                Some(Reading::Unreadable) => {
                    slot.refuse(format_args!("must be {}", definition.expected()))
                }
                None => {}
            }
        }
        for definition in self.definitions.iter().filter(|definition| definition.required) {
            if read.reading(&definition.attribute).is_none() {
                let slot = fields.at(definition.attribute.name());
                if slot.node().and_then(|node| definition.read(node)).is_none() {
                    slot.refuse("is required for this product");
                }
            }
        }
        Some(read)
    }
}
