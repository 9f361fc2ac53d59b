//! An event's row. Its check number covers every column; the buyer's own words are sealed.

use rusqlite::{Connection, params};

use lead::{BuyerEvent, CampaignKey};

use super::columns::Columns;
use super::fault::Fault;
use super::lead_row::LeadRow;
use crate::digest::{Keys, Text};
use crate::legality;
use crate::seal::{LeadKey, Said};
use crate::{Digest, Reported};

const OF_LEAD: &str = "SELECT lead, ordinal, buyer, campaign, event, mark, sealed, at, mac \
     FROM events WHERE lead = ?1 ORDER BY ordinal";
const INSERT: &str = "INSERT INTO events (lead, ordinal, buyer, campaign, event, mark, sealed, at, mac) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

pub(super) struct StoredEvent {
    lead: i64,
    ordinal: u32,
    /// Without reference and metadata.
    pub(super) record: Reported,
    sealed: Option<Vec<u8>>,
}

impl StoredEvent {
    /// The events of a lead, in order; all of them.
    pub(super) fn of_lead(db: &Connection, keys: &Keys, row: &LeadRow) -> Result<Vec<Self>, Fault> {
        // Most leads have none, and the row says so.
        if row.events == 0 {
            return Ok(Vec::new());
        }
        let mut statement = db.prepare_cached(OF_LEAD)?;
        let mut rows = statement.query([row.seq])?;
        let mut events: Vec<Self> = Vec::new();
        while let Some(row) = rows.next()? {
            events.push(Self::read(&mut Columns::of(row), keys)?);
        }
        let places = (0..row.events).map(|ordinal| (row.seq, ordinal));
        if events.iter().map(|event| (event.lead, event.ordinal)).eq(places) {
            Ok(events)
        } else {
            Err(Fault::corrupt("a lead's events are not all there"))
        }
    }

    fn read(columns: &mut Columns<'_, '_>, keys: &Keys) -> Result<Self, Fault> {
        let (lead, ordinal) = (columns.get()?, columns.get()?);
        let campaign = CampaignKey { buyer: columns.parsed()?, campaign: columns.parsed()? };
        let event = columns.numbered(BuyerEvent::numbered)?;
        let event = event.ok_or_else(|| Fault::corrupt("an event"))?;
        let (mark, sealed) = (Digest(columns.get()?), columns.get()?);
        let (reference, metadata) = Default::default();
        let at = columns.time()?;
        let record = Reported { campaign, event, mark, reference, metadata, at };
        let stored = Self { lead, ordinal, record, sealed };
        if columns.get::<i64>()? == stored.check(keys) {
            Ok(stored)
        } else {
            Err(Fault::corrupt("an event's row was changed"))
        }
    }

    /// A new one. Of an erased lead, whose key is gone, no words are kept.
    pub(super) fn new(
        lead: &LeadRow,
        (ordinal, reported): (u32, &Reported),
        key: Option<&LeadKey>,
    ) -> Result<Self, Fault> {
        let mut record = legality::kept_report(reported);
        let said = said(reported);
        (record.reference, record.metadata) = Default::default();
        let sealed =
            key.zip(said).map(|(key, said)| key.seal_report(ordinal, &said)).transpose()?;
        Ok(Self { lead: lead.seq, ordinal, record, sealed })
    }

    /// With the buyer's words, as far as the lead's key is still there.
    pub(super) fn unseal(self, key: Option<&LeadKey>) -> Result<Reported, Fault> {
        let mut record = self.record;
        if let (Some(key), Some(sealed)) = (key, self.sealed) {
            let Said { reference, metadata } = key.open_report(self.ordinal, &sealed)?;
            (record.reference, record.metadata) = (reference, metadata);
        }
        Ok(record)
    }

    pub(super) fn insert(&self, db: &Connection, keys: &Keys) -> Result<(), Fault> {
        let record = &self.record;
        db.prepare_cached(INSERT)?.execute(params![
            self.lead,
            self.ordinal,
            record.campaign.buyer.as_str(),
            record.campaign.campaign.as_str(),
            record.event.number(),
            record.mark.0,
            self.sealed,
            record.at.as_millisecond(),
            self.check(keys),
        ])?;
        Ok(())
    }

    fn check(&self, keys: &Keys) -> i64 {
        let record = &self.record;
        let text = Text::of("events")
            .int(self.lead)
            .int(self.ordinal.into())
            .bytes(record.campaign.buyer.as_str().as_bytes())
            .bytes(record.campaign.campaign.as_str().as_bytes())
            .int(record.event.number())
            .bytes(&record.mark.0)
            .maybe(self.sealed.as_deref(), Text::bytes)
            .int(record.at.as_millisecond());
        keys.check(&text)
    }
}

/// What of a report may name the consumer, if anything is said.
pub(super) fn said(reported: &Reported) -> Option<Said> {
    let Reported { reference, metadata, .. } = reported;
    (reference.is_some() || !metadata.is_empty())
        .then(|| Said { reference: reference.clone(), metadata: metadata.clone() })
}
