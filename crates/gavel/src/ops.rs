//! The operators' listener: `/metrics`, `/livez`, `/readyz`. Never answers a publisher and never shows
//! anything of a lead.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::desk::Gavel;

/// Most connections; scrapers need a few.
const CONNECTIONS_MAX: usize = 64;

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
        let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        tokio::spawn(upkeep(self.metrics.clone()));
        loop {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
                return;
            };
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let ops = self.clone();
            let service = service_fn(move |request| answer(ops.clone(), request));
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30));
            tokio::spawn(async move {
                drop(builder.serve_connection(TokioIo::new(stream), service).await);
                drop(slot);
            });
        }
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

async fn answer(ops: Ops, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => {
            // Rendering takes milliseconds; it must not hold up a lead.
            let rendered = tokio::task::spawn_blocking(move || ops.metrics.render()).await;
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
    Ok(response)
}
