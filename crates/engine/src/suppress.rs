//! Consumers who must not be sold: lists of digests of e-mail addresses, phone numbers and national
//! ids. Never holds what was digested.

use std::collections::{BTreeSet, HashMap, HashSet};

use lead::Hash;
use ledger::{Digest, Ledger};
use market::DuplicateKey;

use crate::identity;

/// The suppression lists by name.
#[derive(Debug, Default, Clone)]
pub struct Suppressions(HashMap<String, HashSet<Digest>>);

impl Suppressions {
    /// Reads one list: an e-mail address, phone number or national id a line, or the SHA-256 of one as
    /// pings give it; blank lines and lines that begin with `#` are skipped. A phone number without a
    /// country code is one of each of `countries` (ISO 3166-1 alpha-2), read as a lead's own is. What is
    /// read is kept as digests only.
    pub fn add<L: Ledger>(
        &mut self,
        ledger: &L,
        name: &str,
        text: &str,
        countries: &BTreeSet<&str>,
    ) {
        let lines =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let digests =
            lines.flat_map(|line| readings(line, countries)).map(|hash| digest(ledger, &hash));
        self.0.entry(name.to_owned()).or_default().extend(digests);
    }

    /// Whether one of the lists names the consumer whose value of a key has a `hash`.
    pub(crate) fn names<L: Ledger>(
        &self,
        ledger: &L,
        lists: &[String],
        hash: impl Fn(DuplicateKey) -> Option<Hash>,
    ) -> bool {
        let lists: Vec<&HashSet<Digest>> =
            lists.iter().filter_map(|list| self.0.get(list)).collect();
        if lists.iter().all(|list| list.is_empty()) {
            return false;
        }
        DuplicateKey::ALL.iter().filter_map(|key| hash(*key)).any(|hash| {
            let digest = digest(ledger, &hash);
            lists.iter().any(|list| list.contains(&digest))
        })
    }

    /// Whether a list of that name was loaded.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// A line as each kind of key would be compared.
fn readings(line: &str, countries: &BTreeSet<&str>) -> HashSet<Hash> {
    let hashed = lead::hashes::read(line);
    let phone = Some(line).filter(|line| !line.contains(char::is_alphabetic));
    let national = |country: &&str| lead::phone::e164(phone?, country);
    let phones = countries.iter().filter_map(national).filter_map(|number| {
        let contact = lead::Contact { phone: Some(number), ..lead::Contact::default() };
        identity::hash(DuplicateKey::Phone, &contact)
    });
    let contact = lead::Contact {
        email: Some(line.to_owned()).filter(|line| line.contains('@')),
        phone: phone.map(str::to_owned),
        national_id: Some(line.to_owned()).filter(|line| !line.contains('@')),
        ..lead::Contact::default()
    };
    let written = DuplicateKey::ALL.iter().filter_map(|key| identity::hash(*key, &contact));
    written.chain(phones).chain(hashed).collect()
}

fn digest<L: Ledger>(ledger: &L, hash: &Hash) -> Digest {
    ledger.digest("suppression", &[hash])
}

#[cfg(test)]
mod tests {
    use ledger::MemoryLedger;

    use super::*;

    #[test]
    fn a_list_names_people_by_value_and_by_hash() {
        let ledger = MemoryLedger::default();
        let hashed = "86b9260a115ceac89a9738af23696ce3a5d70449de8d95ef28bd754bb80196b9";
        let text = format!("# people\n\n Eva@Example.org\n+34 600 111 222\n53110022-K\n{hashed}\n");
        let mut lists = Suppressions::default();
        lists.add(&ledger, "listed", &text, &BTreeSet::new());
        let names = |lists: &Suppressions, named: &str, key: DuplicateKey, value: &str| {
            let hash = identity::hash_of(key, value);
            lists.names(&ledger, &[named.to_owned()], |it| (it == key).then_some(hash))
        };
        for (key, value) in [
            (DuplicateKey::Email, "eva@example.org"),
            (DuplicateKey::Email, "ana@example.org"),
            (DuplicateKey::Phone, "34600111222"),
            (DuplicateKey::NationalId, "53110022K"),
        ] {
            assert!(names(&lists, "listed", key, value), "{value}");
            assert!(!names(&lists, "another", key, value), "{value}");
            assert!(!names(&lists, "listed", key, &format!("{value}1")), "{value}");
        }
    }

    #[test]
    fn a_phone_number_is_read_as_the_leads_are_however_it_is_written() {
        let spain = BTreeSet::from(["ES"]);
        let both = BTreeSet::from(["ES", "US"]);
        let nowhere = BTreeSet::new();
        let read = |line, countries, number| {
            readings(line, countries).contains(&identity::hash_of(DuplicateKey::Phone, number))
        };
        for (line, countries, number) in [
            ("600 111 222", &spain, "34600111222"),
            ("+34 600-111-222", &spain, "34600111222"),
            ("0034600111222", &spain, "34600111222"),
            ("+34600111222", &nowhere, "34600111222"),
            ("(310) 555-1212", &both, "13105551212"),
        ] {
            assert!(read(line, countries, number), "{line} {countries:?}");
        }
        for (line, countries, number) in
            [("(310) 555-1212", &spain, "13105551212"), ("600111222", &nowhere, "34600111222")]
        {
            assert!(!read(line, countries, number), "{line} {countries:?}");
        }
        // As it is written, and nothing else.
        let other = identity::hash_of(DuplicateKey::NationalId, "53110022K");
        assert_eq!(readings("53110022-k", &spain), HashSet::from([other]));
    }
}
