//! What is done while a post's answer is unknown, by its campaign's policy. Finds out what became of
//! the post, or not; must never offer the lead to anybody else, and posts again only to a campaign that
//! honours keys, under the same key.

use std::time::Duration;

use fanout::{Buyers, Post, PostReply};
use lead::{Health, PostClass};
use ledger::Ledger;
use market::OnAmbiguous;

use crate::engine::Inner;

/// What is waited before each try to find out. A buyer that has just failed gets a moment; one that is
/// down for longer leaves the post to a person.
const WAITS: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(4),
];

/// Posts once. While the answer is unknown, what the campaign's policy finds out takes its place. Also
/// says how long the post itself took; `judge` hears at once what it says of the endpoint.
pub(crate) async fn post<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    post: &Post<'_>,
    judge: impl FnOnce(Health),
) -> (PostReply, Duration) {
    let started = inner.clock.instant();
    let reply = inner.buyers.post(post).await;
    let took = inner.clock.instant().saturating_duration_since(started);
    judge(reply.health);
    if reply.class != PostClass::Unknown {
        return (reply, took);
    }
    (find_out(inner, post).await.unwrap_or(reply), took)
}

/// What became of a post whose answer is unknown; `None` if nobody could be asked, or nobody knew.
pub(crate) async fn find_out<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    post: &Post<'_>,
) -> Option<PostReply> {
    for wait in WAITS {
        let reply = match post.campaign.on_ambiguous {
            OnAmbiguous::Hold | OnAmbiguous::NextBuyer => return None,
            OnAmbiguous::StatusQuery => {
                tokio::time::sleep(wait).await;
                let reply = inner.buyers.status(&post.query()).await;
                inner.metrics.status_query(reply.class);
                reply
            }
            OnAmbiguous::RetrySameKey => {
                tokio::time::sleep(wait).await;
                let reply = inner.buyers.post(&Post { again: true, ..post.clone() }).await;
                inner.metrics.retried(reply.class);
                reply
            }
        };
        // That a second try was not sent says nothing of the first.
        if matches!(reply.class, PostClass::Accepted | PostClass::Rejected) {
            return Some(reply);
        }
    }
    None
}
