//! A market compiled for selling: immutable, swapped whole. A journey keeps the one it began with.

use std::collections::BTreeMap;
use std::sync::Arc;

use document::{Defect, Defects, Slot};
use lead::{BuyerId, ProductId};
use market::{Campaign, CampaignStatus, Market, Product, Sources, Vault};
use rules::{Filter, Lists, RuleBook, Warning};

use crate::slots::Family;

/// A market and its trees.
#[derive(Debug)]
pub struct Snapshot {
    /// What it was compiled from.
    pub market: Arc<Market>,
    /// Counts up with every swap.
    pub version: u64,
    /// Parts of filters that are legal but decide nothing, or forbid everything; paths as for defects.
    pub warnings: Vec<Defect>,
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
        let (mut trees, mut warnings) = (BTreeMap::new(), Vec::new());
        let lists: BTreeMap<_, _> =
            market.buyers.values().map(|buyer| (&buyer.id, Lists::of(&buyer.lists))).collect();
        for product in market.products.values() {
            let mut reader =
                Reader { lists: &lists, defects: &mut defects, warnings: &mut warnings };
            let tree = Tree::compile(&market, product, &mut reader);
            trees.insert(product.id.clone(), Arc::new(tree));
        }
        if defects.is_empty() {
            Ok(Self { market: Arc::new(market), version, warnings, trees })
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
        let texts: Vec<String> = serde_json::from_str(source).map_err(|_| Unreadable)?;
        let texts = (1..).zip(texts).map(|(part, text)| (format!("part {part}"), text));
        let market =
            Sources::parse(texts).and_then(|sources| sources.market_with(&Vault::STAND_INS));
        Self::compile(market.map_err(|_| Unreadable)?, version).map_err(|_| Unreadable)
    }

    /// The tree of a product.
    #[must_use]
    pub fn tree(&self, product: &ProductId) -> Option<(&Product, &Arc<Tree>)> {
        Some((self.market.products.get(product)?, self.trees.get(product)?))
    }
}

impl Tree {
    fn compile(market: &Market, product: &Product, reader: &mut Reader<'_>) -> Self {
        let mut campaigns: Vec<Campaign> = market
            .campaigns
            .values()
            .filter(|campaign| campaign.product == product.id)
            .cloned()
            .collect();
        campaigns.sort_by(|a, b| (a.tier, -a.priority, &a.key).cmp(&(b.tier, -b.priority, &b.key)));
        let mut filters = Vec::with_capacity(campaigns.len());
        filters.extend(campaigns.iter().filter_map(|campaign| reader.filter(campaign, product)));
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

/// Reads filters with their buyers' lists, and collects what is to be said of them.
struct Reader<'r> {
    lists: &'r BTreeMap<&'r BuyerId, Lists>,
    defects: &'r mut Vec<Defect>,
    warnings: &'r mut Vec<Defect>,
}

impl Reader<'_> {
    fn filter(&mut self, campaign: &Campaign, product: &Product) -> Option<Filter> {
        let (defects, none) = (Defects::new(), Lists::new());
        let lists = self.lists.get(&campaign.key.buyer).unwrap_or(&none);
        let slot = Slot::root(&campaign.filter, &defects);
        let filter = Filter::parse(&slot, &product.dictionary, lists);
        let prefix = Market::filter_path(&campaign.key);
        let within = |defect: Defect| Defect { path: defect.path.under(&prefix), ..defect };
        match defects.finish(filter) {
            Ok(filter) => {
                let warnings = filter.warnings().iter().cloned();
                let warnings =
                    warnings.map(|Warning { path, issue }| Defect { path, issue, missing: false });
                self.warnings.extend(warnings.map(within));
                Some(filter)
            }
            Err(found) => {
                self.defects.extend(found.into_iter().map(within));
                None
            }
        }
    }
}
