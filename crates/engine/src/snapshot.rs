//! A market compiled for selling: immutable, swapped whole. A journey keeps the one it began with.

use std::collections::BTreeMap;
use std::sync::Arc;

use document::{Defect, Defects, Slot};
use lead::ProductId;
use market::{Campaign, CampaignStatus, Market, Places, Product, Sources, Vault};
use rules::{Filter, Lists, RuleBook};

use crate::slots::Family;

/// A market and its trees.
#[derive(Debug)]
pub struct Snapshot {
    /// What it was compiled from.
    pub market: Arc<Market>,
    /// Counts up with every swap.
    pub version: u64,
    trees: BTreeMap<ProductId, Arc<Tree>>,
}

/// The campaigns of one product in the order in which they may be asked, and their compiled filters.
#[derive(Debug)]
pub struct Tree {
    /// By tier, then priority, then key.
    pub campaigns: Vec<Campaign>,
    /// Position `i` is the filter of campaign `i`.
    pub book: RuleBook,
    /// Position `i` is the family of campaign `i`: of its buyer, and of all buyers in its group.
    families: Vec<Family>,
}

/// A market on record cannot be compiled.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the market on record cannot be read")]
pub struct Unreadable;

/// The texts of a market as one, which is what the ledger keeps of it.
#[must_use]
pub fn source(texts: &[String]) -> String {
    serde_json::to_string(texts).unwrap_or_default()
}

impl Snapshot {
    /// Compiles every product's tree.
    ///
    /// # Errors
    /// The defects of filters, templates and sample replies, with their paths in the document that the market
    /// was read from.
    pub fn compile(market: Market, version: u64) -> Result<Self, Vec<Defect>> {
        let mut defects = fanout::check_calls(&market);
        let mut trees = BTreeMap::new();
        for product in market.products.values() {
            let tree = Tree::compile(&market, product, &mut defects);
            trees.insert(product.id.clone(), Arc::new(tree));
        }
        if defects.is_empty() {
            Ok(Self { market: Arc::new(market), version, trees })
        } else {
            Err(defects)
        }
    }

    /// Compiles what [`source`] made, to explain by it and never to sell: it has no secrets, which may
    /// have changed or gone since.
    ///
    /// # Errors
    /// It was not made by it, or this version reads markets otherwise.
    pub fn read(source: &str, version: u64) -> Result<Self, Unreadable> {
        Self::read_with(source, version, Places::built_in())
    }

    /// As [`Snapshot::read`], with tables of places.
    ///
    /// # Errors
    /// The same, or a filter measures from a place that the tables do not hold.
    pub fn read_with(source: &str, version: u64, places: Arc<Places>) -> Result<Self, Unreadable> {
        let texts: Vec<String> = serde_json::from_str(source).map_err(|_| Unreadable)?;
        let texts = (1..).zip(texts).map(|(part, text)| (format!("part {part}"), text));
        let market =
            Sources::parse(texts).and_then(|sources| sources.market_with(&Vault::STAND_INS));
        let market = market.map_err(|_| Unreadable)?.with_places(places);
        Self::compile(market, version).map_err(|_| Unreadable)
    }

    /// The tree of a product.
    #[must_use]
    pub fn tree(&self, product: &ProductId) -> Option<(&Product, &Arc<Tree>)> {
        Some((self.market.products.get(product)?, self.trees.get(product)?))
    }
}

impl Tree {
    fn compile(market: &Market, product: &Product, defects: &mut Vec<Defect>) -> Self {
        let mut campaigns: Vec<Campaign> = market
            .campaigns
            .values()
            .filter(|campaign| campaign.product == product.id)
            .cloned()
            .collect();
        campaigns.sort_by(|a, b| (a.tier, -a.priority, &a.key).cmp(&(b.tier, -b.priority, &b.key)));
        let mut filters = Vec::with_capacity(campaigns.len());
        for campaign in &campaigns {
            match filter(campaign, product) {
                Ok(filter) => filters.push(filter),
                Err(found) => defects.extend(found),
            }
        }
        let book = RuleBook::compile(filters);
        let families = families(market, &campaigns);
        Self { campaigns, book, families }
    }

    /// The family of the campaign at a position.
    pub(crate) fn family(&self, index: usize) -> Option<Family> {
        self.families.get(index).copied()
    }

    /// Campaigns that take part now.
    pub(crate) fn is_open(campaign: &Campaign) -> bool {
        campaign.status == CampaignStatus::Active
    }
}

/// Numbers the families of a tree: buyers of one group are one, any other is one of its own.
fn families(market: &Market, campaigns: &[Campaign]) -> Vec<Family> {
    let mut numbers = BTreeMap::new();
    let mut families = Vec::with_capacity(campaigns.len());
    for campaign in campaigns {
        let buyer = &campaign.key.buyer;
        let group = market.buyers.get(buyer).and_then(|buyer| buyer.group.as_deref());
        let next = Family::try_from(numbers.len()).unwrap_or(Family::MAX);
        families.push(*numbers.entry(group.ok_or(buyer)).or_insert(next));
    }
    families
}

fn filter(campaign: &Campaign, product: &Product) -> Result<Filter, Vec<Defect>> {
    let defects = Defects::new();
    let filter = Filter::parse(
        &Slot::root(&campaign.filter, &defects),
        &product.dictionary,
        &Lists::default(),
    );
    let prefix = Market::filter_path(&campaign.key);
    defects.finish(filter).map_err(|found| {
        found
            .into_iter()
            .map(|defect| Defect { path: defect.path.under(&prefix), ..defect })
            .collect()
    })
}
