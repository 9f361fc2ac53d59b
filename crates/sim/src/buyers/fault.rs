//! What can go wrong at a buyer: one table that the command line, its help and the tests read. Must never
//! do anything: `faulty` makes the bad answers, `reach` the bad listeners.

use std::fmt;
use std::str::FromStr;

use super::Stage;

/// Up to where a call gets before it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// No connection, or none that anybody serves. The buyer learns nothing of the call.
    Connect,
    /// The TLS handshake. The buyer learns nothing of the call.
    Handshake,
    /// The request came; no byte is answered.
    Silence,
    /// The reply's status line or headers.
    Head,
    /// The reply's body, as bytes.
    Body,
    /// A whole reply that says what it should not.
    Answer,
}

impl Phase {
    /// The word for it in lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Handshake => "handshake",
            Self::Silence => "silence",
            Self::Head => "head",
            Self::Body => "body",
            Self::Answer => "answer",
        }
    }

    /// Before a request: such a fault needs a listener of its own.
    #[must_use]
    pub fn is_before_request(self) -> bool {
        matches!(self, Self::Connect | Self::Handshake)
    }
}

/// What goes wrong, whatever the call. [`FAULTS`] says what each does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table describes them, once")]
pub enum Kind {
    Dns,
    Refused,
    FullBacklog,
    Unaccepted,
    HangAtAccept,
    ResetAtAccept,
    TlsExpired,
    TlsWrongHost,
    TlsUnknownCa,
    TlsStalled,
    Unread,
    Hang,
    Close,
    ResetAfterRequest,
    Late,
    HangInHead,
    HangAfterHead,
    ResetInHead,
    MalformedHead,
    ManyHeaders,
    Drip,
    Redirect,
    ResetInBody,
    Cut,
    Endless,
    Huge,
    ShortLength,
    LongLength,
    TwoAnswers,
    AnswerThenReset,
    Garbage,
    Bom,
    DuplicateKeys,
    Deep,
    NoVerdict,
    BothVerdicts,
    PriceNan,
    PriceNegative,
    PriceOverflow,
    PriceText,
    PriceHuge,
    NoRedirect,
    HttpRedirect,
    /// Any HTTP status; the table shows one.
    Status(u16),
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// As it is written in a buyer's description.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// How far a call gets.
    pub phase: Phase,
    /// The calls that it can strike.
    pub calls: Stage,
    /// What the buyer does, for people.
    pub about: &'static str,
}

const fn on(
    name: &'static str,
    kind: Kind,
    phase: Phase,
    calls: Stage,
    about: &'static str,
) -> Known {
    Known { name, kind, phase, calls, about }
}

/// Every fault there is, in the order of a call.
pub const FAULTS: &[Known] = {
    use Kind as K;
    use Phase::{Answer, Body, Connect, Handshake, Head, Silence};
    use Stage::{Both, Post};
    &[
        on("dns", K::Dns, Connect, Both, "its host is a name that does not exist"),
        on("refused", K::Refused, Connect, Both, "nobody listens"),
        on(
            "full-backlog",
            K::FullBacklog,
            Connect,
            Both,
            "the queue of connections is full: none comes about",
        ),
        on(
            "unaccepted",
            K::Unaccepted,
            Connect,
            Both,
            "connections come about, and nobody accepts them",
        ),
        on(
            "hang-at-accept",
            K::HangAtAccept,
            Connect,
            Both,
            "accepts, and heeds nothing that comes",
        ),
        on("reset-at-accept", K::ResetAtAccept, Connect, Both, "accepts and resets"),
        on(
            "tls-expired",
            K::TlsExpired,
            Handshake,
            Both,
            "https with a certificate that has expired",
        ),
        on(
            "tls-wrong-host",
            K::TlsWrongHost,
            Handshake,
            Both,
            "https with another host's certificate",
        ),
        on(
            "tls-unknown-ca",
            K::TlsUnknownCa,
            Handshake,
            Both,
            "https with a certificate of an authority that nobody knows",
        ),
        on(
            "tls-stalled",
            K::TlsStalled,
            Handshake,
            Both,
            "https that never answers the first handshake message",
        ),
        on("unread", K::Unread, Silence, Both, "drops the call without a look at it"),
        on("hang", K::Hang, Silence, Both, "reads the call and says nothing"),
        on("close", K::Close, Silence, Both, "reads the call and closes the connection"),
        on("reset-after-request", K::ResetAfterRequest, Silence, Both, "reads the call and resets"),
        on(
            "late",
            K::Late,
            Silence,
            Both,
            "the true answer, a second after the time that it was told, or after 6 s",
        ),
        on("hang-in-head", K::HangInHead, Head, Both, "half of the headers, then nothing"),
        on("hang-after-head", K::HangAfterHead, Head, Both, "all headers, then nothing"),
        on("reset-in-head", K::ResetInHead, Head, Both, "half of the headers, then a reset"),
        on("malformed-head", K::MalformedHead, Head, Both, "a status line that is none"),
        on("many-headers", K::ManyHeaders, Head, Both, "10,000 headers before the true answer"),
        on("drip", K::Drip, Head, Both, "the true answer, one byte a second"),
        on(
            "redirect",
            K::Redirect,
            Head,
            Both,
            "302 to the address where clouds keep their secrets",
        ),
        on("reset-in-body", K::ResetInBody, Body, Both, "half of the body, then a reset"),
        on("cut", K::Cut, Body, Both, "half of the body, then the connection is closed"),
        on("endless", K::Endless, Body, Both, "a body without a length and without an end"),
        on("huge", K::Huge, Body, Both, "a body of 1 GiB that says so"),
        on(
            "short-length",
            K::ShortLength,
            Body,
            Both,
            "a content-length of half of the body that follows",
        ),
        on(
            "long-length",
            K::LongLength,
            Body,
            Both,
            "a content-length that the body never reaches; the connection stays",
        ),
        on(
            "two-answers",
            K::TwoAnswers,
            Body,
            Both,
            "the true answer, and at once another that nobody asked for",
        ),
        on(
            "answer-then-reset",
            K::AnswerThenReset,
            Body,
            Both,
            "the whole true answer, then a reset",
        ),
        on("garbage", K::Garbage, Answer, Both, "200 with a page of HTML"),
        on("bom", K::Bom, Answer, Both, "the true answer after a byte order mark"),
        on("duplicate-keys", K::DuplicateKeys, Answer, Both, "JSON that says its status twice"),
        on("deep", K::Deep, Answer, Both, "JSON of 1,025 levels"),
        on("no-verdict", K::NoVerdict, Answer, Both, "JSON that says neither yes nor no"),
        on("both-verdicts", K::BothVerdicts, Answer, Both, "JSON that says both yes and no"),
        on("price-nan", K::PriceNan, Answer, Both, "a price that is NaN"),
        on("price-negative", K::PriceNegative, Answer, Both, "a price below zero"),
        on("price-overflow", K::PriceOverflow, Answer, Both, "a price of 1e400"),
        on("price-text", K::PriceText, Answer, Both, "a price in words"),
        on("price-huge", K::PriceHuge, Answer, Both, "a price of 999999999999999"),
        on("no-redirect", K::NoRedirect, Answer, Post, "accepts without a redirect_url"),
        on(
            "http-redirect",
            K::HttpRedirect,
            Answer,
            Post,
            "accepts with a redirect_url that is not https",
        ),
        on(
            "status-500",
            K::Status(500),
            Answer,
            Both,
            "that status, any of 200 to 599; 4xx and 503 with a readable refusal, others with text",
        ),
    ]
};

/// Statuses by which a buyer truthfully says that it did not take the lead.
pub(super) fn is_refusal(status: u16) -> bool {
    (400..500).contains(&status) || status == 503
}

impl Kind {
    /// How far a call gets.
    #[must_use]
    pub fn phase(self) -> Phase {
        self.known().map_or(Phase::Answer, |known| known.phase)
    }

    fn known(self) -> Option<&'static Known> {
        FAULTS.iter().find(|known| match (known.kind, self) {
            (Self::Status(_), Self::Status(_)) => true,
            (one, other) => one == other,
        })
    }

    /// Whether the buyer does not have the lead, whatever it thinks of it.
    pub(super) fn spares(self) -> bool {
        match self {
            Self::Status(status) => is_refusal(status),
            Self::Unread => true,
            _ => self.phase().is_before_request(),
        }
    }
}

/// A fault and the calls that it strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: Kind,
    /// With which calls.
    pub calls: Stage,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, self.kind.known()) {
            (Kind::Status(status), _) => write!(f, "status-{status}")?,
            (_, Some(known)) if known.calls == self.calls => return f.write_str(known.name),
            (_, Some(known)) => f.write_str(known.name)?,
            (_, None) => return Err(fmt::Error),
        }
        f.write_str(match self.calls {
            Stage::Ping => "-on-ping",
            Stage::Post => "-on-post",
            Stage::Both => "",
        })
    }
}

/// A text that names no fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such fault")]
pub struct UnknownFault;

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let (name, calls) = match text {
            // As they were called first.
            "close-after-ping" => ("close", Some(Stage::Ping)),
            "close-after-post" => ("close", Some(Stage::Post)),
            _ => match (text.strip_suffix("-on-ping"), text.strip_suffix("-on-post")) {
                (Some(name), _) => (name, Some(Stage::Ping)),
                (_, Some(name)) => (name, Some(Stage::Post)),
                _ => (text, None),
            },
        };
        let (kind, may) = match name.strip_prefix("status-") {
            // 1xx are not answers.
            Some(digits) => match digits.parse() {
                Ok(status @ 200..600) => (Kind::Status(status), Stage::Both),
                _ => return Err(UnknownFault),
            },
            None => {
                let known = FAULTS.iter().find(|known| known.name == name);
                known.map(|known| (known.kind, known.calls)).ok_or(UnknownFault)?
            }
        };
        let calls = calls.unwrap_or(may);
        if may.covers(calls) { Ok(Self { kind, calls }) } else { Err(UnknownFault) }
    }
}

/// The table for people: a line a fault.
#[must_use]
pub fn list() -> String {
    let line = |known: &Known| {
        let Known { name, phase, calls, about, .. } = known;
        let only = if *calls == Stage::Post { " (posts only)" } else { "" };
        format!("  {name:<20} {:<10} {about}{only}\n", phase.name())
    };
    FAULTS.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_is_read_back_with_each_call_that_it_can_strike() {
        let mut names = BTreeSet::new();
        for known in FAULTS {
            assert!(names.insert(known.name), "{} stands twice", known.name);
            assert_eq!(known.kind.phase(), known.phase, "{}", known.name);
            for (suffix, calls) in
                [("", known.calls), ("-on-ping", Stage::Ping), ("-on-post", Stage::Post)]
            {
                let read: Result<Fault, _> = format!("{}{suffix}", known.name).parse();
                let may = known.calls.covers(calls);
                let expected = may.then_some(Fault { kind: known.kind, calls });
                assert_eq!(read.ok(), expected, "{}{suffix}", known.name);
                if let Ok(fault) = read {
                    assert_eq!(fault.to_string().parse(), Ok(fault));
                }
            }
        }
        assert_eq!(list().lines().count(), FAULTS.len());
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for text in ["", "sulk", "status-", "status-99", "status-100", "status-600", "on-ping"] {
            assert_eq!(text.parse::<Fault>(), Err(UnknownFault), "{text}");
        }
        for text in ["no-redirect-on-ping", "hang-on-post-on-ping", "close-after-call"] {
            assert_eq!(text.parse::<Fault>(), Err(UnknownFault), "{text}");
        }
    }
}
