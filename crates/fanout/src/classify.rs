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
        (_, Some(Verdict::Accepted | Verdict::Both)) => (PostClass::Unknown, Code::Unknown),
        (200..=299 | 503, Some(Verdict::Rejected)) => (PostClass::Rejected, Code::PostRejected),
        (200..=299 | 409 | 503, Some(Verdict::Duplicate)) => {
            (PostClass::Rejected, Code::BuyerDuplicate)
        }
        (400 | 409 | 410 | 422, _) => (PostClass::Rejected, Code::PostRejected),
        (401 | 403 | 404 | 405 | 413 | 415 | 429, _) => (PostClass::Rejected, Code::HttpStatus),
        _ => (PostClass::Unknown, Code::Unknown),
    };
    reply(class, code, answer)
}

/// Classifies a complete reply to a status call, or to a post under a key that was used before. Only a
/// plain verdict says what became of the first: a duplicate may be that very post, a 409 that it is
/// still being worked on, a 404 that it is not known yet.
pub(crate) fn second(status: u16, answer: PostAnswer) -> PostReply {
    let (class, code) = match (status, answer.verdict) {
        (200..=299, Some(Verdict::Accepted)) => (PostClass::Accepted, Code::Sold),
        (200..=299, Some(Verdict::Rejected)) => (PostClass::Rejected, Code::PostRejected),
        _ => (PostClass::Unknown, Code::Unknown),
    };
    reply(class, code, answer)
}

fn reply(class: PostClass, code: Code, answer: PostAnswer) -> PostReply {
    let PostAnswer { verdict: _, price, redirect_url, reference, reason } = answer;
    PostReply { class, code, price, redirect_url, reference, reason }
}
