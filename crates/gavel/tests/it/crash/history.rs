//! What a run left behind: every request of the publishers with all its answers, every line of the
//! buyers' journals, and what the engine says of each lead in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lead::PostClass;
use ledger::Ledger;
use serde_json::Value;

/// A run, seen from all sides. Every request brings another consumer, whom the product wants.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// The requests, each with its own key.
    pub(crate) ops: Vec<Op>,
    /// What buyers received, in order for each campaign.
    pub(crate) posts: Vec<Post>,
    /// By lead: how it stands at the end; `None` if the engine does not know it.
    pub(crate) found: BTreeMap<String, Option<Answer>>,
    /// By lead: its posts as the ledger has them.
    pub(crate) kept: BTreeMap<String, Vec<Kept>>,
}

/// A post as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) campaign: String,
    pub(crate) attempt: u32,
    pub(crate) class: Option<PostClass>,
}

/// A request, sent one or more times under one key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Op {
    /// The Idempotency-Key, which is also the lead's external id.
    pub(crate) key: String,
    /// One for each time that it was sent.
    pub(crate) outcomes: Vec<Outcome>,
}

/// What came of sending a request once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A complete answer.
    Ok(Answer),
    /// A complete refusal: the request had no effect.
    Fail(u16),
    /// No complete reply: it may have happened.
    Info,
}

/// What the publisher is told of a lead.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Answer {
    pub(crate) lead: Option<String>,
    pub(crate) status: String,
    pub(crate) is_final: bool,
    pub(crate) redirect: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) external_id: Option<String>,
}

/// A line of a buyer's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Post {
    pub(crate) campaign: String,
    pub(crate) lead: String,
    pub(crate) key: Option<String>,
    /// `accepted`, `rejected` or `duplicate`.
    pub(crate) answered: String,
}

impl Op {
    /// Its complete answers.
    pub(crate) fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Ok(answer) => Some(answer),
            Outcome::Fail(_) | Outcome::Info => None,
        })
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.answers().next().is_some()
    }
}

impl Answer {
    /// The native door's answer.
    pub(crate) fn read(body: &Value) -> Self {
        let text = |member: &str| body[member].as_str().map(str::to_owned);
        Self {
            lead: text("lead_id"),
            status: text("status").unwrap_or_default(),
            is_final: body["final"].as_bool().unwrap_or_default(),
            redirect: text("redirect_url"),
            reason: text("rejection_reason"),
            external_id: text("external_id"),
        }
    }

    /// Neither sold nor refused, and not over.
    pub(crate) fn is_held(&self) -> bool {
        self.status == "new" && !self.is_final
    }

    /// The campaign that a sold lead's consumer is sent to: `https://<campaign>.example/…`.
    pub(crate) fn sold_to(&self) -> Option<&str> {
        let redirect = self.redirect.as_deref().filter(|_| self.status == "distributed")?;
        let (campaign, _) = redirect.strip_prefix("https://")?.split_once(".example/")?;
        Some(campaign)
    }
}

impl Post {
    pub(crate) fn is_accepted(&self) -> bool {
        self.answered == "accepted"
    }

    /// How many complete rejects its key claims to follow: `<lead>-<campaign>-<attempt>`.
    pub(crate) fn attempt(&self) -> Option<u32> {
        let rest = self.key.as_deref()?.strip_prefix(self.lead.as_str())?.strip_prefix('-')?;
        rest.strip_prefix(self.campaign.as_str())?.strip_prefix('-')?.parse().ok()
    }
}

impl History {
    /// Every lead that a publisher or a buyer has heard of.
    pub(crate) fn leads(&self) -> BTreeSet<String> {
        let told = self.ops.iter().flat_map(Op::answers).filter_map(|answer| answer.lead.clone());
        told.chain(self.posts.iter().map(|post| post.lead.clone())).collect()
    }

    /// Takes down what the ledger has of every such lead.
    pub(crate) async fn keep(&mut self, ledger: &impl Ledger) {
        for lead in self.leads() {
            let record = ledger.lead(lead.parse().unwrap()).await.unwrap();
            let posts = record.into_iter().flat_map(|record| record.posts).map(|post| Kept {
                campaign: post.campaign.campaign.to_string(),
                attempt: post.attempt,
                class: post.class,
            });
            self.kept.insert(lead, posts.collect());
        }
    }
}

/// Reads every journal in a directory; a line that is cut short stops the test.
pub(crate) fn journals(dir: &Path) -> Vec<Post> {
    let mut posts = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let campaign = path.file_stem().unwrap().to_string_lossy().into_owned();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |member: &str| line[member].as_str().unwrap_or_default().to_owned();
            posts.push(Post {
                campaign: campaign.clone(),
                lead: text("lead_id"),
                key: line["idempotency_key"].as_str().map(str::to_owned),
                answered: text("answered"),
            });
        }
    }
    posts
}
