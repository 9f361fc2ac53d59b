//! Where postal codes and regions are: tables of facts that filters measure by and leads are completed
//! from. Immutable once read; never knows a lead.

mod country;
mod distance;
mod es;
mod table;
#[cfg(test)]
mod tests;
mod us;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

pub use country::{Country, Spot};
pub use distance::{Radius, Unit};

use crate::Fault;

/// A region as it is built in.
#[derive(Debug)]
struct Region {
    /// What leads are given.
    name: &'static str,
    /// Other ways to write it: its ISO 3166-2 code first.
    others: &'static [&'static str],
    /// The greater region that it belongs to, if there is one.
    part_of: &'static str,
}

/// What is known of places, by country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    countries: BTreeMap<String, Arc<Country>>,
}

static BUILT_IN: LazyLock<Arc<Places>> = LazyLock::new(|| {
    let countries = [
        Country::built_in("US", us::REGIONS, us::PREFIXES, us::ACROSS),
        Country::built_in("ES", es::REGIONS, es::PREFIXES, &[]),
    ];
    let named = |country: Country| (country.code().to_owned(), Arc::new(country));
    Arc::new(Places { countries: countries.into_iter().map(named).collect() })
});

impl Default for Places {
    fn default() -> Self {
        Self::clone(&BUILT_IN)
    }
}

impl Places {
    /// The regions of the USA and Spain, and which postal codes are whose; no centroid.
    #[must_use]
    pub fn built_in() -> Arc<Self> {
        Arc::clone(&BUILT_IN)
    }

    /// What is built in, and tables of postal codes: each a file's name and its text, comma-separated
    /// under the header `country,postal_code,region,city,latitude,longitude`, a code a line, no quotes;
    /// blank lines and lines that begin with `#` are skipped. Region and city may be empty.
    ///
    /// # Errors
    /// What cannot be read, by line.
    pub fn read(files: impl IntoIterator<Item = (String, String)>) -> Result<Self, Vec<Fault>> {
        let mut places = Self::clone(&BUILT_IN);
        let mut reading = table::Reading::default();
        for (file, text) in files {
            reading.file(&places, &file, &text);
        }
        for (code, rows) in reading.finish()? {
            let country = places.countries.entry(code.clone());
            let country =
                country.or_insert_with(|| Arc::new(Country::built_in(&code, &[], &[], &[])));
            *country = Arc::new(country.with_rows(rows));
        }
        Ok(places)
    }

    /// What is known of a country, named by its ISO 3166-1 code of two letters in any case.
    #[must_use]
    pub fn country(&self, code: &str) -> Option<&Arc<Country>> {
        match self.countries.get(code) {
            Some(country) => Some(country),
            None => self.countries.get(&code.trim().to_ascii_uppercase()),
        }
    }
}
