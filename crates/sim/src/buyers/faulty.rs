//! What a fault makes of a true answer: other bytes, or none. Pure. Must never change what the buyer
//! holds of a lead; that is decided before.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::answer::Act;
use super::fault::{Kind, is_refusal};

/// Where machines in a cloud find credentials; no caller may follow there.
const METADATA: &str = "http://169.254.169.254/latest/meta-data/";
/// A `late` answer to a call that names no time comes after this, else so much after the time named.
const LATE: Duration = Duration::from_secs(6);
const LATE_AFTER: Duration = Duration::from_secs(1);
const HEADERS: usize = 10_000;
const LEVELS: usize = 1_025;
const GIB: u64 = 1 << 30;

/// What is done on the connection itself, one after another; at the end it is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Send(Bytes),
    /// So many bytes of filling.
    Pour(u64),
    /// One byte a second.
    Drip(Bytes),
    /// Nothing, for as long as the caller stays.
    Wait,
    /// The connection is reset.
    Reset,
}

/// How long after its usual delay a late answer comes.
pub(super) fn delay(kind: Option<Kind>, told_ms: Option<u64>) -> Duration {
    match (kind, told_ms) {
        (Some(Kind::Late), Some(told)) => Duration::from_millis(told.min(60_000)) + LATE_AFTER,
        (Some(Kind::Late), None) => LATE,
        _ => Duration::ZERO,
    }
}

/// The bytes of a reply that closes no connection.
fn head(length: Option<u64>) -> String {
    let length = length.map(|length| format!("content-length: {length}\r\n")).unwrap_or_default();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{length}\r\n")
}

fn whole(body: &str) -> Bytes {
    Bytes::from(head(Some(body.len() as u64)) + body)
}

/// The first half, by bytes.
fn half(bytes: impl Into<Bytes>) -> Bytes {
    let bytes = bytes.into();
    bytes.slice(..bytes.len() / 2)
}

/// What is done instead of answering `truth`.
pub(super) fn instead(kind: Kind, truth: Value) -> Act {
    match kind {
        Kind::Garbage => {
            Act::text(200, "text/html", "<html><body><h1>It works!</h1></body></html>")
        }
        Kind::Redirect => Act::Reply {
            status: 302,
            kind: "text/plain",
            location: Some(METADATA),
            body: "elsewhere\n".to_owned(),
        },
        Kind::Status(status) if is_refusal(status) => Act::json(
            status,
            &json!({ "status": "rejected", "reason": format!("status {status}") }),
        ),
        Kind::Status(status) => Act::text(status, "text/plain", &format!("status {status}\n")),
        Kind::Bom
        | Kind::DuplicateKeys
        | Kind::Deep
        | Kind::NoVerdict
        | Kind::BothVerdicts
        | Kind::PriceNan
        | Kind::PriceNegative
        | Kind::PriceOverflow
        | Kind::PriceText
        | Kind::PriceHuge => Act::text(200, "application/json", &said(kind, truth)),
        kind => match steps(kind, &truth.to_string()) {
            Some(steps) => Act::Raw(steps),
            None => Act::json(200, &truth),
        },
    }
}

/// The body of a complete reply that says what it should not.
fn said(kind: Kind, truth: Value) -> String {
    let price = |literal: &str| match truth["status"].as_str() {
        Some("bid" | "accepted") => with("price", literal, truth.clone()),
        _ => truth.to_string(),
    };
    match kind {
        Kind::Bom => format!("\u{feff}{truth}"),
        Kind::DuplicateKeys => {
            let status = &truth["status"];
            format!("{{\"status\":{status},{}", inner(&truth))
        }
        Kind::Deep => {
            // The outermost object is a level, too.
            let (open, close) = ("[".repeat(LEVELS - 1), "]".repeat(LEVELS - 1));
            with("extra", &format!("{open}{close}"), truth)
        }
        Kind::NoVerdict => "{}".to_owned(),
        Kind::BothVerdicts => r#"{"status":"accepted","status":"rejected"}"#.to_owned(),
        Kind::PriceNan => price("NaN"),
        Kind::PriceNegative => price("\"-5.00\""),
        Kind::PriceOverflow => price("1e400"),
        Kind::PriceText => price("\"twelve fifty\""),
        Kind::PriceHuge => price("\"999999999999999\""),
        _ => truth.to_string(),
    }
}

/// An object's text without its opening brace.
fn inner(object: &Value) -> String {
    object.to_string().trim_start_matches('{').to_owned()
}

/// The object with `member` as a literal that need not be JSON.
fn with(member: &str, literal: &str, mut object: Value) -> String {
    if let Some(members) = object.as_object_mut() {
        members.remove(member);
    }
    format!("{{\"{member}\":{literal},{}", inner(&object))
}

/// What is done with the connection, if the fault is of its bytes.
fn steps(kind: Kind, body: &str) -> Option<Vec<Step>> {
    use Step::{Drip, Pour, Reset, Send, Wait};
    let length = body.len() as u64;
    let full_head = || Bytes::from(head(Some(length)));
    Some(match kind {
        Kind::Unread | Kind::Close => vec![],
        Kind::Hang => vec![Wait],
        Kind::ResetAfterRequest => vec![Reset],
        Kind::HangInHead => vec![Send(half(full_head())), Wait],
        Kind::HangAfterHead => vec![Send(full_head()), Wait],
        Kind::ResetInHead => vec![Send(half(full_head())), Reset],
        Kind::MalformedHead => vec![Send(Bytes::from(format!("HTTP/9 yes\r\n:\r\n\r\n{body}")))],
        Kind::ManyHeaders => {
            let filling: String = (0..HEADERS).map(|n| format!("x-filling-{n}: {n}\r\n")).collect();
            let rest = format!("content-length: {length}\r\n\r\n{body}");
            vec![Send(Bytes::from(format!("HTTP/1.1 200 OK\r\n{filling}{rest}")))]
        }
        Kind::Drip => vec![Drip(whole(body))],
        Kind::ResetInBody => vec![Send(full_head()), Send(half(body.to_owned())), Reset],
        Kind::Cut => vec![Send(full_head()), Send(half(body.to_owned()))],
        Kind::Endless => vec![Send(Bytes::from(head(None))), Pour(u64::MAX)],
        Kind::Huge => vec![Send(Bytes::from(head(Some(GIB)))), Pour(GIB)],
        Kind::ShortLength => {
            vec![Send(Bytes::from(head(Some(length / 2)) + body)), Wait]
        }
        Kind::LongLength => vec![Send(Bytes::from(head(Some(length + 100)) + body)), Wait],
        Kind::TwoAnswers => {
            let other = r#"{"status":"accepted","reference":"not-asked-for"}"#;
            vec![Send(whole(body)), Send(whole(other)), Wait]
        }
        Kind::AnswerThenReset => vec![Send(whole(body)), Reset],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_answer_comes_a_second_after_the_time_told() {
        let ms = Duration::from_millis;
        assert_eq!(delay(Some(Kind::Late), Some(400)), ms(1_400));
        assert_eq!(delay(Some(Kind::Late), None), ms(6_000));
        assert_eq!(delay(Some(Kind::Late), Some(u64::MAX)), ms(61_000), "never for ever");
        assert_eq!(delay(Some(Kind::Hang), Some(400)), ms(0));
        assert_eq!(delay(None, Some(400)), ms(0));
    }

    #[test]
    fn deep_answers_are_one_level_deeper_than_readers_go() {
        let text = said(Kind::Deep, json!({ "status": "bid" }));
        let deepest = text.chars().scan(0_usize, |level, c| {
            match c {
                '[' | '{' => *level += 1,
                ']' | '}' => *level -= 1,
                _ => {}
            }
            Some(*level)
        });
        assert_eq!(deepest.max(), Some(1_025));
    }
}
