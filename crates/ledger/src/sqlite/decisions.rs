//! A lead's decisions as they are stored: JSON arrays with a check number, the buyers' own words apart and
//! sealed. Must never hold a word of a buyer in the clear: it may name the consumer.

use std::borrow::Cow;

use lead::{BuyerId, CampaignId, CampaignKey, Code, LeadId};
use rust_decimal::Decimal;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};

use super::fault::Fault;
use super::limits::StoredLimit;
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

/// A decision without the buyer's own word. By place: the names would be most of the bytes. What is
/// nothing at the end of a row is left out.
#[derive(Deserialize)]
struct Clear(
    BuyerId,
    CampaignId,
    u8,
    u16,
    #[serde(default)] Option<Decimal>,
    #[serde(default)] Option<Decimal>,
    #[serde(default)] Option<u32>,
    #[serde(default)] Option<u32>,
    #[serde(default)] Option<StoredLimit>,
);

/// The same, on its way out.
struct Row<'a>(&'a Decision);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let Decision { campaign, tier, code, bid, score, ping_ms, post_ms, limit, .. } = self.0;
        let is_there =
            [bid.is_some(), score.is_some(), ping_ms.is_some(), post_ms.is_some(), limit.is_some()];
        let tail = is_there.iter().rposition(|is| *is).map_or(0, |last| last + 1);
        let mut row = out.serialize_seq(Some(4 + tail))?;
        row.serialize_element(&campaign.buyer)?;
        row.serialize_element(&campaign.campaign)?;
        row.serialize_element(tier)?;
        row.serialize_element(&code.number())?;
        for place in 0..tail {
            match place {
                0 => row.serialize_element(bid)?,
                1 => row.serialize_element(score)?,
                2 => row.serialize_element(ping_ms)?,
                3 => row.serialize_element(post_ms)?,
                _ => row.serialize_element(&limit.as_deref().map(StoredLimit::of))?,
            }
        }
        row.end()
    }
}

/// The clear part.
pub(super) fn clear(keys: &Keys, id: LeadId, decisions: &[Decision]) -> Result<Vec<u8>, Refused> {
    let mut bytes = Vec::with_capacity(CHECK + 64 * decisions.len());
    bytes.resize(CHECK, 0);
    let mut json = serde_json::Serializer::new(&mut bytes);
    json.collect_seq(decisions.iter().map(Row))
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
    let rows: Vec<Clear> = serde_json::from_slice(json).map_err(|_| corrupt())?;
    let decision = |Clear(buyer, campaign, tier, code, bid, score, ping_ms, post_ms, limit)| {
        let campaign = CampaignKey { buyer, campaign };
        let code = Code::numbered(code).ok_or_else(corrupt)?;
        let limit =
            limit.map(|limit| limit.read().map(Box::new).ok_or_else(corrupt)).transpose()?;
        Ok(Decision { campaign, tier, code, bid, score, ping_ms, post_ms, limit, reason: None })
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

#[cfg(test)]
mod tests {
    use lead::Money;
    use market::{Cap, CapLimit, CapOf, Window};

    use super::*;
    use crate::{Limit, Party, RootKey};

    fn decision(code: Code) -> Decision {
        Decision {
            campaign: CampaignKey {
                buyer: "nova".parse().unwrap(),
                campaign: "main".parse().unwrap(),
            },
            tier: 1,
            code,
            bid: None,
            score: None,
            ping_ms: None,
            post_ms: None,
            limit: None,
            reason: None,
        }
    }

    fn limited(party: Party, cap: Cap, used: CapLimit, window: Option<(i64, i64)>) -> Decision {
        let moment = |second| jiff::Timestamp::from_second(second).unwrap();
        let window = window.map(|(start, end)| (moment(start), moment(end)));
        let limit = Some(Box::new(Limit { party, cap, used, window }));
        Decision { limit, ..decision(Code::Cap) }
    }

    fn amount(text: &str) -> Option<Decimal> {
        text.parse().ok()
    }

    /// The stored form is a contract with every data directory that exists.
    #[test]
    fn rows_are_stored_by_place_and_read_back() {
        let spend = |text: &str| {
            let currency = "EUR".parse().unwrap();
            CapLimit::Spend(Money { amount: text.parse().unwrap(), currency })
        };
        let leads = |per, most, of| Cap { per, limit: CapLimit::Leads(most), of };
        let day = (1_772_406_000, 1_772_492_400);
        let cases = [
            (r#"["nova","main",1,202]"#, decision(Code::Paused)),
            (
                r#"["nova","main",1,4,"12.50","11.8750",80]"#,
                Decision {
                    bid: amount("12.50"),
                    score: amount("11.8750"),
                    ping_ms: Some(80),
                    ..decision(Code::Outbid)
                },
            ),
            (
                r#"["nova","main",1,2,null,null,null,300]"#,
                Decision { post_ms: Some(300), ..decision(Code::PostRejected) },
            ),
            (
                r#"["nova","main",1,204,null,null,null,null,[1,3,2,100,100,null,[1772406000,1772492400]]]"#,
                limited(
                    Party::Campaign,
                    leads(Window::Day, 100, CapOf::Posted),
                    CapLimit::Leads(100),
                    Some(day),
                ),
            ),
            (
                r#"["nova","main",1,204,null,null,null,null,[3,6,1,"500.00","499.5","EUR",null]]"#,
                limited(
                    Party::Publisher,
                    Cap { per: Window::Total, limit: spend("500.00"), of: CapOf::Sold },
                    spend("499.5"),
                    None,
                ),
            ),
        ];
        let keys = Keys::new(&RootKey::from_bytes([3; 32]));
        let id = LeadId::new(jiff::Timestamp::UNIX_EPOCH, [1; 10]);
        for (json, decision) in cases {
            let stored = clear(&keys, id, std::slice::from_ref(&decision)).unwrap();
            let text = std::str::from_utf8(&stored[CHECK..]).unwrap();
            assert_eq!(text, format!("[{json}]"));
            let stored = StoredDecisions { clear: Some(&stored), reasons: None };
            assert_eq!(read(&keys, id, stored, None).unwrap(), [decision]);
        }
    }

    #[test]
    fn a_row_that_was_not_written_here_is_corrupt() {
        let keys = Keys::new(&RootKey::from_bytes([3; 32]));
        let id = LeadId::new(jiff::Timestamp::UNIX_EPOCH, [1; 10]);
        let row = |limit: &str| format!(r#"[["nova","main",1,204,null,null,null,null,{limit}]]"#);
        for json in [
            row("[4,3,2,100,100,null,null]"),
            row("[1,7,2,100,100,null,null]"),
            row("[1,3,0,100,100,null,null]"),
            row(r#"[1,3,2,"100",100,null,null]"#),
            row(r#"[1,3,2,100,100,"EUR",null]"#),
            row("[1,3,2,100,100,null,[9223372036854775807,0]]"),
            r#"[["nova","main",1]]"#.to_owned(),
            r#"[["nova","main",1,499]]"#.to_owned(),
        ] {
            let mut stored = check(&keys, id, json.as_bytes()).to_vec();
            stored.extend(json.as_bytes());
            let stored = StoredDecisions { clear: Some(&stored), reasons: None };
            let read = read(&keys, id, stored, None);
            assert!(matches!(read, Err(Fault::Refused(Refused::Corrupt(_)))), "{json}: {read:?}");
        }
    }
}
