//! Every path of the public listener, at a glance. Reads no body.

use hyper::Method;
use lead::{Door, LeadId};

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// `POST /api/v1/lead`.
    LeadhubCreate,
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
    /// A known path under another method; the door in whose format to say so, and what is allowed.
    WrongMethod(Door, &'static str),
    /// Nothing stands there.
    Unknown,
}

/// Finds the route of a request.
pub(crate) fn route(method: &Method, path: &str) -> Route {
    let post = *method == Method::POST;
    match path {
        "/api/v1/lead" if post => Route::LeadhubCreate,
        "/api/v1/lead" => Route::WrongMethod(Door::Leadhub, "POST"),
        "/v1/leads" if post => Route::NativeCreate,
        "/v1/ping" if post => Route::NativePing,
        "/v1/post" if post => Route::NativePost,
        "/v1/leads" | "/v1/ping" | "/v1/post" => Route::WrongMethod(Door::Native, "POST"),
        _ => path.strip_prefix("/v1/leads/").map_or(Route::Unknown, |rest| of_lead(method, rest)),
    }
}

/// What stands under one lead's path.
fn of_lead(method: &Method, rest: &str) -> Route {
    let get = *method == Method::GET;
    match rest.split_once('/') {
        None if get => Route::NativeFind(rest.parse().ok()),
        Some((id, "decisions")) if get => Route::NativeDecisions(id.parse().ok()),
        None | Some((_, "decisions")) => Route::WrongMethod(Door::Native, "GET"),
        Some(_) => Route::Unknown,
    }
}
