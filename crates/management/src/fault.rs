//! What can be wrong with a request, as problem details. Never quotes a body.

use std::time::Duration;

use document::{Defect, Unparsable};
use engine::Denied;
use hyper::StatusCode;
use ingress::{BodyFault, Reply, problem};
use ledger::Refused;

/// Why a request is not answered as it hoped.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It has no Host or several: two readers may see two requests.
    Host,
    /// Nothing stands at this path.
    NoRoute,
    /// Not under this method.
    Method(&'static str),
    /// The key is missing or wrong.
    Unauthorized,
    /// There is no such thing, or it is somebody else's.
    NotFound,
    /// The body does not come.
    Body(BodyFault),
    /// The body is no JSON document.
    Unparsable(Unparsable),
    /// Fields are wrong; all of them.
    Invalid(Vec<Defect>),
    /// Members are the operator's.
    Forbidden(Vec<Defect>),
    /// Only an operator may.
    OperatorsOnly,
    /// It does not stand as the request's conditions say.
    Stale,
    /// The buyer has as many campaigns as it may.
    TooMany,
    /// The lead's journey has not ended.
    UnderWay,
    /// The campaign's id alone names several.
    Ambiguous,
    /// The ledger cannot read or write.
    Ledger(Refused),
    /// Something is wrong with us.
    Internal,
}

/// What a caller is told to wait when the ledger cannot.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Fault {
    /// As it is answered.
    pub(crate) fn reply(&self) -> Reply {
        let (status, code, detail) = self.words();
        let defects = match self {
            Self::Invalid(defects) | Self::Forbidden(defects) => defects.as_slice(),
            _ => &[],
        };
        let reply = problem(status, code, &detail, defects);
        match self {
            Self::Method(allow) => Reply { allow: Some(allow), ..reply },
            Self::Ledger(Refused::Full | Refused::Unavailable(_)) => {
                Reply { retry_after: Some(RETRY_AFTER), ..reply }
            }
            Self::Host | Self::Body(_) => Reply { close: true, ..reply },
            _ => reply,
        }
    }

    fn words(&self) -> (StatusCode, &'static str, String) {
        let (status, code, detail) = match self {
            Self::Host => {
                let detail = "a request must carry exactly one Host header";
                (StatusCode::BAD_REQUEST, "bad_request", detail)
            }
            Self::NoRoute => (StatusCode::NOT_FOUND, "not_found", "nothing stands at this path"),
            Self::Method(allow) => {
                let detail = format!("this path takes {allow} only");
                return (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
            }
            Self::Unauthorized => {
                let detail = "the API key is missing or not valid here";
                (StatusCode::UNAUTHORIZED, "unauthorized", detail)
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "you have no such thing"),
            Self::Body(BodyFault::Timeout) => {
                let detail = "the body did not arrive in time";
                (StatusCode::REQUEST_TIMEOUT, "body_timeout", detail)
            }
            Self::Body(BodyFault::TooLarge(most)) => {
                let detail = format!("the body is larger than {most} bytes");
                return (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail);
            }
            Self::Body(BodyFault::Broken) => {
                let detail = "the body stopped before its end";
                (StatusCode::BAD_REQUEST, "body_incomplete", detail)
            }
            Self::Unparsable(why) => {
                return (StatusCode::BAD_REQUEST, "unparsable", why.to_string());
            }
            Self::Invalid(defects) => {
                let detail = format!("{} field(s) are not valid", defects.len());
                return (StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail);
            }
            Self::Forbidden(defects) => {
                let detail = format!("{} field(s) are the operator's", defects.len());
                return (StatusCode::FORBIDDEN, "forbidden", detail);
            }
            Self::OperatorsOnly => {
                (StatusCode::FORBIDDEN, "forbidden", "this is for an operator to do")
            }
            Self::Stale => {
                let detail = "it stands otherwise than If-Match or If-None-Match says";
                (StatusCode::PRECONDITION_FAILED, "stale", detail)
            }
            Self::TooMany => {
                let detail = "the buyer has as many campaigns as it may";
                (StatusCode::CONFLICT, "too_many", detail)
            }
            Self::UnderWay => {
                let detail = "the lead is still under way: nothing can be said of it yet";
                (StatusCode::CONFLICT, "under_way", detail)
            }
            Self::Ambiguous => {
                let detail = "several buyers have a campaign of that id: name it as buyer/campaign";
                (StatusCode::CONFLICT, "ambiguous", detail)
            }
            Self::Ledger(Refused::Full | Refused::Unavailable(_)) => {
                let detail = "the ledger cannot be used now; ask again later";
                (StatusCode::SERVICE_UNAVAILABLE, "storage_unavailable", detail)
            }
            Self::Ledger(Refused::Illegal(_) | Refused::Corrupt(_)) | Self::Internal => {
                let detail = "something went wrong here";
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
            }
        };
        (status, code, detail.to_owned())
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        Self::Ledger(refused)
    }
}

impl From<Denied> for Fault {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NotFound => Self::NotFound,
            Denied::Stale => Self::Stale,
            Denied::Invalid(defects) => Self::Invalid(defects),
            Denied::Forbidden(defects) => Self::Forbidden(defects),
            Denied::TooMany => Self::TooMany,
            Denied::Ledger(refused) => Self::Ledger(refused),
            Denied::Bug(what) => {
                tracing::error!(what, "a campaign could not be changed");
                Self::Internal
            }
        }
    }
}

impl From<BodyFault> for Fault {
    fn from(fault: BodyFault) -> Self {
        Self::Body(fault)
    }
}
