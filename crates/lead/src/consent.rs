//! What the consumer agreed to, and the evidence. The address in it is personal data.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The consents given with a lead.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Consent {
    /// Each text shown, and the answer.
    pub entries: Vec<ConsentEntry>,
    /// The consumer's address when consenting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// When the consents were collected, if that is stated once for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collected_at: Option<Timestamp>,
    /// Companies named to the consumer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub partners: Vec<String>,
    /// A third party's certificate of the form's submission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_url: Option<String>,
    /// Other references to a third party's proof, by name: `trusted_form_token`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<String, String>,
}

/// One text and the answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentEntry {
    /// Which text: `terms`, `privacy_policy`, ….
    #[serde(rename = "type")]
    pub kind: String,
    /// The answer.
    pub accepted: bool,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// Which version of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Consent {
    /// Whether the text `kind` was accepted.
    #[must_use]
    pub fn accepts(&self, kind: &str) -> bool {
        self.entries.iter().any(|entry| entry.kind == kind && entry.accepted)
    }
}

impl fmt::Debug for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consent").field("entries", &self.entries).finish_non_exhaustive()
    }
}
