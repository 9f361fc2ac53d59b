//! Changing one campaign of a running engine. One change at a time: it is read against the market in
//! force, put on record, and only then swapped in; journeys keep the market that they began with. Every
//! change is all or nothing. Must never put a market in force that is not on record.

use std::sync::Arc;

use document::{Defect, Node};
use fanout::Buyers;
use lead::CampaignKey;
use ledger::{KeptMarket, Ledger, Refused};
use market::Standing;

use crate::draft::{Draft, Next, draft};
use crate::engine::{Engine, Inner};
use crate::source::Stored;

/// What somebody wants of a campaign.
#[derive(Debug)]
pub struct Order {
    /// Whose and which.
    pub key: CampaignKey,
    /// What.
    pub wish: Wish,
    /// Who.
    pub author: Author,
    /// How it must stand before.
    pub expect: Expect,
}

/// What becomes of a campaign.
#[derive(Debug)]
pub enum Wish {
    /// It is this object from now on.
    Put(Node<'static>),
    /// It is no more.
    Delete,
    /// The version that waits may be asked.
    Approve,
}

/// Who changes something, as the record names it.
#[derive(Debug, Clone)]
pub struct Author {
    /// `operator ada`, `buyer nova`.
    pub name: String,
    /// May set what is the operator's, and approve.
    pub is_operator: bool,
}

/// How a campaign must stand for a change to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// However.
    Anything,
    /// There is none.
    Nothing,
    /// There is one.
    Something,
    /// Its newest version has one of these tags.
    OneOf(Vec<String>),
}

/// A change that is on record and in force.
#[derive(Debug)]
pub struct Done {
    /// What it was.
    pub outcome: Outcome,
    /// How the campaign stands now.
    pub standing: Standing,
    /// The market that holds it.
    pub version: u64,
    /// What its author can hardly have meant, with paths from the object.
    pub warnings: Vec<Defect>,
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There was none before.
    Created,
    /// There was another version before.
    Changed,
    /// It stood so before: no version was made.
    Unchanged,
    /// It is gone.
    Deleted,
}

impl Outcome {
    /// For answers and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
        }
    }
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// There is no such buyer, campaign, or waiting version.
    #[error("there is no such thing")]
    NotFound,
    /// It does not stand as was expected.
    #[error("it stands otherwise")]
    Stale,
    /// The object has defects; all of them, with paths from it.
    #[error("the object has defects")]
    Invalid(Vec<Defect>),
    /// Members that are the operator's.
    #[error("the operator's members were changed")]
    Forbidden(Vec<Defect>),
    /// The buyer has as many campaigns as it may.
    #[error("the buyer has too many campaigns")]
    TooMany,
    /// The ledger cannot take it; a restart may find it done.
    #[error(transparent)]
    Ledger(Refused),
    /// An invariant of our own is broken.
    #[error("internal error: {0}")]
    Bug(&'static str),
}

/// What the writer knows of the record.
#[derive(Debug, Default)]
pub(crate) struct Register {
    stored: Option<Stored>,
    /// The last version that was written, or may have been.
    written: u64,
}

impl<B: Buyers, L: Ledger> Engine<B, L> {
    /// Changes one campaign: on record, and in force for the next lead, when this returns. It is made or
    /// not made whether or not the caller waits.
    ///
    /// # Errors
    /// Nothing was changed.
    pub async fn change(&self, order: Order) -> Result<Done, Denied> {
        let inner = Arc::clone(&self.0);
        let change = self.0.tasks.spawn(async move {
            let done = change(&inner, order).await;
            inner.metrics.market_changed(&done);
            done
        });
        change.await.unwrap_or(Err(Denied::Bug("a change was broken off")))
    }
}

async fn change<B: Buyers, L: Ledger>(
    inner: &Arc<Inner<B, L>>,
    order: Order,
) -> Result<Done, Denied> {
    let mut register = inner.register.lock().await;
    let now = inner.snapshot.load_full();
    let stored = register.known(&inner.ledger, now.version).await?;
    let (task, version) = (Arc::clone(inner), register.written.saturating_add(1));
    let at = inner.clock.timestamp();
    // Thousands of campaigns take milliseconds, which no lead should wait for.
    let draft = move || draft(&task.buyers, (&now, &stored), &order, (version, at));
    let draft = tokio::task::spawn_blocking(draft).await;
    let Draft { next, done } = draft.unwrap_or(Err(Denied::Bug("a draft failed")))?;
    let Some(Next { snapshot, stored, source }) = next else { return Ok(done) };
    // Whatever becomes of it: that number is taken.
    register.written = version;
    inner.ledger.keep_market(KeptMarket { version, source }).await.map_err(Denied::Ledger)?;
    register.stored = Some(stored);
    inner.put_in_force(snapshot, done.outcome == Outcome::Deleted);
    Ok(done)
}

impl Register {
    /// The market in force, as it is on record.
    async fn known<L: Ledger>(&mut self, ledger: &L, version: u64) -> Result<Stored, Denied> {
        self.written = self.written.max(version);
        if let Some(stored) = self.stored.as_ref().filter(|stored| stored.version == version) {
            return Ok(stored.clone());
        }
        let stored = Stored::load(ledger, version).await.map_err(Denied::Ledger)?;
        let stored = stored.ok_or(Denied::Bug("the market in force is not on record"))?;
        self.stored = Some(stored.clone());
        Ok(stored)
    }
}
