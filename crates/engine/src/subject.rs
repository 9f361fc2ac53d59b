//! A lead on its journey and everything that the journey looks up for it. Decides nothing.

use std::cell::RefCell;
use std::sync::Arc;

use jiff::Timestamp;
use lead::{Code, Door, Requested, Submission};
use ledger::{Decision, Intent};
use market::{Campaign, Market, PayoutRule, PingtreeSource, Product, Publisher, Tier};
use rules::{Encoded, Scratch};

use crate::Tree;
use crate::ask::Candidate;
use crate::auction::{Floors, Offer};
use crate::engine::Refusal;
use crate::pace::{Pace, Paces};
use crate::reserve::{Reservation, Reservations, Scope, Stop};
use crate::slots::Family;

thread_local! {
    /// What matches reuse.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A lead and everything that its journey looks things up in.
pub(crate) struct Lead<'a> {
    pub(crate) submission: &'a Submission,
    pub(crate) market: &'a Market,
    pub(crate) publisher: &'a Publisher,
    pub(crate) product: &'a Product,
    pub(crate) tree: &'a Arc<Tree>,
}

impl<'a> Lead<'a> {
    /// The database source that the lead was posted to.
    pub(crate) fn source(&self) -> Option<&'a PingtreeSource> {
        self.publisher.pingtree.as_ref().filter(|_| self.submission.door == Door::Pingtree)
    }

    /// Whether the lead goes through its product's tree; one that a source only keeps does not.
    pub(crate) fn is_offered(&self) -> bool {
        self.source().is_none_or(|source| source.distributes)
    }

    /// The outcome that the publisher asks of a test lead; of another nobody can.
    pub(crate) fn requested(&self) -> Option<Requested> {
        self.submission.requested.filter(|_| self.submission.test)
    }

    /// Positions of the campaigns whose filter wants the lead, in tree order.
    pub(crate) fn matched(&self) -> Vec<usize> {
        let encoded = Encoded::new(&self.submission.attributes, &self.product.dictionary);
        SCRATCH.with_borrow_mut(|scratch| self.tree.book.matching(&encoded, scratch).collect())
    }

    /// The campaign at a position of the tree.
    pub(crate) fn campaign(&self, index: usize) -> Option<&'a Campaign> {
        self.tree.campaigns.get(index).map(Arc::as_ref)
    }

    /// Whether some tier may hold more campaigns than may be pinged.
    pub(crate) fn is_crowded(&self) -> bool {
        self.tree.campaigns.len() > self.product.fanout_width
    }

    /// The buyer of the campaign at a position, with its sister brands.
    pub(crate) fn family(&self, index: usize) -> Option<Family> {
        self.tree.family(index)
    }

    /// What a sale to `campaign` counts for.
    pub(crate) fn scope(&self, campaign: &'a Campaign) -> Scope<'a> {
        Scope::of(self.market, self.publisher, self.product, campaign)
    }

    /// Whether a campaign takes leads at that hour. A test lead meets its sandbox, which never closes.
    pub(crate) fn is_in_hours(&self, campaign: &Campaign, at: Timestamp) -> bool {
        let Some(schedule) = &campaign.schedule else { return true };
        let buyer = self.market.buyers.get(&campaign.key.buyer);
        let zone = campaign.timezone(buyer, self.product);
        self.submission.test || schedule.is_open(zone.to_datetime(at))
    }

    /// How fast the campaign at a position of the tree has been. A test lead meets its sandbox, of which
    /// nothing is known.
    pub(crate) fn pace(&self, paces: &Paces, index: usize) -> Option<Arc<Pace>> {
        let campaign = self.campaign(index).filter(|_| !self.submission.test)?;
        Some(paces.of(&campaign.key))
    }

    /// Takes everything that a sale counts for, or nothing. A test lead counts nowhere.
    pub(crate) fn reserve(
        &self,
        reservations: &Reservations,
        offer: &Offer,
        at: Timestamp,
    ) -> Result<Option<Reservation>, Stop> {
        match self.campaign(offer.place.index).filter(|_| !self.submission.test) {
            Some(campaign) => {
                reservations.reserve(&self.scope(campaign), offer.deal(), at).map(Some)
            }
            None => Ok(None),
        }
    }

    /// A row for a matched campaign, as if its tier were never reached.
    pub(crate) fn decision(&self, index: usize) -> Option<Decision> {
        let campaign = self.campaign(index)?;
        let code = Code::TierNotReached;
        let key = campaign.key.clone();
        Some(Decision {
            campaign: key,
            tier: campaign.tier,
            code,
            bid: None,
            score: None,
            ping_ms: None,
            post_ms: None,
            limit: None,
            reason: None,
        })
    }

    /// The candidates of one tier.
    pub(crate) fn in_tier(&self, number: u8, eligible: &[Candidate]) -> Vec<Candidate> {
        let here = |candidate: &&Candidate| {
            self.campaign(candidate.index).is_some_and(|c| c.tier == number)
        };
        eligible.iter().filter(here).copied().collect()
    }

    /// What a bid in `tier` must clear.
    pub(crate) fn floors(&self, tier: &Tier) -> Floors {
        let terms = self.publisher.terms.get(&self.product.id);
        let currency = self.product.currency;
        let floor = terms.and_then(|terms| terms.floor).unwrap_or_default();
        let asked = self.submission.min_payout.map_or(floor, |least| least.amount.max(floor));
        Floors {
            price: tier.floor,
            payout: lead::Money { amount: asked, currency },
            margin: self.product.min_margin,
            rule: self.payout_rule(),
        }
    }

    /// The publisher's part, unless a campaign says otherwise.
    pub(crate) fn payout_rule(&self) -> PayoutRule {
        let terms = self.publisher.terms.get(&self.product.id);
        terms.and_then(|terms| terms.payout).unwrap_or(self.product.payout)
    }

    /// What must be durable before an offer is posted.
    pub(crate) fn intent(
        &self,
        offer: &Offer,
        slot: u16,
        at: Timestamp,
    ) -> Result<Intent, Refusal> {
        let campaign = self
            .campaign(offer.place.index)
            .ok_or(Refusal::Bug("an offer names no campaign"))?
            .key
            .clone();
        let Offer { price, payout, expected, .. } = *offer;
        Ok(Intent { campaign, attempt: 0, slot, price, payout, expected, at })
    }
}
