//! Buyers over HTTP/1.1. Sends each request once and reads each reply within its limits.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HOST};
use hyper::{Request, Response, body::Incoming};
use lead::{Bid, Clock, Code, NoBid, PostClass};
use market::{Call, Method, Url};

use crate::native::{
    PostAnswer, ping_body, post_body, read_bid, read_post_answer, status_body, status_target,
};
use crate::pool::{Connection, Pools};
use crate::{Buyers, Ping, Post, PostReply, StatusQuery, classify};

/// Bounds of the wire.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest reply body.
    pub reply_bytes_max: usize,
    /// Longest that an unused connection is kept.
    pub keep: Duration,
    /// A post reuses a connection only within this time of its last complete reply.
    pub post_freshness: Duration,
    /// Most unused connections kept for one destination.
    pub idle_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reply_bytes_max: 64 * 1024,
            keep: Duration::from_secs(15),
            post_freshness: Duration::from_secs(1),
            idle_max: 64,
        }
    }
}

/// The wire to buyers over HTTP.
pub struct HttpBuyers {
    pools: Pools,
    limits: Limits,
    clock: Arc<dyn Clock>,
}

impl HttpBuyers {
    /// A wire without any connection yet.
    #[must_use]
    pub fn new(limits: Limits, clock: Arc<dyn Clock>) -> Self {
        Self { pools: Pools::new(limits.idle_max, limits.keep), limits, clock }
    }

    /// Reads a reply to its end and keeps the connection.
    async fn read(
        &self,
        url: &Url,
        connection: Connection,
        reply: Response<Incoming>,
    ) -> Option<(u16, Vec<u8>)> {
        let status = reply.status().as_u16();
        let plain = reply.headers().get(CONTENT_ENCODING).is_none_or(|coding| coding == "identity");
        let body =
            Limited::new(reply.into_body(), self.limits.reply_bytes_max).collect().await.ok()?;
        self.pools.put_back(url, connection, self.clock.instant());
        plain.then(|| (status, body.to_bytes().to_vec()))
    }

    /// Sends a question, which may be sent again where a post may not, and reads the whole reply.
    async fn ask(&self, request: Request<Full<Bytes>>, url: &Url) -> Result<(u16, Vec<u8>), Code> {
        let mut connection = self.pools.take(url, self.clock.instant(), self.limits.keep).await?;
        let mut reply = connection.sender.send_request(request.clone()).await;
        if reply.is_err() && connection.is_kept() {
            // It may have closed just now, which is no fault of the buyer's.
            connection = self.pools.open(url).await?;
            reply = connection.sender.send_request(request).await;
        }
        let reply = reply.map_err(|_| Code::Unreadable)?;
        self.read(url, connection, reply).await.ok_or(Code::Unreadable)
    }

    async fn send_ping(&self, ping: &Ping<'_>, call: &Call, url: &Url) -> Result<Bid, NoBid> {
        let mut request = request(call, url, ping_body(ping)).ok_or(NoBid::new(Code::Connect))?;
        request.headers_mut().insert("gavel-timeout-ms", millis(ping.time_left));
        let (status, mut body) = self.ask(request, url).await.map_err(NoBid::new)?;
        match status {
            204 => Err(NoBid::new(Code::NoBid)),
            200..=299 => read_bid(&mut body, ping.currency),
            _ => Err(NoBid::new(Code::HttpStatus)),
        }
    }

    /// Sends a post once. `sent` turns true the moment before the first byte may leave.
    async fn send_post(
        &self,
        request: Request<Full<Bytes>>,
        url: &Url,
        judge: fn(u16, PostAnswer) -> PostReply,
        sent: &mut bool,
    ) -> PostReply {
        let not_sent = |code| PostReply::bare(PostClass::NotSent, code);
        let mut connection =
            match self.pools.take(url, self.clock.instant(), self.limits.post_freshness).await {
                Ok(connection) => connection,
                Err(code) => return not_sent(code),
            };
        *sent = true;
        let reply = match connection.sender.try_send_request(request).await {
            Ok(reply) => reply,
            Err(mut fault) => {
                // Handed back whole: the connection had closed before it took anything.
                let untouched = fault.take_message().is_some();
                return if untouched {
                    not_sent(Code::Connect)
                } else {
                    PostReply::bare(PostClass::Unknown, Code::Unknown)
                };
            }
        };
        match self.read(url, connection, reply).await {
            Some((status, mut body)) => judge(status, read_post_answer(&mut body)),
            None => judge(0, PostAnswer::default()),
        }
    }
}

impl Buyers for HttpBuyers {
    async fn ping(&self, ping: &Ping<'_>) -> Result<Bid, NoBid> {
        let delivery = &ping.campaign.delivery;
        let call = delivery.ping.as_ref().ok_or(NoBid::new(Code::Connect))?;
        let sandbox = delivery.sandbox.as_ref().and_then(|sandbox| sandbox.ping_url.as_ref());
        let url = if ping.test { sandbox.ok_or(NoBid::new(Code::Connect))? } else { &call.url };
        self.send_ping(ping, call, url).await
    }

    async fn post(&self, post: &Post<'_>) -> PostReply {
        let delivery = &post.campaign.delivery;
        let url = match (&delivery.sandbox, post.test) {
            (_, false) => &delivery.post.url,
            (Some(sandbox), true) => &sandbox.post_url,
            (None, true) => return PostReply::bare(PostClass::NotSent, Code::Connect),
        };
        let Some(mut request) = request(&delivery.post, url, post_body(post)) else {
            return PostReply::bare(PostClass::NotSent, Code::Connect);
        };
        if let Ok(key) = format!("\"{}\"", post.idempotency_key()).parse() {
            request.headers_mut().insert("idempotency-key", key);
        }
        let judge = if post.again { classify::second } else { classify::complete };
        let mut sent = false;
        let sending = self.send_post(request, url, judge, &mut sent);
        match tokio::time::timeout(delivery.post.timeout, sending).await {
            Ok(reply) => reply,
            Err(_) if sent => PostReply::bare(PostClass::Unknown, Code::Unknown),
            Err(_) => PostReply::bare(PostClass::NotSent, Code::Connect),
        }
    }

    async fn status(&self, query: &StatusQuery<'_>) -> PostReply {
        let unknown = || PostReply::bare(PostClass::Unknown, Code::Unknown);
        // A test lead went to a sandbox, of which the status call knows nothing.
        let Some(call) = query.campaign.delivery.status.as_ref().filter(|_| !query.test) else {
            return unknown();
        };
        let Some(request) = status_request(call, query) else { return unknown() };
        match tokio::time::timeout(call.timeout, self.ask(request, &call.url)).await {
            Ok(Ok((status, mut body))) => classify::second(status, read_post_answer(&mut body)),
            Ok(Err(_)) | Err(_) => unknown(),
        }
    }
}

impl std::fmt::Debug for HttpBuyers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpBuyers")
            .field("pools", &self.pools)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

fn request(call: &Call, url: &Url, body: Vec<u8>) -> Option<Request<Full<Bytes>>> {
    let mut request = Request::post(url.target())
        .header(HOST, url.authority())
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT_ENCODING, "identity");
    for (name, value) in &call.headers {
        request = request.header(name, value);
    }
    request.body(Full::new(Bytes::from(body))).ok()
}

fn status_request(call: &Call, query: &StatusQuery<'_>) -> Option<Request<Full<Bytes>>> {
    let mut asked = request(call, &call.url, status_body(query))?;
    if call.method == Method::Get {
        *asked.method_mut() = hyper::Method::GET;
        *asked.uri_mut() = status_target(call.url.target(), query).parse().ok()?;
        *asked.body_mut() = Full::default();
        asked.headers_mut().remove(CONTENT_TYPE);
    }
    Some(asked)
}

fn millis(time: Duration) -> hyper::header::HeaderValue {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).into()
}
