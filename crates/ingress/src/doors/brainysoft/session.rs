//! Tokens for the user who logs in. A token says whose it is and until when, under the ledger's key: there
//! is no list of them to grow or to lose, and a changed login voids them. Keeps no password.

use document::{Defects, Node, Slot};
use hyper::header::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use lead::Door;
use market::{KeyDigest, LoginDigest, Market, Publisher};

use crate::Distribute;
use crate::reply::Fault;

/// How long a token is good for.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(12);

/// Who wants to log in.
pub(crate) struct Login(LoginDigest);

/// Reads a login: the header `customer-key`, and `userName` and `password` in the body.
///
/// # Errors
/// Every defect; `Unauthorized` without a customer key.
pub(crate) fn login(headers: &HeaderMap, root: &Node<'_>) -> Result<Login, Fault> {
    let customer = headers.get("customer-key").and_then(|value| value.to_str().ok());
    let defects = Defects::new();
    let slot = Slot::root(root, &defects);
    let read = slot.fields().and_then(|fields| {
        let (user, password) = (fields.at("userName").filled(), fields.at("password").filled());
        Some((user?, password?))
    });
    let (user, password) = defects.finish(read).map_err(Fault::Invalid)?;
    let customer = customer.ok_or(Fault::Unauthorized)?;
    Ok(Login(LoginDigest::of(customer, user, password)))
}

/// A token for a known user.
pub(crate) fn token<D: Distribute>(desk: &D, login: &Login, at: Timestamp) -> Option<String> {
    let market = desk.market();
    let publisher = market.publisher_by_login(&login.0)?;
    let until = at.checked_add(GOOD_FOR).ok()?.as_millisecond();
    signed(desk, publisher, until)
}

/// The publisher whose key or token stands in the header `bsauth`.
pub(crate) fn authenticate<'m, D: Distribute>(
    desk: &D,
    market: &'m Market,
    headers: &HeaderMap,
    at: Timestamp,
) -> Option<&'m Publisher> {
    let shown = headers.get("bsauth")?.to_str().ok()?;
    if let Some(publisher) = market.publisher_by_key(Door::BrainySoft, shown) {
        return Some(publisher);
    }
    let (named, _) = shown.rsplit_once('~')?;
    let (id, until) = named.rsplit_once('~')?;
    let until: i64 = until.parse().ok()?;
    let publisher = market.publishers.get(&id.parse().ok()?)?;
    let ours = signed(desk, publisher, until)?;
    let same = KeyDigest::of(&ours).is_same(&KeyDigest::of(shown));
    (same && at.as_millisecond() < until).then_some(publisher)
}

fn signed<D: Distribute>(desk: &D, publisher: &Publisher, until: i64) -> Option<String> {
    let login = publisher.brainysoft.login?;
    let (id, until) = (publisher.id.as_str(), until.to_string());
    let parts = [id.as_bytes(), until.as_bytes(), login.as_bytes()];
    let mac = u128::from_be_bytes(desk.digest("bsauth", &parts));
    Some(format!("{id}~{until}~{mac:032x}"))
}
