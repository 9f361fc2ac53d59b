//! Tables of postal codes from comma-separated text. Strict: what cannot be read is refused by line.

use std::collections::{BTreeMap, HashMap};

use document::Position;

use super::Places;
use super::country::{Row, Rows, padded};
use super::distance::Point;
use crate::Fault;

const HEADER: &str = "country,postal_code,region,city,latitude,longitude";

/// Most postal codes of all files together: those of every country there is.
const ROWS_MAX: usize = 4_000_000;

/// Faults that are told; more are of the same kind.
pub(super) const FAULTS_MAX: usize = 20;

/// Longest name of a region or city.
const NAME_CHARS_MAX: usize = 100;

/// Tables being read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    countries: BTreeMap<String, Building>,
    rows: usize,
    faults: Vec<Fault>,
}

#[derive(Debug, Default)]
struct Building {
    rows: Rows,
    by_name: HashMap<Box<str>, u32>,
}

impl Reading {
    /// Reads one file; what is wrong with it is kept for the end.
    pub(super) fn file(&mut self, places: &Places, file: &str, text: &str) {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = (1..).zip(text.lines()).filter(|(_, line)| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with('#')
        });
        let header = lines.next();
        if header.is_none_or(|(_, line)| line.trim() != HEADER) {
            let line = header.map_or(1, |(line, _)| line);
            return self.refuse(file, (line, 1), format!("the first line must be {HEADER}"));
        }
        for (number, line) in lines {
            if self.faults.len() >= FAULTS_MAX {
                return;
            }
            if self.rows == ROWS_MAX {
                let most = format!("is too much: tables may hold at most {ROWS_MAX} postal codes");
                return self.refuse(file, (number, 1), most);
            }
            match self.line(places, line) {
                Ok(()) => self.rows += 1,
                Err((field, issue)) => {
                    let before = line.split(',').take(field).map(|field| field.len() + 1);
                    self.refuse(file, (number, before.sum::<usize>() + 1), issue);
                }
            }
        }
    }

    /// Every country's codes in order.
    pub(super) fn finish(mut self) -> Result<Vec<(String, Rows)>, Vec<Fault>> {
        for (country, building) in &mut self.countries {
            let rows = &mut building.rows.rows;
            rows.sort_unstable_by_key(|row| row.code);
            if let Some([twice, _]) =
                rows.windows(2).find(|pair| matches!(pair, [a, b] if a.code == b.code))
            {
                let code = String::from_utf8_lossy(&twice.code).trim_end_matches('\0').to_owned();
                let message = format!("the tables hold {country} {code} twice");
                let position = Position { line: 1, column: 1 };
                self.faults.push(Fault { file: "postal codes".to_owned(), position, message });
            }
            rows.shrink_to_fit();
        }
        if self.faults.is_empty() {
            Ok(self.countries.into_iter().map(|(code, it)| (code, it.rows)).collect())
        } else {
            Err(self.faults)
        }
    }

    fn refuse(&mut self, file: &str, (line, column): (usize, usize), message: String) {
        let position = Position { line, column };
        self.faults.push(Fault { file: file.to_owned(), position, message });
    }

    /// Reads a line, or says which field is wrong and how.
    fn line(&mut self, places: &Places, line: &str) -> Result<(), (usize, String)> {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let &[country, code, region, city, north, east] = &fields[..] else {
            let issue = format!("must hold six fields, found {}", fields.len());
            return Err((0, issue));
        };
        let wrong = |field: usize, issue: &str| Err((field, issue.to_owned()));
        if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return wrong(0, "country must be an ISO 3166-1 code of two capitals");
        }
        let Some(padded) = lead::postal::canonical(country, code).and_then(|code| padded(&code))
        else {
            return wrong(1, "postal_code must be one of the country");
        };
        let known = places.country(country);
        let region = match known.filter(|known| known.knows_regions() && !region.is_empty()) {
            Some(known) => match known.region(region) {
                Some(name) => name,
                None => return wrong(2, "region must be one of the country"),
            },
            None => region,
        };
        for (field, name) in [(2, region), (3, city)] {
            if name.chars().count() > NAME_CHARS_MAX || name.contains('"') {
                return wrong(field, "must be a name of at most 100 characters, without quotes");
            }
        }
        let (Some(north), Some(east)) = (degrees(north, 90), degrees(east, 180)) else {
            let field = if degrees(north, 90).is_none() { 4 } else { 5 };
            return wrong(field, "must be degrees with a point, such as 40.7507");
        };
        let building = self.countries.entry(country.to_owned()).or_default();
        let (region, city) = (building.name(region), building.name(city));
        building.rows.rows.push(Row { code: padded, point: Point { north, east }, region, city });
        Ok(())
    }
}

impl Building {
    /// Where a name is kept, counted from 1; 0 for none.
    fn name(&mut self, name: &str) -> u32 {
        if name.is_empty() {
            return 0;
        }
        if let Some(known) = self.by_name.get(name) {
            return *known;
        }
        self.rows.names.push(name.into());
        let place = u32::try_from(self.rows.names.len()).unwrap_or_default();
        self.by_name.insert(name.into(), place);
        place
    }
}

/// Degrees in millionths.
fn degrees(text: &str, most: i64) -> Option<i32> {
    let degrees = rust_decimal::Decimal::from_str_exact(text).ok()?;
    if degrees.abs() > most.into() {
        return None;
    }
    let micro = degrees.checked_mul(1_000_000.into())?.round();
    i64::try_from(micro).ok().and_then(|micro| i32::try_from(micro).ok())
}
