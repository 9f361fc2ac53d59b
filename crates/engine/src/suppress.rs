//! Consumers who must not be sold: lists of digests of e-mail addresses, phone numbers and national
//! ids. Never holds what was digested.

use std::collections::{HashMap, HashSet};

use lead::Hash;
use ledger::{Digest, Ledger};
use market::DuplicateKey;

use crate::identity;

/// The suppression lists by name.
#[derive(Debug, Default, Clone)]
pub struct Suppressions(HashMap<String, HashSet<Digest>>);

impl Suppressions {
    /// Reads one list: an e-mail address, phone number or national id a line, or the SHA-256 of one as
    /// pings give it; blank lines and lines that begin with `#` are skipped. What is read is kept as
    /// digests only.
    pub fn add<L: Ledger>(&mut self, ledger: &L, name: &str, text: &str) {
        let lines =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let digests = lines.flat_map(|line| readings(line).map(|hash| digest(ledger, &hash)));
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
fn readings(line: &str) -> impl Iterator<Item = Hash> {
    let hashed = lead::hashes::read(line);
    let contact = lead::Contact {
        email: Some(line.to_owned()).filter(|line| line.contains('@')),
        phone: Some(line.to_owned()).filter(|line| !line.contains(char::is_alphabetic)),
        national_id: Some(line.to_owned()).filter(|line| !line.contains('@')),
        ..lead::Contact::default()
    };
    let values = DuplicateKey::ALL.iter().filter_map(|key| identity::hash(*key, &contact));
    let hashes: HashSet<Hash> = values.chain(hashed).collect();
    hashes.into_iter()
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
        lists.add(&ledger, "listed", &text);
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
}
