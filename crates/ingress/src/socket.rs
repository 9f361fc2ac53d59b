//! Sockets: accept within bounds, serve HTTP/1.1, drain. Knows no route and nobody's role.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics::{Counter, Gauge};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;

use crate::Limits;
use crate::watched::Watched;

/// Who answers the requests of one connection.
pub trait Connection: Send + Sync + 'static {
    /// Answers a request: its header is complete, its body may not have come yet.
    fn answer(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Full<Bytes>>> + Send;

    /// The last answer leaves for somebody who is still there.
    fn leaves(&self) {}
}

/// A listener's bounds and what it counts.
pub struct Sockets {
    connections_max: usize,
    header_read: Duration,
    header_bytes_max: usize,
    open: Gauge,
    refused: Counter,
}

/// Tells a listener to stop: it accepts no more, lets requests under way finish, and closes.
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    /// A signal that has not been given.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Gives the signal.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

impl Sockets {
    /// Within `limits`; counts nothing.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            connections_max: limits.connections_max,
            header_read: limits.header_read,
            header_bytes_max: limits.header_bytes_max,
            open: Gauge::noop(),
            refused: Counter::noop(),
        }
    }

    /// Counts connections that are open, and those that were closed because there were too many.
    #[must_use]
    pub fn counting(self, open: Gauge, refused: Counter) -> Self {
        Self { open, refused, ..self }
    }

    /// Serves until told to stop, then until the last request under way is answered. Every connection
    /// is answered by what `connect` makes.
    pub async fn run<C: Connection>(
        self,
        listener: TcpListener,
        stop: Stop,
        connect: impl Fn() -> C + Send,
    ) {
        let slots = Arc::new(Semaphore::new(self.connections_max));
        let connections = TaskTracker::new();
        let mut stopped = stop.0.subscribe();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = told(&mut stopped) => break,
            };
            match accepted {
                Ok((stream, _peer)) => match Arc::clone(&slots).try_acquire_owned() {
                    Ok(slot) => {
                        // Latency matters more here than packets; a socket that refuses is about to
                        // fail anyway.
                        drop(stream.set_nodelay(true));
                        let served = self.serve(stream, connect(), stop.clone());
                        connections.spawn(async move {
                            served.await;
                            drop(slot);
                        });
                    }
                    Err(_) => self.refused.increment(1),
                },
                Err(fault) => {
                    // Out of descriptors, most likely: give the others time to close some.
                    tracing::warn!(%fault, "accept failed");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        drop(listener);
        connections.close();
        connections.wait().await;
    }

    /// Serves one connection.
    pub(crate) fn serve<C: Connection>(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        answers: C,
        stop: Stop,
    ) -> impl Future<Output = ()> + Send + 'static {
        let mut builder = http1::Builder::new();
        // Without a timer hyper's header timeout does nothing.
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_read)
            .max_header_size(self.header_bytes_max)
            .max_buf_size(self.header_bytes_max.max(64 * 1024));
        let (open, answers) = (self.open.clone(), Arc::new(answers));
        let mut stopped = stop.0.subscribe();
        let asked = Arc::clone(&answers);
        let service = service_fn(move |request: Request<Incoming>| {
            let asked = Arc::clone(&asked);
            async move { Ok::<_, Infallible>(asked.answer(request).await) }
        });
        async move {
            open.increment(1);
            let stream = Watched::new(stream, move || answers.leaves());
            let mut connection =
                std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
            let outcome = tokio::select! {
                outcome = connection.as_mut() => Some(outcome),
                () = told(&mut stopped) => None,
            };
            let outcome = match outcome {
                Some(outcome) => outcome,
                None => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(fault) = outcome {
                tracing::debug!(%fault, "a connection ended early");
            }
            open.decrement(1);
        }
    }
}

impl fmt::Debug for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sockets")
            .field("connections_max", &self.connections_max)
            .finish_non_exhaustive()
    }
}

/// Resolves once the signal is given, or when nobody is left to give it.
async fn told(stopped: &mut watch::Receiver<bool>) {
    drop(stopped.wait_for(|stopped| *stopped).await.map(|guard| *guard));
}
