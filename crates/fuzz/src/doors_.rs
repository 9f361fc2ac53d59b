//! Whole requests at every door, from the first byte of a header to the last of the answer: routes, keys,
//! JSON, forms, queries, paths, ids, logins and pages. Whatever comes, the answer is no fault of ours, is
//! JSON or empty, and is no longer than what was sent gives reason for.
//!
//! An input is a line of method and path, lines of headers, a blank line and a body; or a body alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ingress::{
    Arrival, Delivery, Distribute, Limits, Refusal, Server, Stored, Unavailable, Untold,
};
use jiff::Timestamp;
use lead::{
    Answer, Clock, Door, Explanation, Hashes, Heard, LeadId, Outlook, Page, PublisherId, Quote,
    Report, Reporter, Sequence, Status, StoredLead, StoredLeads, Submission,
};
use market::Market;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

const MARKET: &str = include_str!("../../ingress/tests/golden/market.toml");
const BRAINYSOFT: &str = include_str!("../../ingress/tests/golden/brainysoft/sample.json");
const PINGTREE: &str = include_str!("../../ingress/tests/golden/pingtree/sample.json");

/// Longest answer: what every answer may have, and so many bytes for each that was sent.
const ANSWER_BYTES: usize = 64 * 1_024;
const ANSWER_BYTES_EACH: usize = 4;

/// How long the rest of a request is waited for.
const PATIENCE: Duration = Duration::from_millis(20);

/// More than any request or answer here.
const PIPE_BYTES: usize = 1_024 * 1_024;

/// Requests at the Leadhub door.
pub fn door_leadhub(data: &[u8]) {
    ask(data, "POST /api/v1/lead", "apikey: hub-key");
}

/// Requests at Gavel's own door.
pub fn door_native(data: &[u8]) {
    ask(data, "POST /v1/leads", "authorization: Bearer shop-native");
}

/// Requests at the Bright Horizons door.
pub fn door_bright_horizons(data: &[u8]) {
    ask(data, "POST /post/debt/sub10k/", "accept: application/json");
}

/// Requests at the Pingtree door.
pub fn door_pingtree(data: &[u8]) {
    ask(data, "POST /api/lead/create/65f0c0ffee65f0c0ffee65f0", "authorization: Bearer store-key");
}

/// Requests at the BrainySoft door.
pub fn door_brainysoft(data: &[u8]) {
    ask(data, "POST /bs-core/main/leads", "bsauth: brainy-key");
}

thread_local! {
    static HALL: (Runtime, Server<Desk>) = {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        // Everything is there at once: what is waited for will never come.
        let (header_read, body_read) = (PATIENCE, PATIENCE);
        let limits = Limits { header_read, body_read, ..Limits::default() };
        (runtime.expect("a runtime"), Server::new(Desk::new(), limits))
    };
}

fn ask(data: &[u8], usual: &str, key: &str) {
    let request = request(super::bounded(data), usual, key);
    let answer = HALL.with(|(runtime, server)| runtime.block_on(exchange(server, &request)));
    let most = ANSWER_BYTES + ANSWER_BYTES_EACH * request.len();
    assert!(answer.len() <= most, "{} bytes for {}", answer.len(), request.len());
    let text = String::from_utf8(answer).expect("an answer of text");
    // A header that cannot be read may get no answer.
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return assert!(text.is_empty(), "half an answer: {text}");
    };
    let status = head.split(' ').nth(1).expect("a status");
    assert!(!status.starts_with('5'), "{head}\n{body}");
    let is_json = serde_json::from_str::<serde_json::Value>(body).is_ok();
    assert!(is_json || body.is_empty(), "{body}");
}

/// The bytes of one request, after which the connection is closed.
fn request(data: &[u8], usual: &str, key: &str) -> Vec<u8> {
    let blank = data.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = match blank {
        Some(at) => (&data[..at], &data[at + 2..]),
        None => (&b""[..], data),
    };
    let mut lines = head.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut out = lines.next().unwrap_or(usual.as_bytes()).to_vec();
    out.extend(b" HTTP/1.1\r\nhost: e\r\nconnection: close\r\n");
    out.extend(format!("{key}\r\ncontent-length: {}\r\n", body.len()).as_bytes());
    for line in lines {
        out.extend(line);
        out.extend(b"\r\n");
    }
    out.extend(b"\r\n");
    out.extend(body);
    out
}

async fn exchange(server: &Server<Desk>, request: &[u8]) -> Vec<u8> {
    let (mut ours, theirs) = tokio::io::duplex(PIPE_BYTES);
    let talk = async {
        // The other side may have heard enough.
        drop(ours.write_all(request).await);
        let mut answer = Vec::new();
        drop(ours.read_to_end(&mut answer).await);
        answer
    };
    tokio::join!(server.serve(theirs), talk).1
}

/// An engine that takes every lead, sells none and has one of each publisher's.
struct Desk {
    market: Arc<Market>,
    stored: Vec<Submission>,
}

impl Desk {
    fn new() -> Self {
        let market = super::sound(MARKET);
        let samples =
            [(Door::BrainySoft, "brainy", BRAINYSOFT), (Door::Pingtree, "store", PINGTREE)];
        let stored = samples.map(|(door, id, body)| {
            let publisher = &market.publishers[&id.parse().expect("an id")];
            let lead = ingress::decode(door, publisher, &market, &mut body.as_bytes().to_vec());
            *lead.expect("a sample that is a lead")
        });
        Self { stored: stored.into(), market: Arc::new(market) }
    }

    fn own(&self, publisher: &PublisherId) -> Option<Submission> {
        self.stored.iter().find(|lead| lead.publisher == *publisher).cloned()
    }

    fn holds(&self, lead: &Submission) {
        assert!(self.market.products.contains_key(&lead.product), "no such product");
        assert!(self.market.publishers.contains_key(&lead.publisher), "no such publisher");
    }
}

fn answer() -> Answer {
    Answer {
        lead: Some((LeadId::new(Timestamp::UNIX_EPOCH, [1; 10]), Sequence(1))),
        status: Status::New,
        is_final: true,
        currency: None,
        external_id: None,
        tags: Default::default(),
    }
}

impl Distribute for Desk {
    fn market(&self) -> Arc<Market> {
        Arc::clone(&self.market)
    }

    fn unavailable(&self) -> Option<Unavailable> {
        None
    }

    async fn distribute(&self, arrival: Arrival) -> Result<Delivery, Refusal> {
        self.holds(&arrival.submission);
        Ok(Delivery::new(answer()))
    }

    async fn ping(&self, arrival: Arrival, _: Hashes) -> Result<Quote, Refusal> {
        self.holds(&arrival.submission);
        Ok(Quote::Rejected(lead::NoQuote::Unsold))
    }

    async fn withdraw(&self, _: &PublisherId, _: LeadId) -> Result<Option<Answer>, Refusal> {
        Ok(Some(answer()))
    }

    async fn report(&self, report: Report) -> Result<Heard, Untold> {
        match report.by {
            Reporter::Buyer(_) => Ok(Heard::Received),
            Reporter::Token(_) => Err(Untold::Forged),
        }
    }

    async fn find(&self, _: &PublisherId, _: LeadId) -> Result<Option<Answer>, Unavailable> {
        Ok(Some(answer()))
    }

    async fn find_numbered(
        &self,
        publisher: &PublisherId,
        number: Sequence,
    ) -> Result<Option<Stored>, Unavailable> {
        let submission = self.own(publisher).filter(|_| number == Sequence(1));
        let received_at = Timestamp::UNIX_EPOCH;
        Ok(submission.map(|lead| Stored { answer: answer(), received_at, submission: Some(lead) }))
    }

    fn digest(&self, _: &'static str, parts: &[&[u8]]) -> [u8; 16] {
        let sum = parts
            .concat()
            .iter()
            .fold(0_u128, |sum, byte| sum * 257 % (1 << 100) + u128::from(*byte));
        sum.to_be_bytes()
    }

    async fn explain(
        &self,
        _: &PublisherId,
        lead: LeadId,
    ) -> Result<Option<Explanation>, Unavailable> {
        let (steps, not_matched) = (Vec::new(), Vec::new());
        Ok(Some(Explanation { lead, outcome: None, steps, not_matched, gap: None }))
    }

    async fn outlook(&self, submission: Submission) -> Result<Outlook, Unavailable> {
        self.holds(&submission);
        Ok(Outlook::Open(None))
    }

    async fn stored(
        &self,
        publisher: &PublisherId,
        page: Page,
        wanted: impl Fn(&StoredLead) -> bool + Send,
    ) -> Result<StoredLeads, Unavailable> {
        assert!((1..=500).contains(&page.most), "{}", page.most);
        let lead = self.own(publisher).map(|submission| StoredLead {
            id: LeadId::new(Timestamp::UNIX_EPOCH, [1; 10]),
            received_at: Timestamp::UNIX_EPOCH,
            status: Status::New,
            is_final: true,
            submission: Some(submission),
        });
        let leads = lead.into_iter().filter(wanted).collect();
        Ok(StoredLeads { leads, more: false, cut_short: false })
    }

    fn clock(&self) -> &dyn Clock {
        &StillClock
    }
}

/// It is always the same moment.
struct StillClock;

impl Clock for StillClock {
    fn timestamp(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn instant(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}
