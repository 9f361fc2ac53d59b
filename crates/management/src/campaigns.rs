//! Campaigns over HTTP: `GET /v1/buyers/{b}/campaigns`, `PUT`, `GET` and `DELETE` of one, `POST …/approve`
//! and `GET /v1/pending`. A body is the campaign's object and nothing else; its state stands in the header
//! `Gavel-State`, so that what is shown can be put again. Decides nothing: the engine does.

use document::{Defect, Path, parse_json};
use engine::{Done, Engine, Expect, Order, Outcome, Wish};
use fanout::Buyers;
use hyper::header::{ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use hyper::{HeaderMap, StatusCode};
use ingress::Reply;
use lead::{BuyerId, CampaignKey};
use ledger::Ledger;
use market::{Market, Standing, to_json};
use serde_json::{Value, json};

use crate::access::Role;
use crate::fault::Fault;
use crate::words;

const STATE: HeaderName = HeaderName::from_static("gavel-state");

/// A buyer's campaigns, without their objects.
pub(crate) fn list(market: &Market, role: &Role, buyer: Option<&BuyerId>) -> Result<Value, Fault> {
    let buyer = buyer.filter(|buyer| role.buyer().is_none_or(|own| own == *buyer));
    let buyer = buyer.filter(|buyer| market.buyers.contains_key(*buyer)).ok_or(Fault::NotFound)?;
    let keys = market.campaigns.keys().chain(market.pending.keys());
    let mut keys: Vec<&CampaignKey> = keys.filter(|key| key.buyer == *buyer).collect();
    keys.sort_unstable();
    keys.dedup();
    let rows = keys.into_iter().filter_map(|key| row(key, &market.standing(key)));
    Ok(json!({ "buyer": buyer.as_str(), "campaigns": rows.collect::<Vec<_>>() }))
}

fn row(key: &CampaignKey, standing: &Standing) -> Option<Value> {
    let (campaign, state) = standing.newest()?;
    let mut members = words::campaign(key);
    words::add(
        &mut members,
        [
            ("product", campaign.product.as_str().into()),
            ("status", campaign.status.name().into()),
            ("state", state.name().into()),
            // Whether leads reach some version of it.
            ("live", standing.live.is_some().into()),
            ("etag", standing.tag().into()),
        ],
    );
    Some(members.into())
}

/// Versions that wait for an operator, with their objects and the hosts that they wait for.
pub(crate) fn pending(market: &Market, role: &Role) -> Value {
    let waiting = market.pending.iter().filter(|(key, _)| role.sees(key));
    let waiting: Vec<Value> = waiting
        .map(|(key, campaign)| {
            let mut members = words::campaign(key);
            words::add(
                &mut members,
                [
                    ("hosts", market.foreign_hosts(campaign).into()),
                    ("etag", market.standing(key).tag().into()),
                    ("object", to_json(&campaign.written)),
                ],
            );
            members.into()
        })
        .collect();
    json!({ "pending": waiting })
}

/// The newest version of a campaign.
pub(crate) fn show(market: &Market, role: &Role, key: Option<CampaignKey>) -> Result<Reply, Fault> {
    let key = key.filter(|key| role.sees(key)).ok_or(Fault::NotFound)?;
    let standing = market.standing(&key);
    let (campaign, _) = standing.newest().ok_or(Fault::NotFound)?;
    Ok(reply(StatusCode::OK, to_json(&campaign.written), &standing))
}

/// The campaign that a path names, if it is or may become one of the role's.
pub(crate) fn named(
    market: &Market,
    role: &Role,
    key: Option<CampaignKey>,
) -> Result<CampaignKey, Fault> {
    let is_here = |key: &CampaignKey| role.sees(key) && market.buyers.contains_key(&key.buyer);
    key.filter(is_here).ok_or(Fault::NotFound)
}

/// Makes a campaign what the body says.
pub(crate) async fn put<B: Buyers, L: Ledger>(
    engine: &Engine<B, L>,
    role: &Role,
    (key, headers): (CampaignKey, &HeaderMap),
    body: &mut [u8],
) -> Result<Reply, Fault> {
    let expect = expect(headers)?;
    let object = parse_json(body).map_err(Fault::Unparsable)?.into_owned();
    let done = order(engine, role, (key.clone(), expect), Wish::Put(object)).await?;
    Ok(told(&key, &done))
}

/// Takes a campaign away.
pub(crate) async fn delete<B: Buyers, L: Ledger>(
    engine: &Engine<B, L>,
    role: &Role,
    (key, headers): (Option<CampaignKey>, &HeaderMap),
) -> Result<Reply, Fault> {
    let key = key.filter(|key| role.sees(key)).ok_or(Fault::NotFound)?;
    order(engine, role, (key, expect(headers)?), Wish::Delete).await?;
    Ok(Reply::json(StatusCode::NO_CONTENT, Value::Null))
}

/// Lets the version of a campaign that waits be asked.
pub(crate) async fn approve<B: Buyers, L: Ledger>(
    engine: &Engine<B, L>,
    role: &Role,
    (key, headers): (Option<CampaignKey>, &HeaderMap),
) -> Result<Reply, Fault> {
    let key = key.filter(|key| role.sees(key)).ok_or(Fault::NotFound)?;
    if role.buyer().is_some() {
        return Err(Fault::OperatorsOnly);
    }
    let done = order(engine, role, (key.clone(), expect(headers)?), Wish::Approve).await?;
    Ok(told(&key, &done))
}

async fn order<B: Buyers, L: Ledger>(
    engine: &Engine<B, L>,
    role: &Role,
    (key, expect): (CampaignKey, Expect),
    wish: Wish,
) -> Result<Done, Fault> {
    let author = role.author();
    let by = author.name.clone();
    let done = engine.change(Order { key: key.clone(), wish, author, expect }).await?;
    let (outcome, version) = (done.outcome.name(), done.version);
    tracing::info!(campaign = %key, outcome, version, by, "a campaign was put");
    Ok(done)
}

/// What became of a change.
fn told(key: &CampaignKey, done: &Done) -> Reply {
    let status = match done.outcome {
        Outcome::Created => StatusCode::CREATED,
        _ => StatusCode::OK,
    };
    let state = done.standing.newest().map(|(_, state)| state.name());
    let warning = |warning: &Defect| -> Value {
        json!({ "pointer": warning.path.pointer(), "detail": warning.issue })
    };
    let mut members = words::campaign(key);
    words::add(
        &mut members,
        [
            ("outcome", done.outcome.name().into()),
            ("state", state.into()),
            ("live", done.standing.live.is_some().into()),
            ("market_version", done.version.into()),
            ("warnings", done.warnings.iter().map(warning).collect()),
        ],
    );
    reply(status, members.into(), &done.standing)
}

fn reply(status: StatusCode, body: Value, standing: &Standing) -> Reply {
    let tag = standing.tag().and_then(|tag| HeaderValue::from_str(&tag).ok());
    let state = standing.newest().map(|(_, state)| HeaderValue::from_static(state.name()));
    let headers = tag.map(|tag| (ETAG, tag)).into_iter().chain(state.map(|state| (STATE, state)));
    Reply { headers: headers.collect(), ..Reply::json(status, body) }
}

/// What `If-Match` or `If-None-Match: *` asks for; both at once ask for what can never be.
fn expect(headers: &HeaderMap) -> Result<Expect, Fault> {
    let list = |name: HeaderName| -> Result<Option<Vec<String>>, Fault> {
        let mut tags = Vec::new();
        for value in headers.get_all(&name) {
            let text = value.to_str().map_err(|_| Fault::Stale)?;
            tags.extend(text.split(',').map(|tag| tag.trim().to_owned()));
        }
        Ok((!tags.is_empty()).then_some(tags))
    };
    let any = |tags: &[String]| tags.iter().any(|tag| tag == "*");
    match (list(IF_MATCH)?, list(IF_NONE_MATCH)?) {
        (None, None) => Ok(Expect::Anything),
        (Some(tags), None) if any(&tags) => Ok(Expect::Something),
        (Some(tags), None) => Ok(Expect::OneOf(tags)),
        (None, Some(tags)) if any(&tags) => Ok(Expect::Nothing),
        _ => Err(Fault::Invalid(vec![Defect {
            path: Path::default(),
            issue: "of If-Match and If-None-Match: * only one can be used".to_owned(),
            missing: false,
        }])),
    }
}
