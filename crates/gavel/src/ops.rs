//! The operators' listener: `/metrics`, `/livez`, `/readyz`. Never answers a publisher and never shows
//! anything of a lead.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use ingress::{Connection, Limits, Sockets, Stop};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

use crate::desk::Gavel;

/// Most connections; scrapers need a few.
const CONNECTIONS_MAX: usize = 64;

/// Also how long an idle connection is kept: longer than between two scrapes of most.
const HEADER_READ: Duration = Duration::from_secs(30);

/// How often histograms are folded, so that samples do not pile up between scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// What the listener answers from.
#[derive(Clone)]
pub(crate) struct Ops {
    pub(crate) metrics: PrometheusHandle,
    pub(crate) engine: Gavel,
    pub(crate) draining: Arc<AtomicBool>,
}

impl Ops {
    /// Serves until dropped.
    pub(crate) async fn run(self, listener: TcpListener) {
        tokio::spawn(upkeep(self.metrics.clone()));
        let limits = Limits {
            connections_max: CONNECTIONS_MAX,
            header_read: HEADER_READ,
            ..Limits::default()
        };
        Sockets::new(&limits).run(listener, Stop::new(), move || self.clone()).await;
    }

    /// Why no lead should be sent here, if none should.
    fn not_ready(&self) -> Option<String> {
        if self.draining.load(Ordering::Relaxed) {
            return Some("draining".to_owned());
        }
        self.engine.trouble().map(|why| format!("the ledger cannot write: {why}"))
    }
}

async fn upkeep(metrics: PrometheusHandle) {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        ticks.tick().await;
        let metrics = metrics.clone();
        drop(tokio::task::spawn_blocking(move || metrics.run_upkeep()).await);
    }
}

impl Connection for Ops {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        respond(self, &request).await
    }
}

async fn respond(ops: &Ops, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let (status, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => {
            // Rendering takes milliseconds; it must not hold up a lead.
            let metrics = ops.metrics.clone();
            let rendered = tokio::task::spawn_blocking(move || metrics.render()).await;
            match rendered {
                Ok(text) => (StatusCode::OK, text),
                Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
            }
        }
        (&Method::GET, "/livez") => (StatusCode::OK, "ok\n".to_owned()),
        (&Method::GET, "/readyz") => match ops.not_ready() {
            None => (StatusCode::OK, "ok\n".to_owned()),
            Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
        },
        _ => (StatusCode::NOT_FOUND, "here are /metrics, /livez and /readyz\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
