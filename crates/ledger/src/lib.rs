//! What happened, on stable storage: leads, intents, outcomes, dispositions.
//!
//! Owns its trait ([`Ledger`]) and two implementations, SQLite and memory. It must never decide who
//! buys, read a clock, block a caller's thread on a disk, or hold contact data in the clear on disk.

mod record;

pub use record::{
    Decision, Entry, Intent, LeadRecord, NewLead, PostRecord, Posted, Receipt, Settled, Write,
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
    fn lead(&self, id: lead::LeadId) -> impl Future<Output = Result<Option<LeadRecord>, Refused>> + Send;

    /// Why new leads must be refused, if they must.
    fn trouble(&self) -> Option<String>;
}
