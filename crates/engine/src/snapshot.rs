//! A market compiled for selling: immutable, swapped whole. A journey keeps the one it began with.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use document::{Defect, Defects, Node, Path, Slot};
use lead::{BuyerId, CampaignKey, ProductId};
use market::{Campaign, CampaignStatus, Market, Product, Standing};
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
    /// The buyers' own lists, as filters read them.
    lists: Arc<AllLists>,
    trees: BTreeMap<ProductId, Arc<Tree>>,
}

type AllLists = BTreeMap<BuyerId, Lists>;

/// The campaigns of one product in the order in which they may be asked, and their compiled filters.
#[derive(Debug)]
pub struct Tree {
    /// By tier, then priority, then key.
    pub campaigns: Vec<Arc<Campaign>>,
    /// Position `i` is the filter of campaign `i`.
    pub book: RuleBook,
    /// Position `i` is the filter of campaign `i`, to be kept where the campaign is.
    filters: Vec<Filter>,
    /// Position `i` is the family of campaign `i`: of its buyer, and of all buyers in its group.
    families: Vec<Family>,
}

impl Snapshot {
    /// Compiles every product's tree.
    ///
    /// # Errors
    /// The defects of filters, templates and sample replies, with their paths in the document that the market
    /// was read from.
    pub fn compile(market: Market, version: u64) -> Result<Self, Vec<Defect>> {
        let lists = market.buyers.values().map(|it| (it.id.clone(), Lists::of(&it.lists)));
        let mut reader = Reader::new(Arc::new(lists.collect()));
        reader.defects = fanout::check_calls(&market);
        let mut trees = BTreeMap::new();
        for product in market.products.values() {
            let tree = Tree::compile(&market, (product, None), &mut reader);
            trees.insert(product.id.clone(), Arc::new(tree));
        }
        reader.finish(market, version, trees)
    }

    /// The same market with one campaign standing otherwise. Compiles that campaign only, and puts it
    /// into the trees that it is, or was, in.
    ///
    /// # Errors
    /// The defects of its filter.
    pub fn with(
        &self,
        key: &CampaignKey,
        standing: Standing,
        version: u64,
    ) -> Result<Self, Vec<Defect>> {
        let before = self.market.campaigns.get(key).map(|campaign| &campaign.product);
        let after = standing.live.as_ref().map(|campaign| &campaign.product);
        let touched: BTreeSet<ProductId> = before.into_iter().chain(after).cloned().collect();
        let mut market = Market::clone(&self.market);
        market.stand(key, standing);
        let (mut trees, mut reader) = (self.trees.clone(), Reader::new(Arc::clone(&self.lists)));
        for product in touched.iter().filter_map(|id| market.products.get(id)) {
            let known = self.trees.get(&product.id).map(Arc::as_ref);
            let tree = Tree::compile(&market, (product, known), &mut reader);
            trees.insert(product.id.clone(), Arc::new(tree));
        }
        reader.finish(market, version, trees)
    }

    /// Reads a filter as one of `buyer`'s, with what its author can hardly have meant; paths from the
    /// filter, under `place`.
    pub(crate) fn read_filter(
        &self,
        written: &Node<'_>,
        (product, buyer): (&Product, &BuyerId),
        place: &Path,
    ) -> Result<Vec<Defect>, Vec<Defect>> {
        let filter = filter(written, (product, buyer), &self.lists, place)?;
        Ok(warnings(&filter, place))
    }

    /// The tree of a product.
    #[must_use]
    pub fn tree(&self, product: &ProductId) -> Option<(&Product, &Arc<Tree>)> {
        Some((self.market.products.get(product)?, self.trees.get(product)?))
    }
}

impl Tree {
    /// Compiles the campaigns of a product; those that `known` has are taken from it.
    fn compile(
        market: &Market,
        (product, known): (&Product, Option<&Self>),
        reader: &mut Reader,
    ) -> Self {
        let mut campaigns: Vec<Arc<Campaign>> = market
            .campaigns
            .values()
            .filter(|campaign| campaign.product == product.id)
            .map(Arc::clone)
            .collect();
        campaigns.sort_by(|a, b| (a.tier, -a.priority, &a.key).cmp(&(b.tier, -b.priority, &b.key)));
        let compiled: HashMap<*const Campaign, &Filter> = known
            .map_or_else(HashMap::new, |known| {
                known.campaigns.iter().map(Arc::as_ptr).zip(&known.filters).collect()
            });
        let mut filters = Vec::with_capacity(campaigns.len());
        for campaign in &campaigns {
            match compiled.get(&Arc::as_ptr(campaign)) {
                Some(filter) => filters.push(Filter::clone(filter)),
                None => filters.extend(reader.filter(campaign, product)),
            }
        }
        let book = match known {
            Some(known) => known.book.changed(filters.iter().cloned()),
            None => RuleBook::compile(filters.iter().cloned()),
        };
        let families = families(market, &campaigns);
        Self { campaigns, book, filters, families }
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
fn families(market: &Market, campaigns: &[Arc<Campaign>]) -> Vec<Family> {
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

/// Reads the filter of a buyer that stands at `place`.
fn filter(
    written: &Node<'_>,
    (product, buyer): (&Product, &BuyerId),
    lists: &AllLists,
    place: &Path,
) -> Result<Filter, Vec<Defect>> {
    let (defects, none) = (Defects::new(), Lists::new());
    let lists = lists.get(buyer).unwrap_or(&none);
    let filter = Filter::parse(&Slot::root(written, &defects), &product.dictionary, lists);
    let under = |it: Defect| Defect { path: it.path.under(place), ..it };
    defects.finish(filter).map_err(|found| found.into_iter().map(under).collect())
}

fn warnings(filter: &Filter, place: &Path) -> Vec<Defect> {
    let told = |Warning { path, issue }: &Warning| Defect {
        path: path.under(place),
        issue: issue.clone(),
        missing: false,
    };
    filter.warnings().iter().map(told).collect()
}

/// Reads filters with their buyers' lists, and collects what is to be said of them.
struct Reader {
    lists: Arc<AllLists>,
    defects: Vec<Defect>,
    warnings: Vec<Defect>,
}

impl Reader {
    fn new(lists: Arc<AllLists>) -> Self {
        Self { lists, defects: Vec::new(), warnings: Vec::new() }
    }

    fn filter(&mut self, campaign: &Campaign, product: &Product) -> Option<Filter> {
        let place = Market::filter_path(&campaign.key);
        let buyer = &campaign.key.buyer;
        match filter(&campaign.filter, (product, buyer), &self.lists, &place) {
            Ok(filter) => {
                self.warnings.extend(warnings(&filter, &place));
                Some(filter)
            }
            Err(found) => {
                self.defects.extend(found);
                None
            }
        }
    }

    fn finish(
        self,
        market: Market,
        version: u64,
        trees: BTreeMap<ProductId, Arc<Tree>>,
    ) -> Result<Snapshot, Vec<Defect>> {
        let Self { lists, defects, warnings } = self;
        match defects.is_empty() {
            true => Ok(Snapshot { market: Arc::new(market), version, warnings, lists, trees }),
            false => Err(defects),
        }
    }
}
