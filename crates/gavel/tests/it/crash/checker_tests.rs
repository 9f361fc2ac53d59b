//! The judge is judged: on hand-made histories it must find each fault, and nothing in a good one.

use std::collections::BTreeMap;

use lead::PostClass;

use super::checker::{Rule, check};
use super::history::{Answer, History, Kept, Op, Outcome, Post};

/// An answer about lead `l<n>` of key `k<n>`.
fn answer(n: u32, status: &str, is_final: bool, campaign: Option<&str>) -> Answer {
    Answer {
        lead: Some(format!("l{n}")),
        status: status.to_owned(),
        is_final,
        redirect: campaign.map(|campaign| format!("https://{campaign}.example/apply?ref=1")),
        reason: None,
        external_id: Some(format!("k{n}")),
    }
}

fn sold(n: u32, campaign: &str) -> Answer {
    answer(n, "distributed", true, Some(campaign))
}

fn held(n: u32) -> Answer {
    answer(n, "new", false, None)
}

fn unsold(n: u32) -> Answer {
    answer(n, "new", true, None)
}

fn op(n: u32, outcomes: impl IntoIterator<Item = Outcome>) -> Op {
    Op { key: format!("k{n}"), outcomes: outcomes.into_iter().collect() }
}

fn post(n: u32, campaign: &str, attempt: u32, answered: &str) -> Post {
    Post {
        campaign: campaign.to_owned(),
        lead: format!("l{n}"),
        key: Some(format!("l{n}-{campaign}-{attempt}")),
        answered: answered.to_owned(),
    }
}

fn found(answers: impl IntoIterator<Item = Answer>) -> History {
    let by_lead = |answer: Answer| (answer.lead.clone().unwrap(), Some(answer));
    History { found: answers.into_iter().map(by_lead).collect(), ..History::default() }
}

/// Three leads: sold, held after a crash, and unsold after a refusal; replays and retries among them.
fn good() -> History {
    use Outcome::{Fail, Info, Ok};
    History {
        ops: vec![
            op(1, [Ok(sold(1, "nova")), Info, Ok(sold(1, "nova"))]),
            op(2, [Info, Fail(503), Ok(held(2))]),
            op(3, [Fail(409), Fail(429), Ok(unsold(3))]),
        ],
        posts: vec![
            post(1, "orion", 0, "rejected"),
            post(1, "nova", 0, "accepted"),
            post(2, "nova", 0, "accepted"),
            post(3, "nova", 0, "rejected"),
            post(3, "nova", 1, "rejected"),
        ],
        kept: [
            kept(1, "orion", 0, Some(PostClass::Rejected)),
            kept(1, "nova", 0, Some(PostClass::Accepted)),
            kept(2, "nova", 0, Some(PostClass::Unknown)),
            kept(3, "nova", 0, Some(PostClass::Rejected)),
            kept(3, "nova", 1, Some(PostClass::Rejected)),
        ]
        .into_iter()
        .fold(BTreeMap::new(), |mut all: BTreeMap<_, Vec<_>>, (lead, kept)| {
            all.entry(lead).or_default().push(kept);
            all
        }),
        ..found([sold(1, "nova"), held(2), unsold(3)])
    }
}

fn kept(n: u32, campaign: &str, attempt: u32, class: Option<PostClass>) -> (String, Kept) {
    (format!("l{n}"), Kept { campaign: campaign.to_owned(), attempt, class })
}

/// Gives every post that the ledger does not have an intent whose outcome is unknown.
fn intend(history: &mut History) {
    for post in &history.posts {
        let Some(attempt) = post.attempt() else { continue };
        let all = history.kept.entry(post.lead.clone()).or_default();
        if !all.iter().any(|kept| (&kept.campaign, kept.attempt) == (&post.campaign, attempt)) {
            let class = Some(PostClass::Unknown);
            all.push(Kept { campaign: post.campaign.clone(), attempt, class });
        }
    }
}

/// The rules that a change to the good history breaks, when every post has its intent.
fn broken(change: impl FnOnce(&mut History)) -> Vec<Rule> {
    broken_as_kept(|history| {
        change(history);
        intend(history);
    })
}

/// The rules that a change to the good history and its ledger breaks.
fn broken_as_kept(change: impl FnOnce(&mut History)) -> Vec<Rule> {
    let mut history = good();
    change(&mut history);
    let mut rules: Vec<Rule> =
        check(&history).violations.iter().map(|violation| violation.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn finds(history: &mut History, n: u32, answer: Option<Answer>) {
    history.found.insert(format!("l{n}"), answer);
}

fn answers(history: &mut History, n: usize, answer: Answer) {
    history.ops[n - 1].outcomes.push(Outcome::Ok(answer));
}

#[test]
fn a_good_history_passes_and_is_counted() {
    let verdict = check(&good());
    assert!(verdict.violations.is_empty(), "{}", verdict.shown());
    let counts = (verdict.acks, verdict.unsure, verdict.replays, verdict.sales, verdict.held);
    assert_eq!(counts, (3, 2, 1, 1, 1));
}

#[test]
fn a_lost_lead_is_seen() {
    assert_eq!(broken(|history| finds(history, 3, None)), [Rule::Missing]);
    assert_eq!(broken(|history| drop(history.found.remove("l3"))), [Rule::Missing]);
    let posted_only = |history: &mut History| history.posts.push(post(9, "nova", 0, "rejected"));
    assert_eq!(broken(posted_only), [Rule::Missing]);
}

#[test]
fn a_lead_that_changed_after_its_answer_is_seen() {
    let unsold_became_sold = |history: &mut History| {
        history.posts.push(post(3, "orion", 0, "accepted"));
        finds(history, 3, Some(sold(3, "orion")));
    };
    assert_eq!(broken(unsold_became_sold), [Rule::Changed]);
    assert_eq!(broken(|history| finds(history, 3, Some(held(3)))), [Rule::Changed]);
    let sold_became_held = |history: &mut History| finds(history, 1, Some(held(1)));
    assert_eq!(broken(sold_became_held), [Rule::Changed]);
    let other_redirect = |history: &mut History| {
        let redirect = Some("https://nova.example/apply?ref=2".to_owned());
        finds(history, 1, Some(Answer { redirect, ..sold(1, "nova") }));
    };
    assert_eq!(broken(other_redirect), [Rule::Changed]);
    let rejected = Answer { reason: Some("blacklisted".to_owned()), ..unsold(3) };
    let rejected = Answer { status: "rejected".to_owned(), ..rejected };
    assert_eq!(broken(|history| finds(history, 3, Some(rejected))), [Rule::Changed]);
    let held_became_sold = |history: &mut History| finds(history, 2, Some(sold(2, "nova")));
    assert!(broken(held_became_sold).is_empty(), "a review may find that a held lead was sold");
}

#[test]
fn a_second_sale_is_seen() {
    let to_another = |history: &mut History| history.posts.push(post(2, "orion", 0, "accepted"));
    assert_eq!(broken(to_another), [Rule::SoldTwice]);
    let under_another_key =
        |history: &mut History| history.posts.push(post(2, "nova", 1, "accepted"));
    assert_eq!(broken(under_another_key), [Rule::SoldTwice, Rule::PostedTwice]);
}

#[test]
fn a_second_post_is_seen() {
    for (attempt, answered) in [(0, "accepted"), (1, "duplicate")] {
        let again = |history: &mut History| history.posts.push(post(2, "nova", attempt, answered));
        assert_eq!(broken(again), [Rule::PostedTwice], "{attempt} {answered}");
    }
    let same_attempt = |history: &mut History| history.posts.push(post(3, "nova", 1, "rejected"));
    assert_eq!(broken(same_attempt), [Rule::PostedTwice], "the attempt did not rise");
}

#[test]
fn a_post_without_its_key_is_seen() {
    for key in [None, Some("l1-nova-0"), Some("l3-orion-x"), Some("")] {
        let unnamed = Post { key: key.map(str::to_owned), ..post(3, "orion", 0, "rejected") };
        assert_eq!(broken(|history| history.posts.push(unnamed)), [Rule::Unnamed], "{key:?}");
    }
}

#[test]
fn a_post_without_an_intent_is_seen() {
    let posted = |history: &mut History| history.posts.push(post(2, "orion", 0, "rejected"));
    assert_eq!(broken_as_kept(posted), [Rule::NoIntent]);
    let forgotten = |history: &mut History| drop(history.kept.remove("l2"));
    assert_eq!(broken_as_kept(forgotten), [Rule::NoIntent]);
}

#[test]
fn a_ledger_that_contradicts_a_buyer_is_seen() {
    let classes = [
        (2, Some(PostClass::Rejected)),
        (2, Some(PostClass::NotSent)),
        (2, None),
        (3, Some(PostClass::Accepted)),
        (3, Some(PostClass::NotSent)),
        (3, None),
    ];
    for (n, class) in classes {
        let contradict = |history: &mut History| {
            history.kept.get_mut(&format!("l{n}")).unwrap()[0].class = class
        };
        assert_eq!(broken_as_kept(contradict), [Rule::OtherClass], "{n} {class:?}");
    }
}

#[test]
fn a_lost_sale_is_seen() {
    let called_unsold = |history: &mut History| {
        history.posts.push(post(3, "orion", 0, "accepted"));
    };
    assert_eq!(broken(called_unsold), [Rule::SaleLost]);
    let called_rejected = |history: &mut History| {
        let rejected = Answer { status: "rejected".to_owned(), is_final: true, ..held(2) };
        finds(history, 2, Some(rejected));
    };
    assert_eq!(broken(called_rejected), [Rule::Changed, Rule::SaleLost]);
    let paid_by_another = |history: &mut History| finds(history, 2, Some(sold(2, "orion")));
    assert_eq!(broken(paid_by_another), [Rule::SaleLost, Rule::SoldToNobody]);
}

#[test]
fn a_sale_that_no_buyer_knows_is_seen() {
    let refused = |history: &mut History| history.posts[1].answered = "rejected".to_owned();
    assert_eq!(broken(refused), [Rule::OtherClass, Rule::SoldToNobody]);
    let never_posted = |history: &mut History| drop(history.posts.remove(1));
    assert_eq!(broken(never_posted), [Rule::SoldToNobody]);
    let nowhere = |history: &mut History| {
        let nowhere = Answer { redirect: None, ..sold(2, "nova") };
        finds(history, 2, Some(nowhere));
    };
    assert_eq!(broken(nowhere), [Rule::SaleLost, Rule::SoldToNobody]);
}

#[test]
fn another_answer_to_the_same_key_is_seen() {
    let other_status = |history: &mut History| answers(history, 2, sold(2, "nova"));
    assert_eq!(broken(other_status), [Rule::Changed, Rule::OtherAnswer]);
    let other_lead = |history: &mut History| {
        answers(history, 3, Answer { lead: Some("l4".to_owned()), ..unsold(3) });
    };
    assert_eq!(broken(other_lead), [Rule::OtherAnswer, Rule::SecondLead]);
}

#[test]
fn a_second_lead_of_one_key_is_seen() {
    let twin = |history: &mut History| {
        finds(history, 4, Some(Answer { lead: Some("l4".to_owned()), ..unsold(3) }));
    };
    assert_eq!(broken(twin), [Rule::SecondLead]);
}

#[test]
fn a_refused_and_a_forgotten_request_are_seen() {
    for status in [400, 401, 404, 422, 500] {
        let refuse = |history: &mut History| history.ops[0].outcomes.push(Outcome::Fail(status));
        assert_eq!(broken(refuse), [Rule::Refused], "{status}");
    }
    let rejected = Answer { lead: None, status: "rejected".to_owned(), ..unsold(4) };
    let refuse = |history: &mut History| history.ops.push(op(4, [Outcome::Ok(rejected)]));
    assert_eq!(broken(refuse), [Rule::Refused]);
    let forgotten = |history: &mut History| history.ops.push(op(4, [Outcome::Info]));
    assert_eq!(broken(forgotten), [Rule::Unanswered]);
    assert_eq!(broken(|history| history.ops.push(op(4, []))), [Rule::Unanswered]);
}
