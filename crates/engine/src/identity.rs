//! Who the consumer is, as keyed digests: which keys a lead claims, and who holds them while journeys
//! are under way. Never keeps a name, an address or a number.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use lead::{Contact, Deadline, Disposition, Hash, Hashes, RejectionReason};
use ledger::{Claim, ClaimKind, Claimant, Digest, Ledger};
use market::{DuplicateKey, SourceKey};
use serde_json::Value;
use tokio::sync::watch;

use crate::subject::Lead;

/// The identity keys that a lead claims for its product; a test lead claims none.
pub(crate) fn claims<L: Ledger>(ledger: &L, lead: &Lead<'_>) -> Vec<Claim> {
    if lead.submission.test {
        return Vec::new();
    }
    let contact = &lead.submission.contact;
    let own = match lead.is_offered() {
        true => claims_on(ledger, lead, |key| hash(key, contact)),
        false => Vec::new(),
    };
    own.into_iter().chain(source_claim(ledger, lead)).collect()
}

/// The identity keys that a ping's lead would claim, as far as its hashes tell.
pub(crate) fn claims_of_ping<L: Ledger>(ledger: &L, lead: &Lead<'_>, hashes: Hashes) -> Vec<Claim> {
    match lead.submission.test {
        true => Vec::new(),
        false => claims_on(ledger, lead, |key| said(key, hashes)),
    }
}

/// A claim for each of the product's keys that `hash` knows.
fn claims_on<L: Ledger>(
    ledger: &L,
    lead: &Lead<'_>,
    hash: impl Fn(DuplicateKey) -> Option<Hash>,
) -> Vec<Claim> {
    let claim = |key: &DuplicateKey| {
        let parts = [lead.product.id.as_str().as_bytes(), key.name().as_bytes(), &hash(*key)?];
        let kind = match key {
            DuplicateKey::Email => ClaimKind::Customer,
            DuplicateKey::Phone | DuplicateKey::NationalId => ClaimKind::Duplicate,
        };
        Some(Claim { kind, key: ledger.digest("hashed identity", &parts) })
    };
    lead.product.duplicates.keys.iter().filter_map(claim).collect()
}

/// The keys under which earlier leads of the same consumer may be found: what this one claims, and what they
/// claimed before claims were made of hashes.
pub(crate) fn known_keys<L: Ledger>(ledger: &L, lead: &Lead<'_>, claims: &[Claim]) -> Vec<Digest> {
    claims.iter().map(|claim| claim.key).chain(older_keys(ledger, lead)).collect()
}

/// Nothing claims these any more.
fn older_keys<L: Ledger>(ledger: &L, lead: &Lead<'_>) -> Vec<Digest> {
    let counts = !lead.submission.test && lead.is_offered();
    let older = |key: &DuplicateKey| {
        let value = value(*key, &lead.submission.contact)?;
        let parts = [lead.product.id.as_str().as_bytes(), key.name().as_bytes(), value.as_bytes()];
        Some(ledger.digest("identity", &parts))
    };
    lead.product.duplicates.keys.iter().filter(|_| counts).filter_map(older).collect()
}

/// By what a database source finds a lead again, apart from everybody else's leads.
fn source_claim<L: Ledger>(ledger: &L, lead: &Lead<'_>) -> Option<Claim> {
    let key = lead.source()?.dedupe.as_ref()?;
    let contact = &lead.submission.contact;
    let value = match key {
        SourceKey::Email => value(DuplicateKey::Email, contact)?,
        SourceKey::Mobile => value(DuplicateKey::Phone, contact)?,
        SourceKey::Field(name) => plain(contact.extra.get(name)?)?,
    };
    let publisher = lead.publisher.id.as_str().as_bytes();
    let parts = [publisher, key.name().as_bytes(), value.as_bytes()];
    Some(Claim { kind: ClaimKind::Customer, key: ledger.digest("source", &parts) })
}

/// A field of a source's own, as it compares; blank is missing.
fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.trim().to_lowercase(),
        other => other.to_string(),
    };
    (!text.is_empty()).then_some(text)
}

/// The value behind a key, written the one way in which it is compared.
pub(crate) fn value(key: DuplicateKey, contact: &Contact) -> Option<String> {
    let text = match key {
        DuplicateKey::Email => contact.email.as_deref()?.trim().to_lowercase(),
        DuplicateKey::Phone => {
            let digits: String =
                contact.phone.as_deref()?.chars().filter(char::is_ascii_digit).collect();
            digits.strip_prefix("00").map(str::to_owned).unwrap_or(digits)
        }
        DuplicateKey::NationalId => {
            let kept = contact.national_id.as_deref()?.chars().filter(|c| c.is_alphanumeric());
            kept.flat_map(char::to_uppercase).collect()
        }
    };
    (!text.is_empty()).then_some(text)
}

/// The hash of the value behind a key: what a publisher can make of it without us.
pub(crate) fn hash(key: DuplicateKey, contact: &Contact) -> Option<Hash> {
    value(key, contact).map(|value| hash_of(key, &value))
}

/// The hash of a value that is written as [`value`] writes it.
pub(crate) fn hash_of(key: DuplicateKey, value: &str) -> Hash {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    if key == DuplicateKey::Phone {
        context.update(b"+");
    }
    context.update(value.as_bytes());
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// What a ping says of a key.
pub(crate) fn said(key: DuplicateKey, hashes: Hashes) -> Option<Hash> {
    match key {
        DuplicateKey::Email => hashes.email,
        DuplicateKey::Phone => hashes.phone,
        DuplicateKey::NationalId => None,
    }
}

/// Those of the leads that came before that make this one a repeat. One counts if it is the same
/// publisher's, or another's that is sold, held or not final.
pub(crate) fn counting<'c>(
    claimants: &'c [Claimant],
    lead: &Lead<'_>,
    now: Timestamp,
) -> Vec<&'c Claimant> {
    let rules = &lead.product.duplicates;
    let counts = |claimant: &&Claimant| {
        let window = match claimant.kind {
            ClaimKind::Customer => rules.customer_window,
            ClaimKind::Duplicate => Some(rules.duplicate_window),
        };
        let age = now.duration_since(claimant.received_at);
        let recent = window.is_none_or(|window| age.unsigned_abs() <= window);
        let taken = matches!(
            claimant.disposition,
            None | Some(Disposition::Sold | Disposition::Indeterminate)
        );
        recent && (claimant.publisher == lead.submission.publisher || taken)
    };
    claimants.iter().filter(counts).collect()
}

/// Why a lead is rejected that repeats `counting`.
pub(crate) fn reason(counting: &[&Claimant]) -> Option<RejectionReason> {
    let first = counting.iter().min_by_key(|claimant| claimant.kind)?;
    Some(match first.kind {
        ClaimKind::Customer => RejectionReason::CustomerAlreadyExists,
        ClaimKind::Duplicate => RejectionReason::DuplicateSubmission,
    })
}

/// The identity keys of journeys under way.
#[derive(Debug, Default)]
pub(crate) struct Identities(Mutex<HashMap<Digest, watch::Receiver<()>>>);

/// Keys held by one journey until it ends.
#[derive(Debug)]
pub(crate) struct Held {
    identities: Arc<Identities>,
    keys: Vec<Digest>,
    _ended: watch::Sender<()>,
}

/// The keys were not free in time.
#[derive(Debug)]
pub(crate) struct TooLong;

impl Identities {
    /// Takes all keys together, after every journey that holds one of them has ended.
    pub(crate) async fn hold(
        self: &Arc<Self>,
        claims: &[Claim],
        until: Deadline,
    ) -> Result<Held, TooLong> {
        let until = tokio::time::Instant::from_std(until.0);
        loop {
            let mut other = match self.try_hold(claims) {
                Ok(held) => return Ok(held),
                Err(other) => other,
            };
            // An error means that the other journey has ended.
            let ended = async { while other.changed().await.is_ok() {} };
            tokio::time::timeout_at(until, ended).await.map_err(|_| TooLong)?;
        }
    }

    fn try_hold(self: &Arc<Self>, claims: &[Claim]) -> Result<Held, watch::Receiver<()>> {
        let mut held = self.lock();
        if let Some(other) = claims.iter().find_map(|claim| held.get(&claim.key)) {
            return Err(other.clone());
        }
        let (sender, receiver) = watch::channel(());
        let keys: Vec<Digest> = claims.iter().map(|claim| claim.key).collect();
        held.extend(keys.iter().map(|key| (*key, receiver.clone())));
        Ok(Held { identities: Arc::clone(self), keys, _ended: sender })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, watch::Receiver<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.identities.lock();
        for key in &self.keys {
            held.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
