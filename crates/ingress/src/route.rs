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
    /// `GET /v1/leads/{id}`; `None` if the id is none of ours.
    NativeFind(Option<LeadId>),
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
        "/v1/leads" => Route::WrongMethod(Door::Native, "POST"),
        _ => match path.strip_prefix("/v1/leads/") {
            Some(id) if !id.contains('/') && *method == Method::GET => {
                Route::NativeFind(id.parse().ok())
            }
            Some(id) if !id.contains('/') => Route::WrongMethod(Door::Native, "GET"),
            _ => Route::Unknown,
        },
    }
}
