//! The whole market, with the look-ups that doors need.

use std::collections::{BTreeMap, HashMap};

use document::{Defect, Defects, Fields, Node, Path, Slot};
use lead::{BuyerId, CampaignId, CampaignKey, Door, ProductId, PublisherId};

use crate::{Buyer, Campaign, KeyDigest, LoginDigest, Product, Publisher, Vault, read};

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
    pub campaigns: BTreeMap<CampaignKey, Campaign>,
    keys: HashMap<(Door, KeyDigest), PublisherId>,
    leadhub_products: HashMap<String, ProductId>,
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
        let secrets = self.buyers.get(buyer).map(|buyer| &buyer.secrets);
        let Some(campaigns) = fields.at("campaigns").fields().map(|fields| {
            read::table(&fields, |id: &CampaignId, slot| {
                let key = CampaignKey { buyer: buyer.clone(), campaign: id.clone() };
                let product = |named: Slot<'_, '_>| self.product(named, products);
                let mut campaign = Campaign::read(&key, slot, product, secrets)?;
                self.check_hosts(&campaign, &slot);
                let buyer = self.buyers.get(buyer);
                campaign.client_certificate = buyer.and_then(|it| it.client_certificate.clone());
                Some(campaign)
            })
        }) else {
            return;
        };
        self.campaigns
            .extend(campaigns.into_values().map(|campaign| (campaign.key.clone(), campaign)));
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
        let Some(buyer) = self.buyers.get(&campaign.key.buyer) else {
            return;
        };
        let delivery = &campaign.delivery;
        for url in delivery.urls() {
            if !buyer.allows_host(url.host()) {
                let host = url.host();
                slot.refuse(format_args!(
                    "delivers to {host}, which is not among the buyer's allowed_hosts"
                ));
            }
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
        for product in publisher.terms.keys() {
            if products.and_then(|written| written.member(product.as_str())).is_none() {
                slot.refuse(format_args!(
                    "has terms for {product}, which is no product of this market"
                ));
            }
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

    /// The product that the Leadhub door calls `product_id`.
    #[must_use]
    pub fn product_by_leadhub_id(&self, product_id: &str) -> Option<&Product> {
        self.products.get(self.leadhub_products.get(&product_id.to_ascii_lowercase())?)
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
