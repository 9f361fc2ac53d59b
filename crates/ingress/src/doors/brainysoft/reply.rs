//! The door's envelope: `status`, `timestamp` in milliseconds, `data`. Holds nothing of a request.

use document::Defect;
use hyper::StatusCode;
use jiff::Timestamp;
use lead::{Answer, RejectionReason, Status};
use serde_json::{Value, json};

use crate::Unavailable;
use crate::reply::{Fault, Reply};

/// An answer with `data`.
pub(crate) fn ok(data: Value, at: Timestamp) -> Reply {
    envelope(StatusCode::OK, "ok", data, at)
}

/// Words an answer to a create: the lead's id, and how it was sold in the headers. A lead that never came
/// to be has no id and is an error.
pub(crate) fn encode(answer: &Answer, at: Timestamp) -> Reply {
    let (word, redirect_url) = standing(&answer.status);
    match (answer.lead, &answer.status) {
        (Some((_, number)), _) => {
            let mut reply = ok(number.0.into(), at);
            reply.add("x-lead-status", word.to_owned());
            if let Some(url) = redirect_url {
                reply.add("x-redirect-url", url.to_owned());
            }
            reply
        }
        (None, Status::Rejected(RejectionReason::InvalidProduct)) => {
            let message = "there is no such credit product";
            refused("CREDIT_PRODUCT_NOT_FOUND_ERROR", message, at)
        }
        (None, Status::Rejected(reason)) => refused("LEAD_REJECTED_ERROR", reason.name(), at),
        (None, _) => refused("LEAD_REJECTED_ERROR", "the lead was not taken", at),
    }
}

/// A status in the words of Gavel's own door, and where the consumer goes.
pub(super) fn standing(status: &Status) -> (&'static str, Option<&str>) {
    match status {
        Status::Distributed { redirect_url, .. } => ("distributed", redirect_url.as_deref()),
        Status::New => ("new", None),
        Status::Rejected(_) => ("rejected", None),
    }
}

/// An error that lies in what was posted.
pub(super) fn refused(code: &str, message: &str, at: Timestamp) -> Reply {
    let data = json!({ "code": code, "message": message, "type": "VALIDATION" });
    envelope(StatusCode::BAD_REQUEST, "error", data, at)
}

/// Words a fault.
pub(crate) fn fault(fault: &Fault, at: Timestamp) -> Reply {
    let (status, kind) = match fault {
        Fault::Invalid(_) => (StatusCode::BAD_REQUEST, "VALIDATION"),
        Fault::Unauthorized | Fault::Token => (fault.status(), "AUTH"),
        other if other.status().is_server_error() => (other.status(), "SYSTEM"),
        other => (other.status(), "VALIDATION"),
    };
    let data = match fault {
        Fault::Invalid(defects) => invalid(defects),
        other => json!({ "code": code(other), "message": other.message(), "type": kind }),
    };
    fault.dress(envelope(status, "error", data, at))
}

fn invalid(defects: &[Defect]) -> Value {
    let error = |defect: &Defect| {
        let (code, message) = of_defect(defect);
        json!({ "code": code, "field": defect.path.dotted(), "message": message })
    };
    let (code, message) = defects.first().map(of_defect).unwrap_or_default();
    let errors: Vec<Value> = defects.iter().map(error).collect();
    json!({ "code": code, "message": message, "type": "VALIDATION", "errors": errors })
}

/// The code of a defect, and a sentence.
fn of_defect(defect: &Defect) -> (&'static str, String) {
    let field = defect.path.dotted();
    let own = |text: &str| text.to_owned();
    let told = |code| (code, format!("{field} {}", defect.issue));
    let last = field.rsplit('.').next().unwrap_or_default();
    match field.as_str() {
        "firstName" if defect.missing => {
            ("NO_CLIENT_FIRST_NAME_ERROR", own("Client first name is not specified"))
        }
        "mobilePhone" if defect.missing => {
            ("NO_MOBILE_PHONE_ERROR", own("Mobile phone is not specified"))
        }
        "creditProductId" if defect.missing => {
            ("NO_CREDIT_PRODUCT_ERROR", own("Credit product is not specified"))
        }
        "mobilePhone" => told("INVALID_MOBILE_PHONE_ERROR"),
        "email" => told("INVALID_EMAIL_ERROR"),
        "ipAddress" => told("INVALID_IP_ADDRESS_ERROR"),
        "channel" => told("INVALID_CHANNEL_ERROR"),
        "periodUnit" => told("INVALID_PERIOD_UNIT_ERROR"),
        "referralLink" => told("INVALID_REFERRAL_LINK_LENGTH_ERROR"),
        _ if last.ends_with("Date") => told("INVALID_DATE_FORMAT_ERROR"),
        "" => told("INVALID_JSON_ERROR"),
        _ => told("INVALID_FIELD_ERROR"),
    }
}

fn code(fault: &Fault) -> &'static str {
    match fault {
        Fault::Host | Fault::Request(_) | Fault::Form(_) => "BAD_REQUEST_ERROR",
        Fault::NoRoute => "NOT_FOUND_ERROR",
        Fault::NoLead => "LEAD_NOT_FOUND_ERROR",
        Fault::Method(_) => "METHOD_NOT_ALLOWED_ERROR",
        Fault::Unauthorized | Fault::Token => "UNAUTHORIZED_ERROR",
        Fault::BodyTimeout => "BODY_TIMEOUT_ERROR",
        Fault::BodyTooLarge(_) => "BODY_TOO_LARGE_ERROR",
        Fault::BodyBroken => "BODY_INCOMPLETE_ERROR",
        Fault::Unparsable(_) | Fault::Invalid(_) => "INVALID_JSON_ERROR",
        Fault::InFlight(_) => "LEAD_IN_PROGRESS_ERROR",
        // No door but Gavel's own has pings that a post names, or withdrawals.
        Fault::NoPing(_) => "PING_NOT_OPEN_ERROR",
        Fault::NotUnsold => "LEAD_NOT_UNSOLD_ERROR",
        Fault::KeyReused => "IDEMPOTENCY_KEY_REUSED_ERROR",
        Fault::Unavailable(Unavailable::Busy, _) => "SERVICE_BUSY_ERROR",
        Fault::Unavailable(Unavailable::Storage, _) => "STORAGE_UNAVAILABLE_ERROR",
        Fault::Unavailable(Unavailable::Internal, _) => "INTERNAL_ERROR",
    }
}

fn envelope(http: StatusCode, status: &str, data: Value, at: Timestamp) -> Reply {
    let timestamp = at.as_millisecond();
    Reply::json(http, json!({ "status": status, "timestamp": timestamp, "data": data }))
}
