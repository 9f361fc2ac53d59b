//! One country: its regions by every name, and its postal codes in order.

use std::collections::HashMap;

use super::Region;
use super::distance::{Point, Radius, Unit};

/// Bytes of the longest postal code, without what separates its parts.
pub(super) const CODE_BYTES: usize = 10;

/// A country's regions and postal codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Country {
    code: String,
    /// By folded name: where in `known`.
    by_name: HashMap<String, usize>,
    known: Vec<Known>,
    prefixes: &'static [(&'static str, &'static str, &'static str)],
    across: &'static [(&'static str, &'static str)],
    rows: Rows,
}

/// A region and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    name: &'static str,
    parts: Vec<&'static str>,
}

/// Postal codes in order, each once; names are kept once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    pub(super) names: Vec<Box<str>>,
}

/// A postal code: some two dozen bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// Padded with zero bytes.
    pub(super) code: [u8; CODE_BYTES],
    pub(super) point: Point,
    /// Where in the names; 0 is none.
    pub(super) region: u32,
    pub(super) city: u32,
}

/// What is known of one postal code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot<'p> {
    /// The region's name as leads are given it.
    pub region: Option<&'p str>,
    /// The city's name.
    pub city: Option<&'p str>,
}

impl Country {
    pub(super) fn built_in(
        code: &str,
        regions: &'static [Region],
        prefixes: &'static [(&'static str, &'static str, &'static str)],
        across: &'static [(&'static str, &'static str)],
    ) -> Self {
        let mut by_name = HashMap::new();
        let mut known = Vec::with_capacity(regions.len());
        for (place, region) in regions.iter().enumerate() {
            for name in std::iter::once(&region.name).chain(region.others) {
                by_name.insert(fold(name), place);
            }
            let parts = regions.iter().filter(|part| part.part_of == region.name);
            known.push(Known { name: region.name, parts: parts.map(|part| part.name).collect() });
        }
        Self { code: code.to_owned(), by_name, known, prefixes, across, rows: Rows::default() }
    }

    pub(super) fn with_rows(&self, rows: Rows) -> Self {
        Self { rows, ..self.clone() }
    }

    /// ISO 3166-1 alpha-2.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Whether its regions are known at all.
    pub(super) fn knows_regions(&self) -> bool {
        !self.known.is_empty()
    }

    /// Whether a table of its postal codes was read, so that distances can be told.
    #[must_use]
    pub fn has_centroids(&self) -> bool {
        !self.rows.rows.is_empty()
    }

    /// The one name of a region that is written in some way: its name, another one, its ISO 3166-2
    /// code; case, accents and punctuation do not matter.
    #[must_use]
    pub fn region(&self, written: &str) -> Option<&'static str> {
        self.known(written).map(|known| known.name)
    }

    /// The region and all that belong to it, by the names that leads are given.
    #[must_use]
    pub fn region_with_parts(&self, written: &str) -> Option<Vec<&'static str>> {
        let known = self.known(written)?;
        Some(std::iter::once(known.name).chain(known.parts.iter().copied()).collect())
    }

    fn known(&self, written: &str) -> Option<&Known> {
        self.known.get(*self.by_name.get(&fold(written))?)
    }

    /// What is known of a postal code; `None` if nothing is.
    #[must_use]
    pub fn spot(&self, postal_code: &str) -> Option<Spot<'_>> {
        let code = lead::postal::canonical(&self.code, postal_code)?;
        let row = self.row(&code);
        let name = |at: u32| self.rows.names.get(usize::try_from(at).ok()?.checked_sub(1)?);
        let city = row.and_then(|row| name(row.city)).map(AsRef::as_ref);
        let region = row.and_then(|row| name(row.region)).map(AsRef::as_ref);
        let region = region.or_else(|| self.region_by_prefix(&code));
        (region.is_some() || row.is_some()).then_some(Spot { region, city })
    }

    fn region_by_prefix(&self, code: &str) -> Option<&'static str> {
        if let Ok(place) = self.across.binary_search_by_key(&code, |(known, _)| known) {
            return self.across.get(place).map(|(_, region)| *region);
        }
        let after = self.prefixes.partition_point(|(first, _, _)| *first <= code);
        let (_, last, region) = self.prefixes.get(after.checked_sub(1)?)?;
        (code.get(..last.len())? <= *last).then_some(region)
    }

    /// Every postal code whose centroid lies within a radius of another's, that one among them.
    /// `None` if it is not in the table.
    #[must_use]
    pub fn within(&self, postal_code: &str, radius: Radius) -> Option<Vec<&str>> {
        let centre = self.point(postal_code)?;
        let metres = radius.metres();
        let near = |row: &&Row| {
            centre.may_be_within(metres, row.point) && centre.metres_to(row.point) <= metres
        };
        Some(self.rows.rows.iter().filter(near).map(Row::text).collect())
    }

    /// How far two postal codes are apart: `"12.3 miles"`. `None` if one is not in the table.
    #[must_use]
    pub fn distance(&self, from: &str, to: &str, unit: Unit) -> Option<String> {
        Some(unit.tell(self.point(from)?.metres_to(self.point(to)?)))
    }

    fn point(&self, postal_code: &str) -> Option<Point> {
        let code = lead::postal::canonical(&self.code, postal_code)?;
        self.row(&code).map(|row| row.point)
    }

    fn row(&self, code: &str) -> Option<&Row> {
        let code = padded(code)?;
        let place = self.rows.rows.binary_search_by_key(&code, |row| row.code).ok()?;
        self.rows.rows.get(place)
    }
}

impl Row {
    fn text(&self) -> &str {
        let end = self.code.iter().position(|byte| *byte == 0).unwrap_or(CODE_BYTES);
        self.code.get(..end).and_then(|code| std::str::from_utf8(code).ok()).unwrap_or_default()
    }
}

/// A code in a row's form; `None` if it is too long.
pub(super) fn padded(code: &str) -> Option<[u8; CODE_BYTES]> {
    let mut padded = [0; CODE_BYTES];
    padded.get_mut(..code.len())?.copy_from_slice(code.as_bytes());
    Some(padded)
}

/// Letters and digits only, small and without accents, words apart by one space.
fn fold(written: &str) -> String {
    let mut folded = String::with_capacity(written.len());
    for letter in written.chars().flat_map(char::to_lowercase) {
        match plain(letter) {
            Some(letter) => folded.push(letter),
            None if is_accent(letter) => {}
            None if folded.is_empty() || folded.ends_with(' ') => {}
            None => folded.push(' '),
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

fn is_accent(letter: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&letter)
}

fn plain(letter: char) -> Option<char> {
    Some(match letter {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        other if other.is_alphanumeric() => other,
        _ => return None,
    })
}
