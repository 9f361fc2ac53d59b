//! Simulated publishers: an open-loop load generator. Every request has its time, and latency counts
//! from that time whether or not the request could leave then, so a stall is seen in full. Must never
//! send to another machine.

pub(crate) mod connection;
mod report;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::http::{self, Request};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use connection::Connection;
use report::Tally;
pub use report::{Histogram, Outcome, Report};

/// Limits that a load may not exceed.
const TOTAL_MAX: u64 = 10_000_000;
const CONNECTIONS_MAX: usize = 10_000;
const RATE_MAX: u32 = 1_000_000;

/// Why a load is not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The target is not this machine.
    #[error("{0} is not a loopback address: simulated publishers only post to this machine")]
    NotLoopback(SocketAddr),
    /// A number is out of range.
    #[error("{name} must be 1 to {max}")]
    OutOfRange {
        /// Which.
        name: &'static str,
        /// The most.
        max: u64,
    },
}

/// A reply as it came.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Which request, from 0.
    pub index: u64,
    /// HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Bytes,
    /// Since the request's intended time.
    pub latency: Duration,
}

type Build = Box<dyn FnMut(u64) -> http::Result<Request<Bytes>> + Send>;
type Observe = Box<dyn FnMut(Reply) + Send>;
type Follow = Box<dyn FnMut(&Reply) -> Option<http::Result<Request<Bytes>>> + Send>;

/// What to send, how fast, and when to stop.
pub struct Load {
    target: SocketAddr,
    rate: u32,
    total: u64,
    connections: usize,
    timeout: Duration,
    limit: Duration,
    build: Build,
    follow: Option<Follow>,
    observe: Option<Observe>,
}

impl fmt::Debug for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load")
            .field("target", &self.target)
            .field("rate", &self.rate)
            .field("total", &self.total)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

impl Load {
    /// `total` requests to `target`, `rate` a second. `build` makes the request with the index given,
    /// and is called in the order of indexes.
    pub fn new(
        target: SocketAddr,
        rate: u32,
        total: u64,
        build: impl FnMut(u64) -> http::Result<Request<Bytes>> + Send + 'static,
    ) -> Self {
        Self {
            target,
            rate,
            total,
            connections: 64,
            timeout: Duration::from_secs(10),
            limit: Duration::from_secs(600),
            build: Box::new(build),
            follow: None,
            observe: None,
        }
    }

    /// The most connections, each with one request at a time (64). When all are busy, requests leave
    /// late and their latency says so.
    #[must_use]
    pub fn connections(self, connections: usize) -> Self {
        Self { connections, ..self }
    }

    /// How long one exchange may take (10 s).
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// How long the whole run may take (10 min); requests that have not left by then stay unsent.
    #[must_use]
    pub fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// A second request after a reply that asks for one, as a post follows a ping. The two are one
    /// exchange: what counts is the second reply, from the time at which the first request was due.
    #[must_use]
    pub fn follow(
        self,
        follow: impl FnMut(&Reply) -> Option<http::Result<Request<Bytes>>> + Send + 'static,
    ) -> Self {
        Self { follow: Some(Box::new(follow)), ..self }
    }

    /// Sees the reply of every exchange.
    #[must_use]
    pub fn on_reply(self, observe: impl FnMut(Reply) + Send + 'static) -> Self {
        Self { observe: Some(Box::new(observe)), ..self }
    }

    fn check(&self) -> Result<(), Refused> {
        if !self.target.ip().to_canonical().is_loopback() {
            return Err(Refused::NotLoopback(self.target));
        }
        let counts = [
            ("rate", u64::from(self.rate), u64::from(RATE_MAX)),
            ("total", self.total, TOTAL_MAX),
            ("connections", self.connections as u64, CONNECTIONS_MAX as u64),
        ];
        for (name, count, max) in counts {
            if !(1..=max).contains(&count) {
                return Err(Refused::OutOfRange { name, max });
            }
        }
        Ok(())
    }
}

/// A JSON POST, for [`Load::new`].
///
/// # Errors
/// The path or a header cannot stand in a request.
pub fn post(
    path: &str,
    headers: &[(&str, &str)],
    body: &serde_json::Value,
) -> http::Result<Request<Bytes>> {
    let mut request = Request::post(path).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Bytes::from(body.to_string()))
}

/// Sends the load and reports when all is answered, failed or out of time.
///
/// # Errors
/// The target is not a loopback address, or a number is out of range. Nothing was sent.
pub async fn run(load: Load) -> Result<Report, Refused> {
    load.check()?;
    let began = Instant::now();
    let total = load.total;
    let workers = load.connections.min(usize::try_from(total).unwrap_or(usize::MAX));
    let plan = Arc::new(Plan {
        target: load.target,
        rate: u64::from(load.rate),
        total,
        timeout: load.timeout,
        began,
        until: began + load.limit,
        next: Mutex::new((0, load.build)),
        follow: load.follow.map(Mutex::new),
        observe: load.observe.map(Mutex::new),
    });
    let mut running = JoinSet::new();
    for _ in 0..workers {
        running.spawn(work(Arc::clone(&plan)));
    }
    let mut tally = Tally::default();
    while let Some(worker) = running.join_next().await {
        tally.add(worker.unwrap_or_default());
    }
    Ok(tally.report(total, began.elapsed()))
}

struct Plan {
    target: SocketAddr,
    rate: u64,
    total: u64,
    timeout: Duration,
    began: Instant,
    until: Instant,
    next: Mutex<(u64, Build)>,
    follow: Option<Mutex<Follow>>,
    observe: Option<Mutex<Observe>>,
}

impl Plan {
    /// The next request, and when it is due.
    fn claim(&self) -> Option<(u64, Instant, http::Result<Request<Bytes>>)> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let (index, build) = &mut *next;
        let claimed = *index;
        let due = self.began + Duration::from_nanos(claimed * 1_000_000_000 / self.rate);
        if claimed >= self.total || due.max(Instant::now()) >= self.until {
            return None;
        }
        *index += 1;
        Some((claimed, due, build(claimed)))
    }

    /// A request and, if its reply asks for one, the request that follows it.
    async fn exchange(
        &self,
        connection: &mut Connection,
        (index, due): (u64, Instant),
        request: Request<Bytes>,
    ) -> Result<Reply, &'static str> {
        let told = |(status, body)| Reply { index, status, body, latency: due.elapsed() };
        let first = told(connection.exchange(request).await?);
        let next = self.follow.as_ref().and_then(|follow| {
            let mut follow = follow.lock().unwrap_or_else(PoisonError::into_inner);
            follow(&first)
        });
        match next {
            None => Ok(first),
            Some(next) => Ok(told(connection.exchange(next.map_err(|_| "request")?).await?)),
        }
    }

    fn observe(&self, reply: Reply) {
        if let Some(observe) = &self.observe {
            observe.lock().unwrap_or_else(PoisonError::into_inner)(reply);
        }
    }
}

/// One connection's share of the work: whoever is free takes the next request.
async fn work(plan: Arc<Plan>) -> Tally {
    let mut tally = Tally::default();
    let mut connection = Connection::new(plan.target);
    while let Some((index, due, request)) = plan.claim() {
        sleep_until(due).await;
        let late = due.elapsed();
        let Ok(request) = request else {
            tally.failed("request", late);
            continue;
        };
        let end = (Instant::now() + plan.timeout).min(plan.until);
        let exchange = plan.exchange(&mut connection, (index, due), request);
        match timeout_at(end, exchange).await {
            Ok(Ok(reply)) => {
                tally.answered(Outcome::read(reply.status, &reply.body), reply.latency, late);
                plan.observe(reply);
            }
            Ok(Err(failure)) => tally.failed(failure, late),
            Err(_) => {
                connection.close(); // a late reply must not answer the next request
                tally.failed("timeout", late);
            }
        }
    }
    tally
}
