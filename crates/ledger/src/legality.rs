//! What a write may change, given how its lead stands. One set of rules for every store; it must never
//! touch storage, a key or a clock.
//!
//! [`judge`] looks at a whole write before anything of it is stored, and hands back the changes to make,
//! so that an illegal write leaves no trace.

use jiff::Timestamp;
use lead::journey::lead_may_become;
use lead::{CampaignKey, Code, Disposition, Money, OfferOutcome, PostClass, RejectionReason};

use crate::{
    Answered, Decision, Digest, EVENTS_MAX, Entry, Intent, PostRecord, Posted, Refused, Reopened,
    Reported, Settled, StoredRequest,
};

/// A lead, as far as the rules look at it.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    pub(crate) disposition: Option<Disposition>,
    pub(crate) withdrawn: bool,
    pub(crate) posts: Vec<Held>,
    /// The marks of its events.
    pub(crate) events: Vec<Digest>,
}

/// A post, as far as the rules look at it.
#[derive(Debug)]
pub(crate) struct Held {
    campaign: CampaignKey,
    attempt: u32,
    slot: u16,
    class: Option<PostClass>,
    price: Money,
}

/// The changes that a legal write makes.
#[derive(Debug, Default)]
pub(crate) struct Plan<'w> {
    pub(crate) posts: Vec<PostChange<'w>>,
    /// Unless the publisher was answered in an earlier write.
    pub(crate) answered: Option<Answered>,
    pub(crate) reopened: Option<Reopened>,
    pub(crate) withdrawn: Option<Timestamp>,
    /// Comes after it was opened again.
    pub(crate) end: Option<End<'w>>,
    /// New events, with their places among the lead's.
    pub(crate) events: Vec<(u32, &'w Reported)>,
}

/// A change to one post; `ordinal` is its place among the lead's posts.
#[derive(Debug)]
pub(crate) enum PostChange<'w> {
    Open { ordinal: u32, intent: &'w Intent },
    Class { ordinal: u32, posted: &'w Posted },
}

/// A change to the lead itself; `None` leaves a field as it stands.
#[derive(Debug)]
pub(crate) struct End<'w> {
    pub(crate) outcome: Option<OfferOutcome>,
    pub(crate) disposition: Option<Disposition>,
    pub(crate) reason: Option<RejectionReason>,
    pub(crate) decisions: Option<Rows<'w>>,
    pub(crate) at: Timestamp,
}

/// The rows of an offer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'w> {
    /// The place of their entry among the write's.
    pub(crate) entry: usize,
    pub(crate) decisions: &'w [Decision],
}

/// The changes that a write makes to a lead that stands as `known`, or why it may not make them.
pub(crate) fn judge(
    known: Option<Standing>,
    created: bool,
    entries: &[Entry],
) -> Result<Plan<'_>, Refused> {
    let mut standing = match (known, created) {
        (None, true) => Standing::default(),
        (Some(standing), false) => standing,
        (None, false) => return illegal("the lead is not known"),
        (Some(_), true) => return illegal("the lead was created before"),
    };
    let mut plan = Plan::default();
    for (place, entry) in entries.iter().enumerate() {
        match entry {
            Entry::Intent(intent) => plan.posts.push(standing.open(intent)?),
            Entry::Posted(posted) => plan.posts.push(standing.class(posted)?),
            Entry::Reported(reported) => plan.events.push(standing.report(reported)?),
            Entry::Answered(answered) => plan.answered = plan.answered.or(Some(*answered)),
            Entry::Reopened(reopened) if plan.end.is_none() => {
                standing.reopen()?;
                plan.reopened = Some(*reopened);
            }
            Entry::Reopened(_) => return illegal("a lead ends and is opened again in one write"),
            Entry::Withdrawn(at) => {
                standing.withdraw()?;
                plan.withdrawn = plan.withdrawn.or(Some(kept(*at)));
            }
            Entry::Settled(settled) => {
                let end = standing.settle(place, settled)?;
                plan.answered = plan.answered.or(settled.answered);
                plan.end = Some(match plan.end {
                    Some(earlier) => earlier.then(end),
                    None => end,
                });
            }
        }
    }
    Ok(plan)
}

/// Whether a request whose key `stored` has may bring a lead at `at`.
pub(crate) fn may_bring(stored: Option<&StoredRequest>, at: Timestamp) -> Result<(), Refused> {
    if stored.is_some_and(|stored| stored.binds(kept(at))) {
        return illegal("the request's key brought a lead before");
    }
    Ok(())
}

/// What is billed from now on, if the post changes that: only an acceptance does, so that a review of an
/// unknown post still finds the price of its intent.
pub(crate) fn billed(posted: &Posted) -> Option<(Money, Money)> {
    (posted.class == PostClass::Accepted).then_some((posted.price, posted.payout))
}

/// A time as the ledger keeps it.
pub(crate) fn kept(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// A report as the ledger keeps it.
pub(crate) fn kept_report(reported: &Reported) -> Reported {
    Reported { at: kept(reported.at), ..reported.clone() }
}

impl Standing {
    fn open<'w>(&mut self, intent: &'w Intent) -> Result<PostChange<'w>, Refused> {
        let Intent { campaign, attempt, slot, price, payout, expected, .. } = intent;
        one_currency(*price, *payout)?;
        if let Some(expected) = expected {
            one_currency(*price, *expected)?;
            if expected.amount > price.amount {
                return illegal("more is expected than can be billed");
            }
        }
        let mut holding = self.posts.iter().filter(|post| post.holds());
        if let Some(post) =
            holding.find(|post| post.slot == *slot || post.campaign.buyer == campaign.buyer)
        {
            let what = if post.slot == *slot {
                format!("slot {slot}")
            } else {
                campaign.buyer.to_string()
            };
            return illegal(format!("{what} has a post that is open, accepted or unknown"));
        }
        let Ok(ordinal) = u32::try_from(self.posts.len()) else {
            return illegal("too many posts");
        };
        let held = Held {
            campaign: campaign.clone(),
            attempt: *attempt,
            slot: *slot,
            class: None,
            price: *price,
        };
        self.posts.push(held);
        Ok(PostChange::Open { ordinal, intent })
    }

    fn class<'w>(&mut self, posted: &'w Posted) -> Result<PostChange<'w>, Refused> {
        let Posted { campaign, attempt, class, code, price, payout, .. } = posted;
        one_currency(*price, *payout)?;
        storable(*code)?;
        let mut posts = (0u32..).zip(&mut self.posts);
        // At most one post of a buyer holds, so this is the newest of the pair if it is open.
        let Some((ordinal, post)) = posts.find(|(_, post)| {
            post.holds() && post.campaign == *campaign && post.attempt == *attempt
        }) else {
            return illegal(format!("{campaign} has no open intent of attempt {attempt}"));
        };
        if !class_may_become(post.class, *class) {
            return illegal(format!("the post to {campaign} has its class already"));
        }
        if price.currency != post.price.currency || price.amount > post.price.amount {
            return illegal(format!(
                "{campaign} would be billed more than, or not as, its intent says"
            ));
        }
        post.class = Some(*class);
        Ok(PostChange::Class { ordinal, posted })
    }

    fn report<'w>(&mut self, reported: &'w Reported) -> Result<(u32, &'w Reported), Refused> {
        let Reported { campaign, mark, .. } = reported;
        if !self.posts.iter().any(|post| post.holds() && post.campaign == *campaign) {
            return illegal(format!("{campaign} has not bought the lead"));
        }
        if self.events.contains(mark) {
            return illegal("the event is on record");
        }
        if self.events.len() >= EVENTS_MAX {
            return illegal("the lead has all the events that it may have");
        }
        let ordinal = u32::try_from(self.events.len()).unwrap_or(u32::MAX);
        self.events.push(*mark);
        Ok((ordinal, reported))
    }

    /// Only what nobody bought, or may have bought, is offered again.
    fn reopen(&mut self) -> Result<(), Refused> {
        if self.disposition != Some(Disposition::Unsold) || self.posts.iter().any(Held::holds) {
            return illegal("only an unsold lead is opened again");
        }
        if self.withdrawn {
            return illegal("the lead was withdrawn");
        }
        self.disposition = None;
        Ok(())
    }

    fn withdraw(&mut self) -> Result<(), Refused> {
        let is_over = matches!(self.disposition, Some(Disposition::Unsold | Disposition::Test));
        if !is_over || self.posts.iter().any(Held::holds) {
            return illegal("only an unsold lead is withdrawn");
        }
        self.withdrawn = true;
        Ok(())
    }

    fn settle<'w>(&mut self, entry: usize, settled: &'w Settled) -> Result<End<'w>, Refused> {
        let Settled { outcome, disposition, reason, decisions, answered: _, at } = settled;
        if (*disposition == Some(Disposition::Rejected)) != reason.is_some() {
            return illegal("a rejection has a reason, and nothing else has one");
        }
        for decision in decisions {
            storable(decision.code)?;
        }
        // A review ends a lead without asking anybody: the rows of its last offer stay.
        let review = self.disposition.is_some() && decisions.is_empty();
        if let Some(to) = *disposition {
            if !lead_may_become(self.disposition, to) {
                let from = self.disposition.map_or("open", Disposition::name);
                return illegal(format!("a lead that is {from} cannot become {}", to.name()));
            }
            self.disposition = Some(to);
        }
        Ok(End {
            outcome: *outcome,
            disposition: *disposition,
            reason: *reason,
            decisions: (!review).then_some(Rows { entry, decisions }),
            at: *at,
        })
    }
}

impl End<'_> {
    fn then(self, later: Self) -> Self {
        Self {
            outcome: later.outcome.or(self.outcome),
            disposition: later.disposition.or(self.disposition),
            reason: later.reason.or(self.reason),
            decisions: later.decisions.or(self.decisions),
            at: later.at,
        }
    }
}

impl Held {
    /// Whether the post takes its slot, and its buyer's place on this lead.
    fn holds(&self) -> bool {
        matches!(self.class, None | Some(PostClass::Accepted | PostClass::Unknown))
    }
}

impl From<&PostRecord> for Held {
    fn from(post: &PostRecord) -> Self {
        Self {
            campaign: post.campaign.clone(),
            attempt: post.attempt,
            slot: post.slot,
            class: post.class,
            price: post.price,
        }
    }
}

/// An open post takes any class; only a review changes one, and only `Unknown`.
fn class_may_become(from: Option<PostClass>, to: PostClass) -> bool {
    match from {
        None => true,
        Some(PostClass::Unknown) => matches!(to, PostClass::Accepted | PostClass::Rejected),
        Some(PostClass::Accepted | PostClass::Rejected | PostClass::NotSent) => false,
    }
}

fn one_currency(price: Money, payout: Money) -> Result<(), Refused> {
    if price.currency == payout.currency {
        Ok(())
    } else {
        illegal("the amounts differ in currency")
    }
}

/// Whether a code's number reads back as that code.
fn storable(code: Code) -> Result<(), Refused> {
    if Code::numbered(code.number()) == Some(code) {
        Ok(())
    } else {
        illegal(format!("{} is not a number for a code of an operator", code.number()))
    }
}

/// A market on record never changes.
pub(crate) fn another_market(version: u64) -> Refused {
    Refused::Illegal(format!("market {version} is on record and is another"))
}

fn illegal<T>(why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::Illegal(why.into()))
}
