//! What goes back: status, headers, JSON. Knows no door's format.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde_json::Value;

use crate::{BodyFault, Delivery, PingFault, Refusal, Unavailable, Untold};

/// An answer before it is bytes.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: Value,
    /// Which methods the path takes.
    pub allow: Option<&'static str>,
    /// Further headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// When to ask again, in whole seconds, at least one.
    pub retry_after: Option<Duration>,
    /// The connection is not to be used again: what follows on it may be no request.
    pub close: bool,
    /// It says that fields were not valid: nothing is kept of such a request but that it is counted.
    pub invalid: bool,
    /// The engine's answer in it, to be told whether it arrived.
    pub delivery: Option<Delivery>,
}

impl Reply {
    /// A JSON answer.
    #[must_use]
    pub fn json(status: StatusCode, body: Value) -> Self {
        Self {
            status,
            content_type: "application/json",
            body,
            allow: None,
            headers: Vec::new(),
            retry_after: None,
            close: false,
            invalid: false,
            delivery: None,
        }
    }

    /// A page of text.
    #[must_use]
    pub fn text(content_type: &'static str, text: String) -> Self {
        Self { content_type, ..Self::json(StatusCode::OK, Value::String(text)) }
    }

    /// Adds a header by its lower-case name; a value that no header can have is left out.
    pub(crate) fn add(&mut self, name: &'static str, value: String) {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
    }

    /// As it is sent; nothing in a 204.
    #[must_use]
    pub fn into_response(self) -> Response<Full<Bytes>> {
        let has_body = self.status != StatusCode::NO_CONTENT;
        let body = has_body.then(|| match self.body {
            Value::String(text) if self.content_type.starts_with("text/") => text.into_bytes(),
            body => serde_json::to_vec(&body).unwrap_or_default(),
        });
        let mut response = Response::new(Full::new(Bytes::from(body.unwrap_or_default())));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if has_body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        }
        headers.extend(self.headers);
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if self.close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// Everything that can be wrong with a request before or instead of an answer; each door words it in
/// its own format.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It has no Host or several: two readers may see two requests.
    Host,
    /// A header of ours is wrong.
    Request(&'static str),
    /// Nothing stands at this path.
    NoRoute,
    /// Not under this method.
    Method(&'static str),
    /// The key is missing or wrong.
    Unauthorized,
    /// The token of a lead is missing or wrong.
    Token,
    /// The body took too long.
    BodyTimeout,
    /// The body is too large.
    BodyTooLarge(usize),
    /// The body stopped early.
    BodyBroken,
    /// The body is no JSON document.
    Unparsable(document::Unparsable),
    /// The form or the query cannot be read.
    Form(&'static str),
    /// Fields are wrong; all of them.
    Invalid(Vec<document::Defect>),
    /// No such lead of this publisher's.
    NoLead,
    /// An identical request, or one for the same consumer, is still under way.
    InFlight(Duration),
    /// Another body under an Idempotency-Key that is taken.
    KeyReused,
    /// The ping that a post names promises nothing.
    NoPing(PingFault),
    /// A lead that is not unsold cannot be withdrawn.
    NotUnsold,
    /// Not now.
    Unavailable(Unavailable, Duration),
}

impl From<BodyFault> for Fault {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::Timeout => Self::BodyTimeout,
            BodyFault::TooLarge(most) => Self::BodyTooLarge(most),
            BodyFault::Broken => Self::BodyBroken,
        }
    }
}

impl Fault {
    /// What the engine refuses; `wait` is when to ask again.
    pub(crate) fn refused(refusal: Refusal, wait: Duration) -> Self {
        match refusal {
            Refusal::Unavailable(why) => Self::Unavailable(why, wait),
            Refusal::InFlight => Self::InFlight(wait),
            Refusal::KeyReused => Self::KeyReused,
            Refusal::NoPing(why) => Self::NoPing(why),
            Refusal::NotUnsold => Self::NotUnsold,
        }
    }

    /// What the engine refuses of an event; `wait` is when to tell it again.
    pub(crate) fn untold(why: Untold, wait: Duration) -> Self {
        match why {
            Untold::Forged => Self::Token,
            Untold::NoLead => Self::NoLead,
            Untold::Unavailable(why) => Self::Unavailable(why, wait),
        }
    }

    /// The HTTP status, where doors do not differ.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Host
            | Self::Request(_)
            | Self::BodyBroken
            | Self::Unparsable(_)
            | Self::Form(_) => StatusCode::BAD_REQUEST,
            Self::NoRoute | Self::NoLead => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthorized | Self::Token => StatusCode::UNAUTHORIZED,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Invalid(_) | Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::InFlight(_) | Self::NoPing(_) | Self::NotUnsold => StatusCode::CONFLICT,
            Self::Unavailable(Unavailable::Internal, _) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable(..) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// For people; holds nothing of the request.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Host => "a request must carry exactly one Host header".to_owned(),
            Self::Request(what) | Self::Form(what) => (*what).to_owned(),
            Self::NoRoute => "nothing stands at this path".to_owned(),
            Self::Method(allow) => format!("this path takes {allow} only"),
            Self::Unauthorized => "the API key is missing or not valid here".to_owned(),
            Self::Token => "the token is missing or not valid for this lead".to_owned(),
            Self::BodyTimeout => "the body did not arrive in time".to_owned(),
            Self::BodyTooLarge(most) => format!("the body is larger than {most} bytes"),
            Self::BodyBroken => "the body stopped before its end".to_owned(),
            Self::Unparsable(why) => why.to_string(),
            Self::Invalid(defects) => format!("{} field(s) are not valid", defects.len()),
            Self::NoLead => "you have no such lead".to_owned(),
            Self::InFlight(_) => {
                "the same lead is still being processed; post again to get its answer".to_owned()
            }
            Self::KeyReused => "this Idempotency-Key was used with another body".to_owned(),
            Self::NoPing(PingFault::Unknown) => {
                "you have no such ping for this product; ping again".to_owned()
            }
            Self::NoPing(PingFault::Expired) => {
                "the ping expired before its post; ping again".to_owned()
            }
            Self::NoPing(PingFault::Used) => {
                "the ping was posted already; it buys one lead".to_owned()
            }
            Self::NotUnsold => {
                "only a lead that ended unsold can be withdrawn, and this one is sold, still open or \
                 rejected"
                    .to_owned()
            }
            Self::Unavailable(Unavailable::Busy, _) => {
                "too many leads are in flight; post again".to_owned()
            }
            Self::Unavailable(Unavailable::Storage, _) => {
                "leads cannot be stored now; post again later".to_owned()
            }
            Self::Unavailable(Unavailable::Internal, _) => "something went wrong here".to_owned(),
        }
    }

    /// A stable word for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Host | Self::Request(_) | Self::Form(_) => "bad_request",
            Self::NoRoute | Self::NoLead => "not_found",
            Self::Method(_) => "method_not_allowed",
            Self::Unauthorized | Self::Token => "unauthorized",
            Self::BodyTimeout => "body_timeout",
            Self::BodyTooLarge(_) => "body_too_large",
            Self::BodyBroken => "body_incomplete",
            Self::Unparsable(_) => "unparsable",
            Self::Invalid(_) => "invalid",
            Self::InFlight(_) => "in_flight",
            Self::KeyReused => "idempotency_key_reused",
            Self::NoPing(PingFault::Unknown) => "ping_unknown",
            Self::NoPing(PingFault::Expired) => "ping_expired",
            Self::NoPing(PingFault::Used) => "ping_used",
            Self::NotUnsold => "not_unsold",
            Self::Unavailable(Unavailable::Busy, _) => "busy",
            Self::Unavailable(Unavailable::Storage, _) => "storage_unavailable",
            Self::Unavailable(Unavailable::Internal, _) => "internal",
        }
    }

    /// Adds what goes with the fault besides its words.
    pub(crate) fn dress(&self, reply: Reply) -> Reply {
        match self {
            Self::Method(allow) => Reply { allow: Some(allow), ..reply },
            Self::Invalid(_) => Reply { invalid: true, ..reply },
            Self::Unavailable(Unavailable::Busy | Unavailable::Storage, wait)
            | Self::InFlight(wait) => Reply { retry_after: Some(*wait), ..reply },
            Self::Host | Self::BodyTimeout | Self::BodyTooLarge(_) | Self::BodyBroken => {
                Reply { close: true, ..reply }
            }
            _ => reply,
        }
    }
}
