//! What the engine knows of leads that it has had: how they stand, why, and which posts of them wait for
//! a word. Changes nothing.

use std::sync::Arc;

use lead::{Answer, BuyerId, CampaignKey, Currency, Explanation, LeadId, PublisherId, Sequence};
use ledger::{LeadRecord, Ledger, Refused};

use crate::explain::Evidence;
use crate::holds::Held;
use crate::{Engine, Snapshot, standing};

impl<B: fanout::Buyers, L: Ledger> Engine<B, L> {
    /// How a lead of `publisher`'s stands; `None` for any other.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn find(
        &self,
        publisher: &PublisherId,
        id: LeadId,
    ) -> Result<Option<Answer>, Refused> {
        let record = self.own(publisher, id).await?;
        Ok(record.map(|record| standing::now(&record, self.currency(&record))))
    }

    /// The record of a lead of `publisher`'s by its number, and how it stands; `None` for any other.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn find_numbered(
        &self,
        publisher: &PublisherId,
        number: Sequence,
    ) -> Result<Option<(LeadRecord, Answer)>, Refused> {
        let Some(id) = self.0.ledger.numbered(number).await? else { return Ok(None) };
        let record = self.own(publisher, id).await?;
        Ok(record.map(|record| {
            let answer = standing::now(&record, self.currency(&record));
            (record, answer)
        }))
    }

    /// Why a lead of `publisher`'s ended as it did; `None` for any other.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn explain(
        &self,
        publisher: &PublisherId,
        id: LeadId,
    ) -> Result<Option<Explanation>, Refused> {
        let Some(record) = self.own(publisher, id).await? else { return Ok(None) };
        let evidence = self.evidence_of(record).await?;
        // Thousands of campaigns take milliseconds, which no lead should wait for.
        let told = tokio::task::spawn_blocking(move || evidence.for_publisher()).await;
        told.map(Some).map_err(|_| Refused::Unavailable("an explanation failed".to_owned()))
    }

    /// A lead and the market that its journey used; `None` if there is no such lead.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn evidence(&self, id: LeadId) -> Result<Option<Evidence>, Refused> {
        match self.0.ledger.lead(id).await? {
            Some(record) => self.evidence_of(record).await.map(Some),
            None => Ok(None),
        }
    }

    async fn evidence_of(&self, record: LeadRecord) -> Result<Evidence, Refused> {
        let market = self.market_of(&record).await?;
        Ok(Evidence { record, market })
    }

    /// The market that a lead's journey used, if it is still known.
    async fn market_of(&self, record: &LeadRecord) -> Result<Option<Arc<Snapshot>>, Refused> {
        let current = self.snapshot();
        if current.version == record.market_version {
            return Ok(Some(current));
        }
        self.0.old_markets.get(&self.0.ledger, record.market_version).await
    }

    async fn own(
        &self,
        publisher: &PublisherId,
        id: LeadId,
    ) -> Result<Option<LeadRecord>, Refused> {
        let record = self.0.ledger.lead(id).await?;
        Ok(record.filter(|record| record.publisher == *publisher))
    }

    /// The posts that wait for a word, of `buyer`'s or of all: those held longest first, at most `most`;
    /// and how many there are.
    #[must_use]
    pub fn held(&self, buyer: Option<&BuyerId>, most: usize) -> (Vec<Held>, usize) {
        let of = |key: &CampaignKey| buyer.is_none_or(|buyer| key.buyer == *buyer);
        let (held, count) = self.0.holds.list(of, most);
        (held.into_iter().map(Held::from).collect(), count)
    }

    /// The campaigns whose posts of a lead wait for a word.
    #[must_use]
    pub fn held_of(&self, lead: LeadId) -> Vec<CampaignKey> {
        self.0.holds.of_lead(lead)
    }

    /// In what a lead is paid, if its product is still in the market.
    pub(crate) fn currency(&self, record: &LeadRecord) -> Option<Currency> {
        let snapshot = self.0.snapshot.load();
        snapshot.market.products.get(&record.product).map(|product| product.currency)
    }
}
