//! Every path of the public listener, at a glance. Reads no body.

use hyper::Method;
use lead::{Door, LeadId};

use crate::doors::brainysoft;
use crate::doors::pingtree::Dialect;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// `POST /api/v1/lead`.
    LeadhubCreate,
    /// `PATCH` or `POST /api/v1/lead/{id}/status`; `None` if the id is none of ours.
    LeadhubEvent(Option<LeadId>),
    /// `GET /api/v1/lead/{id}/status`; `None` if the id is none of ours.
    LeadhubPixel(Option<LeadId>),
    /// `POST /v1/leads`.
    NativeCreate,
    /// `POST /v1/ping`.
    NativePing,
    /// `POST /v1/post`.
    NativePost,
    /// `GET /v1/leads/{id}`; `None` if the id is none of ours.
    NativeFind(Option<LeadId>),
    /// `GET /v1/leads/{id}/decisions`; `None` if the id is none of ours.
    NativeDecisions(Option<LeadId>),
    /// `POST /v1/leads/{id}/withdraw`; `None` if the id is none of ours.
    NativeWithdraw(Option<LeadId>),
    /// `/post/…/` or `/ping/…/`, under whatever method; whether it is a ping, and the path between.
    BrightHorizons { is_ping: bool, path: String },
    /// `POST` or `GET /api/lead/create/{id}`, `POST /api/v1/database-source/{slug}/create`.
    PingtreeCreate { dialect: Dialect, source: String },
    /// `GET /api/lead/fetch/{id}` and `/api/v1/database-source/{slug}/fetch`.
    PingtreeFetch { dialect: Dialect, source: String },
    /// A path of the Pingtree door under another method, and what is allowed.
    PingtreeMethod { dialect: Dialect, allow: &'static str },
    /// What stands under `/bs-core/main/`.
    BrainySoft(brainysoft::Path),
    /// A known path under another method; the door in whose format to say so, and what is allowed.
    WrongMethod(Door, &'static str),
    /// Nothing stands there.
    Unknown,
}

/// Finds the route of a request. A path that is posted to may end in a slash.
pub(crate) fn route(method: &Method, path: &str) -> Route {
    let post = *method == Method::POST;
    match if post { path.strip_suffix('/').unwrap_or(path) } else { path } {
        "/api/v1/lead" if post => Route::LeadhubCreate,
        "/api/v1/lead" => Route::WrongMethod(Door::Leadhub, "POST"),
        "/v1/leads" if post => Route::NativeCreate,
        "/v1/ping" if post => Route::NativePing,
        "/v1/post" if post => Route::NativePost,
        "/v1/leads" | "/v1/ping" | "/v1/post" => Route::WrongMethod(Door::Native, "POST"),
        _ => bright_horizons(path)
            .or_else(|| pingtree(method, path))
            .or_else(|| leadhub_status(method, path))
            .or_else(|| Some(of_lead(method, path.strip_prefix("/v1/leads/")?)))
            .or_else(|| {
                let rest = path.strip_prefix("/bs-core/main/")?;
                Some(Route::BrainySoft(brainysoft::path(method, rest)))
            })
            .unwrap_or(Route::Unknown),
    }
}

/// A path at the Bright Horizons door, with a slash at its end or without.
fn bright_horizons(path: &str) -> Option<Route> {
    let of = |prefix| path.strip_prefix(prefix).filter(|rest| !rest.is_empty());
    let (is_ping, rest) = match (of("/post/"), of("/ping/")) {
        (Some(rest), _) => (false, rest),
        (None, rest) => (true, rest?),
    };
    let path = rest.strip_suffix('/').unwrap_or(rest).to_owned();
    Some(Route::BrightHorizons { is_ping, path })
}

/// Where buyers tell what became of a lead.
fn leadhub_status(method: &Method, path: &str) -> Option<Route> {
    let id = path.strip_prefix("/api/v1/lead/")?.strip_suffix("/status")?;
    if id.is_empty() || id.contains('/') {
        return None;
    }
    let lead = id.parse().ok();
    Some(match *method {
        Method::PATCH | Method::POST => Route::LeadhubEvent(lead),
        Method::GET => Route::LeadhubPixel(lead),
        _ => Route::WrongMethod(Door::Leadhub, "GET, PATCH, POST"),
    })
}

/// A path at the Pingtree door, with a slash at its end or without.
fn pingtree(method: &Method, path: &str) -> Option<Route> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let (dialect, what, source) = match path.strip_prefix("/api/lead/") {
        Some(rest) => rest.split_once('/').map(|(what, id)| (Dialect::Id, what, id))?,
        None => {
            let rest = path.strip_prefix("/api/v1/database-source/")?;
            rest.split_once('/').map(|(slug, what)| (Dialect::Slug, what, slug))?
        }
    };
    let allow = match (what, dialect) {
        ("create", Dialect::Id) => "GET, POST",
        ("create", Dialect::Slug) => "POST",
        ("fetch", _) => "GET",
        _ => return None,
    };
    if source.is_empty() || source.contains('/') {
        return None;
    }
    let source = source.to_owned();
    Some(match what {
        _ if !allow.split(", ").any(|allowed| method == allowed) => {
            Route::PingtreeMethod { dialect, allow }
        }
        "create" => Route::PingtreeCreate { dialect, source },
        _ => Route::PingtreeFetch { dialect, source },
    })
}

/// What stands under one lead's path.
fn of_lead(method: &Method, rest: &str) -> Route {
    let get = *method == Method::GET;
    match rest.split_once('/') {
        None if get => Route::NativeFind(rest.parse().ok()),
        Some((id, "decisions")) if get => Route::NativeDecisions(id.parse().ok()),
        Some((id, "withdraw")) if *method == Method::POST => Route::NativeWithdraw(id.parse().ok()),
        None | Some((_, "decisions")) => Route::WrongMethod(Door::Native, "GET"),
        Some((_, "withdraw")) => Route::WrongMethod(Door::Native, "POST"),
        Some(_) => Route::Unknown,
    }
}
