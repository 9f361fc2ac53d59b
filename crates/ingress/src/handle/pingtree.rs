//! A request at the Pingtree door: two paths, three ways to write the fields. Words nothing itself.

use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::{Method, Request};
use market::{Market, PingtreeSource, Publisher};

use super::terms::{Moment, Sent, Terms};
use super::{authenticate, hand_in};
use crate::doors::pingtree::{Ask, Dialect, decode, encode, fault};
use crate::reply::{Fault, Reply};
use crate::{Delivery, Distribute, Limits, body, card, form};
use lead::Door;

/// A request and what its path says.
pub(super) struct Call {
    pub(super) dialect: Dialect,
    /// The source's id or slug.
    pub(super) source: String,
    pub(super) request: Request<Incoming>,
    pub(super) at: Moment,
}

/// Takes a lead.
pub(super) async fn create<D: Distribute>(desk: &D, limits: &Limits, call: Call) -> Reply {
    let dialect = call.dialect;
    match take(desk, limits, call).await {
        Ok((delivery, distributes)) => {
            let reply = encode(&delivery.answer, dialect, distributes);
            Reply { delivery: Some(delivery), ..reply }
        }
        Err(why) => fault(&why, dialect),
    }
}

async fn take<D: Distribute>(
    desk: &D,
    limits: &Limits,
    call: Call,
) -> Result<(Delivery, bool), Fault> {
    let Call { dialect, source, request, at } = call;
    let market = desk.market();
    let (publisher, source) = authorize(&market, request.headers(), dialect, &source)?;
    let terms = Terms::read(desk, limits, request.headers())?;
    let is_query = *request.method() == Method::GET;
    let query = request.uri().query().unwrap_or_default().as_bytes().to_vec();
    let (head, incoming) = request.into_parts();
    let mut bytes = if is_query { query } else { body::read(incoming, limits).await? };
    let body = *blake3::hash(&bytes).as_bytes();
    let root = match is_query || form::is_form(&head.headers, &bytes) {
        true => form::flat(&bytes)?,
        false => document::parse_json(&mut bytes).map_err(Fault::Unparsable)?,
    };
    card::refuse(&root).map_err(Fault::Invalid)?;
    let decoded = decode(&root, dialect, (publisher, source), &market)?;
    let sent = Sent { publisher, terms, body, ping: None, at };
    let delivery = hand_in(desk, limits, sent, decoded).await?;
    Ok((delivery, source.distributes))
}

/// Tells a page of what a source stored.
pub(super) async fn fetch<D: Distribute>(desk: &D, limits: &Limits, call: Call) -> Reply {
    let dialect = call.dialect;
    read(desk, limits, &call).await.unwrap_or_else(|why| fault(&why, dialect))
}

async fn read<D: Distribute>(desk: &D, limits: &Limits, call: &Call) -> Result<Reply, Fault> {
    let market = desk.market();
    let headers = call.request.headers();
    let (publisher, source) = authorize(&market, headers, call.dialect, &call.source)?;
    let query = form::flat(call.request.uri().query().unwrap_or_default().as_bytes())?;
    let ask = Ask::read(&query, call.dialect)?;
    let found = desk.stored(&publisher.id, ask.page(), |lead| ask.wants(lead)).await;
    let found = found.map_err(|why| Fault::Unavailable(why, limits.retry_after))?;
    Ok(ask.encode(&found, source))
}

/// The publisher whose source the path names and whose key this is.
fn authorize<'m>(
    market: &'m Market,
    headers: &HeaderMap,
    dialect: Dialect,
    named: &str,
) -> Result<(&'m Publisher, &'m PingtreeSource), Fault> {
    let publisher = authenticate(market, Door::Pingtree, headers)?;
    let source = publisher.pingtree.as_ref().filter(|source| match dialect {
        Dialect::Id => source.id.eq_ignore_ascii_case(named),
        Dialect::Slug => source.slug == named,
    });
    Ok((publisher, source.ok_or(Fault::Unauthorized)?))
}
