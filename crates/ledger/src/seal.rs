//! Sealing: a random key for every lead, wrapped under the root key; what is personal is encrypted under
//! the lead's key, so that destroying 60 bytes erases a consumer. AES-256-GCM, which processors of servers
//! do in hardware; its nonces are random and short, so no key may seal many values, and each wrapping has
//! a key of its own. Markets are sealed too: they hold the keys of those who trade. Must never put plaintext, keys or a decoder's words into an error.

use std::fmt;

use aes_gcm::aead::{Aead, AeadInOut, Payload};
use aes_gcm::{Aes256Gcm, Key, KeyInit, Nonce};
use lead::{LeadId, Submission};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Refused;
use crate::digest::Keys;

const KEY: usize = 32;
const NONCE: usize = 12;
const TAG: usize = 16;
/// What is authenticated with a market, whose version is in its key.
const MARKET: &[u8] = b"gavel ledger 1 market";
/// Most submissions are sealed in one allocation.
const ROOM: usize = 1024;

/// A wrapped key: nonce, ciphertext, tag. All zeros once erased.
pub(crate) type WrappedKey = [u8; NONCE + KEY + TAG];

/// What an erased lead's key reads as.
pub(crate) const ERASED: WrappedKey = [0; NONCE + KEY + TAG];

/// What a ciphertext is for. Part of what is authenticated, with the lead's id and the format's number,
/// so that no sealed value can be moved to another place and still open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Key,
    Submission,
    /// What a buyer answered to a post.
    Reply {
        ordinal: u32,
    },
    /// The buyers' own words beside the decisions.
    Reasons,
    /// What a buyer said beside an event.
    Report {
        ordinal: u32,
    },
}

/// What a buyer answered to a post and may name the consumer.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) redirect_url: Option<String>,
    pub(crate) reference: Option<String>,
}

/// What a buyer said beside an event and may name the consumer.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) reference: Option<String>,
    pub(crate) metadata: serde_json::Map<String, serde_json::Value>,
}

/// The buyers' own words, each with the place of its decision.
pub(crate) type Reasons<'a> = Vec<(usize, std::borrow::Cow<'a, str>)>;

/// One lead's key, unwrapped.
pub(crate) struct LeadKey {
    lead: LeadId,
    key: [u8; KEY],
}

impl LeadKey {
    /// A new key, its wrapped form, and the submission sealed under it: the system is asked for
    /// randomness once.
    pub(crate) fn create(
        keys: &Keys,
        lead: LeadId,
        submission: &Submission,
    ) -> Result<(Self, WrappedKey, Vec<u8>), Refused> {
        let mut random = [0; KEY + 2 * NONCE];
        fill(&mut random)?;
        let (key, nonces) = random.split_first_chunk::<KEY>().ok_or_else(cannot_seal)?;
        let ([wrapping, sealing], _) = nonces.as_chunks() else { return Err(cannot_seal()) };
        let created = Self { lead, key: *key };
        let root = cipher(&keys.wrapping(lead));
        let wrapped = seal(&root, lead, Purpose::Key, *wrapping, |plain| plain.extend(key))?;
        let wrapped = wrapped.try_into().map_err(|_| cannot_seal())?;
        let sealed = created.seal(Purpose::Submission, *sealing, submission)?;
        Ok((created, wrapped, sealed))
    }

    /// Unwraps a stored key; `None` once erased.
    pub(crate) fn unwrap(
        keys: &Keys,
        lead: LeadId,
        wrapped: &[u8],
    ) -> Result<Option<Self>, Refused> {
        if wrapped == ERASED {
            return Ok(None);
        }
        let key = open(&cipher(&keys.wrapping(lead)), lead, Purpose::Key, wrapped)?;
        let key: [u8; KEY] = key.try_into().map_err(|_| does_not_open(lead, Purpose::Key))?;
        Ok(Some(Self { lead, key }))
    }

    /// The submission of a stored form.
    pub(crate) fn open_submission(&self, sealed: &[u8]) -> Result<Submission, Refused> {
        self.open(Purpose::Submission, sealed)
    }

    /// A reply's stored form.
    pub(crate) fn seal_reply(&self, ordinal: u32, reply: &Reply) -> Result<Vec<u8>, Refused> {
        self.seal(Purpose::Reply { ordinal }, nonce()?, reply)
    }

    /// The reply of a stored form.
    pub(crate) fn open_reply(&self, ordinal: u32, sealed: &[u8]) -> Result<Reply, Refused> {
        self.open(Purpose::Reply { ordinal }, sealed)
    }

    /// The stored form of buyers' words.
    pub(crate) fn seal_reasons(&self, reasons: &Reasons<'_>) -> Result<Vec<u8>, Refused> {
        self.seal(Purpose::Reasons, nonce()?, reasons)
    }

    /// The buyers' words of a stored form.
    pub(crate) fn open_reasons(&self, sealed: &[u8]) -> Result<Reasons<'static>, Refused> {
        self.open(Purpose::Reasons, sealed)
    }

    /// The stored form of what was said beside an event.
    pub(crate) fn seal_report(&self, ordinal: u32, said: &Said) -> Result<Vec<u8>, Refused> {
        self.seal(Purpose::Report { ordinal }, nonce()?, said)
    }

    /// What was said beside an event, of its stored form.
    pub(crate) fn open_report(&self, ordinal: u32, sealed: &[u8]) -> Result<Said, Refused> {
        self.open(Purpose::Report { ordinal }, sealed)
    }

    fn seal(
        &self,
        purpose: Purpose,
        nonce: [u8; NONCE],
        value: &impl Serialize,
    ) -> Result<Vec<u8>, Refused> {
        let mut written = Ok(());
        let sealed = seal(&cipher(&self.key), self.lead, purpose, nonce, |plain| {
            written = serde_json::to_writer(plain, value);
        })?;
        written.map(|()| sealed).map_err(|_| cannot_seal())
    }

    fn open<T: DeserializeOwned>(&self, purpose: Purpose, sealed: &[u8]) -> Result<T, Refused> {
        let json = open(&cipher(&self.key), self.lead, purpose, sealed)?;
        // The decoder's error may quote what it read.
        serde_json::from_slice(&json).map_err(|_| does_not_open(self.lead, purpose))
    }
}

/// A market's stored form.
pub(crate) fn seal_market(keys: &Keys, version: u64, source: &str) -> Result<Vec<u8>, Refused> {
    let nonce = nonce()?;
    let payload = Payload { msg: source.as_bytes(), aad: MARKET };
    let sealed = cipher(&keys.market(version)).encrypt(&Nonce::from(nonce), payload);
    let sealed = sealed.map_err(|_| Refused::Illegal("a market cannot be sealed".to_owned()))?;
    Ok([&nonce, sealed.as_slice()].concat())
}

/// The market of a stored form.
pub(crate) fn open_market(keys: &Keys, version: u64, sealed: &[u8]) -> Result<String, Refused> {
    let open = || {
        let (nonce, text) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: text, aad: MARKET };
        let plain = cipher(&keys.market(version)).decrypt(&Nonce::from(*nonce), payload).ok()?;
        String::from_utf8(plain).ok()
    };
    open().ok_or_else(|| Refused::Corrupt(format!("market {version} does not open")))
}

impl fmt::Debug for LeadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LeadKey({}, redacted)", self.lead)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("key"),
            Self::Submission => f.write_str("submission"),
            Self::Reply { ordinal } => write!(f, "reply {ordinal}"),
            Self::Reasons => f.write_str("reasons"),
            Self::Report { ordinal } => write!(f, "report {ordinal}"),
        }
    }
}

fn cipher(key: &[u8; KEY]) -> Aes256Gcm {
    Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key))
}

fn associated(lead: LeadId, purpose: Purpose) -> Vec<u8> {
    let mut data = format!("gavel ledger 1 {purpose} ").into_bytes();
    data.extend_from_slice(lead.0.as_bytes());
    data
}

/// Nonce, ciphertext and tag of what `write` writes.
fn seal(
    cipher: &Aes256Gcm,
    lead: LeadId,
    purpose: Purpose,
    nonce: [u8; NONCE],
    write: impl FnOnce(&mut Vec<u8>),
) -> Result<Vec<u8>, Refused> {
    let mut sealed = Vec::with_capacity(ROOM);
    sealed.extend(nonce);
    write(&mut sealed);
    let plain = sealed.get_mut(NONCE..).unwrap_or_default();
    let tag = cipher
        .encrypt_inout_detached(&Nonce::from(nonce), &associated(lead, purpose), plain.into())
        .map_err(|_| cannot_seal())?;
    sealed.extend(tag);
    Ok(sealed)
}

fn open(
    cipher: &Aes256Gcm,
    lead: LeadId,
    purpose: Purpose,
    sealed: &[u8],
) -> Result<Vec<u8>, Refused> {
    let (nonce, text) =
        sealed.split_first_chunk::<NONCE>().ok_or_else(|| does_not_open(lead, purpose))?;
    let aad = associated(lead, purpose);
    cipher
        .decrypt(&Nonce::from(*nonce), Payload { msg: text, aad: &aad })
        .map_err(|_| does_not_open(lead, purpose))
}

fn nonce() -> Result<[u8; NONCE], Refused> {
    let mut nonce = [0; NONCE];
    fill(&mut nonce)?;
    Ok(nonce)
}

fn fill(bytes: &mut [u8]) -> Result<(), Refused> {
    getrandom::fill(bytes).map_err(|error| Refused::Unavailable(format!("no randomness: {error}")))
}

fn cannot_seal() -> Refused {
    Refused::Illegal("the submission cannot be sealed".to_owned())
}

fn does_not_open(lead: LeadId, purpose: Purpose) -> Refused {
    Refused::Corrupt(format!("the {purpose} of lead {lead} does not open"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RootKey;

    fn id(byte: u8) -> LeadId {
        LeadId::new(jiff::Timestamp::UNIX_EPOCH, [byte; 10])
    }

    fn submission() -> Submission {
        Submission {
            door: lead::Door::ALL[0],
            publisher: "pub".parse().unwrap(),
            product: "loan".parse().unwrap(),
            sub_id: None,
            external_id: Some("one".to_owned()),
            min_payout: None,
            tags: std::collections::BTreeMap::new(),
            source_url: None,
            user_agent: None,
            attributes: lead::Attributes::new(),
            contact: lead::Contact::default(),
            consent: lead::Consent::default(),
            test: false,
            requested: None,
        }
    }

    fn create(keys: &Keys, lead: LeadId) -> (LeadKey, WrappedKey, Vec<u8>) {
        LeadKey::create(keys, lead, &submission()).unwrap()
    }

    fn reply() -> Reply {
        Reply { redirect_url: Some("https://example.test/a".to_owned()), reference: None }
    }

    #[test]
    fn a_sealed_value_opens_only_where_it_belongs() {
        let keys = Keys::new(&RootKey::from_bytes([7; 32]));
        let (key, wrapped, submitted) = create(&keys, id(1));
        let (other, ..) = create(&keys, id(2));
        let sealed = key.seal_reply(0, &reply()).unwrap();
        let again = LeadKey::unwrap(&keys, id(1), &wrapped).unwrap().unwrap();
        assert!(again.open_reply(0, &sealed).unwrap() == reply());
        assert!(again.open_submission(&submitted).unwrap() == submission());
        assert!(key.open_reply(0, &submitted).is_err(), "another purpose");
        assert!(key.open_reply(1, &sealed).is_err(), "another post");
        assert!(other.open_reply(0, &sealed).is_err(), "another lead");
        assert!(key.open_submission(&sealed).is_err(), "another purpose");
        assert!(key.open_reasons(&sealed).is_err(), "another purpose");
        assert!(LeadKey::unwrap(&keys, id(2), &wrapped).is_err(), "another lead's key");
        assert!(
            LeadKey::unwrap(&Keys::new(&RootKey::from_bytes([8; 32])), id(1), &wrapped).is_err()
        );
        let mut bent = sealed.clone();
        *bent.last_mut().unwrap() ^= 1;
        assert!(key.open_reply(0, &bent).is_err(), "a changed byte");
        assert!(key.open_reply(0, &sealed[..8]).is_err(), "a short value");
    }

    #[test]
    fn an_erased_key_is_none_and_equal_plaintexts_differ_once_sealed() {
        let keys = Keys::new(&RootKey::from_bytes([7; 32]));
        assert!(LeadKey::unwrap(&keys, id(1), &ERASED).unwrap().is_none());
        let (key, ..) = create(&keys, id(1));
        assert_ne!(key.seal_reply(0, &reply()).unwrap(), key.seal_reply(0, &reply()).unwrap());
    }
}
