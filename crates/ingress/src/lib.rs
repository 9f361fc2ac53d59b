//! The publishers' edge: sockets, limits, routes, doors.
//!
//! Declares what it needs from whoever sells leads ([`Distribute`]). A door is one decode and one
//! encode. The sockets, bodies and problem details serve the management API too. This crate must never know how leads are sold, keep a lead after its answer, or put a
//! value of a body into an error text, a log line or a metric.

mod body;
mod card;
mod contact;
mod delivery;
mod doors;
mod form;
mod handle;
mod json;
mod limits;
mod metrics;
mod problem;
mod reply;
mod route;
mod server;
mod socket;
pub mod spec;
mod watched;

#[cfg(test)]
mod tests;

pub use body::{BodyFault, read as read_body};
pub use delivery::{Delivery, Fate};
pub use doors::decode;
pub use handle::{bearer, names_one_host};
pub use limits::Limits;
pub use metrics::describe;
pub use problem::problem;
pub use reply::Reply;
pub use server::Server;
pub use socket::{Connection, Sockets, Stop};

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lead::{
    Answer, Clock, Explanation, Hashes, Heard, LeadId, Outlook, Page, PingId, PublisherId, Quote,
    Report, Sequence, StoredLead, StoredLeads, Submission,
};
use market::Market;

/// What the edge needs from the engine.
pub trait Distribute: Send + Sync + 'static {
    /// The market that doors authenticate and decode against.
    fn market(&self) -> Arc<Market>;

    /// Why no lead would be taken now, asked before a body is read.
    fn unavailable(&self) -> Option<Unavailable>;

    /// Sells a lead.
    fn distribute(
        &self,
        arrival: Arrival,
    ) -> impl Future<Output = Result<Delivery, Refusal>> + Send;

    /// Asks what a lead without its consumer would bring, and reserves it; `hashes` are what it says of
    /// who that is.
    fn ping(
        &self,
        arrival: Arrival,
        hashes: Hashes,
    ) -> impl Future<Output = Result<Quote, Refusal>> + Send;

    /// How a publisher's lead stands; `None` if it has no such lead.
    fn find(
        &self,
        publisher: &PublisherId,
        id: LeadId,
    ) -> impl Future<Output = Result<Option<Answer>, Unavailable>> + Send;

    /// Ends a publisher's unsold lead for good and tells how it stands; `None` if it has no such lead.
    fn withdraw(
        &self,
        publisher: &PublisherId,
        id: LeadId,
    ) -> impl Future<Output = Result<Option<Answer>, Refusal>> + Send;

    /// A publisher's lead by its number; `None` if it has no such lead.
    fn find_numbered(
        &self,
        publisher: &PublisherId,
        number: Sequence,
    ) -> impl Future<Output = Result<Option<Stored>, Unavailable>> + Send;

    /// A hash of `parts` under the store's own key, another in every `domain`.
    fn digest(&self, domain: &'static str, parts: &[&[u8]]) -> [u8; 16];

    /// Why a publisher's lead ended as it did; `None` if it has no such lead.
    fn explain(
        &self,
        publisher: &PublisherId,
        id: LeadId,
    ) -> impl Future<Output = Result<Option<Explanation>, Unavailable>> + Send;

    /// What a lead that says this and that would find now; nobody is asked, nothing is kept.
    fn outlook(
        &self,
        submission: Submission,
    ) -> impl Future<Output = Result<Outlook, Unavailable>> + Send;

    /// What a publisher stored at its database source and `wanted` says yes to, newest first.
    fn stored(
        &self,
        publisher: &PublisherId,
        page: Page,
        wanted: impl Fn(&StoredLead) -> bool + Send,
    ) -> impl Future<Output = Result<StoredLeads, Unavailable>> + Send;

    /// Takes what a buyer tells of a lead that it bought; on stable storage when it returns.
    fn report(&self, report: Report) -> impl Future<Output = Result<Heard, Untold>> + Send;

    /// The time.
    fn clock(&self) -> &dyn Clock;
}

/// A submission and the moment it came.
#[derive(Debug)]
pub struct Arrival {
    /// What was posted.
    pub submission: Submission,
    /// When its request header was complete, on the wall.
    pub at: Timestamp,
    /// The same moment, for deadlines.
    pub instant: Instant,
    /// A publisher's own, shorter budget.
    pub budget: Option<Duration>,
    /// The accepted ping whose post this is.
    pub ping: Option<PingId>,
    /// Which request it is, so that a repeat is known.
    pub request: RequestId,
}

/// A lead as the store has it.
#[derive(Debug, Clone)]
pub struct Stored {
    /// How it stands.
    pub answer: Answer,
    /// When it came.
    pub received_at: Timestamp,
    /// What was posted; `None` once erased.
    pub submission: Option<Submission>,
}

/// What tells one request from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId {
    /// The header `Idempotency-Key`, without quotes.
    pub key: Option<String>,
    /// A digest of the body's bytes.
    pub body: [u8; 32],
}

/// Why a lead was not distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Not now; it is safe to post it again.
    Unavailable(Unavailable),
    /// An identical request, or one for the same consumer, did not end in time.
    InFlight,
    /// The Idempotency-Key belongs to a request with another body.
    KeyReused,
    /// The ping that a post names promises nothing.
    NoPing(PingFault),
    /// The lead is sold, held or under way, or was never accepted.
    NotUnsold,
}

/// Why a post's ping promises nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PingFault {
    /// The publisher has no such ping for that product, or it is long over.
    Unknown,
    /// Its time was over before its post came.
    Expired,
    /// It was posted before, or is being posted.
    Used,
}

impl From<Unavailable> for Refusal {
    fn from(why: Unavailable) -> Self {
        Self::Unavailable(why)
    }
}

/// Why a buyer's event was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untold {
    /// The token is none of that lead's.
    Forged,
    /// The buyer has bought no such lead.
    NoLead,
    /// Not now; it is safe to tell it again.
    Unavailable(Unavailable),
}

/// Why a lead could not be taken; it is safe to post it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// Too much is under way.
    Busy,
    /// Nothing can be stored.
    Storage,
    /// Something is wrong with us.
    Internal,
}
