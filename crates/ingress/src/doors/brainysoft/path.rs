//! Where the door's requests go. Reads no body.

use hyper::Method;
use lead::Sequence;

/// Most leads of one question.
const MANY_MAX: usize = 100;

/// Said of ids that cannot be many.
pub(crate) const MANY: &str = "the path must end in 1 to 100 ids with commas between them";

/// A place under `/bs-core/main`; ids that are no ids are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Path {
    /// `POST leads`.
    Create,
    /// `POST login`.
    Login,
    /// `GET leads/{id}`.
    Find(Option<Sequence>),
    /// `POST leads/{id}/check`.
    Check(Option<Sequence>),
    /// `GET leads/{id}/statuses`.
    Statuses(Option<Sequence>),
    /// `GET leads/find/{ids}`.
    Many(Option<Vec<Sequence>>),
    /// A known place under another method, and what it takes.
    WrongMethod(&'static str),
    /// Nothing stands there.
    Unknown,
}

/// Finds the place of a path behind `/bs-core/main/`.
pub(crate) fn path(method: &Method, rest: &str) -> Path {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let parts: Vec<&str> = rest.split('/').collect();
    let (path, allow) = match parts.as_slice() {
        ["leads"] => (Path::Create, "POST"),
        ["login"] => (Path::Login, "POST"),
        ["leads", "find", ids] => (Path::Many(many(ids)), "GET"),
        ["leads", id] => (Path::Find(one(id)), "GET"),
        ["leads", id, "check"] => (Path::Check(one(id)), "POST"),
        ["leads", id, "statuses"] => (Path::Statuses(one(id)), "GET"),
        _ => return Path::Unknown,
    };
    if method.as_str() == allow { path } else { Path::WrongMethod(allow) }
}

fn one(id: &str) -> Option<Sequence> {
    id.parse().ok().filter(|id| *id > 0).map(Sequence)
}

fn many(ids: &str) -> Option<Vec<Sequence>> {
    let ids: Option<Vec<Sequence>> = ids.replace("%2C", ",").split(',').map(one).collect();
    ids.filter(|ids| ids.len() <= MANY_MAX)
}
