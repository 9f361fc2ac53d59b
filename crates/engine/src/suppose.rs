//! What would become of a lead that says this and that: which campaigns would want it, and which of them
//! would be asked now. Asks nobody and keeps nothing.

use std::collections::{BTreeMap, HashSet};

use fanout::Buyers;
use jiff::Timestamp;
use lead::{
    Attributes, BuyerId, CampaignKey, Code, Consent, Contact, Door, ProductId, PublisherId,
    Standard, Submission,
};
use ledger::{Ledger, Limit, Party};
use market::{Campaign, Mode, Publisher};
use rules::{Encoded, Failure, Truth};

use crate::reserve::Stop;
use crate::subject::Lead;
use crate::{Engine, Snapshot, ask, enrich};

/// A lead that nobody posted.
#[derive(Debug, Clone)]
pub struct Question {
    /// For what.
    pub product: ProductId,
    /// What it says, read by the product's dictionary.
    pub attributes: Attributes,
    /// Whose it is; `None` for no particular publisher's.
    pub publisher: Option<PublisherId>,
    /// Whose campaigns are looked at; `None` for everybody's.
    pub buyer: Option<BuyerId>,
}

/// What one campaign would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Prospect {
    /// Which campaign.
    pub campaign: CampaignKey,
    /// Its filter wants the lead.
    pub matched: bool,
    /// And it would be asked now.
    pub eligible: bool,
    /// Why not, if not.
    pub code: Option<Code>,
    /// The cap or the funds that leave no room.
    pub limit: Option<Limit>,
    /// What keeps its filter from being true.
    pub failed: Vec<Failure>,
}

impl<B: Buyers, L: Ledger> Engine<B, L> {
    /// What the campaigns of a product would do with a lead in `market`, in the order of the tree. `None`
    /// if the market does not have its product, or its publisher. May take milliseconds.
    #[must_use]
    pub fn suppose(&self, market: &Snapshot, question: Question) -> Option<Vec<Prospect>> {
        let inner = &self.0;
        let (at, now) = (inner.clock.timestamp(), inner.clock.instant());
        survey(market, question, at, |lead, campaign| ask::admits(inner, lead, campaign, (at, now)))
    }
}

/// The same without an engine: caps, funds and breakers are taken to be open.
#[must_use]
pub fn foresee(market: &Snapshot, question: Question, at: Timestamp) -> Option<Vec<Prospect>> {
    survey(market, question, at, |lead, campaign| ask::is_open(lead, campaign, at))
}

fn survey(
    market: &Snapshot,
    question: Question,
    at: Timestamp,
    gate: impl for<'a> Fn(&Lead<'a>, &'a Campaign) -> Result<(), Stop>,
) -> Option<Vec<Prospect>> {
    let Question { product, attributes, publisher, buyer } = question;
    let (product, tree) = market.tree(&product)?;
    let known = match &publisher {
        Some(id) => market.market.publishers.get(id)?,
        None => &nobody()?,
    };
    let mut submission = submission(&product.id, known, attributes);
    enrich::derive(&mut submission, product, known, at);
    if publisher.is_none() {
        submission.attributes.remove(Standard::Publisher);
    }
    let submission = &submission;
    let lead = Lead { submission, market: &market.market, publisher: known, product, tree };
    let matched: HashSet<usize> = lead.matched().into_iter().collect();
    let encoded = Encoded::new(&submission.attributes, &product.dictionary);
    let mut prospects = Vec::new();
    for (index, campaign) in tree.campaigns.iter().enumerate() {
        let key = &campaign.key;
        if buyer.as_ref().is_some_and(|buyer| key.buyer != *buyer) {
            continue;
        }
        let mut prospect = Prospect {
            campaign: key.clone(),
            matched: matched.contains(&index),
            eligible: false,
            code: None,
            limit: None,
            failed: tree.book.explain(index, &encoded),
        };
        if !prospect.matched {
            let lacks = tree.book.evaluate(index, &encoded) == Some(Truth::Unknown);
            prospect.code = Some(if lacks { Code::AttributeMissing } else { Code::Filter });
        } else if let Err(stop) = gate(&lead, campaign) {
            prospect.code = Some(stop.code);
            prospect.limit = stop.limit.map(|limit| *limit);
        } else {
            prospect.eligible = true;
        }
        if buyer.is_some() {
            // A publisher's caps are not the buyer's to see; what the lead says it said itself.
            prospect.limit = prospect.limit.filter(|limit| limit.party != Party::Publisher);
        }
        prospects.push(prospect);
    }
    Some(prospects)
}

fn submission(product: &ProductId, publisher: &Publisher, attributes: Attributes) -> Submission {
    Submission {
        door: Door::Native,
        publisher: publisher.id.clone(),
        product: product.clone(),
        sub_id: None,
        external_id: None,
        min_payout: None,
        tags: BTreeMap::new(),
        source_url: None,
        user_agent: None,
        attributes,
        contact: Contact::default(),
        consent: Consent::default(),
        test: false,
        requested: None,
    }
}

/// Stands for any publisher: it has no terms and no caps.
fn nobody() -> Option<Publisher> {
    let id: PublisherId = "nobody".parse().ok()?;
    Some(Publisher {
        name: id.to_string(),
        id,
        alias: None,
        mode: Mode::Live,
        keys: BTreeMap::new(),
        leadhub_id: None,
        affiliate: None,
        pingtree: None,
        brainysoft: market::BrainySoft::default(),
        terms: BTreeMap::new(),
    })
}
