//! The public listener: what stands behind its sockets. Knows no route.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use crate::doors::brainysoft::Checked;
use crate::handle::handle;
use crate::metrics::Metrics;
use crate::socket::{Connection, Sockets, Stop};
use crate::{Delivery, Distribute, Limits};

/// The public listener.
#[derive(Debug)]
pub struct Server<D> {
    desk: Arc<D>,
    limits: Arc<Limits>,
    checked: Arc<Checked>,
    metrics: Metrics,
}

impl<D: Distribute> Server<D> {
    /// A server in front of `desk`.
    #[must_use]
    pub fn new(desk: D, limits: Limits) -> Self {
        Self {
            desk: Arc::new(desk),
            limits: Arc::new(limits),
            checked: Arc::default(),
            metrics: Metrics::new(),
        }
    }

    /// Serves until told to stop, then until the last request under way is answered.
    pub async fn run(self, listener: TcpListener, stop: Stop) {
        let sockets = self.sockets();
        sockets.run(listener, stop, move || self.line()).await;
    }

    /// Serves one connection of any kind, until it ends.
    pub async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let stop = Stop::new();
        self.sockets().serve(stream, self.line(), stop.clone()).await;
    }

    fn sockets(&self) -> Sockets {
        let Metrics { connections, connections_refused, .. } = self.metrics.clone();
        Sockets::new(&self.limits).counting(connections, connections_refused)
    }

    fn line(&self) -> Line<D> {
        Line {
            desk: Arc::clone(&self.desk),
            limits: Arc::clone(&self.limits),
            checked: Arc::clone(&self.checked),
            metrics: self.metrics.clone(),
            on_its_way: OnItsWay::default(),
        }
    }
}

/// One publisher's connection.
struct Line<D> {
    desk: Arc<D>,
    limits: Arc<Limits>,
    checked: Arc<Checked>,
    metrics: Metrics,
    on_its_way: OnItsWay,
}

impl<D: Distribute> Connection for Line<D> {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let mut reply = handle(&*self.desk, (&self.limits, &self.checked), request).await;
        self.metrics.replied(&reply);
        self.on_its_way.put(reply.delivery.take());
        reply.into_response()
    }

    fn leaves(&self) {
        self.on_its_way.leaves();
    }
}

/// The answer that a connection is about to be told. It is lost if nobody is there any more. From the moment
/// at which it leaves a repeat is a duplicate, so that who has it cannot be too quick.
#[derive(Debug, Default)]
struct OnItsWay(Mutex<Option<Delivery>>);

impl OnItsWay {
    fn put(&self, delivery: Option<Delivery>) {
        let earlier = std::mem::replace(&mut *self.lock(), delivery);
        drop(earlier);
    }

    fn leaves(&self) {
        let delivery = self.lock().take();
        if let Some(delivery) = delivery {
            delivery.arrived();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Delivery>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
