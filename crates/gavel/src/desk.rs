//! The engine as the edge wants it: one newtype, because neither crate may know the other.

use std::sync::Arc;

use engine::{Engine, PingFault, Refusal, ReportRefusal, Withdrawal};
use fanout::HttpBuyers;
use ingress::{Arrival, Delivery, Distribute, Fate, RequestId, Stored, Unavailable, Untold};
use lead::{
    Answer, Clock, Explanation, Hashes, Heard, LeadId, Outlook, Page, PublisherId, Quote, Report,
    Sequence, StoredLead, StoredLeads, Submission,
};
use ledger::{Ledger, Refused, SqliteLedger};
use market::Market;

use crate::clock::SystemClock;

/// The engine that this binary runs.
pub(crate) type Gavel = Engine<HttpBuyers, SqliteLedger>;

/// The engine behind the public listener.
#[derive(Debug, Clone)]
pub(crate) struct Desk(pub(crate) Gavel);

impl Distribute for Desk {
    fn market(&self) -> Arc<Market> {
        Arc::clone(&self.0.snapshot().market)
    }

    fn unavailable(&self) -> Option<Unavailable> {
        if self.0.trouble().is_some() {
            return Some(Unavailable::Storage);
        }
        self.0.is_busy().then_some(Unavailable::Busy)
    }

    async fn distribute(&self, arrival: Arrival) -> Result<Delivery, ingress::Refusal> {
        let delivery =
            self.0.distribute(arrived(arrival)).await.map_err(|refusal| refused(&refusal))?;
        let answer = delivery.answer.clone();
        Ok(Delivery::new(answer).told(move |fate| match fate {
            Fate::Arrived => delivery.arrived(),
            Fate::Lost => drop(delivery),
        }))
    }

    async fn ping(&self, arrival: Arrival, hashes: Hashes) -> Result<Quote, ingress::Refusal> {
        self.0.ping(arrived(arrival), hashes).await.map_err(|refusal| refused(&refusal))
    }

    async fn find(
        &self,
        publisher: &PublisherId,
        id: LeadId,
    ) -> Result<Option<Answer>, Unavailable> {
        self.0.find(publisher, id).await.map_err(|refused| unavailable(&refused))
    }

    async fn withdraw(
        &self,
        publisher: &PublisherId,
        id: LeadId,
    ) -> Result<Option<Answer>, ingress::Refusal> {
        match self.0.withdraw(publisher, id).await {
            Ok(None) => Ok(None),
            Ok(Some(Withdrawal::Done(answer))) => Ok(Some(*answer)),
            Ok(Some(Withdrawal::NotUnsold)) => Err(ingress::Refusal::NotUnsold),
            Err(refused) => Err(unavailable(&refused).into()),
        }
    }

    async fn find_numbered(
        &self,
        publisher: &PublisherId,
        number: Sequence,
    ) -> Result<Option<Stored>, Unavailable> {
        let found = self.0.find_numbered(publisher, number).await;
        let found = found.map_err(|refused| unavailable(&refused))?;
        Ok(found.map(|(record, answer)| Stored {
            answer,
            received_at: record.received_at,
            submission: record.submission,
        }))
    }

    fn digest(&self, domain: &'static str, parts: &[&[u8]]) -> [u8; 16] {
        self.0.ledger().digest(domain, parts).0
    }

    async fn explain(
        &self,
        publisher: &PublisherId,
        id: LeadId,
    ) -> Result<Option<Explanation>, Unavailable> {
        self.0.explain(publisher, id).await.map_err(|refused| unavailable(&refused))
    }

    async fn outlook(&self, submission: Submission) -> Result<Outlook, Unavailable> {
        self.0.outlook(submission).await.map_err(|refusal| match refusal {
            Refusal::Ledger(refused) => unavailable(&refused),
            // The market was swapped since decoding: the next try sees the new one.
            _ => Unavailable::Busy,
        })
    }

    async fn stored(
        &self,
        publisher: &PublisherId,
        page: Page,
        wanted: impl Fn(&StoredLead) -> bool + Send,
    ) -> Result<StoredLeads, Unavailable> {
        let found = self.0.stored(publisher, page, wanted).await;
        found.map_err(|refused| unavailable(&refused))
    }

    async fn report(&self, report: Report) -> Result<Heard, Untold> {
        self.0.report(report).await.map_err(|refusal| match refusal {
            ReportRefusal::Forged => Untold::Forged,
            ReportRefusal::NoLead => Untold::NoLead,
            ReportRefusal::Ledger(refused) => Untold::Unavailable(unavailable(&refused)),
        })
    }

    fn clock(&self) -> &dyn Clock {
        &SystemClock
    }
}

fn arrived(arrival: Arrival) -> engine::Arrival {
    let Arrival { submission, at, instant, budget, ping, request } = arrival;
    let RequestId { key, body } = request;
    engine::Arrival { submission, at, instant, budget, key, ping, body }
}

fn refused(refusal: &Refusal) -> ingress::Refusal {
    match refusal {
        Refusal::InFlight => ingress::Refusal::InFlight,
        Refusal::KeyReused => ingress::Refusal::KeyReused,
        Refusal::NoPing(why) => ingress::Refusal::NoPing(match why {
            PingFault::Unknown => ingress::PingFault::Unknown,
            PingFault::Expired => ingress::PingFault::Expired,
            PingFault::Used => ingress::PingFault::Used,
        }),
        // The market was swapped between decoding and distributing: the next try sees the new one.
        Refusal::Busy | Refusal::NoProduct => Unavailable::Busy.into(),
        Refusal::Ledger(refused) => unavailable(refused).into(),
        Refusal::Bug(_) => Unavailable::Internal.into(),
    }
}

fn unavailable(refused: &Refused) -> Unavailable {
    match refused {
        Refused::Full => Unavailable::Busy,
        Refused::Unavailable(_) => Unavailable::Storage,
        Refused::Illegal(_) | Refused::Corrupt(_) => Unavailable::Internal,
    }
}
