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
use crate::route::{Route, Verb, route};
use crate::{Desk, campaigns, decisions, explain, lead_record, review, spec};

/// Answers one request.
pub(crate) async fn handle<B: Buyers, L: Ledger>(
    desk: &Desk<B, L>,
    request: Request<Incoming>,
) -> Reply {
    match answer(desk, request).await {
        Ok(reply) => reply,
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
) -> Result<Reply, Fault> {
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
    let ok = |body: Value| Reply::json(StatusCode::OK, body);
    match place {
        Route::Lead(id) => of_lead(desk, id, role, lead_record::encode).await.map(ok),
        Route::Decisions(id) => of_lead(desk, id, role, decisions::encode).await.map(ok),
        Route::Reviews => Ok(ok(review::list(&desk.engine, &role))),
        Route::Review(lead, campaign) => {
            let mut bytes = read_body(request.into_body(), &desk.limits).await?;
            let lead = lead.ok_or(Fault::NotFound)?;
            review::settle(&desk.engine, &role, (lead, &campaign), &mut bytes).await.map(ok)
        }
        Route::Explain => {
            let mut bytes = read_body(request.into_body(), &desk.limits).await?;
            let engine = desk.engine.clone();
            apart(move || explain::answer(&engine, &market, &role, &mut bytes)).await.map(ok)
        }
        Route::Pending => {
            apart(move || Ok(campaigns::pending(&market.market, &role))).await.map(ok)
        }
        Route::Campaigns(buyer) => {
            apart(move || campaigns::list(&market.market, &role, buyer.as_ref())).await.map(ok)
        }
        Route::Campaign(Verb::Get, key) => campaigns::show(&market.market, &role, key),
        Route::Campaign(Verb::Put, key) => {
            let (head, body) = request.into_parts();
            // Whose it is comes first: nobody reads bodies for what is not there.
            let key = campaigns::named(&market.market, &role, key)?;
            let mut bytes = read_body(body, &desk.limits).await?;
            campaigns::put(&desk.engine, &role, (key, &head.headers), &mut bytes).await
        }
        Route::Campaign(Verb::Delete, key) => {
            campaigns::delete(&desk.engine, &role, (key, request.headers())).await
        }
        Route::Approve(key) => {
            campaigns::approve(&desk.engine, &role, (key, request.headers())).await
        }
        Route::Spec(id) => spec::page(&market.market, &role, id.as_ref(), request.uri().query()),
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
