//! What a reply to a post means for the sale, and what a reply to any call says of its endpoint. Pure.
//! The rule behind the table: only a complete reply that refuses is a refusal, and whatever else happened
//! after bytes may have left is `Unknown`.

use std::time::Duration;

use jiff::Timestamp;
use lead::{Code, Health, PostClass};

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
    PostReply { price, redirect_url, reference, reason, ..PostReply::bare(class, code) }
}

/// What a post says of its endpoint. Refusals are business; that nobody knows what became of a post, or
/// that it could not be sent, is a fault.
pub(crate) fn health(class: PostClass, code: Code) -> Health {
    match class {
        PostClass::Unknown => Health::Fault,
        PostClass::Accepted | PostClass::Rejected | PostClass::NotSent => Health::of(code),
    }
}

/// What the status of a complete reply says of the endpoint, to a ping or a post.
pub(crate) fn status_health(status: u16, retry_after: Option<Duration>) -> Health {
    match status {
        200..=299 | 400 | 409 | 410 | 422 => Health::Fine,
        429 | 503 => Health::Throttled(retry_after),
        _ => Health::Fault,
    }
}

/// How long a `Retry-After` asks for, in seconds or until a date.
pub(crate) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let until = jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp();
    Some(until.duration_since(now).try_into().unwrap_or_default())
}
