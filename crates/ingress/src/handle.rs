//! One request from header to reply: route, authenticate, read, decode, distribute, encode.

mod bright_horizons;
mod events;
mod ping;
mod pingtree;
pub(crate) mod rehearsal;
mod terms;
mod visit;

use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HOST, HeaderMap};
use hyper::{Request, Version};
use jiff::Timestamp;
use lead::{Door, LeadId};
use market::{Market, Publisher};

use crate::doors::pingtree::Dialect;
use crate::doors::{self, Decoded, brainysoft, leadhub, native};
use crate::reply::{Fault, Reply};
use crate::route::{Route, route};
use crate::{Delivery, Distribute, Limits, Refusal, body, card};

pub(crate) use terms::{BAD_BUDGET, BAD_KEY};
use terms::{Moment, Sent, Terms};

/// Answers one request. Its header is complete; its body may not have come yet.
pub(crate) async fn handle<D: Distribute>(
    desk: &D,
    (limits, checked): (&Limits, &brainysoft::Checked),
    request: Request<Incoming>,
) -> Reply {
    let at = (desk.clock().timestamp(), desk.clock().instant());
    let place = route(request.method(), request.uri().path());
    if !names_one_host(&request) {
        return word_at(&place, &Fault::Host, at.0);
    }
    match place {
        Route::LeadhubCreate => create(desk, limits, Door::Leadhub, (request, at)).await,
        Route::LeadhubEvent(lead) => {
            events::keyed(desk, limits, events::Call { lead, request, at: at.0 }).await
        }
        Route::LeadhubPixel(lead) => {
            events::pixel(desk, limits, events::Call { lead, request, at: at.0 }).await
        }
        Route::NativeCreate => create(desk, limits, Door::Native, (request, at)).await,
        Route::NativePing => ping::ping(desk, limits, (request, at)).await,
        Route::NativePost => ping::post(desk, limits, (request, at)).await,
        Route::NativeFind(id) => {
            let find = async |publisher: &Publisher, id| {
                desk.find(&publisher.id, id).await.map_err(Refusal::from)
            };
            let found = own(desk, limits, (id, request.headers()), find).await;
            found.map_or_else(|fault| native::fault(&fault), |answer| native::encode(&answer))
        }
        Route::NativeDecisions(id) => {
            let explain = async |publisher: &Publisher, id| {
                desk.explain(&publisher.id, id).await.map_err(Refusal::from)
            };
            let found = own(desk, limits, (id, request.headers()), explain).await;
            found.map_or_else(|fault| native::fault(&fault), |why| native::explain(&why))
        }
        Route::NativeWithdraw(id) => {
            let withdraw = async |publisher: &Publisher, id| desk.withdraw(&publisher.id, id).await;
            let found = own(desk, limits, (id, request.headers()), withdraw).await;
            found.map_or_else(|fault| native::fault(&fault), |answer| native::encode(&answer))
        }
        Route::BrightHorizons { is_ping, path } => {
            let call = bright_horizons::Call { is_ping, path, request, at };
            bright_horizons::take(desk, limits, call).await
        }
        Route::PingtreeCreate { dialect, source } => {
            let call = pingtree::Call { dialect, source, request, at };
            pingtree::create(desk, limits, call).await
        }
        Route::PingtreeFetch { dialect, source } => {
            let call = pingtree::Call { dialect, source, request, at };
            pingtree::fetch(desk, limits, call).await
        }
        Route::BrainySoft(brainysoft::Path::Create) => {
            create(desk, limits, Door::BrainySoft, (request, at)).await
        }
        Route::BrainySoft(path) => {
            visit::visit(desk, (limits, checked), (path, request), at.0).await
        }
        Route::WrongMethod(_, allow) | Route::PingtreeMethod { allow, .. } => {
            word_at(&place, &Fault::Method(allow), at.0)
        }
        Route::Unknown => word(Door::Native, &Fault::NoRoute, at.0),
    }
}

async fn create<D: Distribute>(
    desk: &D,
    limits: &Limits,
    door: Door,
    (request, at): (Request<Incoming>, Moment),
) -> Reply {
    match take(desk, limits, door, (request, at)).await {
        Ok(delivery) => {
            let reply = match door {
                Door::Leadhub => leadhub::encode(&delivery.answer),
                Door::BrainySoft => brainysoft::encode(&delivery.answer, at.0),
                // These go their own ways: one has its key in the body, and not all are JSON.
                Door::Native | Door::BrightHorizons | Door::Pingtree => {
                    native::encode(&delivery.answer)
                }
            };
            Reply { delivery: Some(delivery), ..reply }
        }
        Err(fault) => word(door, &fault, at.0),
    }
}

async fn take<D: Distribute>(
    desk: &D,
    limits: &Limits,
    door: Door,
    (request, at): (Request<Incoming>, Moment),
) -> Result<Delivery, Fault> {
    let market = desk.market();
    let publisher = match door {
        Door::BrainySoft => visit::publisher(desk, &market, request.headers(), at.0)?,
        _ => authenticate(&market, door, request.headers())?,
    };
    let mut terms = Terms::read(desk, limits, request.headers())?;
    let mut bytes = body::read(request.into_body(), limits).await?;
    // Of a body that may hold a card no digest is made.
    let whole = (door != Door::BrainySoft).then(|| *blake3::hash(&bytes).as_bytes());
    let mut root = document::parse_json(&mut bytes).map_err(Fault::Unparsable)?;
    let body = match whole {
        Some(body) => body,
        None => {
            let body = brainysoft::scrub(&mut root);
            terms.key = terms.key.or_else(|| Some(brainysoft::own_key(body, terms.asked)));
            body
        }
    };
    card::refuse(&root).map_err(Fault::Invalid)?;
    let decoded = match door {
        Door::Leadhub => leadhub::decode(&root, publisher, &market)?,
        Door::BrainySoft => brainysoft::decode(&root, publisher, &market)?,
        Door::Native | Door::BrightHorizons | Door::Pingtree => {
            native::decode(&root, publisher, &market)?
        }
    };
    hand_in(desk, limits, Sent { publisher, terms, body, ping: None, at }, decoded).await
}

/// Hands a decoded lead to the engine, unless its door has the answer already.
async fn hand_in<D: Distribute>(
    desk: &D,
    limits: &Limits,
    sent: Sent<'_>,
    decoded: Decoded,
) -> Result<Delivery, Fault> {
    match decoded {
        Decoded::Rejected(answer) => Ok(Delivery::new(*answer)),
        Decoded::Lead(submission) => {
            let refused = |refusal| Fault::refused(refusal, limits.retry_after);
            desk.distribute(sent.arrival(*submission)?).await.map_err(refused)
        }
    }
}

/// Something about a lead of the publisher that asks, and of no other.
async fn own<D: Distribute, T>(
    desk: &D,
    limits: &Limits,
    (id, headers): (Option<LeadId>, &HeaderMap),
    look: impl AsyncFnOnce(&Publisher, LeadId) -> Result<Option<T>, Refusal>,
) -> Result<T, Fault> {
    let market = desk.market();
    let publisher = authenticate(&market, Door::Native, headers)?;
    let id = id.ok_or(Fault::NoLead)?;
    let found = look(publisher, id).await;
    found.map_err(|why| Fault::refused(why, limits.retry_after))?.ok_or(Fault::NoLead)
}

fn word(door: Door, fault: &Fault, at: Timestamp) -> Reply {
    match door {
        Door::Leadhub => leadhub::fault(fault),
        Door::Native => native::fault(fault),
        Door::BrightHorizons => bright_horizons::fault(fault, false),
        Door::Pingtree => doors::pingtree::fault(fault, Dialect::Id),
        Door::BrainySoft => brainysoft::fault(fault, at),
    }
}

/// Words a fault that is found before a door is asked, as its door would.
fn word_at(place: &Route, fault: &Fault, at: Timestamp) -> Reply {
    match place {
        Route::LeadhubCreate | Route::LeadhubEvent(_) | Route::LeadhubPixel(_) => {
            leadhub::fault(fault)
        }
        Route::BrightHorizons { is_ping, .. } => bright_horizons::fault(fault, *is_ping),
        Route::PingtreeCreate { dialect, .. }
        | Route::PingtreeFetch { dialect, .. }
        | Route::PingtreeMethod { dialect, .. } => doors::pingtree::fault(fault, *dialect),
        Route::BrainySoft(_) => brainysoft::fault(fault, at),
        Route::WrongMethod(door, _) => word(*door, fault, at),
        Route::NativeCreate
        | Route::NativePing
        | Route::NativePost
        | Route::NativeFind(_)
        | Route::NativeDecisions(_)
        | Route::NativeWithdraw(_)
        | Route::Unknown => native::fault(fault),
    }
}

fn authenticate<'m>(
    market: &'m Market,
    door: Door,
    headers: &HeaderMap,
) -> Result<&'m Publisher, Fault> {
    let key = match door {
        Door::Leadhub => headers.get("apikey").and_then(|value| value.to_str().ok()),
        Door::Native | Door::BrightHorizons | Door::Pingtree => bearer(headers),
        // A login's token is no key.
        Door::BrainySoft => None,
    };
    key.and_then(|key| market.publisher_by_key(door, key)).ok_or(Fault::Unauthorized)
}

/// The token of `Authorization: Bearer`.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Exactly one `Host`; HTTP/1.0 may do without.
#[must_use]
pub fn names_one_host(request: &Request<Incoming>) -> bool {
    let hosts = request.headers().get_all(HOST).iter().count();
    hosts == 1 || (hosts == 0 && request.version() == Version::HTTP_10)
}
