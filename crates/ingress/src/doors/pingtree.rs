//! The Pingtree door: `POST` (JSON or a form) and `GET` (query) `/api/lead/create/{source}`, key as
//! `Authorization: Bearer`; the same under the source's slug, `POST /api/v1/database-source/{slug}/create`,
//! with `phone` and `zip` for `mobile` and `zip_code` and with answers of its own.
//!
//! Where its documentation is silent: an unknown source and another source's key are a wrong key (401);
//! blank is missing; formats are checked only where there is a value; any ten digits are a mobile; a date may be
//! written with slashes; a consent that cannot be read is a field like others; if fields are missing and others not
//! valid, `lead_status` is `missingField` and both are listed. `transaction_id` is the publisher's own, else the
//! lead's id; a repeat is told its own, and none if it brought none, for nothing of it is stored. The consumer's
//! address is `ip` or `ip_address`, and never the peer's, which is the publisher's server or a proxy. A lead that the product does not admit is stored and so `accept`; one that nothing may store
//! (an inactive source, a suppressed consumer) is 400 `rejected`, as at the original's sibling calls. A repeat is
//! `duplicate` by the source's dedupe field, or by the product's own rules where the source's leads are sold. Fields
//! of the source's own are kept for the post, and are attributes where the product has them (`loan_amount`
//! is `amount`). A source that is linked to a campaign adds `distribution_status` (`sold`, `unsold`, `pending`) and
//! `redirect_url`. What a source stored is read with `GET /api/lead/fetch/{source}` or `…/{slug}/fetch`, in pages,
//! newest first; days are UTC. `lookup_id` and `lookup_postfix`, of which nothing is documented but the names,
//! are refused like any filter that is not known. Must never name a buyer, or decide whether a lead is eligible.

mod fields;
mod spec;
mod stored;
#[cfg(test)]
mod tests;

pub(crate) use spec::spec;
pub(crate) use stored::Ask;

use std::collections::BTreeMap;

use document::{Defect, Node};
use hyper::StatusCode;
use lead::{Answer, RejectionReason, Status};
use market::{Market, PingtreeSource, Publisher};
use serde_json::{Map, Value, json};

use crate::doors::Decoded;
use crate::reply::{Fault, Reply};

/// Which of the original's two documented forms a request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `/api/lead/…/{source}`.
    Id,
    /// `/api/v1/database-source/{slug}/…`.
    Slug,
}

impl Dialect {
    pub(crate) const ALL: [Self; 2] = [Self::Id, Self::Slug];

    /// Where a source's leads are posted to.
    pub(crate) fn create_path(self, source: &PingtreeSource) -> String {
        match self {
            Self::Id => format!("/api/lead/create/{}", source.id),
            Self::Slug => format!("/api/v1/database-source/{}/create", source.slug),
        }
    }

    /// How many leads a page has, how many it may have, and what its first and last day are called.
    fn pages(self) -> (usize, usize, &'static str, &'static str) {
        match self {
            Self::Id => (10, 100, "from", "to"),
            Self::Slug => (50, 500, "from_date", "to_date"),
        }
    }

    /// What a field is called here.
    fn name(self, field: &str) -> &str {
        match (self, field) {
            (Self::Slug, "mobile") => "phone",
            (Self::Slug, "zip_code") => "zip",
            (_, field) => field,
        }
    }
}

/// Reads a lead for the publisher's source.
///
/// # Errors
/// Every defect.
pub(crate) fn decode(
    root: &Node<'_>,
    dialect: Dialect,
    (publisher, source): (&Publisher, &PingtreeSource),
    market: &Market,
) -> Result<Decoded, Fault> {
    let product = market.products.get(&source.product).filter(|_| source.active);
    let Some(product) = product else {
        return Ok(Decoded::rejected(RejectionReason::InvalidProduct, None, BTreeMap::new()));
    };
    let lead = fields::read(root, dialect, (publisher, source, product))?;
    Ok(Decoded::Lead(Box::new(lead)))
}

/// Reads a lead for the publisher's source, under its id.
///
/// # Errors
/// It has no source, or every defect.
pub(crate) fn decode_of(
    root: &Node<'_>,
    publisher: &Publisher,
    market: &Market,
) -> Result<Decoded, Fault> {
    let source = publisher.pingtree.as_ref().ok_or(Fault::NoRoute)?;
    decode(root, Dialect::Id, (publisher, source), market)
}

/// Words an answer. `distributes`: somebody may have been asked to buy the lead.
pub(crate) fn encode(answer: &Answer, dialect: Dialect, distributes: bool) -> Reply {
    let told = Told::of(answer, distributes);
    match dialect {
        Dialect::Id => told.with_id(),
        Dialect::Slug => told.with_slug(),
    }
}

/// What became of a lead, in the words of both dialects.
enum Told {
    /// Stored.
    Accept(Map<String, Value>),
    /// The source has it.
    Duplicate(Map<String, Value>),
    /// Not taken, and why.
    Rejected(&'static str),
}

impl Told {
    fn of(answer: &Answer, distributes: bool) -> Self {
        use RejectionReason as Reason;
        let mut data = Map::new();
        let id = answer.lead.map(|(id, _)| id.to_string());
        let transaction = answer.external_id.clone().or_else(|| id.clone());
        data.extend(transaction.map(|id| ("transaction_id".to_owned(), id.into())));
        let (word, redirect_url) = match &answer.status {
            Status::Rejected(Reason::CustomerAlreadyExists | Reason::DuplicateSubmission) => {
                return Self::Duplicate(data);
            }
            Status::Rejected(reason) if id.is_none() => return Self::Rejected(reason.name()),
            Status::Distributed { redirect_url, .. } => ("sold", redirect_url.clone()),
            Status::New if !answer.is_final => ("pending", None),
            Status::New | Status::Rejected(_) => ("unsold", None),
        };
        data.extend(id.map(|id| ("lead_id".to_owned(), id.into())));
        if distributes {
            data.insert("distribution_status".to_owned(), word.into());
            data.insert("redirect_url".to_owned(), redirect_url.into());
        }
        Self::Accept(data)
    }

    fn with_id(self) -> Reply {
        let (status, message, word, mut data) = match self {
            Self::Accept(data) => {
                (StatusCode::CREATED, "Lead created successfully", "accept", data)
            }
            Self::Duplicate(data) => {
                (StatusCode::CREATED, "Lead already exists", "duplicate", data)
            }
            Self::Rejected(reason) => {
                let data = Map::from_iter([("reason".to_owned(), reason.into())]);
                (StatusCode::BAD_REQUEST, NOT_TAKEN, "rejected", data)
            }
        };
        data.insert("lead_status".to_owned(), word.into());
        say(status, message, data)
    }

    fn with_slug(self) -> Reply {
        let (status, head, data) = match self {
            Self::Accept(data) => {
                let head = json!({"success": true, "message": "Lead created successfully"});
                (StatusCode::OK, head, data)
            }
            Self::Duplicate(data) => {
                (StatusCode::OK, sorry("duplicate", "Lead already exists"), data)
            }
            Self::Rejected(_) => {
                (StatusCode::BAD_REQUEST, sorry("rejected", NOT_TAKEN), Map::new())
            }
        };
        let mut body = head;
        if let Some(members) = body.as_object_mut() {
            members.extend(data);
        }
        Reply::json(status, body)
    }
}

const NOT_TAKEN: &str = "This lead is not taken";

/// Words a fault.
pub(crate) fn fault(fault: &Fault, dialect: Dialect) -> Reply {
    let status = match fault {
        Fault::Invalid(_) => StatusCode::BAD_REQUEST,
        other => other.status(),
    };
    let message = match (fault, status) {
        (Fault::Unauthorized, _) => "Unauthorized".to_owned(),
        (_, StatusCode::INTERNAL_SERVER_ERROR) => "Internal server error".to_owned(),
        _ => fault.message(),
    };
    let reply = match (dialect, fault) {
        (Dialect::Id, Fault::Invalid(defects)) => invalid(defects),
        (Dialect::Id, Fault::Unparsable(_) | Fault::Form(_)) => say(
            status,
            &message,
            Map::from_iter([("lead_status".to_owned(), "invalidField".into())]),
        ),
        (Dialect::Id, _) => say(status, &message, Map::new()),
        (Dialect::Slug, Fault::Invalid(defects)) => {
            let mut body = sorry("validation_error", "Some fields are missing or invalid");
            body["errors"] = issues(defects, |_| true).into();
            Reply::json(status, body)
        }
        (Dialect::Slug, _) => Reply::json(status, sorry(fault.code(), &message)),
    };
    fault.dress(reply)
}

/// Says which fields are missing and which not valid; what is missing gives the name to both.
fn invalid(defects: &[Defect]) -> Reply {
    let missing = issues(defects, |defect| defect.missing);
    let wrong = issues(defects, |defect| !defect.missing);
    let (message, word) = match missing.is_empty() {
        true => ("Some fields are invalid", "invalidField"),
        false => ("Required fields are missing", "missingField"),
    };
    let data = Map::from_iter([("lead_status".to_owned(), word.into())]);
    let mut reply = say(StatusCode::BAD_REQUEST, message, data);
    for (name, fields) in [("missingFields", missing), ("invalidFields", wrong)] {
        if !fields.is_empty() {
            reply.body[name] = fields.into();
        }
    }
    reply
}

/// A sentence a field.
fn issues(defects: &[Defect], which: impl Fn(&Defect) -> bool) -> Map<String, Value> {
    let issue = |defect: &Defect| {
        let field = defect.path.dotted();
        let sentence = match defect.missing {
            true => format!("{field} is required"),
            false => defect.to_string(),
        };
        (field, sentence.into())
    };
    defects.iter().filter(|defect| which(defect)).map(issue).collect()
}

fn say(status: StatusCode, message: &str, data: Map<String, Value>) -> Reply {
    let kind = if status.is_success() { "success" } else { "error" };
    let code = status.as_str();
    let body = json!({ "status": code, "type": kind, "message": message, "data": data });
    Reply::json(status, body)
}

fn sorry(reason: &str, message: &str) -> Value {
    json!({ "success": false, "reason": reason, "message": message })
}
