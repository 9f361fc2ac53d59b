//! Sealing: a random key for every lead, wrapped by the root key; what is personal is encrypted under the
//! lead's key, so that destroying 72 bytes erases a consumer. Must never put plaintext, keys or a
//! decoder's words into an error.

use std::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use lead::{LeadId, Submission};

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
    Redirect { ordinal: u32 },
}

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
        Ok((
            Self {
                lead,
                cipher: cipher(&key),
            },
            wrapped,
        ))
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
        let key: [u8; KEY] = key
            .try_into()
            .map_err(|_| does_not_open(lead, Purpose::Key))?;
        Ok(Some(Self {
            lead,
            cipher: cipher(&key),
        }))
    }

    /// A submission's stored form.
    pub(crate) fn seal_submission(&self, submission: &Submission) -> Result<Vec<u8>, Refused> {
        let json = serde_json::to_vec(submission).map_err(|_| cannot_seal())?;
        seal(&self.cipher, self.lead, Purpose::Submission, &json)
    }

    /// The submission of a stored form.
    pub(crate) fn open_submission(&self, sealed: &[u8]) -> Result<Submission, Refused> {
        let json = open(&self.cipher, self.lead, Purpose::Submission, sealed)?;
        // The decoder's error may quote what it read.
        serde_json::from_slice(&json).map_err(|_| does_not_open(self.lead, Purpose::Submission))
    }

    /// The stored form of the address to which a post sends the consumer.
    pub(crate) fn seal_redirect(&self, ordinal: u32, url: &str) -> Result<Vec<u8>, Refused> {
        seal(
            &self.cipher,
            self.lead,
            Purpose::Redirect { ordinal },
            url.as_bytes(),
        )
    }

    /// The address of a stored form.
    pub(crate) fn open_redirect(&self, ordinal: u32, sealed: &[u8]) -> Result<String, Refused> {
        let purpose = Purpose::Redirect { ordinal };
        let url = open(&self.cipher, self.lead, purpose, sealed)?;
        String::from_utf8(url).map_err(|_| does_not_open(self.lead, purpose))
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
            Self::Redirect { ordinal } => write!(f, "redirect {ordinal}"),
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
        .encrypt(
            &XNonce::from(nonce),
            Payload {
                msg: plain,
                aad: &aad,
            },
        )
        .map_err(|_| cannot_seal())?;
    Ok([nonce.as_slice(), &text].concat())
}

fn open(
    cipher: &XChaCha20Poly1305,
    lead: LeadId,
    purpose: Purpose,
    sealed: &[u8],
) -> Result<Vec<u8>, Refused> {
    let (nonce, text) = sealed
        .split_first_chunk::<NONCE>()
        .ok_or_else(|| does_not_open(lead, purpose))?;
    let aad = associated(lead, purpose);
    cipher
        .decrypt(
            &XNonce::from(*nonce),
            Payload {
                msg: text,
                aad: &aad,
            },
        )
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

    #[test]
    fn a_sealed_value_opens_only_where_it_belongs() {
        let root = RootKey::from_bytes([7; 32]);
        let (key, wrapped) = LeadKey::create(&root, id(1)).unwrap();
        let (other, _) = LeadKey::create(&root, id(2)).unwrap();
        let sealed = key.seal_redirect(0, "https://example.test/a").unwrap();
        let again = LeadKey::unwrap(&root, id(1), &wrapped).unwrap().unwrap();
        assert_eq!(
            again.open_redirect(0, &sealed).unwrap(),
            "https://example.test/a"
        );
        assert!(key.open_redirect(1, &sealed).is_err(), "another post");
        assert!(other.open_redirect(0, &sealed).is_err(), "another lead");
        assert!(key.open_submission(&sealed).is_err(), "another purpose");
        assert!(
            LeadKey::unwrap(&root, id(2), &wrapped).is_err(),
            "another lead's key"
        );
        assert!(LeadKey::unwrap(&RootKey::from_bytes([8; 32]), id(1), &wrapped).is_err());
        let mut bent = sealed.clone();
        *bent.last_mut().unwrap() ^= 1;
        assert!(key.open_redirect(0, &bent).is_err(), "a changed byte");
        assert!(key.open_redirect(0, &sealed[..8]).is_err(), "a short value");
    }

    #[test]
    fn an_erased_key_is_none_and_equal_plaintexts_differ_once_sealed() {
        let root = RootKey::from_bytes([7; 32]);
        assert!(LeadKey::unwrap(&root, id(1), &ERASED).unwrap().is_none());
        let (key, _) = LeadKey::create(&root, id(1)).unwrap();
        assert_ne!(
            key.seal_redirect(0, "a").unwrap(),
            key.seal_redirect(0, "a").unwrap()
        );
    }
}
