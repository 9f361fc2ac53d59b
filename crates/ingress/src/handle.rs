//! One request from header to reply: route, authenticate, read, decode, distribute, encode.

mod bright_horizons;
mod events;
mod ping;
mod pingtree;
pub(crate) mod rehearsal;
mod visit;

use std::time::{Duration, Instant};

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
use crate::{Arrival, Delivery, Distribute, Limits, Refusal, RequestId, body, card};

/// Said of an Idempotency-Key that cannot be one.
pub(crate) const BAD_KEY: &str =
    "the header Idempotency-Key must be given once, with 1 to 255 visible characters";

/// Said of a budget that is none.
pub(crate) const BAD_BUDGET: &str =
    "the header Gavel-Budget-Ms must be a whole number of milliseconds above 0";

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
    (request, at): (Request<Incoming>, (Timestamp, Instant)),
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
    (request, (at, instant)): (Request<Incoming>, (Timestamp, Instant)),
) -> Result<Delivery, Fault> {
    let market = desk.market();
    let publisher = match door {
        Door::BrainySoft => visit::publisher(desk, &market, request.headers(), at)?,
        _ => authenticate(&market, door, request.headers())?,
    };
    let budget = budget(request.headers())?;
    let key = idempotency_key(request.headers())?;
    let asked = rehearsal::asked(request.headers())?;
    if let Some(why) = desk.unavailable() {
        return Err(Fault::Unavailable(why, limits.retry_after));
    }
    let mut bytes = body::read(request.into_body(), limits).await?;
    // Of a body that may hold a card no digest is made.
    let whole = (door != Door::BrainySoft).then(|| *blake3::hash(&bytes).as_bytes());
    let mut root = document::parse_json(&mut bytes).map_err(Fault::Unparsable)?;
    let request = match whole {
        Some(body) => RequestId { key, body },
        None => brainysoft::request_id(brainysoft::scrub(&mut root), key, asked),
    };
    card::refuse(&root).map_err(Fault::Invalid)?;
    let decoded = match door {
        Door::Leadhub => leadhub::decode(&root, publisher, &market)?,
        Door::BrainySoft => brainysoft::decode(&root, publisher, &market)?,
        Door::Native | Door::BrightHorizons | Door::Pingtree => {
            native::decode(&root, publisher, &market)?
        }
    };
    match decoded {
        Decoded::Rejected(answer) => Ok(Delivery::new(*answer)),
        Decoded::Lead(submission) => {
            let mut submission = *submission;
            rehearsal::rehearse(&mut submission, publisher, asked)?;
            let arrival = Arrival { submission, at, instant, budget, ping: None, request };
            hand_in(desk, limits, arrival).await
        }
    }
}

async fn hand_in<D: Distribute>(
    desk: &D,
    limits: &Limits,
    arrival: Arrival,
) -> Result<Delivery, Fault> {
    let refused = |refusal| Fault::refused(refusal, limits.retry_after);
    desk.distribute(arrival).await.map_err(refused)
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

/// The key, quoted as the draft standard writes it or bare.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let mut values = headers.get_all("idempotency-key").iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let visible = bare.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if second.is_some() || bare.is_empty() || bare.len() > 255 || !visible {
        return Err(Fault::Request(BAD_KEY));
    }
    Ok(Some(bare.to_owned()))
}

fn budget(headers: &HeaderMap) -> Result<Option<Duration>, Fault> {
    let Some(value) = headers.get("gavel-budget-ms") else {
        return Ok(None);
    };
    let millis =
        value.to_str().ok().and_then(|text| text.parse::<u64>().ok()).filter(|millis| *millis > 0);
    millis.map(|millis| Some(Duration::from_millis(millis))).ok_or(Fault::Request(BAD_BUDGET))
}

/// Exactly one `Host`; HTTP/1.0 may do without.
#[must_use]
pub fn names_one_host(request: &Request<Incoming>) -> bool {
    let hosts = request.headers().get_all(HOST).iter().count();
    hosts == 1 || (hosts == 0 && request.version() == Version::HTTP_10)
}
