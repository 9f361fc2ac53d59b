//! Consumers who must not be sold: lists of digests of e-mail addresses, phone numbers and national
//! ids. Never holds what was digested.

use std::collections::{HashMap, HashSet};

use lead::Submission;
use ledger::{Digest, Ledger};
use market::DuplicateKey;

use crate::identity;

/// The suppression lists by name.
#[derive(Debug, Default, Clone)]
pub struct Suppressions(HashMap<String, HashSet<Digest>>);

impl Suppressions {
    /// Reads one list: an e-mail address, phone number or national id a line; blank lines and lines
    /// that begin with `#` are skipped. What is read is kept as digests only.
    pub fn add<L: Ledger>(&mut self, ledger: &L, name: &str, text: &str) {
        let lines =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let digests = lines.flat_map(|line| readings(line).map(|value| digest(ledger, &value)));
        self.0.entry(name.to_owned()).or_default().extend(digests);
    }

    /// Whether one of the lists names this consumer.
    pub(crate) fn names<L: Ledger>(
        &self,
        ledger: &L,
        lists: &[String],
        submission: &Submission,
    ) -> bool {
        let lists: Vec<&HashSet<Digest>> =
            lists.iter().filter_map(|list| self.0.get(list)).collect();
        if lists.iter().all(|list| list.is_empty()) {
            return false;
        }
        let keys =
            DuplicateKey::ALL.iter().filter_map(|key| identity::value(*key, &submission.contact));
        keys.into_iter().any(|value| {
            let digest = digest(ledger, &value);
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
fn readings(line: &str) -> impl Iterator<Item = String> {
    let contact = lead::Contact {
        email: Some(line.to_owned()).filter(|line| line.contains('@')),
        phone: Some(line.to_owned()).filter(|line| !line.contains(char::is_alphabetic)),
        national_id: Some(line.to_owned()).filter(|line| !line.contains('@')),
        ..lead::Contact::default()
    };
    let values: HashSet<String> =
        DuplicateKey::ALL.iter().filter_map(|key| identity::value(*key, &contact)).collect();
    values.into_iter()
}

fn digest<L: Ledger>(ledger: &L, value: &str) -> Digest {
    ledger.digest("suppression", &[value.as_bytes()])
}
