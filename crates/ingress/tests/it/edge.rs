//! A running edge in front of an engine that answers by script and keeps what it was handed.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use ingress::{
    Arrival, Delivery, Distribute, Fate, Limits, Refusal, Server, Stop, Stored, Unavailable, Untold,
};
use jiff::Timestamp;
use lead::{
    Answer, Clock, Code, Explanation, Hashes, Heard, LeadId, Money, NoQuote, OfferOutcome, Outlook,
    Page, PublisherId, Quote, Report, Sequence, Stage, Status, Step, StoredLead, StoredLeads,
    Submission,
};
use market::{Market, Sources};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::client::{Client, PATIENCE};

const MARKET: &str = include_str!("../golden/market.toml");

/// The id of every lead that the scripted engine creates.
pub(crate) const LEAD: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// What the engine is to say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    /// Asked before a body is read.
    pub(crate) unavailable: Option<Unavailable>,
    /// To a submission: whether a lead exists, and its status; `Err` if it cannot be taken.
    pub(crate) distribute: Option<Result<Told, Refusal>>,
    /// To a ping.
    pub(crate) ping: Option<Result<Quote, Refusal>>,
    /// To a question: whose lead it is, and how it stands.
    pub(crate) find: Option<(String, Result<Told, Unavailable>)>,
    /// To an event.
    pub(crate) heard: Option<Result<Heard, Untold>>,
    /// To a withdrawal: whose lead it is, and how it stands.
    pub(crate) withdraw: Option<(String, Result<Told, Refusal>)>,
    /// To a ping that asks nobody.
    pub(crate) outlook: Option<Result<Outlook, Unavailable>>,
}

/// An answer but for what is echoed.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) created: bool,
    pub(crate) status: Status,
    pub(crate) is_final: bool,
}

impl Told {
    /// Accepted, not sold.
    pub(crate) fn new() -> Self {
        Self { created: true, status: Status::New, is_final: true }
    }

    fn answer(self, echo: Option<&Submission>) -> Answer {
        let id: LeadId = LEAD.parse().unwrap();
        Answer {
            lead: self.created.then_some((id, Sequence(1))),
            status: self.status,
            is_final: self.is_final,
            currency: Some("EUR".parse().unwrap()),
            external_id: echo.and_then(|lead| lead.external_id.clone()),
            tags: echo.map(|lead| lead.tags.clone()).unwrap_or_default(),
        }
    }
}

/// The engine's part.
struct Desk {
    market: Arc<Market>,
    shared: Arc<Shared>,
    entered: Sender<()>,
}

struct Shared {
    script: Mutex<Script>,
    received: Mutex<Vec<Arrival>>,
    pinged: Mutex<Vec<Submission>>,
    reported: Mutex<Vec<Report>>,
    /// What the last ping said of its consumer.
    hashes: Mutex<Option<Hashes>>,
    /// Hears of every answer that did not arrive.
    losses: Sender<()>,
    /// Closed unless a test holds leads back.
    gate: Semaphore,
}

impl Shared {
    fn note(&self, fate: Fate) {
        if fate == Fate::Lost {
            // Nobody listens once the test is over.
            self.losses.send(()).unwrap_or_default();
        }
    }
}

/// An edge in its own thread; stops when dropped.
pub(crate) struct Edge {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    stop: Stop,
    entered: Receiver<()>,
    losses: Receiver<()>,
    ended: Receiver<()>,
}

impl Edge {
    /// Starts one that answers at once.
    pub(crate) fn start(limits: Limits) -> Self {
        let edge = Self::start_holding(limits);
        edge.release();
        edge
    }

    /// Starts one whose engine takes leads but answers none until [`Self::release`].
    pub(crate) fn start_holding(limits: Limits) -> Self {
        let (lost, losses) = channel();
        let shared = Arc::new(Shared {
            script: Mutex::default(),
            received: Mutex::default(),
            pinged: Mutex::default(),
            reported: Mutex::default(),
            hashes: Mutex::default(),
            losses: lost,
            gate: Semaphore::new(0),
        });
        let (entered, enters) = channel();
        let (ended, ends) = channel();
        let desk = Desk { market: Arc::new(market()), shared: Arc::clone(&shared), entered };
        let stop = Stop::new();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::new(desk, limits);
        let run = serve(server, listener, stop.clone());
        std::thread::spawn(move || {
            run();
            drop(ended);
        });
        Self { address, shared, stop, entered: enters, losses, ended: ends }
    }

    /// Sets what the engine says from now on.
    pub(crate) fn script(&self, script: Script) {
        *self.shared.script.lock().unwrap() = script;
    }

    /// Takes what the engine was handed so far.
    pub(crate) fn received(&self) -> Vec<Arrival> {
        std::mem::take(&mut self.shared.received.lock().unwrap())
    }

    /// Takes what the engine was asked about so far.
    pub(crate) fn pinged(&self) -> Vec<Submission> {
        std::mem::take(&mut self.shared.pinged.lock().unwrap())
    }

    /// Takes the events that the engine was told so far.
    pub(crate) fn reported(&self) -> Vec<Report> {
        std::mem::take(&mut self.shared.reported.lock().unwrap())
    }

    /// Takes what the last ping said of its consumer.
    pub(crate) fn hashes(&self) -> Option<Hashes> {
        self.shared.hashes.lock().unwrap().take()
    }

    /// Waits until the engine holds one more lead.
    pub(crate) fn until_entered(&self) {
        self.entered.recv_timeout(PATIENCE).unwrap();
    }

    /// Waits until the engine hears of one more answer that did not arrive.
    pub(crate) fn until_lost(&self) {
        self.losses.recv_timeout(PATIENCE).unwrap();
    }

    /// Whether every answer so far arrived; ask once the edge has ended.
    pub(crate) fn lost_nothing(&self) -> bool {
        self.losses.try_recv().is_err()
    }

    /// Lets the engine answer, now and later.
    pub(crate) fn release(&self) {
        self.shared.gate.close();
    }

    /// Tells it to stop.
    pub(crate) fn stop(&self) {
        self.stop.stop();
    }

    /// Waits until it has ended.
    pub(crate) fn until_ended(&self) {
        let ended = self.ended.recv_timeout(PATIENCE);
        assert_eq!(ended, Err(std::sync::mpsc::RecvTimeoutError::Disconnected));
    }

    /// A new connection to it.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.release();
        self.stop.stop();
    }
}

/// The market of the golden cases.
pub(crate) fn market() -> Market {
    let sources = Sources::parse([("market.toml".to_owned(), MARKET.to_owned())]).unwrap();
    sources.market().unwrap()
}

fn serve(server: Server<Desk>, listener: std::net::TcpListener, stop: Stop) -> impl FnOnce() {
    move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            server.run(listener, stop).await;
        });
    }
}

impl Distribute for Desk {
    fn market(&self) -> Arc<Market> {
        Arc::clone(&self.market)
    }

    fn unavailable(&self) -> Option<Unavailable> {
        self.shared.script.lock().unwrap().unavailable
    }

    async fn distribute(&self, arrival: Arrival) -> Result<Delivery, Refusal> {
        let told = self.shared.script.lock().unwrap().distribute.clone();
        let told = told.unwrap_or(Ok(Told::new()));
        let answer = told.map(|told| told.answer(Some(&arrival.submission)));
        self.shared.received.lock().unwrap().push(arrival);
        // A test that does not wait for leads does not count them either.
        self.entered.send(()).ok();
        // Whether the wait ends or is given up, an answer that goes unheard is noted.
        let lost = Arc::clone(&self.shared);
        let delivery = answer.map(|answer| Delivery::new(answer).told(move |fate| lost.note(fate)));
        drop(self.shared.gate.acquire().await);
        delivery
    }

    async fn ping(&self, arrival: Arrival, hashes: Hashes) -> Result<Quote, Refusal> {
        *self.shared.hashes.lock().unwrap() = Some(hashes);
        let quote = self.shared.script.lock().unwrap().ping;
        self.shared.received.lock().unwrap().push(arrival);
        quote.unwrap_or(Ok(Quote::Rejected(NoQuote::Unsold)))
    }

    async fn find(
        &self,
        publisher: &PublisherId,
        id: LeadId,
    ) -> Result<Option<Answer>, Unavailable> {
        let found = self.shared.script.lock().unwrap().find.clone();
        match found.filter(|(owner, _)| owner == publisher.as_str() && id.to_string() == LEAD) {
            None => Ok(None),
            Some((_, told)) => told.map(|told| Some(told.answer(None))),
        }
    }

    async fn withdraw(
        &self,
        publisher: &PublisherId,
        id: LeadId,
    ) -> Result<Option<Answer>, Refusal> {
        let script = self.shared.script.lock().unwrap().withdraw.clone();
        match script.filter(|(owner, _)| owner == publisher.as_str() && id.to_string() == LEAD) {
            None => Ok(None),
            Some((_, told)) => told.map(|told| Some(told.answer(None))),
        }
    }

    async fn find_numbered(
        &self,
        publisher: &PublisherId,
        number: Sequence,
    ) -> Result<Option<Stored>, Unavailable> {
        if number != Sequence(1) {
            return Ok(None);
        }
        let found = self.find(publisher, LEAD.parse().unwrap()).await?;
        let received_at = StillClock.timestamp();
        Ok(found.map(|answer| Stored { answer, received_at, submission: None }))
    }

    fn digest(&self, domain: &'static str, parts: &[&[u8]]) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_derive_key(domain);
        for part in parts {
            hasher.update(&part.len().to_le_bytes()).update(part);
        }
        *hasher.finalize().as_bytes().first_chunk().unwrap()
    }

    async fn explain(
        &self,
        publisher: &PublisherId,
        id: LeadId,
    ) -> Result<Option<Explanation>, Unavailable> {
        let payout = Money { amount: "12.5".parse().unwrap(), currency: "EUR".parse().unwrap() };
        let step = |tier, stage, code, payout| Step { tier, stage, code, payout };
        let steps = vec![
            step(1, Stage::Post, Code::Sold, Some(payout)),
            step(2, Stage::Gate, Code::TierNotReached, None),
        ];
        let (outcome, not_matched) = (Some(OfferOutcome::Sold), vec![(Code::Filter, 3)]);
        let found = self.find(publisher, id).await?;
        Ok(found.map(|_| Explanation { lead: id, outcome, steps, not_matched, gap: None }))
    }

    async fn outlook(&self, submission: Submission) -> Result<Outlook, Unavailable> {
        let outlook = self.shared.script.lock().unwrap().outlook.clone();
        self.shared.pinged.lock().unwrap().push(submission);
        outlook.unwrap_or(Ok(Outlook::Nobody))
    }

    /// What it was handed so far, each a second after the other.
    async fn stored(
        &self,
        publisher: &PublisherId,
        page: Page,
        wanted: impl Fn(&StoredLead) -> bool + Send,
    ) -> Result<StoredLeads, Unavailable> {
        if let Some(why) = self.unavailable() {
            return Err(why);
        }
        let received = self.shared.received.lock().unwrap();
        let own = received.iter().filter(|arrival| arrival.submission.publisher == *publisher);
        let stored = |(second, arrival): (i64, &Arrival)| StoredLead {
            id: LEAD.parse().unwrap(),
            received_at: arrival.at + jiff::SignedDuration::from_secs(second),
            status: Status::New,
            is_final: true,
            submission: Some(arrival.submission.clone()),
        };
        let mut leads: Vec<StoredLead> = (0..).zip(own).map(stored).collect();
        leads.reverse();
        leads.retain(|lead| {
            let at = lead.received_at;
            let is_within = page.since.is_none_or(|since| at >= since)
                && page.until.is_none_or(|until| at < until);
            is_within && wanted(lead)
        });
        let more = leads.len() > page.skip + page.most;
        let leads = leads.into_iter().skip(page.skip).take(page.most).collect();
        Ok(StoredLeads { leads, more, cut_short: false })
    }

    async fn report(&self, report: Report) -> Result<Heard, Untold> {
        self.shared.reported.lock().unwrap().push(report);
        self.shared.script.lock().unwrap().heard.unwrap_or(Err(Untold::NoLead))
    }

    fn clock(&self) -> &dyn Clock {
        &StillClock
    }
}

/// A wall clock that stands still beside a monotonic one that runs.
struct StillClock;

impl Clock for StillClock {
    fn timestamp(&self) -> Timestamp {
        "2026-03-01T09:00:05Z".parse().unwrap()
    }

    fn instant(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}
