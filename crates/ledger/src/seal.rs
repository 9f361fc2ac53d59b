//! Sealing: a random key for every lead, wrapped by the root key; what is personal is encrypted under the
//! lead's key, so that destroying 72 bytes erases a consumer. Must never put plaintext, keys or a
//! decoder's words into an error.

use std::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use lead::{LeadId, Submission};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Refused, RootKey};

const KEY: usize = 32;
const NONCE: usize = 24;
const TAG: usize = 16;

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
}

/// What a buyer answered to a post and may name the consumer.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) redirect_url: Option<String>,
    pub(crate) reference: Option<String>,
}

/// The buyers' own words, each with the place of its decision.
pub(crate) type Reasons<'a> = Vec<(usize, std::borrow::Cow<'a, str>)>;

/// One lead's key, unwrapped.
pub(crate) struct LeadKey {
    lead: LeadId,
    cipher: XChaCha20Poly1305,
}

impl LeadKey {
    /// A new key, and its wrapped form.
    pub(crate) fn create(root: &RootKey, lead: LeadId) -> Result<(Self, WrappedKey), Refused> {
        let key: [u8; KEY] = random()?;
        let sealed = seal(&cipher(root.bytes()), lead, Purpose::Key, &key)?;
        let wrapped = sealed.try_into().map_err(|_| cannot_seal())?;
        Ok((Self { lead, cipher: cipher(&key) }, wrapped))
    }

    /// Unwraps a stored key; `None` once erased.
    pub(crate) fn unwrap(
        root: &RootKey,
        lead: LeadId,
        wrapped: &[u8],
    ) -> Result<Option<Self>, Refused> {
        if wrapped == ERASED {
            return Ok(None);
        }
        let key = open(&cipher(root.bytes()), lead, Purpose::Key, wrapped)?;
        let key: [u8; KEY] = key.try_into().map_err(|_| does_not_open(lead, Purpose::Key))?;
        Ok(Some(Self { lead, cipher: cipher(&key) }))
    }

    /// A submission's stored form.
    pub(crate) fn seal_submission(&self, submission: &Submission) -> Result<Vec<u8>, Refused> {
        self.seal(Purpose::Submission, submission)
    }

    /// The submission of a stored form.
    pub(crate) fn open_submission(&self, sealed: &[u8]) -> Result<Submission, Refused> {
        self.open(Purpose::Submission, sealed)
    }

    /// A reply's stored form.
    pub(crate) fn seal_reply(&self, ordinal: u32, reply: &Reply) -> Result<Vec<u8>, Refused> {
        self.seal(Purpose::Reply { ordinal }, reply)
    }

    /// The reply of a stored form.
    pub(crate) fn open_reply(&self, ordinal: u32, sealed: &[u8]) -> Result<Reply, Refused> {
        self.open(Purpose::Reply { ordinal }, sealed)
    }

    /// The stored form of buyers' words.
    pub(crate) fn seal_reasons(&self, reasons: &Reasons<'_>) -> Result<Vec<u8>, Refused> {
        self.seal(Purpose::Reasons, reasons)
    }

    /// The buyers' words of a stored form.
    pub(crate) fn open_reasons(&self, sealed: &[u8]) -> Result<Reasons<'static>, Refused> {
        self.open(Purpose::Reasons, sealed)
    }

    fn seal(&self, purpose: Purpose, value: &impl Serialize) -> Result<Vec<u8>, Refused> {
        let json = serde_json::to_vec(value).map_err(|_| cannot_seal())?;
        seal(&self.cipher, self.lead, purpose, &json)
    }

    fn open<T: DeserializeOwned>(&self, purpose: Purpose, sealed: &[u8]) -> Result<T, Refused> {
        let json = open(&self.cipher, self.lead, purpose, sealed)?;
        // The decoder's error may quote what it read.
        serde_json::from_slice(&json).map_err(|_| does_not_open(self.lead, purpose))
    }
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
        }
    }
}

fn cipher(key: &[u8; KEY]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key))
}

fn associated(lead: LeadId, purpose: Purpose) -> Vec<u8> {
    let mut data = format!("gavel ledger 1 {purpose} ").into_bytes();
    data.extend_from_slice(lead.0.as_bytes());
    data
}

fn seal(
    cipher: &XChaCha20Poly1305,
    lead: LeadId,
    purpose: Purpose,
    plain: &[u8],
) -> Result<Vec<u8>, Refused> {
    let nonce: [u8; NONCE] = random()?;
    let aad = associated(lead, purpose);
    let text = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad })
        .map_err(|_| cannot_seal())?;
    Ok([nonce.as_slice(), &text].concat())
}

fn open(
    cipher: &XChaCha20Poly1305,
    lead: LeadId,
    purpose: Purpose,
    sealed: &[u8],
) -> Result<Vec<u8>, Refused> {
    let (nonce, text) =
        sealed.split_first_chunk::<NONCE>().ok_or_else(|| does_not_open(lead, purpose))?;
    let aad = associated(lead, purpose);
    cipher
        .decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: &aad })
        .map_err(|_| does_not_open(lead, purpose))
}

fn random<const N: usize>() -> Result<[u8; N], Refused> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Refused::Unavailable(format!("no randomness: {error}")))?;
    Ok(bytes)
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

    fn id(byte: u8) -> LeadId {
        LeadId::new(jiff::Timestamp::UNIX_EPOCH, [byte; 10])
    }

    fn reply() -> Reply {
        Reply { redirect_url: Some("https://example.test/a".to_owned()), reference: None }
    }

    #[test]
    fn a_sealed_value_opens_only_where_it_belongs() {
        let root = RootKey::from_bytes([7; 32]);
        let (key, wrapped) = LeadKey::create(&root, id(1)).unwrap();
        let (other, _) = LeadKey::create(&root, id(2)).unwrap();
        let sealed = key.seal_reply(0, &reply()).unwrap();
        let again = LeadKey::unwrap(&root, id(1), &wrapped).unwrap().unwrap();
        assert!(again.open_reply(0, &sealed).unwrap() == reply());
        assert!(key.open_reply(1, &sealed).is_err(), "another post");
        assert!(other.open_reply(0, &sealed).is_err(), "another lead");
        assert!(key.open_submission(&sealed).is_err(), "another purpose");
        assert!(key.open_reasons(&sealed).is_err(), "another purpose");
        assert!(LeadKey::unwrap(&root, id(2), &wrapped).is_err(), "another lead's key");
        assert!(LeadKey::unwrap(&RootKey::from_bytes([8; 32]), id(1), &wrapped).is_err());
        let mut bent = sealed.clone();
        *bent.last_mut().unwrap() ^= 1;
        assert!(key.open_reply(0, &bent).is_err(), "a changed byte");
        assert!(key.open_reply(0, &sealed[..8]).is_err(), "a short value");
    }

    #[test]
    fn an_erased_key_is_none_and_equal_plaintexts_differ_once_sealed() {
        let root = RootKey::from_bytes([7; 32]);
        assert!(LeadKey::unwrap(&root, id(1), &ERASED).unwrap().is_none());
        let (key, _) = LeadKey::create(&root, id(1)).unwrap();
        assert_ne!(key.seal_reply(0, &reply()).unwrap(), key.seal_reply(0, &reply()).unwrap());
    }
}
