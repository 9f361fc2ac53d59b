//! Problem details as of RFC 9457, with a `code` for programs and every defect of a document.

use document::Defect;
use hyper::StatusCode;
use serde_json::{Value, json};

use crate::Reply;

/// `detail` is for people and holds nothing of the request; `defects` may be empty.
#[must_use]
pub fn problem(status: StatusCode, code: &str, detail: &str, defects: &[Defect]) -> Reply {
    let mut body = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "code": code,
        "detail": detail,
    });
    if let Some(members) = body.as_object_mut()
        && !defects.is_empty()
    {
        let error = |defect: &Defect| -> Value {
            json!({ "pointer": defect.path.pointer(), "detail": defect.issue })
        };
        members.insert("errors".to_owned(), defects.iter().map(error).collect());
    }
    Reply { content_type: "application/problem+json", ..Reply::json(status, body) }
}
