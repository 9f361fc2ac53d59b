//! One request from header to reply: route, authenticate, answer.

use fanout::Buyers;
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use ingress::{Reply, names_one_host, read_body};
use lead::LeadId;
use ledger::Ledger;
use serde_json::Value;

use crate::access::{Role, role};
use crate::fault::Fault;
use crate::route::{Route, route};
use crate::{Desk, decisions, explain, lead_record, review};

/// Answers one request.
pub(crate) async fn handle<B: Buyers, L: Ledger>(
    desk: &Desk<B, L>,
    request: Request<Incoming>,
) -> Reply {
    match answer(desk, request).await {
        Ok(body) => Reply::json(StatusCode::OK, body),
        Err(fault) => {
            if let Fault::Ledger(refused) = &fault {
                tracing::warn!(%refused, "a management request could not be answered");
            }
            fault.reply()
        }
    }
}

async fn answer<B: Buyers, L: Ledger>(
    desk: &Desk<B, L>,
    request: Request<Incoming>,
) -> Result<Value, Fault> {
    let place = route(request.method(), request.uri().path());
    if !names_one_host(&request) {
        return Err(Fault::Host);
    }
    match place {
        Route::Unknown => return Err(Fault::NoRoute),
        Route::WrongMethod(allow) => return Err(Fault::Method(allow)),
        _ => {}
    }
    let market = desk.engine.snapshot();
    let role = role(request.headers(), &desk.operators, &market.market);
    let role = role.ok_or(Fault::Unauthorized)?;
    match place {
        Route::Lead(id) => of_lead(desk, id, role, lead_record::encode).await,
        Route::Decisions(id) => of_lead(desk, id, role, decisions::encode).await,
        Route::Reviews => Ok(review::list(&desk.engine, &role)),
        Route::Review(lead, campaign) => {
            let mut bytes = read_body(request.into_body(), &desk.limits).await?;
            let lead = lead.ok_or(Fault::NotFound)?;
            review::settle(&desk.engine, &role, (lead, &campaign), &mut bytes).await
        }
        Route::Explain => {
            let mut bytes = read_body(request.into_body(), &desk.limits).await?;
            let engine = desk.engine.clone();
            apart(move || explain::answer(&engine, &market, &role, &mut bytes)).await
        }
        Route::Unknown | Route::WrongMethod(_) => Err(Fault::NoRoute),
    }
}

/// Something about one lead, as far as the role sees it.
async fn of_lead<B: Buyers, L: Ledger>(
    desk: &Desk<B, L>,
    id: Option<LeadId>,
    role: Role,
    encode: fn(&engine::explain::Evidence, &Role) -> Option<Value>,
) -> Result<Value, Fault> {
    let evidence = desk.engine.evidence(id.ok_or(Fault::NotFound)?).await?;
    let evidence = evidence.ok_or(Fault::NotFound)?;
    apart(move || encode(&evidence, &role).ok_or(Fault::NotFound)).await
}

/// Thousands of campaigns take milliseconds, which no lead should wait for.
async fn apart(
    work: impl FnOnce() -> Result<Value, Fault> + Send + 'static,
) -> Result<Value, Fault> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(Fault::Internal))
}
