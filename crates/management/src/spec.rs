//! How a publisher posts, as a page for operators to hand on. Shows no key, and buyers nothing.

use ingress::Reply;
use ingress::spec::{html, markdown, specs};
use lead::PublisherId;
use market::Market;

use crate::access::Role;
use crate::fault::Fault;

/// Where the public listener is reached, unless the query says.
const BASE: &str = "https://YOUR-HOST";

/// The page as Markdown, or with `format=html` in the query as HTML; `url=` is where publishers reach us.
///
/// # Errors
/// There is no such publisher for who asks.
pub(crate) fn page(
    market: &Market,
    role: &Role,
    publisher: Option<&PublisherId>,
    query: Option<&str>,
) -> Result<Reply, Fault> {
    let known = publisher.filter(|_| matches!(role, Role::Operator(_)));
    let publisher = known.and_then(|id| market.publishers.get(id)).ok_or(Fault::NotFound)?;
    let given = |name: &str| query?.split('&').find_map(|pair| pair.strip_prefix(name));
    let base = given("url=").filter(|url| url.starts_with("http")).unwrap_or(BASE);
    let specs = specs(market, publisher);
    Ok(match given("format=") {
        Some("html") => {
            Reply::text("text/html; charset=utf-8", html(&publisher.name, base, &specs))
        }
        _ => Reply::text("text/markdown; charset=utf-8", markdown(&publisher.name, base, &specs)),
    })
}
