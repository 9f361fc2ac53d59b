//! A lead's journey, from a door's submission to its one disposition.
//!
//! Read [`journey`] first: it is one function, top to bottom, and everything else here is a leaf of
//! it. This crate must never open a socket or a file, read a clock or a random source that it was not
//! handed, or know any door's format.

mod admit;
mod ask;
mod auction;
mod breaker;
mod budget;
mod choose;
mod close;
mod deliver;
mod delivery;
mod doubt;
mod draft;
mod engine;
mod enrich;
mod events;
pub mod explain;
mod form;
mod fraud;
mod holds;
mod identity;
mod journey;
mod late;
mod lines;
mod lookup;
mod markets;
mod metrics;
mod outlook;
mod pace;
mod promise;
mod quote;
mod record;
mod recover;
mod register;
mod repeats;
mod repost;
mod reserve;
mod review;
mod shares;
mod slots;
mod snapshot;
mod source;
mod standing;
mod subject;
mod suppose;
mod suppress;

#[cfg(test)]
mod tests;

pub use breaker::{BreakerRules, BreakerState};
pub use budget::Reserves;
pub use delivery::Delivery;
pub use engine::{Arrival, Engine, Entropy, Parts, Refusal};
pub use events::ReportRefusal;
pub use fraud::FraudRules;
pub use holds::Held;
pub use lines::{BreakerReport, CallKind};
pub use markets::version_of;
pub use metrics::describe;
pub use promise::PingFault;
pub use recover::Recovered;
pub use register::{Author, Denied, Done, Expect, Order, Outcome, Wish};
pub use repost::Withdrawal;
pub use review::{ReviewRefusal, Verdict};
pub use snapshot::{Snapshot, Tree};
pub use source::{Stored, Unreadable, source};
pub use suppose::{Prospect, Question, foresee};
pub use suppress::Suppressions;
