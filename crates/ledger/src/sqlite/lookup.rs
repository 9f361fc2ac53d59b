//! Leads by the keys that find them again. A key leads to rows; whether a row claims it, the row says.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::fault::Fault;
use super::lead_row::LeadRow;
use super::traces;
use crate::digest::Keys;
use crate::{Claimant, Digest, StoredRequest};

/// A key and the young leads that memory knows of it.
pub(super) type Wanted = (Digest, BTreeSet<i64>);

/// Every claim on one of `wanted`, which are in order.
pub(super) fn claimants(
    db: &Connection,
    keys: &Keys,
    wanted: Vec<Wanted>,
) -> Result<Vec<Claimant>, Fault> {
    let mut found = Vec::new();
    for wanted in wanted {
        let key = wanted.0;
        for lead in leads(db, keys, wanted)? {
            let claim = lead.claims.iter().find(|claim| claim.key == key);
            found.extend(claim.map(|claim| Claimant {
                key,
                kind: claim.kind,
                lead: lead.id,
                publisher: lead.publisher.clone(),
                received_at: lead.received_at,
                disposition: lead.disposition,
            }));
        }
    }
    Ok(found)
}

/// The request that a key belongs to: the newest, because an older one was judged to give way.
pub(super) fn request(
    db: &Connection,
    keys: &Keys,
    wanted: Wanted,
) -> Result<Option<StoredRequest>, Fault> {
    let key = wanted.0;
    let newest = leads(db, keys, wanted)?.into_iter().rev().find_map(|lead| {
        let request = lead.request.filter(|request| request.key == key)?;
        Some(StoredRequest { body: request.body, lead: lead.id, at: lead.received_at })
    });
    Ok(newest)
}

/// The rows that a key leads to, oldest first. Each of them has the key, or something was changed.
fn leads(db: &Connection, keys: &Keys, (key, mut found): Wanted) -> Result<Vec<LeadRow>, Fault> {
    traces::indexed(db, key, &mut found)?;
    let row = |seq| match LeadRow::numbered(db, keys, seq)? {
        Some(row) if row.found_by().any(|has| has == key) => Ok(row),
        _ => Err(Fault::corrupt("the index of claims and requests")),
    };
    found.into_iter().map(row).collect()
}
