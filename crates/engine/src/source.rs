//! What the ledger keeps of every version of the market, as text: a whole market, or one campaign changed
//! in the version before. A whole one is kept again after some changes, so that reading any version
//! reads few. Must never be changed so that what older versions kept cannot be read.

use std::collections::BTreeMap;
use std::sync::Arc;

use lead::CampaignKey;
use ledger::{Ledger, Refused};
use market::{Campaign, Fault, Market, Places, Sources, Standing, Vault, from_json, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Snapshot;

/// After so many changes a whole market is kept.
const CHANGES_MAX: usize = 256;

/// A market on record cannot be compiled.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the market on record cannot be read")]
pub struct Unreadable;

/// The texts of a market as one, which is what the ledger keeps of one that nobody has changed yet.
#[must_use]
pub fn source(texts: &[String]) -> String {
    serde_json::to_string(texts).unwrap_or_default()
}

/// One version, as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Version {
    /// What it was seeded with.
    Seed(Arc<[String]>),
    /// The version `parent`, but for one campaign.
    Change { parent: u64, change: Change },
    /// What it was seeded with, but for `campaigns`.
    Whole { texts: Arc<[String]>, campaigns: Vec<(CampaignKey, Arc<Kept>)>, change: Change },
}

/// Who changed what and when.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) key: CampaignKey,
    pub(crate) author: String,
    pub(crate) at: jiff::Timestamp,
    pub(crate) before: Kept,
    pub(crate) after: Arc<Kept>,
}

/// How a campaign stands.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    live: Option<Written>,
    pending: Option<Written>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Written {
    object: Value,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    approved_hosts: Vec<String>,
}

impl From<&Standing> for Kept {
    fn from(standing: &Standing) -> Self {
        let written = |campaign: &Arc<Campaign>| Written {
            object: to_json(&campaign.written),
            approved_hosts: campaign.approved_hosts.clone(),
        };
        Self {
            live: standing.live.as_ref().map(written),
            pending: standing.pending.as_ref().map(written),
        }
    }
}

impl Kept {
    fn standing(&self, market: &Market, key: &CampaignKey) -> Result<Standing, Unreadable> {
        let read = |written: &Written| {
            let campaign = market.campaign(key, &from_json(&written.object));
            let campaign = campaign.map_err(|_| Unreadable)?;
            let approved_hosts = written.approved_hosts.clone();
            Ok(Arc::new(Campaign { approved_hosts, ..campaign }))
        };
        Ok(Standing {
            live: self.live.as_ref().map(read).transpose()?,
            pending: self.pending.as_ref().map(read).transpose()?,
        })
    }
}

/// One version of the market as the ledger has it: what it was seeded with and what was changed since.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Which.
    pub version: u64,
    texts: Arc<[String]>,
    changed: BTreeMap<CampaignKey, Arc<Kept>>,
    /// Since a whole market was kept.
    changes: usize,
}

impl Stored {
    /// The newest version; `None` in an empty store.
    ///
    /// # Errors
    /// The ledger cannot be read, or holds what this version cannot read.
    pub async fn newest<L: Ledger>(ledger: &L) -> Result<Option<Self>, Refused> {
        match ledger.newest_market().await? {
            Some(kept) => Self::load(ledger, kept.version).await,
            None => Ok(None),
        }
    }

    /// One version; `None` if it is not on record.
    ///
    /// # Errors
    /// As of [`Stored::newest`].
    pub async fn load<L: Ledger>(ledger: &L, version: u64) -> Result<Option<Self>, Refused> {
        let (mut changes, mut at) = (Vec::new(), version);
        loop {
            let Some(text) = ledger.market(at).await? else { return Ok(None) };
            match parse(&text)? {
                Version::Change { parent, change } if parent < at => {
                    changes.push(change);
                    at = parent;
                }
                whole => return Self::whole(version, whole, changes).map(Some),
            }
        }
    }

    /// A whole market and, newest first, what was changed since.
    fn whole(version: u64, whole: Version, changes: Vec<Change>) -> Result<Self, Refused> {
        let (texts, campaigns) = match whole {
            Version::Seed(texts) => (texts, Vec::new()),
            Version::Whole { texts, campaigns, .. } => (texts, campaigns),
            Version::Change { .. } => return Err(corrupt()),
        };
        let count = changes.len();
        let changes = changes.into_iter().rev().map(|change| (change.key, change.after));
        let changed = campaigns.into_iter().chain(changes).collect();
        Ok(Self { version, texts, changed, changes: count })
    }

    /// The texts that the market was seeded with.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Compiles it whole, with the places that are known now; `place` may put addresses into the texts that
    /// hold only now.
    ///
    /// # Errors
    /// Every fault of the texts. What was changed since could be read then and cannot be any more: that
    /// fault has the place of its campaign.
    pub fn compile(
        &self,
        vault: &Vault<'_>,
        places: Arc<Places>,
        place: &dyn Fn(&str) -> String,
    ) -> Result<Snapshot, Vec<Fault>> {
        let texts = (1..).zip(self.texts.iter());
        let texts = texts.map(|(part, text)| (format!("stored part {part}"), place(text)));
        let sources = Sources::parse(texts)?;
        let mut market = sources.market_with(vault)?.with_places(places);
        for (key, kept) in &self.changed {
            let standing = kept.standing(&market, key).map_err(|Unreadable| vec![lost(key)])?;
            market.stand(key, standing);
        }
        Snapshot::compile(market, self.version).map_err(|defects| sources.locate(&defects))
    }

    /// What `files` say of objects that this says otherwise, by their places, as `buyers.nova`; what was
    /// changed since it was seeded differs, too.
    ///
    /// # Errors
    /// The faults of texts that cannot be parsed.
    pub fn differences(&self, files: &[String]) -> Result<Vec<String>, Vec<Fault>> {
        let parse = |texts: &[String]| {
            Sources::parse(texts.iter().map(|text| ("market".to_owned(), text.clone())))
        };
        let (mut stored, files) = (parse(&self.texts)?.objects(), parse(files)?.objects());
        for (key, kept) in &self.changed {
            let place = Market::campaign_path(key).dotted();
            match &kept.live {
                Some(written) => drop(stored.insert(place, from_json(&written.object))),
                None => drop(stored.remove(&place)),
            }
        }
        let differs = |place: &&String| match (stored.get(*place), files.get(*place)) {
            (Some(one), Some(other)) => to_json(one) != to_json(other),
            _ => true,
        };
        let mut places: Vec<String> =
            stored.keys().chain(files.keys()).filter(differs).cloned().collect();
        places.sort_unstable();
        places.dedup();
        Ok(places)
    }

    /// Itself with one campaign standing otherwise, as `version`, and the text that is kept of that.
    pub(crate) fn with(&self, version: u64, change: Change) -> Option<(Self, String)> {
        let mut next = self.clone();
        next.version = version;
        next.changed.insert(change.key.clone(), Arc::clone(&change.after));
        next.changes += 1;
        let kept = if next.changes < CHANGES_MAX {
            Version::Change { parent: self.version, change }
        } else {
            next.changes = 0;
            let campaigns = next.changed.clone().into_iter().collect();
            Version::Whole { texts: Arc::clone(&next.texts), campaigns, change }
        };
        Some((next, serde_json::to_string(&kept).ok()?))
    }
}

impl Snapshot {
    /// Compiles what [`source`] made, to explain by it and never to sell: it has no secrets, which may
    /// have changed or gone since.
    ///
    /// # Errors
    /// It was not made by it, or this version reads markets otherwise.
    pub fn read(source: &str, version: u64) -> Result<Self, Unreadable> {
        let whole = parse(source).map_err(|_| Unreadable)?;
        let stored = Stored::whole(version, whole, Vec::new()).map_err(|_| Unreadable)?;
        stored.to_explain(Places::built_in()).ok_or(Unreadable)
    }
}

impl Stored {
    /// Compiled without secrets; `None` if this version reads markets otherwise.
    pub(crate) fn to_explain(&self, places: Arc<Places>) -> Option<Snapshot> {
        self.compile(&Vault::STAND_INS, places, &str::to_owned).ok()
    }
}

fn parse(text: &str) -> Result<Version, Refused> {
    serde_json::from_str(text).map_err(|_| corrupt())
}

fn corrupt() -> Refused {
    Refused::Corrupt("a market on record cannot be read".to_owned())
}

fn lost(key: &CampaignKey) -> Fault {
    Fault {
        file: "stored changes".to_owned(),
        position: document::Position { line: 1, column: 1 },
        message: format!("{} cannot be read any more", Market::campaign_path(key).dotted()),
    }
}
