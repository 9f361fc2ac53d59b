//! The publishers' edge: sockets, limits, routes, doors.
//!
//! Declares what it needs from whoever sells leads ([`Distribute`]). A door is one decode and one
//! encode. This crate must never know how leads are sold, keep a lead after its answer, or put a
//! value of a body into an error text, a log line or a metric.

mod body;
mod contact;
mod doors;
mod handle;
mod json;
mod limits;
mod metrics;
mod reply;
mod route;
mod server;

#[cfg(test)]
mod tests;

pub use limits::Limits;
pub use metrics::describe;
pub use server::{Server, Stop};

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lead::{Answer, Clock, LeadId, PublisherId, Submission};
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
    ) -> impl Future<Output = Result<Answer, Unavailable>> + Send;

    /// How a publisher's lead stands; `None` if it has no such lead.
    fn find(
        &self,
        publisher: &PublisherId,
        id: LeadId,
    ) -> impl Future<Output = Result<Option<Answer>, Unavailable>> + Send;

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
