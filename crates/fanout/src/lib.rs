//! Many buyers, one deadline: ping a tier's campaigns at once, keep what arrived, post to one.
//!
//! Owns the trait of the wire to buyers ([`Buyers`]) and its HTTP implementation. It must never decide
//! who wins, retry a post of its own accord, follow a redirect, or show contact data to anyone
//! but the campaign that is posted to.
//!
//! What every wire owes the engine: an answer or a code by the deadline, never a panic; a post is
//! `NotSent` only when that is proved; every reply is bounded in bytes and time.

mod classify;
mod compose;
mod dial;
mod encode;
mod find;
mod guard;
mod http;
mod metrics;
mod native;
mod ping;
mod pool;
mod post;
mod reply;
mod resolve;
mod samples;
mod specimen;
mod tls;

#[cfg(test)]
mod dialects;
#[cfg(test)]
mod tests;

pub use guard::{Allowed, Guard, Network, NotANetwork};
pub use http::{HttpBuyers, Limits};
pub use metrics::describe;
pub use ping::{Asked, Heard, Ping, Pings, SharedAttributes};
pub use post::{Post, PostReply, StatusQuery};
pub use samples::{check_calls, check_campaign, reads_as};
pub use tls::{ClientCertificate, Tls, TlsFault, TlsFiles};

use document::Defect;
use lead::{Bid, NoBid};
use market::Campaign;

/// The wire to buyers, as the engine sees it.
pub trait Buyers: Send + Sync + 'static {
    /// Asks one campaign for a bid. Dropping the future gives the ping up.
    fn ping(&self, ping: &Ping<'_>) -> impl Future<Output = Result<Bid, NoBid>> + Send;

    /// Delivers a lead to one campaign. Runs to its own time limit; dropping the future once it has
    /// been polled leaves the post `Unknown`.
    fn post(&self, post: &Post<'_>) -> impl Future<Output = PostReply> + Send;

    /// Asks one campaign what became of a post whose answer is unknown. `Accepted` or `Rejected` only
    /// if a complete reply says so, else `Unknown`; dropping the future gives the question up.
    fn status(&self, query: &StatusQuery<'_>) -> impl Future<Output = PostReply> + Send;

    /// What of a campaign this wire could never reach, with paths from the campaign's own object.
    fn refuses(&self, _campaign: &Campaign) -> Vec<Defect> {
        Vec::new()
    }
}
