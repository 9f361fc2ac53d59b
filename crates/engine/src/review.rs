//! How a post whose answer is unknown is settled later: by a person, by its buyer at a start, or because
//! its time is over. Each is settled once, by the ledger's rules, and then gives back what it held.

use fanout::{Buyers, Post};
use jiff::Timestamp;
use lead::{CampaignKey, Code, Disposition, LeadId, OfferOutcome, PostClass};
use ledger::{Entry, LeadRecord, Ledger, PostRecord, Posted, Refused, Settled, Write};

use crate::deliver::{Agreed, outcome};
use crate::doubt;
use crate::engine::Inner;
use crate::events;
use crate::holds::Hold;
use crate::metrics::Settler;
use crate::reserve::{Deal, Scope};
use crate::subject::Lead;

/// What a person says of a held post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The buyer has the lead and pays the price of its bid.
    Sold,
    /// It has not.
    NotSold,
}

/// Why a review changes nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReviewRefusal {
    /// No post of this lead to this campaign waits for review.
    #[error("no such post waits for review")]
    NotHeld,
    /// The lead's journey, or a start's question to the buyer, has not ended.
    #[error("the lead is still under way")]
    UnderWay,
    /// The ledger cannot take it.
    #[error(transparent)]
    Ledger(Refused),
}

/// Settles a held post by a person's word.
pub(crate) async fn review<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    (lead, campaign): (LeadId, &CampaignKey),
    verdict: Verdict,
) -> Result<(), ReviewRefusal> {
    let hold = inner.holds.of(lead, campaign).ok_or(ReviewRefusal::NotHeld)?;
    let at = inner.clock.timestamp();
    let (class, code) = match verdict {
        Verdict::Sold => (PostClass::Accepted, Code::Sold),
        Verdict::NotSold => (PostClass::Rejected, Code::PostRejected),
    };
    settle(inner, &hold, |post| as_agreed(post, class, code, at)).await?;
    inner.metrics.hold_settled(Settler::Review, inner.holds.count());
    Ok(())
}

/// Settles every post that was held for its whole time: nobody said that it was sold.
pub(crate) async fn expire<B: Buyers, L: Ledger>(inner: &Inner<B, L>) {
    let at = inner.clock.timestamp();
    for hold in inner.holds.over(at) {
        let not_sold = |post: &PostRecord| as_agreed(post, PostClass::Rejected, Code::Unknown, at);
        match settle(inner, &hold, not_sold).await {
            Ok(()) => inner.metrics.hold_settled(Settler::Time, inner.holds.count()),
            // Settled otherwise in the meantime.
            Err(ReviewRefusal::NotHeld) => inner.holds.remove(&hold),
            // It is tried again.
            Err(ReviewRefusal::UnderWay) => {}
            Err(ReviewRefusal::Ledger(refused)) => {
                tracing::warn!(lead = %hold.lead, %refused, "a hold that is over cannot be settled");
            }
        }
    }
}

/// Asks the buyer of a post that the last run left without an answer, as its policy says.
pub(crate) async fn ask_again<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    id: LeadId,
    campaign: &CampaignKey,
) -> Result<(), ReviewRefusal> {
    let hold = inner.holds.of(id, campaign).ok_or(ReviewRefusal::NotHeld)?;
    let record = inner.ledger.lead(id).await.map_err(ReviewRefusal::Ledger)?;
    let record = record.ok_or(ReviewRefusal::NotHeld)?;
    let (held, snapshot) = (held(&record, campaign)?, inner.snapshot.load_full());
    let market = &*snapshot.market;
    // Erased, or no longer in the market: a person has to know.
    let (Some(submission), Some(campaign), Some(publisher), Some((product, tree))) = (
        record.submission.as_ref(),
        market.campaigns.get(campaign),
        market.publishers.get(&hold.publisher),
        snapshot.tree(&hold.product),
    ) else {
        return Ok(());
    };
    let token = events::token(&inner.ledger, id, &campaign.key);
    let post = Post {
        campaign,
        lead: id,
        event_token: &token,
        attempt: held.attempt,
        again: true,
        // The ledger does not keep which ping it followed.
        ping: None,
        bid_reference: None,
        price: held.price,
        product: &product.id,
        test: submission.test,
        external_id: submission.external_id.as_deref(),
        attributes: &submission.attributes,
        contact: &submission.contact,
        consent: &submission.consent,
    };
    let Some(reply) = doubt::find_out(inner, &post).await else { return Ok(()) };
    let lead = Lead { submission, market, publisher, product, tree };
    let PostRecord { price, payout, expected, attempt, .. } = *held;
    let agreed = Agreed { price, payout, expected, attempt };
    let posted = outcome(&lead, campaign, agreed, &reply, inner.clock.timestamp());
    settle(inner, &hold, |_| posted).await?;
    inner.metrics.hold_settled(Settler::Buyer, inner.holds.count());
    Ok(())
}

/// Writes what is known of a held post now, ends its lead if nothing else of it is unknown, and gives
/// back what it held. One at a time, so that of two posts of a lead the second to be settled ends it.
async fn settle<B: Buyers, L: Ledger>(
    inner: &Inner<B, L>,
    hold: &Hold,
    told: impl FnOnce(&PostRecord) -> Posted,
) -> Result<(), ReviewRefusal> {
    let _alone = inner.reviewing.lock().await;
    let record = inner.ledger.lead(hold.lead).await.map_err(ReviewRefusal::Ledger)?;
    let record = record.ok_or(ReviewRefusal::NotHeld)?;
    let post = held(&record, &hold.campaign)?;
    let posted = told(post);
    let disposition = record.disposition.ok_or(ReviewRefusal::UnderWay)?;
    let billed = Deal::of(posted.price, posted.payout, post.expected);
    let billed = (posted.class == PostClass::Accepted).then_some(billed);
    let mut entries = Vec::with_capacity(2);
    if disposition == Disposition::Indeterminate {
        entries.extend(ending(&record, &posted).map(Entry::Settled));
    }
    entries.insert(0, Entry::Posted(posted));
    let write = Write { lead: hold.lead, created: None, entries };
    inner.ledger.commit(write).await.map_err(ReviewRefusal::Ledger)?;
    inner.holds.remove(hold);
    if !hold.test {
        let snapshot = inner.snapshot.load();
        let place = (&hold.publisher, &hold.product);
        let scope = Scope::known(&snapshot.market, &hold.campaign, place);
        inner.reservations.settle_frozen(&scope, hold.deal, hold.since, billed);
    }
    Ok(())
}

fn held<'r>(record: &'r LeadRecord, key: &CampaignKey) -> Result<&'r PostRecord, ReviewRefusal> {
    let is = |post: &&PostRecord| {
        post.campaign == *key && matches!(post.class, None | Some(PostClass::Unknown))
    };
    let post = record.posts.iter().find(is).ok_or(ReviewRefusal::NotHeld)?;
    // The journey has yet to write what it knows.
    if post.class.is_none() { Err(ReviewRefusal::UnderWay) } else { Ok(post) }
}

/// How a lead ends by what is known of one of its posts now; `None` while another may have sold.
fn ending(record: &LeadRecord, posted: &Posted) -> Option<Settled> {
    let others = || record.posts.iter().filter(|post| post.campaign != posted.campaign);
    let sold = posted.class == PostClass::Accepted || record.sales().next().is_some();
    let waits = others().any(|post| matches!(post.class, None | Some(PostClass::Unknown)));
    let (outcome, disposition) = match (sold, waits) {
        (true, _) => (OfferOutcome::Sold, Disposition::Sold),
        (false, false) => (OfferOutcome::Unsold, Disposition::Unsold),
        (false, true) => return None,
    };
    Some(Settled {
        outcome: Some(outcome),
        disposition: Some(disposition),
        reason: None,
        // The rows stay: they say what was known when the publisher was answered.
        decisions: Vec::new(),
        answered: None,
        at: posted.at,
    })
}

fn as_agreed(post: &PostRecord, class: PostClass, code: Code, at: Timestamp) -> Posted {
    Posted {
        campaign: post.campaign.clone(),
        attempt: post.attempt,
        class,
        code,
        price: post.price,
        payout: post.payout,
        redirect_url: None,
        reference: None,
        at,
    }
}
