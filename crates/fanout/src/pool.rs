//! Kept connections to buyers, one pool a destination. Never repeats a request: what happened to one
//! is for the caller to judge.

use std::net::TcpStream as StdStream;
use std::time::{Duration, Instant};

use bytes::Bytes;
use dashmap::DashMap;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use lead::Code;
use market::Url;
use tokio::net::TcpStream;

use crate::metrics::Metrics;

/// A connection on which one request at a time may be sent.
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<Full<Bytes>>,
    /// The same socket, to look for an end of stream without reading from it.
    probe: StdStream,
    /// When its last reply was complete; `None` before the first.
    quiet_since: Option<Instant>,
}

impl Connection {
    /// It has served a call before this one.
    pub(crate) fn is_kept(&self) -> bool {
        self.quiet_since.is_some()
    }

    /// No end of stream and no stray bytes are waiting: a request sent now meets an open peer.
    fn is_quiet(&self) -> bool {
        let nothing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
        !self.sender.is_closed()
            && matches!(self.probe.peek(&mut [0]), Err(ref error) if nothing(error))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Destination {
    host: String,
    port: u16,
}

/// All pools.
pub(crate) struct Pools {
    idle: DashMap<Destination, Vec<Connection>>,
    idle_max: usize,
    keep: Duration,
    metrics: Metrics,
}

impl Pools {
    pub(crate) fn new(idle_max: usize, keep: Duration) -> Self {
        Self { idle: DashMap::new(), idle_max, keep, metrics: Metrics::new() }
    }

    /// A connection that completed a reply within `freshness` and shows no end of stream, else a new
    /// one. Nothing has been sent on it for this call.
    pub(crate) async fn take(
        &self,
        url: &Url,
        now: Instant,
        freshness: Duration,
    ) -> Result<Connection, Code> {
        let destination = Destination { host: url.host().to_owned(), port: url.port() };
        while let Some(mut connection) = self.pop(&destination, now, freshness.min(self.keep)) {
            // Ready means that the connection's task has seen the last reply's end.
            if connection.is_quiet() && connection.sender.ready().await.is_ok() {
                self.metrics.reused.increment(1);
                return Ok(connection);
            }
        }
        self.open(url).await
    }

    /// A new connection.
    pub(crate) async fn open(&self, url: &Url) -> Result<Connection, Code> {
        let opened = open(url.host(), url.port()).await;
        match opened {
            Ok(_) => self.metrics.made.increment(1),
            Err(_) => self.metrics.failed.increment(1),
        }
        opened.map_err(|_| Code::Connect)
    }

    /// The most recently used connection that is fresh enough; older ones are dropped on the way.
    fn pop(
        &self,
        destination: &Destination,
        now: Instant,
        freshness: Duration,
    ) -> Option<Connection> {
        let mut idle = self.idle.get_mut(destination)?;
        let connection = idle.pop()?;
        let fresh =
            connection.quiet_since.is_some_and(|at| now.saturating_duration_since(at) <= freshness);
        if fresh {
            return Some(connection);
        }
        // The stack is in order of use: everything below is staler. Keep what pings may still use.
        idle.push(connection);
        idle.retain(|kept| {
            kept.quiet_since.is_some_and(|at| now.saturating_duration_since(at) <= self.keep)
        });
        None
    }

    /// Keeps a connection whose reply is complete.
    pub(crate) fn put_back(&self, url: &Url, mut connection: Connection, now: Instant) {
        if connection.sender.is_closed() {
            return;
        }
        connection.quiet_since = Some(now);
        let destination = Destination { host: url.host().to_owned(), port: url.port() };
        let mut idle = self.idle.entry(destination).or_default();
        if idle.len() < self.idle_max {
            idle.push(connection);
        }
    }
}

impl std::fmt::Debug for Pools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pools").field("destinations", &self.idle.len()).finish_non_exhaustive()
    }
}

async fn open(host: &str, port: u16) -> std::io::Result<Connection> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    let probe = stream.try_clone()?;
    let stream = TcpStream::from_std(stream)?;
    let (sender, connection) = http1::Builder::new()
        .handshake(TokioIo::new(stream))
        .await
        .map_err(std::io::Error::other)?;
    tokio::spawn(async move {
        // Its faults reach the caller through the request that meets them.
        let _closed = connection.await;
    });
    Ok(Connection { sender, probe, quiet_since: None })
}
