//! A lead's decisions as they are stored: JSON arrays with a check number, the buyers' own words apart and
//! sealed. Must never hold a word of a buyer in the clear: it may name the consumer.

use std::borrow::Cow;

use lead::{BuyerId, CampaignId, CampaignKey, Code, LeadId};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::fault::Fault;
use crate::digest::{Keys, Text};
use crate::seal::{LeadKey, Reasons};
use crate::{Decision, Refused};

/// The number before the JSON.
const CHECK: usize = 8;

/// The stored form: the clear part and the sealed one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct StoredDecisions<'a> {
    pub(super) clear: Option<&'a [u8]>,
    pub(super) reasons: Option<&'a [u8]>,
}

/// A decision without the buyer's own word. By place: the names would be most of the bytes.
#[derive(Serialize, Deserialize)]
struct Clear<B, C>(B, C, u8, u16, Option<Decimal>, Option<u32>, Option<u32>);

/// The clear part.
pub(super) fn clear(keys: &Keys, id: LeadId, decisions: &[Decision]) -> Result<Vec<u8>, Refused> {
    let rows = decisions.iter().map(|row| {
        let CampaignKey { buyer, campaign } = &row.campaign;
        Clear(buyer, campaign, row.tier, row.code.number(), row.bid, row.ping_ms, row.post_ms)
    });
    let mut bytes = Vec::with_capacity(CHECK + 64 * decisions.len());
    bytes.resize(CHECK, 0);
    let mut json = serde_json::Serializer::new(&mut bytes);
    serde::Serializer::collect_seq(&mut json, rows)
        .map_err(|_| Refused::Illegal("decisions cannot be written".to_owned()))?;
    if let Some((number, json)) = bytes.split_first_chunk_mut::<CHECK>() {
        *number = check(keys, id, json);
    }
    Ok(bytes)
}

/// The sealed part; without the lead's key nothing of it is kept.
pub(super) fn reasons(
    decisions: &[Decision],
    key: Option<&LeadKey>,
) -> Result<Option<Vec<u8>>, Refused> {
    let Some(key) = key else { return Ok(None) };
    let said: Reasons<'_> = (decisions.iter().enumerate())
        .filter_map(|(place, row)| Some((place, Cow::Borrowed(row.reason.as_deref()?))))
        .collect();
    (!said.is_empty()).then(|| key.seal_reasons(&said)).transpose()
}

/// The decisions of a stored form; without the lead's key, without the buyers' own words.
pub(super) fn read(
    keys: &Keys,
    id: LeadId,
    stored: StoredDecisions<'_>,
    key: Option<&LeadKey>,
) -> Result<Vec<Decision>, Fault> {
    let Some(bytes) = stored.clear else {
        return Ok(Vec::new());
    };
    let corrupt = || Fault::corrupt("a lead's decisions");
    let (number, json) = bytes.split_first_chunk::<CHECK>().ok_or_else(corrupt)?;
    if *number != check(keys, id, json) {
        return Err(corrupt());
    }
    let rows: Vec<Clear<BuyerId, CampaignId>> =
        serde_json::from_slice(json).map_err(|_| corrupt())?;
    let decision = |Clear(buyer, campaign, tier, code, bid, ping_ms, post_ms)| {
        let campaign = CampaignKey { buyer, campaign };
        let code = Code::numbered(code).ok_or_else(corrupt)?;
        Ok(Decision { campaign, tier, code, bid, ping_ms, post_ms, reason: None })
    };
    let mut decisions = rows.into_iter().map(decision).collect::<Result<Vec<_>, Fault>>()?;
    if let (Some(key), Some(sealed)) = (key, stored.reasons) {
        for (place, reason) in key.open_reasons(sealed)? {
            decisions.get_mut(place).ok_or_else(corrupt)?.reason = Some(reason.into_owned());
        }
    }
    Ok(decisions)
}

fn check(keys: &Keys, id: LeadId, json: &[u8]) -> [u8; CHECK] {
    keys.check(&Text::of("decisions").bytes(id.0.as_bytes()).bytes(json)).to_le_bytes()
}
