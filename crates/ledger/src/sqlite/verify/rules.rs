//! The rules of sale, on one lead. They are written anew here and not taken from `legality`, so that a
//! flaw in one of the two shows.

use std::collections::HashSet;

use lead::{Disposition, PostClass};
use rust_decimal::Decimal;

use super::report::{Flaw, Report};
use crate::sqlite::event_row::StoredEvent;
use crate::sqlite::lead_row::LeadRow;
use crate::sqlite::post_row::StoredPost;
use crate::{EVENTS_MAX, PostRecord};

/// Reports everything that is wrong with a lead and counts its sales.
pub(super) fn examine(row: &LeadRow, posts: &[StoredPost], report: &mut Report) {
    let mut flaw = |flaw: Flaw, what: &str| report.add(flaw, Some(row.id), what.to_owned());
    if (row.disposition == Some(Disposition::Rejected)) != row.reason.is_some() {
        flaw(Flaw::Reason, "a rejection has a reason, and nothing else has one");
    }
    for what in disposition(row, posts) {
        flaw(Flaw::Disposition, what);
    }
    let (mut slots, mut buyers) = (HashSet::new(), HashSet::new());
    for post in posts.iter().filter(|post| holds(post)) {
        if !slots.insert(post.record.slot) {
            flaw(Flaw::Slot, &format!("slot {} is taken twice", post.record.slot));
        }
        let buyer = &post.record.campaign.buyer;
        if !buyers.insert(buyer) {
            flaw(Flaw::Buyer, &format!("{buyer} holds the lead twice"));
        }
    }
    let mut before: &[StoredPost] = &[];
    for (place, post) in posts.iter().enumerate() {
        if let Some(what) = attempt(before, post) {
            flaw(Flaw::Attempt, what);
        }
        if let Some(what) = contradiction(post) {
            flaw(Flaw::Post, what);
        }
        for what in price(post) {
            flaw(Flaw::Price, what);
        }
        before = posts.get(..=place).unwrap_or_default();
    }
    let mut currencies = posts.iter().map(|post| post.record.price.currency);
    if let Some(first) = currencies.next()
        && currencies.any(|currency| currency != first)
    {
        flaw(Flaw::Currency, "its posts are in two currencies");
    }
    let sales = posts.iter().filter(|post| is(post, PostClass::Accepted) && !row.test);
    for post in sales {
        let PostRecord { price, payout, expected, .. } = post.record;
        report.sale(row.id, expected.is_none().then_some((price, payout)));
    }
}

/// Reports events of campaigns that the lead was not posted to, and more of them than a lead may have.
pub(super) fn examine_events(
    row: &LeadRow,
    (posts, events): (&[StoredPost], &[StoredEvent]),
    report: &mut Report,
) {
    let mut flaw = |what: &str| report.add(Flaw::Event, Some(row.id), what.to_owned());
    let posted = |event: &StoredEvent| {
        posts.iter().any(|post| post.record.campaign == event.record.campaign)
    };
    if !events.iter().all(posted) {
        flaw("an event is of a campaign that it was never posted to");
    }
    if events.len() > EVENTS_MAX {
        flaw("it has more events than it may have");
    }
}

fn is(post: &StoredPost, class: PostClass) -> bool {
    post.record.class == Some(class)
}

/// Whether a post takes its slot and its buyer.
fn holds(post: &StoredPost) -> bool {
    matches!(post.record.class, None | Some(PostClass::Accepted | PostClass::Unknown))
}

fn disposition(row: &LeadRow, posts: &[StoredPost]) -> Vec<&'static str> {
    let any = |class| posts.iter().any(|post| is(post, class));
    let accepted = any(PostClass::Accepted);
    let open = posts.iter().any(|post| post.record.class.is_none());
    let waits = open || any(PostClass::Unknown);
    let mut flaws = Vec::new();
    let mut flaw = |wrong: bool, what| flaws.extend(wrong.then_some(what));
    flaw(row.disposition.is_some() && row.settled_at.is_none(), "it ended at no time");
    match row.disposition {
        // Where nobody was told yet how the lead ended, a start will settle it.
        None | Some(Disposition::Test) => {}
        Some(Disposition::Sold) => flaw(!accepted, "sold, and no post is accepted"),
        Some(Disposition::Rejected) => {
            flaw(accepted || waits, "rejected, and a post is open, accepted or unknown");
        }
        Some(Disposition::Unsold) => {
            flaw(accepted || open, "unsold, and a post is open or accepted")
        }
        Some(Disposition::Indeterminate) => {
            flaw(!waits, "indeterminate, and no post is open or unknown");
        }
    }
    flaws
}

/// A campaign is posted to again only after a complete reject, which counts, or a proof that nothing was
/// sent, which does not.
fn attempt(before: &[StoredPost], post: &StoredPost) -> Option<&'static str> {
    let mut rejects = 0;
    for earlier in before.iter().filter(|other| other.record.campaign == post.record.campaign) {
        match earlier.record.class {
            Some(PostClass::Rejected) => rejects += 1,
            Some(PostClass::NotSent) => {}
            _ => return Some("a campaign was posted to again without a complete reject between"),
        }
    }
    (post.record.attempt != rejects).then_some("an attempt is not the count of complete rejects")
}

fn contradiction(post: &StoredPost) -> Option<&'static str> {
    let record = &post.record;
    let classed = record.class.is_some();
    if record.code.is_some() != classed || record.posted_at.is_some() != classed {
        return Some("a class, a code and a time come together");
    }
    (post.sealed.is_some() && !classed).then_some("an open post has an answer")
}

fn price(post: &StoredPost) -> Vec<&'static str> {
    let (price, payout) = (post.record.price, post.record.payout);
    let mut flaws = Vec::new();
    let mut flaw = |wrong: bool, what| flaws.extend(wrong.then_some(what));
    flaw(price.amount < Decimal::ZERO || payout.amount < Decimal::ZERO, "an amount is negative");
    flaw(payout.amount > price.amount, "the payout is more than the price");
    let expected = post.record.expected.map(|expected| expected.amount);
    flaw(
        expected.is_some_and(|amount| amount < Decimal::ZERO || amount > post.bid),
        "what is expected is negative or more than the intent's price",
    );
    flaw(price.amount > post.bid, "the price is more than the intent's");
    let billed = price.amount == post.bid || is(post, PostClass::Accepted);
    flaw(!billed, "the price is not the intent's, and nobody accepted");
    flaws
}
