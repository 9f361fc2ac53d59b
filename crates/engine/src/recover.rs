//! What a start finds unfinished. An intent without an outcome may have been posted: it becomes
//! `Unknown` and its lead is held; whether its buyer can be asked is for `review` to see. A lead without
//! a post under way that was not settled is expired. Nothing is ever posted again here.

use std::sync::Arc;

use fanout::Buyers;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use lead::{Code, Disposition, LeadId, OfferOutcome, PostClass};
use ledger::{
    Entry, LeadRecord, OpenIntent, PostRecord, PostRow, Posted, Recovery, Refused, Settled, Write,
};
use market::{Cap, CapOf, Market, Window};

use crate::Engine;
use crate::holds::Hold;
use crate::reserve::{Deal, Scope};
use crate::review;

/// How many posts of the last run are asked about at once.
const ASKED_AT_ONCE: usize = 64;
/// How many leads are settled at once: enough to fill a commit.
const AT_ONCE: usize = 256;

/// What a start put right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Leads that are held because a post may have left.
    pub held: usize,
    /// Leads that were settled otherwise.
    pub settled: usize,
}

impl<B: Buyers, L: Recovery> Engine<B, L> {
    /// Settles what a crash left open and counts what was taken before. Call once, before the first
    /// lead; blocks on the disk.
    ///
    /// # Errors
    /// The ledger cannot be read or written; nothing should be served then.
    pub async fn recover(&self) -> Result<Recovered, Refused> {
        let inner = &self.0;
        let now = inner.clock.timestamp();
        let open = inner.ledger.open_intents().await?;
        let recovered = recover(&inner.ledger, &open, now).await?;
        let market = &self.snapshot().market;
        inner.ledger.visit_posts(&|posts| self.recount(market, posts))?;
        self.recount_pings(now)?;
        self.ask_about(open);
        Ok(recovered)
    }

    /// Counts posts again, those of the same parties together.
    fn recount(&self, market: &Market, mut posts: Vec<PostRow>) {
        posts.iter().filter_map(held).for_each(|hold| self.0.hold(hold));
        posts.retain(|post| !post.test);
        let parties =
            |post: &PostRow| (post.campaign.clone(), post.publisher.clone(), post.product.clone());
        posts.sort_by_cached_key(parties);
        for posts in posts.chunk_by(|one, next| parties(one) == parties(next)) {
            let Some(first) = posts.first() else { continue };
            let scope = Scope::known(market, &first.campaign, (&first.publisher, &first.product));
            let changes = posts.iter().map(|post| {
                let deal = Deal::of(post.price, post.payout, post.expected);
                (post.class, deal, post.intent_at)
            });
            self.0.reservations.restore(&scope, changes);
        }
    }

    /// Asks the buyers of posts that the last run left open, beside the first leads.
    fn ask_about(&self, open: Vec<OpenIntent>) {
        if open.is_empty() {
            return;
        }
        let inner = Arc::clone(&self.0);
        let ask = move |intent: OpenIntent| {
            let inner = Arc::clone(&inner);
            async move {
                let (lead, campaign) = (intent.lead, &intent.post.campaign);
                if let Err(refusal) = review::ask_again(&inner, lead, campaign).await {
                    tracing::warn!(%lead, %campaign, %refusal, "a post of the last run stays held");
                }
            }
        };
        self.0.tasks.spawn(stream::iter(open).for_each_concurrent(ASKED_AT_ONCE, ask));
    }

    /// Pings are counted again only as far back as a cap on them can look.
    fn recount_pings(&self, now: Timestamp) -> Result<(), Refused> {
        let snapshot = self.snapshot();
        let market = &snapshot.market;
        // A ping counts for its campaign and buyer only, so any publisher completes the scope.
        let Some(publisher) = market.publishers.keys().next() else { return Ok(()) };
        let Some(since) = pings_matter_since(market, now) else { return Ok(()) };
        self.0.ledger.visit_pings(since, &mut |key, at| {
            if let Some(campaign) = market.campaigns.get(key) {
                let scope = Scope::known(market, key, (publisher, &campaign.product));
                self.0.reservations.restore_ping(&scope, at);
            }
        })
    }
}

fn held(post: &PostRow) -> Option<Hold> {
    Some(Hold {
        lead: post.lead.filter(|_| post.class == Some(PostClass::Unknown))?,
        campaign: post.campaign.clone(),
        publisher: post.publisher.clone(),
        product: post.product.clone(),
        deal: Deal::of(post.price, post.payout, post.expected),
        since: post.intent_at,
        test: post.test,
    })
}

/// Settles every lead that a crash left open.
async fn recover<L: Recovery>(
    ledger: &L,
    open: &[OpenIntent],
    at: Timestamp,
) -> Result<Recovered, Refused> {
    let mut leads = ledger.leads_unsettled().await?;
    leads.extend(open.iter().map(|intent| intent.lead));
    leads.sort_unstable();
    leads.dedup();
    let settled =
        stream::iter(leads).map(|lead| settle(ledger, lead, at)).buffer_unordered(AT_ONCE);
    settled
        .try_fold(Recovered::default(), |sum, held| async move {
            Ok(match held {
                Some(true) => Recovered { held: sum.held + 1, ..sum },
                Some(false) => Recovered { settled: sum.settled + 1, ..sum },
                None => sum,
            })
        })
        .await
}

/// How far back a cap on pings can look; `None` if there is no such cap.
fn pings_matter_since(market: &Market, now: Timestamp) -> Option<Timestamp> {
    let of_buyers = market.buyers.values().flat_map(|buyer| &buyer.caps);
    let of_campaigns = market.campaigns.values().flat_map(|campaign| &campaign.caps);
    let pinged = of_buyers.chain(of_campaigns).filter(|cap| cap.of == CapOf::Pinged);
    // A day more than a window can last, wherever its clock stands.
    let days = |window: Window| match window {
        Window::Minute | Window::Hour | Window::Day => Some(2),
        Window::Week => Some(8),
        Window::Month => Some(32),
        Window::Total => None,
    };
    let since = |cap: &Cap| {
        let days = days(cap.per)?;
        now.checked_sub(SignedDuration::from_hours(24 * days)).ok()
    };
    pinged.map(|cap| since(cap).unwrap_or(Timestamp::MIN)).min()
}

/// Settles one lead; says whether it is held, or `None` if there was nothing to do.
async fn settle<L: Recovery>(
    ledger: &L,
    lead: LeadId,
    at: Timestamp,
) -> Result<Option<bool>, Refused> {
    let Some(record) = ledger.lead(lead).await? else { return Ok(None) };
    let open = record.posts.iter().filter(|post| post.class.is_none());
    let mut entries: Vec<Entry> = open
        .map(|post| {
            Entry::Posted(Posted {
                campaign: post.campaign.clone(),
                attempt: post.attempt,
                class: PostClass::Unknown,
                code: Code::Unknown,
                price: post.price,
                payout: post.payout,
                redirect_url: None,
                reference: None,
                at,
            })
        })
        .collect();
    let outcome = outcome(&record);
    // One slot of a lead may be held while another is sold.
    let held = record.posts.iter().any(waits);
    if record.disposition.is_none() {
        let disposition = outcome.disposition();
        entries.push(Entry::Settled(Settled {
            outcome: Some(outcome),
            disposition: if is_test(&record) { Some(Disposition::Test) } else { disposition },
            reason: None,
            decisions: record.decisions.clone(),
            // Nobody was told; the first to ask will be.
            answered: None,
            at,
        }));
    }
    if entries.is_empty() {
        return Ok(None);
    }
    ledger.commit(Write { lead, created: None, entries }).await?;
    Ok(Some(held))
}

fn outcome(record: &LeadRecord) -> OfferOutcome {
    let is = |class: PostClass| record.posts.iter().any(|post| post.class == Some(class));
    if is(PostClass::Accepted) {
        OfferOutcome::Sold
    } else if record.posts.iter().any(waits) {
        OfferOutcome::Indeterminate
    } else {
        OfferOutcome::Expired
    }
}

/// Whether a post may have sold.
fn waits(post: &PostRecord) -> bool {
    matches!(post.class, None | Some(PostClass::Unknown))
}

fn is_test(record: &LeadRecord) -> bool {
    record.submission.as_ref().is_some_and(|submission| submission.test)
}
