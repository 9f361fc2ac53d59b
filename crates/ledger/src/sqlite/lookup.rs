//! Claims and requests: rows that are found by keyed hashes.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::columns::Columns;
use super::fault::Fault;
use super::lead_row::{LeadRow, lead_columns};
use crate::digest::{Keys, Text};
use crate::filter::Filter;
use crate::{Claim, ClaimKind, Claimant, Digest, RequestKey, StoredRequest};

const CLAIMANTS: &str = concat!(
    "SELECT ",
    lead_columns!(),
    ", claims.kind, claims.mac FROM claims LEFT JOIN leads ON leads.seq = claims.lead \
     WHERE claims.key = ?1 ORDER BY claims.lead"
);
const REQUEST: &str = concat!(
    "SELECT ",
    lead_columns!(),
    ", requests.body, requests.at, requests.mac FROM requests \
     LEFT JOIN leads ON leads.seq = requests.lead WHERE requests.key = ?1"
);

/// More than most leads have; where it is less, the filter grows.
const KEYS_A_LEAD: usize = 4;

/// Every key of the tables, in memory.
pub(super) fn filter(db: &Connection) -> rusqlite::Result<Filter> {
    // Counting keys would read them twice.
    let leads: i64 =
        db.query_row("SELECT coalesce(max(seq), 0) FROM leads", [], |row| row.get(0))?;
    let filter = Filter::for_keys(usize::try_from(leads).unwrap_or(0).saturating_mul(KEYS_A_LEAD));
    for table in ["SELECT key FROM claims", "SELECT key FROM requests"] {
        let mut statement = db.prepare(table)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            filter.insert(Digest(row.get(0)?));
        }
    }
    Ok(filter)
}

/// Every claim on one of `wanted`, which are in order.
pub(super) fn claimants(
    db: &Connection,
    keys: &Keys,
    wanted: &[Digest],
) -> Result<Vec<Claimant>, Fault> {
    let mut statement = db.prepare_cached(CLAIMANTS)?;
    let mut found = Vec::new();
    for key in wanted {
        let mut rows = statement.query([key.0])?;
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            let lead = LeadRow::read(&mut columns, keys)?;
            let kind = kind(&mut columns)?;
            if columns.get::<i64>()? != claim_check(keys, Claim { kind, key: *key }, lead.seq) {
                return Err(Fault::corrupt("a claim was changed"));
            }
            found.push(Claimant {
                key: *key,
                kind,
                lead: lead.id,
                publisher: lead.publisher,
                received_at: lead.received_at,
                disposition: lead.disposition,
            });
        }
    }
    Ok(found)
}

/// The request that `key` belongs to.
pub(super) fn request(
    db: &Connection,
    keys: &Keys,
    key: Digest,
) -> Result<Option<StoredRequest>, Fault> {
    let mut statement = db.prepare_cached(REQUEST)?;
    let mut rows = statement.query([key.0])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let mut columns = Columns::of(row);
    let lead = LeadRow::read(&mut columns, keys)?;
    let (body, at) = (columns.digest()?, columns.time()?);
    if columns.get::<i64>()? != request_check(keys, RequestKey { key, body }, lead.seq, at) {
        return Err(Fault::corrupt("a request was changed"));
    }
    Ok(Some(StoredRequest { body, lead: lead.id, at }))
}

/// A new lead's claims. Of two on one key the first counts.
pub(super) fn insert_claims(
    db: &Connection,
    keys: &Keys,
    lead: i64,
    claims: &[Claim],
) -> Result<(), Fault> {
    let mut statement = db.prepare_cached(
        "INSERT INTO claims (key, lead, kind, mac) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    )?;
    for claim in claims {
        let check = claim_check(keys, *claim, lead);
        statement.execute(params![claim.key.0, lead, claim.kind.number(), check])?;
    }
    Ok(())
}

/// A new lead's request. An older one under the same key was judged to give way.
pub(super) fn insert_request(
    db: &Connection,
    keys: &Keys,
    lead: &LeadRow,
    request: RequestKey,
) -> Result<(), Fault> {
    let check = request_check(keys, request, lead.seq, lead.received_at);
    db.prepare_cached(
        "INSERT OR REPLACE INTO requests (key, body, lead, at, mac) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        request.key.0,
        request.body.0,
        lead.seq,
        lead.received_at.as_millisecond(),
        check
    ])?;
    Ok(())
}

/// The claims of the table as they are stored: each row's check number is compared.
pub(super) fn claim_is_whole(columns: &mut Columns<'_, '_>, keys: &Keys) -> Result<bool, Fault> {
    let (key, lead, kind) = (columns.digest()?, columns.get()?, kind(columns)?);
    Ok(columns.get::<i64>()? == claim_check(keys, Claim { kind, key }, lead))
}

/// As [`claim_is_whole`], for a request.
pub(super) fn request_is_whole(columns: &mut Columns<'_, '_>, keys: &Keys) -> Result<bool, Fault> {
    let request = RequestKey { key: columns.digest()?, body: columns.digest()? };
    let (lead, at) = (columns.get()?, columns.time()?);
    Ok(columns.get::<i64>()? == request_check(keys, request, lead, at))
}

fn kind(columns: &mut Columns<'_, '_>) -> Result<ClaimKind, Fault> {
    columns.numbered(ClaimKind::numbered)?.ok_or_else(|| Fault::corrupt("a claim has no kind"))
}

fn claim_check(keys: &Keys, claim: Claim, lead: i64) -> i64 {
    keys.check(&Text::of("claims").bytes(&claim.key.0).int(lead).int(claim.kind.number()))
}

fn request_check(keys: &Keys, request: RequestKey, lead: i64, at: Timestamp) -> i64 {
    let RequestKey { key, body } = request;
    let text = Text::of("requests").bytes(&key.0).bytes(&body.0);
    keys.check(&text.int(lead).int(at.as_millisecond()))
}
