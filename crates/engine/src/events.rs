//! What buyers tell of leads that they bought: checked, and on record before it is answered. What an event
//! sets in motion is to be read from the record ([`ledger::LeadRecord::events`]); nothing is set in motion
//! here.

use lead::{BuyerId, CampaignKey, Heard, LeadId, Report, Reporter};
use ledger::{Digest, EVENTS_MAX, Entry, LeadRecord, Ledger, PostRecord, Refused, Reported, Write};
use market::KeyDigest;

use crate::Engine;
use crate::engine::Inner;

/// Why an event is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportRefusal {
    /// The token is none of ours for this lead.
    #[error("the token is not of this lead")]
    Forged,
    /// The buyer has bought no such lead.
    #[error("the buyer has no such lead")]
    NoLead,
    /// The ledger cannot take it.
    #[error(transparent)]
    Ledger(Refused),
}

impl<B: fanout::Buyers, L: Ledger> Engine<B, L> {
    /// Takes a buyer's event; durable when it returns.
    ///
    /// # Errors
    /// It is not the buyer's to tell, or the ledger cannot take it; nothing is changed then.
    pub async fn report(&self, report: Report) -> Result<Heard, ReportRefusal> {
        let told = hear(&self.0, &report).await;
        self.0.metrics.reported(report.event, &told);
        told
    }
}

/// What a campaign shows to tell events of a lead without a key: who it is, and our word for it.
pub(crate) fn token<L: Ledger>(ledger: &L, lead: LeadId, campaign: &CampaignKey) -> String {
    let (buyer, own) = (campaign.buyer.as_str(), campaign.campaign.as_str());
    let parts = [lead.0.as_bytes().as_slice(), buyer.as_bytes(), own.as_bytes()];
    let mac = u128::from_be_bytes(ledger.digest("event token", &parts).0);
    // No slug holds a tilde, and no URL has to escape one.
    format!("{buyer}~{own}~{mac:032x}")
}

/// Whose token it is; `None` for a forged one.
fn holder<L: Ledger>(ledger: &L, lead: LeadId, shown: &str) -> Option<CampaignKey> {
    let (named, _) = shown.rsplit_once('~')?;
    let (buyer, campaign) = named.split_once('~')?;
    let key = CampaignKey { buyer: buyer.parse().ok()?, campaign: campaign.parse().ok()? };
    let ours = token(ledger, lead, &key);
    // Digests compare in constant time.
    KeyDigest::of(&ours).is_same(&KeyDigest::of(shown)).then_some(key)
}

async fn hear<B: Send + Sync + 'static, L: Ledger>(
    inner: &Inner<B, L>,
    report: &Report,
) -> Result<Heard, ReportRefusal> {
    let (buyer, campaign) = match &report.by {
        Reporter::Buyer(buyer) => (buyer.clone(), None),
        Reporter::Token(shown) => {
            let key = holder(&inner.ledger, report.lead, shown).ok_or(ReportRefusal::Forged)?;
            (key.buyer.clone(), Some(key))
        }
    };
    let mark = mark(&inner.ledger, &buyer, report);
    let mut refused = None;
    // A twin may be written between the look and the write; then the second look finds it.
    for _ in 0..2 {
        let record = inner.ledger.lead(report.lead).await.map_err(ReportRefusal::Ledger)?;
        let post = record.as_ref().and_then(|record| bought(record, &buyer, campaign.as_ref()));
        let (Some(record), Some(post)) = (&record, post) else {
            return Err(ReportRefusal::NoLead);
        };
        let known = record.events.iter().any(|event| event.mark == mark);
        if known || record.events.len() >= EVENTS_MAX {
            return Ok(Heard::Ignored);
        }
        let event = Reported {
            campaign: post.campaign.clone(),
            event: report.event,
            mark,
            reference: report.reference.clone(),
            metadata: report.metadata.clone(),
            at: report.at,
        };
        let entries = vec![Entry::Reported(event)];
        let write = Write { lead: report.lead, created: None, entries };
        match inner.ledger.commit(write).await {
            Ok(_) => return Ok(Heard::Received),
            Err(illegal @ Refused::Illegal(_)) => refused = Some(illegal),
            Err(other) => return Err(ReportRefusal::Ledger(other)),
        }
    }
    Err(refused.map_or(ReportRefusal::NoLead, ReportRefusal::Ledger))
}

/// The post by which a buyer has a lead, or may have: an event may come before the answer to its post is
/// on record, or be the only sign of it.
fn bought<'r>(
    record: &'r LeadRecord,
    buyer: &BuyerId,
    campaign: Option<&CampaignKey>,
) -> Option<&'r PostRecord> {
    let is = |post: &&PostRecord| {
        let holds = post.is_unclear() || post.class == Some(lead::PostClass::Accepted);
        holds
            && post.campaign.buyer == *buyer
            && campaign.is_none_or(|campaign| post.campaign == *campaign)
    };
    record.posts.iter().find(is)
}

/// By which the same report is known again: both words for an event are one.
fn mark<L: Ledger>(ledger: &L, buyer: &BuyerId, report: &Report) -> Digest {
    let (lead, kind) = (report.lead.0.as_bytes().as_slice(), report.event.kind().name());
    let mut parts = vec![lead, buyer.as_str().as_bytes(), kind.as_bytes()];
    parts.extend(report.reference.as_deref().map(str::as_bytes));
    ledger.digest("event", &parts)
}
