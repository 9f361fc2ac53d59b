//! Keyed hashes: digests, by which the engine finds a consumer or a request again without knowing them,
//! and the check numbers of rows. Must never give away what was hashed.

use std::fmt;

use lead::LeadId;

use crate::RootKey;

const DIGESTS: &str = "gavel ledger 1 digests of identities and requests";
const CHECKS: &str = "gavel ledger 1 check numbers of rows";
const MARKETS: &str = "gavel ledger 1 keys of markets";
const WRAPPINGS: &str = "gavel ledger 1 keys that wrap the leads' keys";

/// What stands for a value that the ledger must recognize and not know.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 16]);

/// Enough to tell two apart in a log, too little to look one up.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, ..] = self.0;
        write!(f, "Digest({a:02x}{b:02x}{c:02x}..)")
    }
}

/// What is derived from the root key: one key for each use.
#[derive(Clone)]
pub(crate) struct Keys {
    digests: [u8; 32],
    checks: [u8; 32],
    wrappings: [u8; 32],
    markets: [u8; 32],
}

impl Keys {
    pub(crate) fn new(root: &RootKey) -> Self {
        let digests = blake3::derive_key(DIGESTS, root.bytes());
        let checks = blake3::derive_key(CHECKS, root.bytes());
        let wrappings = blake3::derive_key(WRAPPINGS, root.bytes());
        let markets = blake3::derive_key(MARKETS, root.bytes());
        Self { digests, checks, wrappings, markets }
    }

    pub(crate) fn digest(&self, domain: &'static str, parts: &[&[u8]]) -> Digest {
        let mut text = Text::default().bytes(domain.as_bytes());
        for part in parts {
            text = text.bytes(part);
        }
        Digest(cut(&blake3::keyed_hash(&self.digests, &text.0)))
    }

    /// The key that wraps a lead's key.
    pub(crate) fn wrapping(&self, lead: LeadId) -> [u8; 32] {
        *blake3::keyed_hash(&self.wrappings, lead.0.as_bytes()).as_bytes()
    }

    /// The key under which a market is sealed.
    pub(crate) fn market(&self, version: u64) -> [u8; 32] {
        *blake3::keyed_hash(&self.markets, &version.to_le_bytes()).as_bytes()
    }

    /// The number that a row with these columns carries: any other value in one of them, or the same row
    /// in another place, has another number.
    pub(crate) fn check(&self, columns: &Text) -> i64 {
        i64::from_le_bytes(cut(&blake3::keyed_hash(&self.checks, &columns.0)))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(redacted)")
    }
}

/// Values in a row so that no two rows of values read alike: each says how long it is.
#[derive(Default)]
pub(crate) struct Text(Vec<u8>);

impl Text {
    pub(crate) fn of(table: &str) -> Self {
        Self(Vec::with_capacity(256)).bytes(table.as_bytes())
    }

    pub(crate) fn bytes(mut self, value: &[u8]) -> Self {
        self.0.extend_from_slice(&(value.len() as u64).to_le_bytes());
        self.0.extend_from_slice(value);
        self
    }

    pub(crate) fn int(mut self, value: i64) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Nothing differs from every value.
    pub(crate) fn maybe<T>(self, value: Option<T>, put: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => put(self.int(1), value),
            None => self.int(0),
        }
    }
}

/// The first bytes.
fn cut<const N: usize>(hash: &blake3::Hash) -> [u8; N] {
    let mut first = [0; N];
    for (byte, from) in first.iter_mut().zip(hash.as_bytes()) {
        *byte = *from;
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_key_domain_and_the_borders_of_its_parts() {
        let keys = Keys::new(&RootKey::from_bytes([1; 32]));
        let other = Keys::new(&RootKey::from_bytes([2; 32]));
        let digest = keys.digest("a", &[b"b", b"cd"]);
        assert_eq!(digest, keys.digest("a", &[b"b", b"cd"]));
        for parts in [&[b"bc".as_slice(), b"d"] as &[&[u8]], &[b"bcd"], &[b"b", b"cd", b""], &[]] {
            assert_ne!(digest, keys.digest("a", parts));
        }
        assert_ne!(digest, keys.digest("ab", &[b"", b"cd"]));
        assert_ne!(digest, other.digest("a", &[b"b", b"cd"]));
    }

    #[test]
    fn a_printed_digest_is_not_a_key_to_anything() {
        assert_eq!(format!("{:?}", Digest([0xab; 16])), "Digest(ababab..)");
    }

    #[test]
    fn a_check_tells_nothing_from_zero_and_from_an_empty_text() {
        let keys = Keys::new(&RootKey::from_bytes([1; 32]));
        let row = || Text::of("rows");
        let checks = [
            keys.check(&row()),
            keys.check(&row().maybe(None, Text::int)),
            keys.check(&row().maybe(Some(0), Text::int)),
            keys.check(&row().maybe(Some(b"".as_slice()), Text::bytes)),
            keys.check(&row().maybe(Some(b"a".as_slice()), Text::bytes)),
            keys.check(&Text::of("row").bytes(b"s")),
        ];
        let different: std::collections::HashSet<_> = checks.iter().collect();
        // A zero and an empty text read alike, and never stand in the same column.
        assert_eq!(different.len(), checks.len() - 1);
    }
}
