//! How answers read: as strictly as an engine reads them. Must never guess.

use document::{Defects, Node, Slot, parse_json};
use rust_decimal::Decimal;

use super::client::Answer;

/// Longest redirect.
const URL_MAX: usize = 2_048;
const EXCERPT_MAX: usize = 60;

/// What a buyer says to a ping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    NoBid,
    /// The price as it stands there, and as a number if it is one.
    Bid(String, Option<Decimal>),
}

/// What a buyer says to a post, or to a question about one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Verdict {
    pub(super) status: String,
    pub(super) reference: Option<String>,
    pub(super) redirect_url: Option<String>,
    /// The price as it stands there, and as a number if it is one.
    pub(super) price: Option<(String, Option<Decimal>)>,
}

impl Verdict {
    pub(super) fn is(&self, status: &str) -> bool {
        self.status == status
    }

    /// In words.
    pub(super) fn text(&self) -> String {
        match &self.reference {
            Some(reference) => format!("{} with reference {reference:?}", self.status),
            None => self.status.clone(),
        }
    }
}

/// An answer in few words, for one that is not as it should be.
pub(super) fn shown(answer: &Answer) -> String {
    let text: String =
        String::from_utf8_lossy(&answer.body).chars().filter(|c| !c.is_control()).collect();
    let excerpt: String = text.chars().take(EXCERPT_MAX).collect();
    let more = if excerpt.len() < text.len() { "…" } else { "" };
    format!("{} {excerpt:?}{more}", answer.status)
}

/// The body as JSON, or why it is none.
fn tree<T>(
    answer: &Answer,
    read: impl FnOnce(&Node<'_>) -> Result<T, String>,
) -> Result<T, String> {
    if answer.body.starts_with(b"\xef\xbb\xbf") {
        return Err(format!("{}: a byte order mark before the JSON", answer.status));
    }
    let mut bytes = answer.body.to_vec();
    match parse_json(&mut bytes) {
        Ok(root) => read(&root),
        Err(fault) => Err(format!("{} ({fault})", shown(answer))),
    }
}

fn text(root: &Node<'_>, name: &str) -> Option<String> {
    root.member(name)?.as_text().map(str::to_owned)
}

/// A price as it stands there, and as a number if it is one.
fn price(root: &Node<'_>) -> Option<(String, Option<Decimal>)> {
    let node = root.member("price")?;
    let defects = Defects::new();
    let amount = Slot::root(node, &defects).decimal();
    let text = node.as_text().map(|text| format!("{text:?}"));
    let text = text.or(amount.map(|amount| amount.to_string()));
    Some((text.unwrap_or_else(|| "something else".to_owned()), amount))
}

/// The answer to a ping, or what it is instead.
pub(super) fn said(answer: &Answer) -> Result<Said, String> {
    match answer.status {
        204 => Ok(Said::NoBid),
        200..=299 => tree(answer, |root| match text(root, "status").as_deref() {
            Some("no_bid") => Ok(Said::NoBid),
            Some("bid") => {
                let (text, amount) = price(root).unwrap_or(("none".to_owned(), None));
                Ok(Said::Bid(text, amount))
            }
            _ => Err(shown(answer)),
        }),
        _ => Err(shown(answer)),
    }
}

/// The answer to a post, or what it is instead.
pub(super) fn verdict(answer: &Answer) -> Result<Verdict, String> {
    let readable = matches!(answer.status, 200..=299 | 409 | 503);
    if !readable {
        return Err(shown(answer));
    }
    tree(answer, |root| {
        let status = text(root, "status").unwrap_or_default();
        let fits = match status.as_str() {
            "accepted" => answer.status < 300,
            "rejected" => answer.status != 409,
            "duplicate" => true,
            _ => false,
        };
        if !fits {
            return Err(shown(answer));
        }
        let (reference, redirect_url) = (text(root, "reference"), text(root, "redirect_url"));
        Ok(Verdict { status, reference, redirect_url, price: price(root) })
    })
}

/// What a buyer says of a lead that it was asked about.
pub(super) fn standing(answer: &Answer) -> Result<String, String> {
    match answer.status {
        404 => Ok("unknown".to_owned()),
        200..=299 => tree(answer, |root| text(root, "status").ok_or_else(|| shown(answer))),
        _ => Err(shown(answer)),
    }
}

/// Why a consumer cannot be sent there.
pub(super) fn redirect_fault(url: &str) -> Option<&'static str> {
    let uri: Option<hyper::Uri> = url.parse().ok();
    let Some(uri) = uri.filter(|_| url.bytes().all(|byte| byte.is_ascii_graphic())) else {
        return Some("no address");
    };
    match (uri.scheme_str(), uri.authority()) {
        (_, Some(authority)) if authority.as_str().contains('@') => Some("a name before the host"),
        (Some("https"), Some(_)) if url.len() <= URL_MAX => None,
        (Some("https"), Some(_)) => Some("too long"),
        _ => Some("not https"),
    }
}
