//! The operators' and buyers' API, on a listener of its own.
//!
//! A request is routed, its key gives it a role ([`access`]), and the role gives it a scope: an operator
//! sees everything, a buyer what is its own, and of anything else not even that it exists. Says what the
//! engine says; this crate must never decide how leads are sold, show contact data to anybody, or show a
//! buyer anything of another one.

mod access;
mod campaigns;
mod decisions;
mod explain;
mod fault;
mod handle;
mod lead_record;
mod metrics;
mod review;
mod route;
mod spec;
mod words;

pub use access::Operator;
pub use metrics::describe;

use std::sync::Arc;

use bytes::Bytes;
use engine::Engine;
use fanout::Buyers;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use ingress::{Connection, Limits, Sockets, Stop};
use ledger::Ledger;
use tokio::net::TcpListener;

use crate::metrics::Metrics;

/// Largest body.
const BODY_BYTES_MAX: usize = 2 << 20;
/// Most connections; people and their tools need few.
const CONNECTIONS_MAX: usize = 256;

/// The management listener.
pub struct Management<B: Send + Sync + 'static, L: Ledger> {
    desk: Arc<Desk<B, L>>,
}

/// What requests are answered from.
struct Desk<B: Send + Sync + 'static, L: Ledger> {
    engine: Engine<B, L>,
    operators: Vec<Operator>,
    limits: Limits,
    metrics: Metrics,
}

impl<B: Buyers, L: Ledger> Management<B, L> {
    /// A listener in front of `engine`, for `operators` and for the buyers of its market.
    #[must_use]
    pub fn new(engine: Engine<B, L>, operators: Vec<Operator>) -> Self {
        let limits = Limits {
            body_bytes_max: BODY_BYTES_MAX,
            connections_max: CONNECTIONS_MAX,
            ..Limits::default()
        };
        Self { desk: Arc::new(Desk { engine, operators, limits, metrics: Metrics::new() }) }
    }

    /// Serves until told to stop, then until the last request under way is answered.
    pub async fn run(self, listener: TcpListener, stop: Stop) {
        let sockets = Sockets::new(&self.desk.limits);
        sockets.run(listener, stop, move || Line(Arc::clone(&self.desk))).await;
    }
}

impl<B: Send + Sync + 'static, L: Ledger> std::fmt::Debug for Management<B, L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let operators = self.desk.operators.len();
        f.debug_struct("Management").field("operators", &operators).finish_non_exhaustive()
    }
}

/// One connection.
struct Line<B: Send + Sync + 'static, L: Ledger>(Arc<Desk<B, L>>);

impl<B: Buyers, L: Ledger> Connection for Line<B, L> {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let reply = handle::handle(&self.0, request).await;
        self.0.metrics.replied(reply.status);
        reply.into_response()
    }
}
