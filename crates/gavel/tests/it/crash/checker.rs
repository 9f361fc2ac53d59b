//! The judge: whether publishers, buyers and the ledger tell one story. Knows nothing of how the
//! history came about.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use lead::PostClass;

use super::history::{Answer, History, Kept, Op, Outcome, Post};

/// What must hold, whatever crashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// A lead that a publisher or a buyer has heard of is known.
    Missing,
    /// A lead stands as its publisher was told, or in a state that may follow.
    Changed,
    /// One buyer takes a lead, once.
    SoldTwice,
    /// A campaign gets a lead once, or again after it refused it.
    PostedTwice,
    /// Every post carries the key of its lead, campaign and attempt.
    Unnamed,
    /// Nothing is posted without an intent on record.
    NoIntent,
    /// The ledger has of a post what its buyer says of it, or that it is unknown.
    OtherClass,
    /// What a buyer took is sold to it, or held for review.
    SaleLost,
    /// What is sold was taken by that buyer.
    SoldToNobody,
    /// The same key gets the same answer.
    OtherAnswer,
    /// One key brings one lead.
    SecondLead,
    /// A good request is answered, or refused for now.
    Refused,
    /// Every request is answered in the end.
    Unanswered,
}

/// A rule that was broken, and by what.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) rule: Rule,
    what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.what)
    }
}

/// What was seen, and what was wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) violations: Vec<Violation>,
    /// Requests with a complete answer that names a lead.
    pub(crate) acks: usize,
    /// Requests that were sent at least once without a complete reply.
    pub(crate) unsure: usize,
    /// Requests that were answered more than once.
    pub(crate) replays: usize,
    /// Leads that are distributed.
    pub(crate) sales: usize,
    /// Leads that wait for review.
    pub(crate) held: usize,
}

impl Verdict {
    /// The first violations, for a failure's message.
    pub(crate) fn shown(&self) -> String {
        let lines: Vec<String> = self.violations.iter().take(20).map(ToString::to_string).collect();
        lines.join("\n")
    }

    fn broken(&mut self, rule: Rule, what: impl Into<String>) {
        self.violations.push(Violation { rule, what: what.into() });
    }
}

/// Judges a history.
pub(crate) fn check(history: &History) -> Verdict {
    let mut verdict = Verdict::default();
    for op in &history.ops {
        answers(op, history, &mut verdict);
    }
    let mut by_lead: BTreeMap<&str, Vec<&Post>> = BTreeMap::new();
    for post in &history.posts {
        by_lead.entry(&post.lead).or_default().push(post);
    }
    for (lead, posts) in &by_lead {
        deliveries(lead, posts, history, &mut verdict);
    }
    for (lead, found) in &history.found {
        let Some(found) = found else { continue };
        verdict.held += usize::from(found.is_held());
        verdict.sales += usize::from(found.status == "distributed");
        taken(lead, found, &by_lead, &mut verdict);
    }
    one_lead_a_key(history, &mut verdict);
    verdict
}

/// A request, its answers, and what the ledger says of their lead.
fn answers(op: &Op, history: &History, verdict: &mut Verdict) {
    let Op { key, outcomes } = op;
    for outcome in outcomes {
        match outcome {
            // In flight, too many, or not able to store: all of them pass.
            Outcome::Fail(409 | 429 | 503) => {}
            Outcome::Fail(status) => verdict.broken(Rule::Refused, format!("{key}: {status}")),
            Outcome::Ok(answer) if answer.lead.is_none() || answer.status == "rejected" => {
                verdict.broken(Rule::Refused, format!("{key}: {answer:?}"));
            }
            Outcome::Ok(_) | Outcome::Info => {}
        }
    }
    verdict.unsure += usize::from(outcomes.contains(&Outcome::Info));
    let mut answers = op.answers();
    let Some(first) = answers.next() else {
        return verdict.broken(Rule::Unanswered, format!("{key}: {outcomes:?}"));
    };
    verdict.replays += usize::from(answers.next().is_some());
    for other in op.answers() {
        if (&first.lead, &first.status) != (&other.lead, &other.status) {
            verdict.broken(Rule::OtherAnswer, format!("{key}: {first:?}, then {other:?}"));
        }
    }
    let Some(lead) = &first.lead else { return };
    verdict.acks += 1;
    match history.found.get(lead) {
        Some(Some(found)) => {
            for answer in op.answers().filter(|answer| !may_follow(answer, found)) {
                verdict.broken(Rule::Changed, format!("{key}: {answer:?} became {found:?}"));
            }
        }
        Some(None) | None => verdict.broken(Rule::Missing, format!("{key}: {first:?}")),
    }
}

/// Whether a lead whose publisher was told `told` may stand as `found` later.
fn may_follow(told: &Answer, found: &Answer) -> bool {
    let same = (&told.status, &told.redirect, &told.reason)
        == (&found.status, &found.redirect, &found.reason);
    match (told.is_final, found.is_final) {
        (true, true) => same,
        (true, false) => false,
        (false, true) => told.status == "new" && matches!(&*found.status, "new" | "distributed"),
        (false, false) => same && told.status == "new",
    }
}

/// Every post of one lead.
fn deliveries(lead: &str, posts: &[&Post], history: &History, verdict: &mut Verdict) {
    let mut buyers = BTreeSet::new();
    let mut earlier: BTreeMap<&str, Vec<&Post>> = BTreeMap::new();
    for post in posts {
        let campaign = post.campaign.as_str();
        if post.attempt().is_none() {
            verdict.broken(Rule::Unnamed, format!("{lead}: {post:?}"));
        }
        if let Some(attempt) = post.attempt() {
            recorded(post, attempt, history, verdict);
        }
        let before = earlier.entry(campaign).or_default();
        let again = before.iter().any(|one| one.answered != "rejected")
            || before.iter().any(|one| one.attempt() >= post.attempt());
        if again {
            verdict.broken(Rule::PostedTwice, format!("{lead}: {before:?}, then {post:?}"));
        }
        before.push(post);
        if post.is_accepted() {
            buyers.insert((campaign, &post.key));
        }
    }
    if buyers.len() > 1 {
        verdict.broken(Rule::SoldTwice, format!("{lead}: {buyers:?}"));
    }
    let Some(Some(found)) = history.found.get(lead) else {
        return verdict.broken(Rule::Missing, format!("{lead} was posted: {posts:?}"));
    };
    for (campaign, _) in buyers {
        if !found.is_held() && found.sold_to() != Some(campaign) {
            verdict.broken(Rule::SaleLost, format!("{lead}: {campaign} took it, yet {found:?}"));
        }
    }
}

/// A post that a buyer received, and what the ledger has of it.
fn recorded(post: &Post, attempt: u32, history: &History, verdict: &mut Verdict) {
    let is = |kept: &&Kept| kept.campaign == post.campaign && kept.attempt == attempt;
    let Some(kept) = history.kept.get(&post.lead).into_iter().flatten().find(is) else {
        return verdict.broken(Rule::NoIntent, format!("{post:?}"));
    };
    let right = match kept.class {
        Some(PostClass::Accepted) => post.is_accepted(),
        Some(PostClass::Rejected) => !post.is_accepted(),
        Some(PostClass::Unknown) => true,
        Some(PostClass::NotSent) | None => false,
    };
    if !right {
        verdict.broken(Rule::OtherClass, format!("{post:?}, yet {kept:?}"));
    }
}

/// A lead that is distributed, and the buyer's own word.
fn taken(lead: &str, found: &Answer, by_lead: &BTreeMap<&str, Vec<&Post>>, verdict: &mut Verdict) {
    let buyer = found.sold_to();
    let posts = by_lead.get(lead).into_iter().flatten();
    let took = posts.filter(|post| post.is_accepted()).any(|post| Some(&*post.campaign) == buyer);
    if found.status == "distributed" && !took {
        verdict.broken(Rule::SoldToNobody, format!("{lead}: {found:?}"));
    }
}

/// Leads by the key that brought them, as the engine and as the answers say.
fn one_lead_a_key(history: &History, verdict: &mut Verdict) {
    let mut brought: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (lead, found) in &history.found {
        if let Some(key) = found.as_ref().and_then(|found| found.external_id.as_deref()) {
            brought.entry(key).or_default().insert(lead);
        }
    }
    for op in &history.ops {
        for lead in op.answers().filter_map(|answer| answer.lead.as_deref()) {
            brought.entry(&op.key).or_default().insert(lead);
        }
    }
    for (key, leads) in brought.iter().filter(|(_, leads)| leads.len() > 1) {
        verdict.broken(Rule::SecondLead, format!("{key}: {leads:?}"));
    }
}
