//! The whole market, with the look-ups that doors need.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use document::{Defect, Defects, Fields, Node, Path, Slot};
use lead::{BuyerId, CampaignId, CampaignKey, Door, ProductId, PublisherId};

use crate::{
    Affiliate, BrightHorizons, Buyer, Campaign, KeyDigest, LoginDigest, PingtreeSource, Places,
    Product, Publisher, Vault, read,
};

/// Everything that trades, consistent with itself.
#[derive(Debug, Clone, Default)]
pub struct Market {
    /// Who sells leads.
    pub publishers: BTreeMap<PublisherId, Publisher>,
    /// What is sold.
    pub products: BTreeMap<ProductId, Product>,
    /// Who pays.
    pub buyers: BTreeMap<BuyerId, Buyer>,
    /// Their standing orders.
    pub campaigns: BTreeMap<CampaignKey, Arc<Campaign>>,
    /// Newer versions of theirs that wait for an operator. Nobody is asked by these.
    pub pending: BTreeMap<CampaignKey, Arc<Campaign>>,
    /// Where its postal codes and regions are.
    pub places: Arc<Places>,
    keys: HashMap<(Door, KeyDigest), PublisherId>,
    leadhub_products: HashMap<String, ProductId>,
    bright_horizons_products: HashMap<String, ProductId>,
    credit_products: HashMap<i64, ProductId>,
}

impl Market {
    /// Reads a market: an object of `publishers`, `products` and `buyers` (with their `campaigns`).
    /// Secrets stand in it.
    ///
    /// # Errors
    /// Every defect, with its path in `root`.
    pub fn read(root: &Node<'_>) -> Result<Self, Vec<Defect>> {
        Self::read_with(root, &Vault::LITERALS)
    }

    /// Reads a market, and the buyers' secrets from where it says that they are kept.
    ///
    /// # Errors
    /// Every defect, with its path in `root`.
    pub fn read_with(root: &Node<'_>, vault: &Vault<'_>) -> Result<Self, Vec<Defect>> {
        let defects = Defects::new();
        let market = Self::read_from(&Slot::root(root, &defects), vault);
        defects.finish(market)
    }

    fn read_from(slot: &Slot<'_, '_>, vault: &Vault<'_>) -> Option<Self> {
        let fields = slot.fields()?;
        let mut market = Self::default();
        if let Some(products) = fields.given("products").as_ref().and_then(Slot::fields) {
            market.products = read::table(&products, Product::read);
            market = market.with_places(Places::built_in());
        }
        let written = fields.at("products").node();
        if let Some(publishers) = fields.given("publishers").as_ref().and_then(Slot::fields) {
            market.publishers =
                read::table(&publishers, |id, slot| Publisher::read(id, slot, &market.products));
            for (id, slot) in publishers.all() {
                market.index_publisher(id, &slot, written);
            }
        }
        if let Some(buyers) = fields.given("buyers").as_ref().and_then(Slot::fields) {
            market.buyers = read::table(&buyers, |id, slot| Buyer::read(id, slot, vault));
            market.refuse_shared_keys(&buyers);
            for (id, slot) in buyers.all() {
                if let Ok(id) = id.parse() {
                    market.read_campaigns(&id, &slot, written);
                }
            }
        }
        market.index_products(slot);
        fields.deny_unknown();
        Some(market)
    }

    /// Lets its products and their filters know of other places than those that are built in. To be
    /// called before filters are read.
    #[must_use]
    pub fn with_places(mut self, places: Arc<Places>) -> Self {
        for product in self.products.values_mut() {
            product.dictionary.place_in(places.country(&product.country));
        }
        self.places = places;
        self
    }

    fn read_campaigns(
        &mut self,
        buyer: &BuyerId,
        slot: &Slot<'_, '_>,
        products: Option<&Node<'_>>,
    ) {
        if slot.node().and_then(|node| node.member("campaigns")).is_none() {
            return;
        }
        let Some(fields) = slot.fields() else { return };
        let Some(campaigns) = fields.at("campaigns").fields().map(|fields| {
            read::table(&fields, |id: &CampaignId, slot| {
                let key = CampaignKey { buyer: buyer.clone(), campaign: id.clone() };
                let product = |named: Slot<'_, '_>| self.product(named, products);
                let campaign = self.read_campaign(&key, slot, product)?;
                self.check_hosts(&campaign, &slot);
                Some(campaign)
            })
        }) else {
            return;
        };
        let campaigns = campaigns.into_values().map(Arc::new);
        self.campaigns.extend(campaigns.map(|campaign| (campaign.key.clone(), campaign)));
    }

    /// One campaign, with what it has of its buyer.
    pub(crate) fn read_campaign<'p>(
        &self,
        key: &CampaignKey,
        slot: Slot<'_, '_>,
        product: impl Fn(Slot<'_, '_>) -> Option<&'p Product>,
    ) -> Option<Campaign> {
        let buyer = self.buyers.get(&key.buyer);
        let mut campaign = Campaign::read(key, slot, product, buyer.map(|buyer| &buyer.secrets))?;
        campaign.client_certificate = buyer.and_then(|buyer| buyer.client_certificate.clone());
        Some(campaign)
    }

    /// The product that `slot` names. One that is written but could not be read has its own defects.
    fn product(&self, slot: Slot<'_, '_>, written: Option<&Node<'_>>) -> Option<&Product> {
        let id: ProductId = read::slug(slot)?;
        if written.and_then(|products| products.member(id.as_str())).is_none() {
            slot.refuse("names no product of this market");
        }
        self.products.get(&id)
    }

    fn check_hosts(&self, campaign: &Campaign, slot: &Slot<'_, '_>) {
        for host in self.foreign_hosts(campaign) {
            slot.refuse(format_args!(
                "delivers to {host}, which is not among the buyer's allowed_hosts"
            ));
        }
    }

    fn index_publisher(&mut self, id: &str, slot: &Slot<'_, '_>, products: Option<&Node<'_>>) {
        let Some(publisher) = id.parse().ok().and_then(|id: PublisherId| self.publishers.get(&id))
        else {
            return;
        };
        for (door, digests) in &publisher.keys {
            for digest in digests {
                if self.keys.insert((*door, *digest), publisher.id.clone()).is_some() {
                    slot.refuse(format_args!("shares a {door} key with another publisher"));
                }
            }
        }
        if let Some(affiliate) = &publisher.affiliate {
            self.check_affiliate(affiliate, slot, products);
        }
        if let Some(source) = &publisher.pingtree {
            self.check_source(source, slot, products);
        }
        self.check_brainysoft(publisher, slot, products);
        for product in publisher.terms.keys() {
            if products.and_then(|written| written.member(product.as_str())).is_none() {
                slot.refuse(format_args!(
                    "has terms for {product}, which is no product of this market"
                ));
            }
        }
    }

    /// A login is one publisher's, and the credit product that it means by default some product's.
    fn check_brainysoft(
        &self,
        publisher: &Publisher,
        slot: &Slot<'_, '_>,
        products: Option<&Node<'_>>,
    ) {
        let login = publisher.brainysoft.login;
        let first = login.and_then(|login| self.publisher_by_login(&login));
        if first.is_some_and(|first| first.id != publisher.id) {
            slot.refuse("shares a brainysoft login with another publisher");
        }
        // A product that could not be read has its own defects.
        let written = products.map_or(0, |written| match written {
            Node::Object(members) => members.len(),
            _ => 0,
        });
        let has = |id| self.products.values().any(|product| product.credit_products.contains(id));
        if let Some(id) = publisher.brainysoft.credit_product
            && written == self.products.len()
            && !has(&id)
        {
            slot.refuse(format_args!(
                "has the BrainySoft credit_product {id}, which no product has"
            ));
        }
    }

    /// An affiliate id is one publisher's, and what it may post has a path to be posted to.
    fn check_affiliate(
        &self,
        affiliate: &Affiliate,
        slot: &Slot<'_, '_>,
        written: Option<&Node<'_>>,
    ) {
        let all = self.publishers.values().filter_map(|publisher| publisher.affiliate.as_ref());
        if all.filter(|other| other.id == affiliate.id).count() > 1 {
            slot.refuse("shares its affiliate_id with another publisher");
        }
        for id in &affiliate.products {
            let product = written.and_then(|products| products.member(id.as_str()));
            let own =
                product.and_then(|product| product.member("doors")?.member("bright_horizons"));
            if product.is_none() {
                slot.refuse(format_args!("posts {id}, which is no product of this market"));
            } else if own.is_none() {
                slot.refuse(format_args!(
                    "posts {id}, which has no path at the Bright Horizons door"
                ));
            }
        }
    }

    /// A database source is one publisher's, and its leads are for a product of this market.
    fn check_source(
        &self,
        source: &PingtreeSource,
        slot: &Slot<'_, '_>,
        products: Option<&Node<'_>>,
    ) {
        let all = self.publishers.values().filter_map(|publisher| publisher.pingtree.as_ref());
        let same = all.filter(|other| other.id == source.id || other.slug == source.slug);
        if same.count() > 1 {
            slot.refuse("shares its Pingtree source or slug with another publisher");
        }
        let product = &source.product;
        if products.and_then(|written| written.member(product.as_str())).is_none() {
            slot.refuse(format_args!(
                "has a Pingtree source for {product}, which is no product of this market"
            ));
        }
    }

    /// A key is one buyer's: its scope would be another's too.
    fn refuse_shared_keys(&self, buyers: &Fields<'_, '_>) {
        let mut owners = HashMap::new();
        for (id, slot) in buyers.all() {
            let Some(buyer) = id.parse().ok().and_then(|id: BuyerId| self.buyers.get(&id)) else {
                continue;
            };
            for key in &buyer.keys {
                if owners.insert(*key, id).is_some_and(|owner| owner != id) {
                    slot.refuse("shares a key with another buyer");
                }
            }
        }
    }

    fn index_products(&mut self, slot: &Slot<'_, '_>) {
        for product in self.products.values() {
            let Some(BrightHorizons { path, .. }) = &product.bright_horizons else { continue };
            let before = self.bright_horizons_products.insert(path.clone(), product.id.clone());
            if before.is_some() {
                slot.refuse(format_args!("has two products with the Bright Horizons path {path}"));
            }
        }
        for product in self.products.values() {
            for id in &product.credit_products {
                if self.credit_products.insert(*id, product.id.clone()).is_some() {
                    slot.refuse(format_args!("has the BrainySoft credit product {id} twice"));
                }
            }
            let Some(leadhub_id) = &product.leadhub_id else {
                continue;
            };
            if self.leadhub_products.insert(leadhub_id.clone(), product.id.clone()).is_some() {
                slot.refuse(format_args!(
                    "has two products with the Leadhub product_id {leadhub_id}"
                ));
            }
        }
    }

    /// The publisher that presents `key` at `door`.
    #[must_use]
    pub fn publisher_by_key(&self, door: Door, key: &str) -> Option<&Publisher> {
        let id = self.keys.get(&(door, KeyDigest::of(key)))?;
        self.publishers.get(id)
    }

    /// The buyer that presents `key`.
    #[must_use]
    pub fn buyer_by_key(&self, key: &str) -> Option<&Buyer> {
        let shown = KeyDigest::of(key);
        // Every key is looked at, so that the time tells nothing of where one stands.
        let holds =
            |buyer: &Buyer| buyer.keys.iter().fold(false, |is, key| key.is_same(&shown) | is);
        self.buyers.values().fold(None, |found, buyer| {
            let is = holds(buyer);
            found.or(is.then_some(buyer))
        })
    }

    /// The product that the Leadhub door calls `product_id`.
    #[must_use]
    pub fn product_by_leadhub_id(&self, product_id: &str) -> Option<&Product> {
        self.products.get(self.leadhub_products.get(&product_id.to_ascii_lowercase())?)
    }

    /// The publisher that the Bright Horizons door knows as affiliate `id` with `key`.
    #[must_use]
    pub fn publisher_by_affiliate(&self, id: i64, key: &str) -> Option<&Publisher> {
        let publisher = self.publisher_by_key(Door::BrightHorizons, key)?;
        (publisher.affiliate.as_ref()?.id == id).then_some(publisher)
    }

    /// The product whose leads are posted to `path` at the Bright Horizons door.
    #[must_use]
    pub fn product_by_bright_horizons_path(&self, path: &str) -> Option<&Product> {
        self.products.get(self.bright_horizons_products.get(path)?)
    }

    /// The product that the BrainySoft door calls `creditProductId`.
    #[must_use]
    pub fn product_by_credit_product(&self, id: i64) -> Option<&Product> {
        self.products.get(self.credit_products.get(&id)?)
    }

    /// The publisher whose user this is at the BrainySoft door.
    #[must_use]
    pub fn publisher_by_login(&self, login: &LoginDigest) -> Option<&Publisher> {
        let own = |publisher: &&Publisher| {
            publisher.brainysoft.login.is_some_and(|known| known.is_same(login))
        };
        self.publishers.values().find(own)
    }

    /// Where a campaign's filter stands in the document that the market is read from.
    #[must_use]
    pub fn filter_path(key: &CampaignKey) -> Path {
        Self::campaign_path(key).key("filter")
    }

    /// Where a campaign stands in the document that the market is read from.
    #[must_use]
    pub fn campaign_path(key: &CampaignKey) -> Path {
        Path::default()
            .key("buyers")
            .key(key.buyer.as_str())
            .key("campaigns")
            .key(key.campaign.as_str())
    }
}
