//! Why each campaign did or did not buy a lead. The record has a row for every campaign whose filter
//! wanted it; of the others the reasons are found again, from the kept attributes and the market that
//! the journey used. Three views of it: the operator's, a buyer's, the publisher's. Pure: one record
//! and one market in. Must never show a buyer or publisher anything of another one.

mod price_to_win;

use std::collections::HashMap;
use std::sync::Arc;

use lead::{
    Attribute, BuyerId, CampaignKey, Code, Currency, Disposition, Explanation, Gap, LeadId, Money,
    OfferOutcome, RejectionReason, Stage, Step,
};
use ledger::{Decision, LeadRecord, Limit, Party, PostRecord};
use market::Product;
use rules::{Encoded, Failure, Truth};
use rust_decimal::Decimal;

use self::price_to_win::Winners;
use crate::{Snapshot, Tree};

/// Why a lead ended as it did, as an operator or one of its buyers may see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decisions {
    /// Which lead.
    pub lead: LeadId,
    /// The market that its journey used.
    pub market_version: u64,
    /// How its last offer ended.
    pub outcome: Option<OfferOutcome>,
    /// How it ended.
    pub disposition: Option<Disposition>,
    /// Why it was rejected.
    pub reason: Option<RejectionReason>,
    /// In which bids and scores are, where the product is known.
    pub currency: Option<Currency>,
    /// In the order of the tree.
    pub rows: Vec<Row>,
    /// Why campaigns that did not want the lead are not among them, if they are not.
    pub gap: Option<Gap>,
}

/// One campaign's part.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which campaign.
    pub campaign: CampaignKey,
    /// From 1.
    pub tier: u8,
    /// How far it came.
    pub stage: Stage,
    /// Why no further; `None` where a crash came before that was written.
    pub code: Option<Code>,
    /// What it bid.
    pub bid: Option<Decimal>,
    /// What that ranked by.
    pub score: Option<Decimal>,
    /// How long its ping took.
    pub ping_ms: Option<u32>,
    /// How long its post took.
    pub post_ms: Option<u32>,
    /// The cap or the funds that left no room.
    pub limit: Option<Limit>,
    /// The buyer's own word.
    pub word: Option<String>,
    /// What it pays, if it bought.
    pub price: Option<Money>,
    /// What the publisher gets of it.
    pub payout: Option<Money>,
    /// The least price with which it would have come before the buyer; `None` if price was not it.
    pub price_to_win: Option<Money>,
    /// What kept its filter from being true; empty if it was true.
    pub failed: Vec<Failure>,
}

/// What explanations are made from.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The lead.
    pub record: LeadRecord,
    /// The market that its journey used; `None` if it is not known any more.
    pub market: Option<Arc<Snapshot>>,
}

impl Evidence {
    /// What an operator may see.
    #[must_use]
    pub fn for_operator(&self) -> Decisions {
        operator(&self.record, self.market.as_deref())
    }

    /// What one buyer may see, if anything.
    #[must_use]
    pub fn for_buyer(&self, id: &BuyerId) -> Option<Decisions> {
        buyer(&self.record, self.market.as_deref(), id)
    }

    /// What its publisher may see.
    #[must_use]
    pub fn for_publisher(&self) -> Explanation {
        publisher(&self.record, self.market.as_deref())
    }
}

/// Everything.
#[must_use]
pub fn operator(record: &LeadRecord, market: Option<&Snapshot>) -> Decisions {
    Case::of(record, market).decisions(|_| true)
}

/// The rows of `buyer`; `None` for a lead that none of its campaigns wanted or was posted. What a lead
/// says is shown only as far as pings show it.
#[must_use]
pub fn buyer(record: &LeadRecord, market: Option<&Snapshot>, buyer: &BuyerId) -> Option<Decisions> {
    let theirs = |key: &CampaignKey| key.buyer == *buyer;
    let wanted = record.decisions.iter().map(|row| &row.campaign);
    let posted = record.posts.iter().map(|post| &post.campaign);
    if !wanted.chain(posted).any(theirs) {
        return None;
    }
    let case = Case::of(record, market);
    let mut decisions = case.decisions(theirs);
    for row in &mut decisions.rows {
        row.payout = None;
        row.limit = row.limit.filter(|limit| limit.party != Party::Publisher);
        if let Some(known) = &case.known {
            row.failed.iter_mut().for_each(|failure| hide(failure, known.product));
        }
    }
    Some(decisions)
}

/// What its publisher may see: no name, no price, no filter.
#[must_use]
pub fn publisher(record: &LeadRecord, market: Option<&Snapshot>) -> Explanation {
    let case = Case::of(record, market);
    let (mut steps, mut counts) = (Vec::new(), [(Code::Filter, 0), (Code::AttributeMissing, 0)]);
    for (key, stored, index) in case.campaigns() {
        let code = case.code(key, stored, index);
        let mut unwanted = counts.iter_mut().filter(|_| !case.took_part(key, stored));
        if let Some((_, count)) = unwanted.find(|(of, _)| Some(*of) == code) {
            *count += 1;
        } else if let Some(code) = code {
            let tier = case.tier(stored, index);
            let payout = case.post(key).filter(|post| is_sale(post)).map(|post| post.payout);
            steps.push(Step { tier, stage: case.stage(key, stored, Some(code)), code, payout });
        }
    }
    Explanation {
        lead: record.id,
        outcome: record.outcome,
        steps,
        not_matched: counts.into_iter().filter(|(_, count)| *count > 0).collect(),
        gap: case.gap,
    }
}

/// Blanks the lead's value where a ping would not show it.
fn hide(failure: &mut Failure, product: &Product) {
    let shown = match Attribute::named(&failure.attribute) {
        Attribute::Standard(standard) => standard.in_ping(),
        Attribute::Declared(name) => product.dictionary.declared_in_ping(&name),
    };
    failure.actual = failure.actual.take().filter(|_| shown);
}

/// A record, and what can be found out again.
struct Case<'a> {
    record: &'a LeadRecord,
    market: Option<&'a Snapshot>,
    known: Option<Known<'a>>,
    gap: Option<Gap>,
}

struct Known<'a> {
    product: &'a Product,
    tree: &'a Tree,
    lead: Encoded,
}

/// A campaign: its name, its stored row, its place in the tree.
type Place<'a> = (&'a CampaignKey, Option<&'a Decision>, Option<usize>);

impl<'a> Case<'a> {
    fn of(record: &'a LeadRecord, market: Option<&'a Snapshot>) -> Self {
        let gap = match (record.outcome, record.disposition) {
            (None, Some(_)) => Some(Gap::Rejected),
            (None, None) => Some(Gap::UnderWay),
            (Some(_), _) => None,
        };
        let known = || {
            let submission = record.submission.as_ref().ok_or(Gap::Erased)?;
            let found = market.and_then(|market| market.tree(&record.product));
            let (product, tree) = found.ok_or(Gap::Market)?;
            let lead = Encoded::new(&submission.attributes, &product.dictionary);
            Ok(Known { product, tree, lead })
        };
        match gap.map_or_else(known, Err) {
            Ok(known) => Self { record, market, known: Some(known), gap: None },
            Err(gap) => Self { record, market, known: None, gap: Some(gap) },
        }
    }

    fn decisions(&self, of: impl Fn(&CampaignKey) -> bool) -> Decisions {
        let record = self.record;
        let campaigns = self.campaigns().into_iter().filter(|(key, ..)| of(key));
        let mut rows: Vec<Row> =
            campaigns.map(|(key, stored, index)| self.row(key, stored, index)).collect();
        let product = self.product();
        if let Some((product, tree)) = product {
            let winners = Winners::of(record, product, tree);
            for row in &mut rows {
                row.price_to_win = winners.price_to_win(row);
            }
        }
        Decisions {
            lead: record.id,
            market_version: record.market_version,
            outcome: record.outcome,
            disposition: record.disposition,
            reason: record.reason,
            currency: product.map(|(product, _)| product.currency),
            rows,
            gap: self.gap,
        }
    }

    /// The product in the market of that time, whether or not the lead's attributes are still there.
    fn product(&self) -> Option<(&'a Product, &'a Tree)> {
        let (product, tree) = self.market?.tree(&self.record.product)?;
        Some((product, &**tree))
    }

    /// Every campaign of which something can be said, once, in the order of the tree.
    fn campaigns(&self) -> Vec<Place<'_>> {
        let stored = self.record.decisions.iter();
        let Some(known) = &self.known else {
            return stored.map(|row| (&row.campaign, Some(row), None)).collect();
        };
        let mut rows: HashMap<_, _> = stored.clone().map(|row| (&row.campaign, row)).collect();
        let campaigns = known.tree.campaigns.iter().enumerate();
        let mut places: Vec<Place<'_>> = campaigns
            .map(|(index, campaign)| (&campaign.key, rows.remove(&campaign.key), Some(index)))
            .collect();
        let elsewhere = stored.filter(|row| rows.contains_key(&row.campaign));
        places.extend(elsewhere.map(|row| (&row.campaign, Some(row), None)));
        places
    }

    fn row(&self, key: &CampaignKey, stored: Option<&Decision>, index: Option<usize>) -> Row {
        let code = self.code(key, stored, index);
        let sale = self.post(key).filter(|post| is_sale(post));
        Row {
            campaign: key.clone(),
            tier: self.tier(stored, index),
            stage: self.stage(key, stored, code),
            code,
            bid: stored.and_then(|row| row.bid),
            score: stored.and_then(|row| row.score),
            ping_ms: stored.and_then(|row| row.ping_ms),
            post_ms: stored.and_then(|row| row.post_ms),
            limit: stored.and_then(|row| row.limit.as_deref().copied()),
            word: stored.and_then(|row| row.reason.clone()),
            price: sale.map(|post| post.price),
            payout: sale.map(|post| post.payout),
            price_to_win: None,
            failed: match (stored, &self.known, index) {
                (None, Some(known), Some(index)) => known.tree.book.explain(index, &known.lead),
                _ => Vec::new(),
            },
        }
    }

    /// What is known of a campaign's post now comes before what was known when the offer ended.
    fn code(
        &self,
        key: &CampaignKey,
        stored: Option<&Decision>,
        index: Option<usize>,
    ) -> Option<Code> {
        let posted = self.post(key).and_then(|post| post.code);
        let wanted = || {
            let known = self.known.as_ref()?;
            match known.tree.book.evaluate(index?, &known.lead)? {
                Truth::False => Some(Code::Filter),
                Truth::Unknown => Some(Code::AttributeMissing),
                Truth::True => None,
            }
        };
        posted.or_else(|| stored.map(|row| row.code)).or_else(wanted)
    }

    fn stage(&self, key: &CampaignKey, stored: Option<&Decision>, code: Option<Code>) -> Stage {
        let has = |what: fn(&Decision) -> bool| stored.is_some_and(what);
        match code {
            // Of one that took part it says that a call could not hold the lead.
            Some(Code::Filter | Code::AttributeMissing) if !self.took_part(key, stored) => {
                Stage::Filter
            }
            _ if self.post(key).is_some() => Stage::Post,
            Some(Code::Late) => Stage::Ping,
            _ if has(|row| row.bid.is_some()) => Stage::Bid,
            _ if has(|row| row.ping_ms.is_some()) => Stage::Ping,
            _ => Stage::Gate,
        }
    }

    /// Its filter wanted the lead: only of such there are rows and posts.
    fn took_part(&self, key: &CampaignKey, stored: Option<&Decision>) -> bool {
        stored.is_some() || self.post(key).is_some()
    }

    fn tier(&self, stored: Option<&Decision>, index: Option<usize>) -> u8 {
        let campaign = || self.known.as_ref()?.tree.campaigns.get(index?);
        stored.map(|row| row.tier).or_else(|| Some(campaign()?.tier)).unwrap_or_default()
    }

    /// A campaign's last post.
    fn post(&self, key: &CampaignKey) -> Option<&'a PostRecord> {
        self.record.posts.iter().rfind(|post| post.campaign == *key)
    }
}

fn is_sale(post: &PostRecord) -> bool {
    post.class == Some(lead::PostClass::Accepted)
}
