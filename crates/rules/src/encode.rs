//! A lead in the form that filters read: one cell per attribute, by slot. Never holds contact data.

use std::borrow::Cow;
use std::sync::Arc;

use lead::{Attributes, Kind, Reading, Value};
use market::{Definition, Dictionary};

use crate::place::place;
use crate::scalar::Scalar;
use crate::text::{is_normal, normalise};
use crate::word::{self, Word};

/// What a lead says of one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Missing,
    /// Counts as missing; explained as unreadable.
    Unreadable,
    Known(Scalar),
}

/// The code of what is missing or unreadable: no place is so far to the left.
pub(crate) const MISSING: i64 = i64::MIN;

impl Cell {
    fn code(&self, texts: &mut String) -> i64 {
        match self {
            Self::Missing | Self::Unreadable => MISSING,
            Self::Known(Scalar::Text(text)) => word::code(text, texts),
            Self::Known(value) => place(value).unwrap_or(MISSING),
        }
    }
}

/// The attributes of one lead, ready to be matched against books and filters of the same dictionary.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// What the index reads: the place of each value, or its text's code.
    codes: Box<[i64]>,
    /// The texts that are too long for a code, normalised, one after another.
    texts: String,
    /// What tests and explanations read.
    cells: Box<[Cell]>,
    /// Texts that the publisher sent in another form: explanations show these.
    written: Vec<(usize, Arc<str>)>,
}

impl Encoded {
    /// Encodes a lead. Attributes that the dictionary does not know are left out; a value of another
    /// kind than the dictionary says is unreadable.
    #[must_use]
    pub fn new(attributes: &Attributes, dictionary: &Dictionary) -> Self {
        let definitions = dictionary.definitions();
        let mut cells = vec![Cell::Missing; definitions.len()];
        let mut codes = vec![MISSING; definitions.len()];
        let mut texts = String::new();
        let mut written = Vec::with_capacity(8);
        for (attribute, reading) in attributes.iter() {
            let Some(slot) = dictionary.slot(attribute) else {
                continue;
            };
            let (Some(cell), Some(definition)) = (cells.get_mut(slot), definitions.get(slot))
            else {
                continue;
            };
            *cell = encode(reading, definition);
            if let Some(code) = codes.get_mut(slot) {
                *code = cell.code(&mut texts);
            }
            if let (Cell::Known(Scalar::Text(normal)), Reading::Known(Value::Text(text))) =
                (&*cell, reading)
                && normal != text
            {
                written.push((slot, Arc::clone(text)));
            }
        }
        Self { codes: codes.into(), texts, cells: cells.into(), written }
    }

    /// The cell at `slot`; missing if the lead was encoded with a smaller dictionary.
    pub(crate) fn cell(&self, slot: usize) -> &Cell {
        self.cells.get(slot).unwrap_or(&Cell::Missing)
    }

    /// The code at `slot`: [`MISSING`], a place, or what [`Encoded::word`] reads.
    #[inline]
    pub(crate) fn code(&self, slot: usize) -> i64 {
        self.codes.get(slot).copied().unwrap_or(MISSING)
    }

    /// The text that a code of an attribute of texts stands for.
    #[inline]
    pub(crate) fn word(&self, code: i64) -> Word<'_> {
        word::read(code, &self.texts)
    }

    /// The value at `slot` for people to read.
    pub(crate) fn actual(&self, slot: usize) -> Option<Cow<'_, str>> {
        match self.cell(slot) {
            Cell::Missing | Cell::Unreadable => None,
            Cell::Known(Scalar::Number(number)) => Some(number.normalize().to_string().into()),
            Cell::Known(Scalar::Bool(value)) => Some(value.to_string().into()),
            Cell::Known(Scalar::Date(date)) => Some(date.to_string().into()),
            Cell::Known(Scalar::Text(text)) => {
                let written = self.written.iter().find(|(at, _)| *at == slot);
                Some(written.map_or(text, |(_, written)| written).as_ref().into())
            }
        }
    }
}

fn encode(reading: &Reading, definition: &Definition) -> Cell {
    let Reading::Known(value) = reading else {
        return Cell::Unreadable;
    };
    match (definition.kind, value) {
        (Kind::Text, Value::Text(text)) if is_normal(text) => {
            Cell::Known(Scalar::Text(Arc::clone(text)))
        }
        (Kind::Text, Value::Text(text)) if text.trim().is_empty() => Cell::Missing,
        (Kind::Text, Value::Text(text)) => {
            Cell::Known(Scalar::Text(normalise(text, definition.exact).into()))
        }
        (Kind::Number, Value::Number(number)) => Cell::Known(Scalar::Number(*number)),
        (Kind::Bool, Value::Bool(value)) => Cell::Known(Scalar::Bool(*value)),
        (Kind::Date, Value::Date(date)) => Cell::Known(Scalar::Date(*date)),
        _ => Cell::Unreadable,
    }
}
