//! What is noted in the campaigns' rows while the journey goes on. Moves nothing else of the record.

use std::time::Duration;

use lead::{Code, PostClass};
use ledger::{Decision, LeadRecord, Ledger};

use super::Record;
use crate::auction::Offer;
use crate::reserve::Stop;

impl<B: Send + Sync + 'static, L: Ledger> Record<B, L> {
    /// Notes the code at which a campaign stands now.
    pub(crate) fn note(&mut self, position: usize, code: Code) {
        if let Some(decision) = self.decisions.get_mut(position) {
            stands_at(decision, code);
        }
    }

    /// Notes the answer to a ping.
    pub(crate) fn pinged(&mut self, row: usize, asked: &fanout::Asked) {
        let Some(decision) = self.decisions.get_mut(row) else {
            return;
        };
        decision.ping_ms = Some(millis(asked.took));
        if let Err(no_bid) = &asked.answer {
            stands_at(decision, no_bid.code);
            decision.reason.clone_from(&no_bid.reason);
        }
    }

    /// Notes that the answer to a ping was not waited for any longer. That it was sent stays on record: a
    /// cap of pings counts it.
    pub(crate) fn not_awaited(&mut self, row: usize, took: Duration) {
        if let Some(decision) = self.decisions.get_mut(row) {
            stands_at(decision, Code::EarlyClose);
            decision.ping_ms = Some(millis(took));
        }
    }

    /// Notes that there is no time left to post to a campaign that bid.
    pub(crate) fn ran_out(&mut self, row: usize) {
        self.note(row, Code::NoTime);
        self.inner.metrics.posts_skipped.increment(1);
        self.out_of_time = true;
    }

    /// Notes a bid.
    pub(crate) fn bid(&mut self, row: usize, bid: &lead::Bid) {
        if let Some(decision) = self.decisions.get_mut(row) {
            decision.bid = Some(bid.price.amount);
        }
    }

    /// Notes what a bid ranks by: the best of what it offers.
    pub(crate) fn scored(&mut self, row: usize, offers: &[Offer]) {
        if let Some(decision) = self.decisions.get_mut(row) {
            decision.score = offers.iter().map(|offer| offer.score).max();
        }
    }

    /// Notes how a post went in its campaign's row.
    pub(crate) fn delivered(&mut self, row: usize, took: Duration, reply: &fanout::PostReply) {
        if let Some(decision) = self.decisions.get_mut(row) {
            stands_at(decision, reply.code);
            decision.post_ms = Some(millis(took));
            decision.reason.clone_from(&reply.reason);
        }
    }

    /// Notes what stopped a campaign, and which cap or funds if it was one.
    pub(crate) fn stopped(&mut self, row: usize, stop: Stop) {
        if let Some(decision) = self.decisions.get_mut(row) {
            decision.code = stop.code;
            decision.limit = stop.limit;
        }
    }
}

/// A row for each campaign that a lead was posted to, as its offers left it: of those of which none is kept
/// as the post tells it. What was proved not to have been sent was never posted.
pub(super) fn of_posted(record: &LeadRecord) -> Vec<Decision> {
    let posts = record.posts.iter().filter(|post| post.class != Some(PostClass::NotSent));
    let rows = posts.map(|post| {
        let kept = record.decisions.iter().find(|row| row.campaign == post.campaign);
        kept.cloned().unwrap_or_else(|| Decision {
            campaign: post.campaign.clone(),
            tier: 1,
            code: post.code.unwrap_or(Code::Unknown),
            bid: Some(post.price.amount),
            score: None,
            ping_ms: None,
            post_ms: None,
            limit: None,
            reason: None,
        })
    });
    rows.collect()
}

/// What stopped a campaign before is no longer it: who may not have the whole lead may have a slot.
fn stands_at(decision: &mut Decision, code: Code) {
    decision.code = code;
    decision.limit = None;
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
