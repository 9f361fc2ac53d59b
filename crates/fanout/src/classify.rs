//! What a reply to a post means for the sale. Pure. The rule behind the table: only a complete reply
//! that refuses is a refusal, and whatever else happened after bytes may have left is `Unknown`.

use lead::{Code, PostClass};

use crate::PostReply;
use crate::native::{PostAnswer, Verdict};

/// Classifies a complete reply.
pub(crate) fn complete(status: u16, answer: PostAnswer) -> PostReply {
    let (class, code) = match (status, answer.verdict) {
        (200..=299, Some(Verdict::Accepted)) => (PostClass::Accepted, Code::Sold),
        // An acceptance under an error status is two verdicts.
        (_, Some(Verdict::Accepted)) => (PostClass::Unknown, Code::Unknown),
        (200..=299 | 503, Some(Verdict::Rejected)) => (PostClass::Rejected, Code::PostRejected),
        (200..=299 | 409 | 503, Some(Verdict::Duplicate)) => {
            (PostClass::Rejected, Code::BuyerDuplicate)
        }
        (400 | 409 | 410 | 422, _) => (PostClass::Rejected, Code::PostRejected),
        (401 | 403 | 404 | 405 | 413 | 415 | 429, _) => (PostClass::Rejected, Code::HttpStatus),
        _ => (PostClass::Unknown, Code::Unknown),
    };
    PostReply {
        class,
        code,
        price: answer.price,
        redirect_url: answer.redirect_url,
        reference: answer.reference,
        reason: answer.reason,
    }
}
