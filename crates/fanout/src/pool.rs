//! Kept connections to buyers, one pool a destination. Never repeats a request: what happened to one
//! is for the caller to judge.

use std::net::TcpStream as StdStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use dashmap::DashMap;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use lead::Code;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Limits;
use crate::dial::{Destination, Dialler, Opened};
use crate::metrics::Metrics;

/// A connection on which one request at a time may be sent.
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<Full<Bytes>>,
    /// The same socket, to look for an end of stream without reading from it.
    probe: StdStream,
    opened: Instant,
    /// When its last reply was complete; `None` before the first.
    quiet_since: Option<Instant>,
    _slot: OwnedSemaphorePermit,
}

impl Connection {
    /// It has served a call before this one.
    pub(crate) fn is_kept(&self) -> bool {
        self.quiet_since.is_some()
    }

    /// No end of stream and no stray bytes are waiting: a request sent now meets an open peer. Under TLS
    /// the bytes of a farewell count as stray.
    fn is_quiet(&self) -> bool {
        let nothing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
        !self.sender.is_closed()
            && matches!(self.probe.peek(&mut [0]), Err(ref error) if nothing(error))
    }

    fn was_quiet_within(&self, time: std::time::Duration, now: Instant) -> bool {
        self.quiet_since.is_some_and(|at| now.saturating_duration_since(at) <= time)
    }
}

/// The connections to one destination.
struct Pool {
    /// In order of use.
    idle: Vec<Connection>,
    /// One slot a connection, idle or not.
    slots: Arc<Semaphore>,
}

/// All pools.
pub(crate) struct Pools {
    pools: DashMap<Destination, Pool>,
    dialler: Dialler,
    limits: Limits,
    swept: Mutex<Option<Instant>>,
    metrics: Metrics,
}

impl Pools {
    pub(crate) fn new(limits: Limits, dialler: Dialler) -> Self {
        let swept = Mutex::default();
        Self { pools: DashMap::new(), dialler, limits, swept, metrics: Metrics::new() }
    }

    /// Whether connections without TLS may be opened.
    pub(crate) fn speak_plainly(&self) -> bool {
        self.dialler.speaks_plainly()
    }

    /// A connection that completed a reply within `freshness` and shows no end of stream, else a new
    /// one, opened before `until`. Nothing has been sent on it for this call.
    pub(crate) async fn take(
        &self,
        to: &Destination,
        (now, until): (Instant, tokio::time::Instant),
        freshness: std::time::Duration,
    ) -> Result<Connection, Code> {
        while let Some(mut connection) = self.pop(to, now, freshness.min(self.limits.keep)) {
            // Ready means that the connection's task has seen the last reply's end.
            if connection.is_quiet() && connection.sender.ready().await.is_ok() {
                self.metrics.reused.increment(1);
                return Ok(connection);
            }
        }
        self.open(to, (now, until)).await
    }

    /// A new connection.
    pub(crate) async fn open(
        &self,
        to: &Destination,
        (now, until): (Instant, tokio::time::Instant),
    ) -> Result<Connection, Code> {
        let slot = self.slot(to).ok_or(Code::Concurrency)?;
        let opened = self.dialler.open(to, now, until).await;
        let connected = match opened {
            Ok(opened) => self.connected(opened, now, slot).await.map_err(|_| Code::Connect),
            Err(code) => Err(code),
        };
        match &connected {
            Ok(_) => self.metrics.made.increment(1),
            Err(_) => self.metrics.failed.increment(1),
        }
        connected
    }

    async fn connected(
        &self,
        opened: Opened,
        now: Instant,
        slot: OwnedSemaphorePermit,
    ) -> std::io::Result<Connection> {
        let (probe, sender) = match opened {
            Opened::Plain(stream) => {
                let probe = probe(&stream)?;
                (probe, self.speak(stream).await?)
            }
            Opened::Secure(stream) => {
                let probe = probe(stream.get_ref().0)?;
                (probe, self.speak(*stream).await?)
            }
        };
        Ok(Connection { sender, probe, opened: now, quiet_since: None, _slot: slot })
    }

    async fn speak<T: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
        &self,
        stream: T,
    ) -> std::io::Result<SendRequest<Full<Bytes>>> {
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(self.limits.reply_header_bytes_max)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(std::io::Error::other)?;
        tokio::spawn(async move {
            // Its faults reach the caller through the request that meets them.
            let _closed = connection.await;
        });
        Ok(sender)
    }

    /// Room for one more connection; an idle one gives up its own if need be.
    fn slot(&self, to: &Destination) -> Option<OwnedSemaphorePermit> {
        let mut pool = self.pools.entry(to.clone()).or_insert_with(|| Pool {
            idle: Vec::new(),
            slots: Arc::new(Semaphore::new(self.limits.connections_max)),
        });
        if pool.slots.available_permits() == 0 && !pool.idle.is_empty() {
            drop(pool.idle.remove(0));
        }
        Arc::clone(&pool.slots).try_acquire_owned().ok()
    }

    /// The most recently used connection that is fresh enough.
    fn pop(
        &self,
        to: &Destination,
        now: Instant,
        freshness: std::time::Duration,
    ) -> Option<Connection> {
        let mut pool = self.pools.get_mut(to)?;
        // Everything below the last is staler; pings may still use it.
        pool.idle.pop_if(|last| last.was_quiet_within(freshness, now))
    }

    /// Keeps a connection whose reply is complete.
    pub(crate) fn put_back(&self, to: &Destination, mut connection: Connection, now: Instant) {
        self.sweep(now);
        let age = now.saturating_duration_since(connection.opened);
        if connection.sender.is_closed() || age > self.limits.age_max {
            return;
        }
        connection.quiet_since = Some(now);
        if let Some(mut pool) = self.pools.get_mut(to)
            && pool.idle.len() < self.limits.idle_max
        {
            pool.idle.push(connection);
        }
    }

    /// Closes what was idle for too long, at every destination, and forgets those that nobody uses.
    fn sweep(&self, now: Instant) {
        let keep = self.limits.keep;
        {
            let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
            if swept.is_some_and(|at| now.saturating_duration_since(at) < keep) {
                return;
            }
            *swept = Some(now);
        }
        self.pools.retain(|_, pool| {
            pool.idle.retain(|idle| idle.was_quiet_within(keep, now) && !idle.sender.is_closed());
            !pool.idle.is_empty() || pool.slots.available_permits() < self.limits.connections_max
        });
    }
}

impl std::fmt::Debug for Pools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pools").field("destinations", &self.pools.len()).finish_non_exhaustive()
    }
}

/// A second handle of the same socket.
fn probe(stream: &TcpStream) -> std::io::Result<StdStream> {
    use std::os::fd::AsFd;
    Ok(stream.as_fd().try_clone_to_owned()?.into())
}
