//! Buyers over HTTP/1.1. Sends each request once and reads each reply within its limits.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::CONTENT_ENCODING;
use hyper::{Request, Response, body::Incoming};
use lead::{Bid, Clock, Code, NoBid, PostClass};
use market::{Call, Url};

use crate::native::PostAnswer;
use crate::pool::{Connection, Pools};
use crate::reply::{self, Raw};
use crate::{Buyers, Ping, Post, PostReply, StatusQuery, classify, compose};

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
    ) -> Option<Raw> {
        let (head, body) = reply.into_parts();
        let plain = head.headers.get(CONTENT_ENCODING).is_none_or(|coding| coding == "identity");
        let body = Limited::new(body, self.limits.reply_bytes_max).collect().await.ok()?;
        self.pools.put_back(url, connection, self.clock.instant());
        let (status, headers) = (head.status.as_u16(), head.headers);
        plain.then(|| Raw { status, headers, body: body.to_bytes().to_vec() })
    }

    /// Sends a question, which may be sent again where a post may not, and reads the whole reply.
    async fn ask(&self, request: Request<Full<Bytes>>, url: &Url) -> Result<Raw, Code> {
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
        let mut request = compose::ping(call, url, ping).map_err(NoBid::new)?;
        request.headers_mut().insert("gavel-timeout-ms", millis(ping.time_left));
        let reply = self.ask(request, url).await.map_err(NoBid::new)?;
        reply::bid(call, reply, ping.currency)
    }

    /// Sends a post once. `sent` turns true the moment before the first byte may leave.
    async fn send_post(
        &self,
        request: Request<Full<Bytes>>,
        (call, url): (&Call, &Url),
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
            Some(mut reply) => judge(reply.status, reply::post_answer(call, &mut reply)),
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
        let mut request = match compose::post(&delivery.post, url, post) {
            Ok(request) => request,
            Err(code) => return PostReply::bare(PostClass::NotSent, code),
        };
        if let Ok(key) = format!("\"{}\"", post.idempotency_key()).parse() {
            request.headers_mut().insert("idempotency-key", key);
        }
        let judge = if post.again { classify::second } else { classify::complete };
        let mut sent = false;
        let sending = self.send_post(request, (&delivery.post, url), judge, &mut sent);
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
        let Ok(request) = compose::status(call, query) else { return unknown() };
        match tokio::time::timeout(call.timeout, self.ask(request, &call.url)).await {
            Ok(Ok(mut reply)) => {
                classify::second(reply.status, reply::post_answer(call, &mut reply))
            }
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

fn millis(time: Duration) -> hyper::header::HeaderValue {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).into()
}
