//! A buyer's event at the Leadhub door: by its key with a body, or by a lead's token with a query. Words
//! nothing itself.

use hyper::Request;
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use jiff::Timestamp;
use lead::{BuyerId, LeadId, Report, Reporter};
use market::Market;

use crate::doors::leadhub;
use crate::doors::leadhub::events::{self, Told};
use crate::reply::{Fault, Reply};
use crate::{Distribute, Limits, body, card, form};

/// A request, the lead that its path names (`None` if that is none of ours), and when it came.
pub(super) struct Call {
    pub(super) lead: Option<LeadId>,
    pub(super) request: Request<Incoming>,
    pub(super) at: Timestamp,
}

/// Takes an event with a buyer's key.
pub(super) async fn keyed<D: Distribute>(desk: &D, limits: &Limits, call: Call) -> Reply {
    let told = read_body(desk, limits, call).await;
    answer(desk, limits, told).await
}

/// Takes an event with a lead's token.
pub(super) async fn pixel<D: Distribute>(desk: &D, limits: &Limits, call: Call) -> Reply {
    let told = read_query(&call);
    answer(desk, limits, told).await
}

async fn answer<D: Distribute>(desk: &D, limits: &Limits, report: Result<Report, Fault>) -> Reply {
    let heard = match report {
        Ok(report) => {
            let (lead, event) = (report.lead, report.event);
            let heard = desk.report(report).await;
            heard
                .map(|heard| (lead, event, heard))
                .map_err(|why| Fault::untold(why, limits.retry_after))
        }
        Err(fault) => Err(fault),
    };
    let mut reply = match heard {
        Ok((lead, event, heard)) => events::encode(lead, event, heard),
        Err(fault) => leadhub::fault(&fault),
    };
    // A pixel that a cache answered would tell us nothing.
    reply.add("cache-control", "no-store".to_owned());
    reply
}

async fn read_body<D: Distribute>(desk: &D, limits: &Limits, call: Call) -> Result<Report, Fault> {
    let market = desk.market();
    let buyer = authenticate(&market, call.request.headers())?.clone();
    let mut bytes = body::read(call.request.into_body(), limits).await?;
    let root = document::parse_json(&mut bytes).map_err(Fault::Unparsable)?;
    card::refuse(&root).map_err(Fault::Invalid)?;
    let told = events::decode(&root)?;
    let lead = call.lead.ok_or(Fault::NoLead)?;
    Ok(report(lead, Reporter::Buyer(buyer), told, call.at))
}

fn read_query(call: &Call) -> Result<Report, Fault> {
    let root = form::flat(call.request.uri().query().unwrap_or_default().as_bytes())?;
    let token = root.member("token").and_then(|token| token.as_text()).unwrap_or_default();
    // No token is of no lead.
    let lead = call.lead.filter(|_| !token.is_empty()).ok_or(Fault::Token)?;
    card::refuse(&root).map_err(Fault::Invalid)?;
    let told = events::decode(&root)?;
    Ok(report(lead, Reporter::Token(token.to_owned()), told, call.at))
}

fn report(lead: LeadId, by: Reporter, told: Told, at: Timestamp) -> Report {
    let Told { event, reference, metadata } = told;
    Report { lead, by, event, reference, metadata, at }
}

/// A publisher's key is no buyer's.
fn authenticate<'m>(market: &'m Market, headers: &HeaderMap) -> Result<&'m BuyerId, Fault> {
    let key = headers.get("apikey").and_then(|value| value.to_str().ok());
    let buyer = key.and_then(|key| market.buyer_by_key(key));
    buyer.map(|buyer| &buyer.id).ok_or(Fault::Unauthorized)
}
