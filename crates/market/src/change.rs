//! One campaign changed in a market that stands: read as a whole market would read it, with paths that
//! begin at its own object. Decides nothing of who may.

use std::sync::Arc;

use document::{Defect, Defects, Node, Slot};
use lead::{CampaignKey, ProductId};

use crate::{Campaign, Market, Product, read, to_json};

/// Whether a version of a campaign is asked, or waits for an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Leads may reach it.
    Live,
    /// It delivers to a host that nobody has allowed yet.
    Pending,
}

impl State {
    /// As it is shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Pending => "pending",
        }
    }
}

/// How a campaign stands: what is asked, and the newer version that waits, if one does.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// The version that leads may reach.
    pub live: Option<Arc<Campaign>>,
    /// The version that waits for an operator.
    pub pending: Option<Arc<Campaign>>,
}

impl Standing {
    /// The newest version and its state; `None` if there is no such campaign.
    #[must_use]
    pub fn newest(&self) -> Option<(&Arc<Campaign>, State)> {
        let pending = self.pending.as_ref().map(|campaign| (campaign, State::Pending));
        pending.or_else(|| self.live.as_ref().map(|campaign| (campaign, State::Live)))
    }

    /// An ETag, quoted: another one for every other object or state.
    #[must_use]
    pub fn tag(&self) -> Option<String> {
        let (campaign, state) = self.newest()?;
        let text = format!("{} {}", state.name(), to_json(&campaign.written));
        let digest = blake3::hash(text.as_bytes()).to_hex();
        Some(format!("\"{}\"", digest.get(..16)?))
    }
}

impl Market {
    /// Reads one campaign of a buyer that is here.
    ///
    /// # Errors
    /// Every defect of the object, with its path from the object's root. Filters and samples are not
    /// read here.
    pub fn campaign(&self, key: &CampaignKey, written: &Node<'_>) -> Result<Campaign, Vec<Defect>> {
        let defects = Defects::new();
        let product = |named: Slot<'_, '_>| self.named_product(named);
        let campaign = self.read_campaign(key, Slot::root(written, &defects), product);
        defects.finish(campaign)
    }

    fn named_product(&self, slot: Slot<'_, '_>) -> Option<&Product> {
        let id: ProductId = read::slug(slot)?;
        let product = self.products.get(&id);
        if product.is_none() {
            slot.refuse("names no product of this market");
        }
        product
    }

    /// Hosts that a campaign delivers to though neither its buyer may nor an operator has approved them.
    #[must_use]
    pub fn foreign_hosts(&self, campaign: &Campaign) -> Vec<String> {
        let Some(buyer) = self.buyers.get(&campaign.key.buyer) else { return Vec::new() };
        let mut hosts: Vec<String> =
            campaign.delivery.urls().map(|url| url.host().to_owned()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts.retain(|host| !buyer.allows_host(host) && !campaign.approved_hosts.contains(host));
        hosts
    }

    /// How a campaign stands.
    #[must_use]
    pub fn standing(&self, key: &CampaignKey) -> Standing {
        Standing {
            live: self.campaigns.get(key).map(Arc::clone),
            pending: self.pending.get(key).map(Arc::clone),
        }
    }

    /// Makes a campaign stand so from now on.
    pub fn stand(&mut self, key: &CampaignKey, standing: Standing) {
        for (table, version) in
            [(&mut self.campaigns, standing.live), (&mut self.pending, standing.pending)]
        {
            match version {
                Some(campaign) => drop(table.insert(key.clone(), campaign)),
                None => drop(table.remove(key)),
            }
        }
    }
}
