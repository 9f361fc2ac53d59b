//! What the engine knows of leads that it has had: how they stand, why, and which posts of them wait for
//! a word. Changes nothing.

use std::sync::Arc;

use lead::{
    Answer, BuyerId, CampaignKey, Currency, Explanation, LeadId, Page, PublisherId, Sequence,
    StoredLead, StoredLeads,
};
use ledger::{LeadRecord, Ledger, Refused, SourceQuery};

use crate::explain::Evidence;
use crate::holds::Held;
use crate::{Engine, Snapshot, standing};

/// Leads that are read together when a publisher reads what it stored, so that no read is long.
const AT_A_LOOK: u16 = 100;

/// Most such reads for one page.
const LOOKS: usize = 50;

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

    /// What `publisher` stored at its database source and `wanted` says yes to, newest first. Looks at so
    /// many leads and no more, and says if those were not all.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn stored(
        &self,
        publisher: &PublisherId,
        page: Page,
        wanted: impl Fn(&StoredLead) -> bool + Send,
    ) -> Result<StoredLeads, Refused> {
        let (mut found, mut skipped, mut before) = (StoredLeads::default(), 0, None);
        for _ in 0..LOOKS {
            let (publisher, Page { since, until, .. }) = (publisher.clone(), page);
            let query = SourceQuery { publisher, since, until, before, most: AT_A_LOOK };
            let records = self.0.ledger.source_leads(query).await?;
            let is_last = records.len() < usize::from(AT_A_LOOK);
            before = records.last().map(|record| record.sequence);
            for record in records {
                let lead = self.stored_lead(record);
                if !wanted(&lead) {
                    continue;
                }
                if found.leads.len() == page.most {
                    return Ok(StoredLeads { more: true, ..found });
                }
                if skipped < page.skip {
                    skipped += 1;
                } else {
                    found.leads.push(lead);
                }
            }
            if is_last {
                return Ok(found);
            }
        }
        Ok(StoredLeads { cut_short: true, ..found })
    }

    fn stored_lead(&self, record: LeadRecord) -> StoredLead {
        let Answer { status, is_final, .. } = standing::now(&record, self.currency(&record));
        let LeadRecord { id, received_at, submission, .. } = record;
        StoredLead { id, received_at, status, is_final, submission }
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
        let places = Arc::clone(&current.market.places);
        self.0.old_markets.get(&self.0.ledger, record.market_version, places).await
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
