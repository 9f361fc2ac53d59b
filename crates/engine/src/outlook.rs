//! What a lead that says this and that would find now. Asks no buyer, keeps nothing and promises nothing.

use fanout::Buyers;
use lead::{Money, Outlook, RejectionReason, Requested, Submission};
use ledger::Ledger;
use market::{Campaign, Price};

use crate::subject::Lead;
use crate::{Engine, Refusal, admit, ask, enrich, identity};

impl<B: Buyers, L: Ledger> Engine<B, L> {
    /// Whether campaigns would be asked for such a lead now, and what its publisher would get at the
    /// least; a consumer who is told by an identity key and came before is a repeat already.
    ///
    /// # Errors
    /// The market has no such product or publisher, or the ledger cannot be read.
    pub async fn outlook(&self, mut submission: Submission) -> Result<Outlook, Refusal> {
        let inner = &self.0;
        let (at, now) = (inner.clock.timestamp(), inner.clock.instant());
        let snapshot = self.snapshot();
        let market = &snapshot.market;
        let (product, tree) = snapshot.tree(&submission.product).ok_or(Refusal::NoProduct)?;
        let publisher = market.publishers.get(&submission.publisher).ok_or(Refusal::NoProduct)?;
        enrich::receive(&mut submission, product, publisher, at);
        if let Some(outcome) = submission.requested.filter(|_| submission.test) {
            let payout = Requested::payout(submission.min_payout, product.currency);
            return Ok(match (outcome, outcome.rejection()) {
                (_, Some(reason)) => Outlook::Rejected(reason),
                (Requested::Sold | Requested::Pending, None) => Outlook::Open(Some(payout)),
                (_, None) => Outlook::Nobody,
            });
        }
        if !product.active {
            return Ok(Outlook::Rejected(RejectionReason::InvalidProduct));
        }
        if let Err(reason) = admit::eligibility(product, &submission) {
            return Ok(Outlook::Rejected(reason));
        }
        let lead = Lead { submission: &submission, market, publisher, product, tree };
        let claims = identity::claims(&inner.ledger, &lead);
        let keys = identity::known_keys(&inner.ledger, &lead, &claims);
        let claimants = inner.ledger.claimants(&keys).await.map_err(Refusal::Ledger)?;
        if let Some(reason) = identity::reason(&identity::counting(&claimants, &lead, at)) {
            return Ok(Outlook::Rejected(reason));
        }
        let asked: Vec<&Campaign> = lead
            .matched()
            .into_iter()
            .filter_map(|index| lead.campaign(index))
            .filter(|campaign| ask::admits(inner, &lead, campaign, (at, now)).is_ok())
            .collect();
        if asked.is_empty() {
            return Ok(Outlook::Nobody);
        }
        let payouts = asked.iter().filter_map(|campaign| least_payout(&lead, campaign));
        Ok(Outlook::Open(payouts.max_by_key(|payout| payout.amount)))
    }
}

/// What a publisher gets if a campaign buys a whole lead at the least price that counts.
fn least_payout(lead: &Lead<'_>, campaign: &Campaign) -> Option<Money> {
    let least = match campaign.whole_price()? {
        Price::Outcome(_) => return None,
        price => price.least(),
    };
    let tier = lead.product.tiers.get(usize::from(campaign.tier).checked_sub(1)?)?;
    let floors = lead.floors(tier);
    let price = if least.amount < floors.price.amount { floors.price } else { least };
    let payout = campaign.payout.unwrap_or(floors.rule).payout(price)?;
    let margin = price.minus(payout)?;
    let clears = margin.amount >= floors.margin.amount && payout.amount >= floors.payout.amount;
    clears.then_some(payout)
}
