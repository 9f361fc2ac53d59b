//! What happened, on stable storage: leads, intents, outcomes, dispositions.
//!
//! Owns its trait ([`Ledger`]) and two implementations, [`SqliteLedger`] and [`MemoryLedger`], which
//! obey the same rules (`legality`). It must never decide who buys, read a clock, block a caller's
//! thread on a disk, or hold contact data in the clear on disk. Times are kept to the millisecond,
//! decimals exactly as written.

mod digest;
mod filter;
mod health;
mod identity;
mod legality;
mod memory;
mod metrics;
mod record;
mod root_key;
mod seal;
mod sqlite;

pub use digest::Digest;
pub use identity::{Claim, ClaimKind, Claimant, REQUEST_KEPT, RequestKey, StoredRequest};
pub use memory::MemoryLedger;
pub use record::{
    Answered, Decision, EVENTS_MAX, Entry, Intent, KeptMarket, LeadRecord, Limit, NewLead,
    OpenIntent, Party, PostRecord, PostRow, Posted, RESALE_SLOTS, Receipt, Reopened, Reported,
    Settled, SourceQuery, Write,
};
pub use root_key::{KeyError, RootKey};
pub use sqlite::{
    Finding, Flaw, MoneyTotals, OpenError, Options, SqliteLedger, Totals, Verification, held,
    verify,
};

/// Why a write or a read was refused. Nothing of a refused write is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The queue to the writer is full: shed the lead.
    #[error("the ledger's queue is full")]
    Full,
    /// The store cannot commit: a full disk, an IO error, a writer that stopped.
    #[error("the ledger cannot write: {0}")]
    Unavailable(String),
    /// The write would break an invariant (a second sale of a slot, a second disposition).
    #[error("the ledger refuses the write: {0}")]
    Illegal(String),
    /// Stored bytes do not read back.
    #[error("the ledger cannot read a record: {0}")]
    Corrupt(String),
}

/// The store of record. Futures resolve when the change is durable.
pub trait Ledger: Send + Sync + 'static {
    /// Makes `write` durable.
    fn commit(&self, write: Write) -> impl Future<Output = Result<Receipt, Refused>> + Send;

    /// Reads a lead.
    fn lead(
        &self,
        id: lead::LeadId,
    ) -> impl Future<Output = Result<Option<LeadRecord>, Refused>> + Send;

    /// The leads that `query` asks for, newest first.
    fn source_leads(
        &self,
        query: SourceQuery,
    ) -> impl Future<Output = Result<Vec<LeadRecord>, Refused>> + Send;

    /// Which lead has this number, if any has; never another lead's, whatever happens to the process.
    fn numbered(
        &self,
        sequence: lead::Sequence,
    ) -> impl Future<Output = Result<Option<lead::LeadId>, Refused>> + Send;

    /// Every claim on one of `keys`, in the order of the keys and then of the leads. Answered without a
    /// look at the disk if there is none, which is the usual case.
    fn claimants(
        &self,
        keys: &[Digest],
    ) -> impl Future<Output = Result<Vec<Claimant>, Refused>> + Send;

    /// The request that `key` belongs to; see [`StoredRequest::binds`].
    fn request(
        &self,
        key: Digest,
    ) -> impl Future<Output = Result<Option<StoredRequest>, Refused>> + Send;

    /// The newest market on record.
    fn newest_market(&self) -> impl Future<Output = Result<Option<KeptMarket>, Refused>> + Send;

    /// What the market of `version` is compiled from, if it is on record.
    fn market(&self, version: u64) -> impl Future<Output = Result<Option<String>, Refused>> + Send;

    /// Puts a market on record; one that is there never changes. Durable when it returns: before the
    /// first lead that names it.
    fn keep_market(&self, market: KeptMarket) -> impl Future<Output = Result<(), Refused>> + Send;

    /// The keyed hash of `parts` and of where their borders are; another in every `domain` and in every
    /// ledger with another root key.
    fn digest(&self, domain: &'static str, parts: &[&[u8]]) -> Digest;

    /// Why new leads must be refused, if they must.
    fn trouble(&self) -> Option<String>;
}

/// What a start reads before the first lead is taken. Opening a ledger changes no row: what becomes of
/// an open intent is for the engine to say.
pub trait Recovery: Ledger {
    /// The posts that have an intent and no class, in the order of their leads.
    fn open_intents(&self) -> impl Future<Output = Result<Vec<OpenIntent>, Refused>> + Send;

    /// The leads without a disposition, in order.
    fn leads_unsettled(&self) -> impl Future<Output = Result<Vec<lead::LeadId>, Refused>> + Send;

    /// Shows every post to `visit`, some at a time, from several threads and in no order: it is most of what
    /// a start reads. Blocks on the disk: for a start, before leads are served.
    ///
    /// # Errors
    /// When the store cannot be read; what was shown until then is not all.
    fn visit_posts(&self, visit: &(dyn Fn(Vec<PostRow>) + Sync)) -> Result<(), Refused>;

    /// Shows every ping of leads that came at or after `since`, by their ids as well, with the time at which they came;
    /// those of test leads, which no real counter counts, are left out. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be read; what was shown until then is not all.
    fn visit_pings(
        &self,
        since: jiff::Timestamp,
        visit: &mut dyn FnMut(&lead::CampaignKey, jiff::Timestamp),
    ) -> Result<(), Refused>;
}
