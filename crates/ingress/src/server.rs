//! Sockets: accept within bounds, serve HTTP/1.1, drain. Knows no route.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;

use crate::handle::handle;
use crate::metrics::Metrics;
use crate::{Delivery, Distribute, Limits};

/// The public listener.
#[derive(Debug)]
pub struct Server<D> {
    desk: Arc<D>,
    limits: Arc<Limits>,
    metrics: Metrics,
}

/// Tells a server to stop: it accepts no more, lets requests under way finish, and closes.
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

impl<D: Distribute> Server<D> {
    /// A server in front of `desk`.
    #[must_use]
    pub fn new(desk: D, limits: Limits) -> Self {
        Self { desk: Arc::new(desk), limits: Arc::new(limits), metrics: Metrics::new() }
    }

    /// Serves until told to stop, then until the last request under way is answered.
    pub async fn run(self, listener: TcpListener, stop: Stop) {
        let slots = Arc::new(Semaphore::new(self.limits.connections_max));
        let connections = TaskTracker::new();
        let mut stopped = stop.0.subscribe();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = told(&mut stopped) => break,
            };
            match accepted {
                Ok((stream, peer)) => match Arc::clone(&slots).try_acquire_owned() {
                    Ok(slot) => {
                        let served = self.connection(stream, peer, stop.0.subscribe());
                        connections.spawn(async move {
                            served.await;
                            drop(slot);
                        });
                    }
                    Err(_) => self.metrics.connections_refused.increment(1),
                },
                Err(fault) => {
                    // Out of descriptors, most likely: give the others time to close some.
                    tracing::warn!(%fault, "accept failed");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
        }
        drop(listener);
        connections.close();
        connections.wait().await;
    }

    fn connection(
        &self,
        stream: TcpStream,
        _peer: SocketAddr,
        mut stopped: watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (desk, limits, metrics) =
            (Arc::clone(&self.desk), Arc::clone(&self.limits), self.metrics.clone());
        let mut builder = http1::Builder::new();
        // Without a timer hyper's header timeout does nothing.
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_read)
            .max_header_size(limits.header_bytes_max)
            .max_buf_size(limits.header_bytes_max.max(64 * 1024));
        let counted = metrics.clone();
        let on_its_way = OnItsWay::default();
        let sent = on_its_way.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            // Another request on the connection: the answer before it arrived.
            sent.arrived();
            answer(Arc::clone(&desk), Arc::clone(&limits), (metrics.clone(), sent.clone()), request)
        });
        async move {
            counted.connections.increment(1);
            // Latency matters more here than packets; a socket that refuses is about to fail anyway.
            drop(stream.set_nodelay(true));
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
            match outcome {
                Ok(()) => on_its_way.arrived(),
                Err(fault) => tracing::debug!(%fault, "a connection ended early"),
            }
            counted.connections.decrement(1);
        }
    }
}

/// Resolves once the signal is given, or when nobody is left to give it.
async fn told(stopped: &mut watch::Receiver<bool>) {
    drop(stopped.wait_for(|stopped| *stopped).await.map(|guard| *guard));
}

/// The answer last written to a connection. It is lost if the connection breaks before anything shows
/// that it arrived: another request, or an orderly end.
#[derive(Debug, Clone, Default)]
struct OnItsWay(Arc<Mutex<Option<Delivery>>>);

impl OnItsWay {
    fn put(&self, delivery: Option<Delivery>) {
        let earlier = std::mem::replace(&mut *self.lock(), delivery);
        drop(earlier);
    }

    fn arrived(&self) {
        let delivery = self.lock().take();
        if let Some(delivery) = delivery {
            delivery.arrived();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Delivery>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer<D: Distribute>(
    desk: Arc<D>,
    limits: Arc<Limits>,
    (metrics, on_its_way): (Metrics, OnItsWay),
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut reply = handle(&*desk, &limits, request).await;
    metrics.replied(reply.status);
    on_its_way.put(reply.delivery.take());
    Ok(reply.into_response())
}
