//! Buyers over HTTP/1.1. Sends each request once and reads each reply within its limits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use document::{Defect, Path};
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{CONTENT_ENCODING, RETRY_AFTER};
use hyper::{Request, Response, body::Incoming};
use lead::{Bid, Clock, Code, Health, NoBid, PostClass};
use market::{Call, Campaign, Url};

use crate::dial::{Destination, Dialler};
use crate::pool::{Connection, Pools};
use crate::reply::{self, Raw};
use crate::{Buyers, Guard, Ping, Post, PostReply, StatusQuery, Tls, classify, compose, tls};

/// Bounds of the wire.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest reply body.
    pub reply_bytes_max: usize,
    /// Largest head of a reply; at least 8 KiB.
    pub reply_header_bytes_max: usize,
    /// Longest that opening a connection may take, from the name to the end of the handshake.
    pub connect: Duration,
    /// Longest that an unused connection is kept.
    pub keep: Duration,
    /// Longest that a connection is used at all, so that a name's new addresses come to be used.
    pub age_max: Duration,
    /// A post reuses a connection only within this time of its last complete reply.
    pub post_freshness: Duration,
    /// Most unused connections kept for one destination.
    pub idle_max: usize,
    /// Most connections to one destination, used or not.
    pub connections_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reply_bytes_max: 64 * 1024,
            reply_header_bytes_max: 16 * 1024,
            // So that a budget of two seconds has room for the next bid.
            connect: Duration::from_millis(750),
            keep: Duration::from_secs(15),
            age_max: Duration::from_secs(300),
            // Many buyers close after a second, and count from when they sent their reply, not from when
            // a busy machine came to read it.
            post_freshness: Duration::from_millis(750),
            idle_max: 64,
            connections_max: 512,
        }
    }
}

/// The wire to buyers over HTTP.
pub struct HttpBuyers {
    pools: Pools,
    limits: Limits,
    clock: Arc<dyn Clock>,
}

/// A reply that came whole.
struct Reply {
    raw: Raw,
    /// What its status says of the endpoint.
    health: Health,
}

impl HttpBuyers {
    /// A wire without any connection yet.
    #[must_use]
    pub fn new(limits: Limits, guard: Guard, tls: Tls, clock: Arc<dyn Clock>) -> Self {
        Self::over(Dialler::new(guard, tls), limits, clock)
    }

    pub(crate) fn over(dialler: Dialler, limits: Limits, clock: Arc<dyn Clock>) -> Self {
        Self { pools: Pools::new(limits.clone(), dialler), limits, clock }
    }

    /// Reads a reply to its end and keeps the connection. `None` if it does not come whole, is too large
    /// or is encoded, which was not asked for.
    async fn read(
        &self,
        to: &Destination,
        connection: Connection,
        reply: Response<Incoming>,
    ) -> Option<Reply> {
        let (head, body) = reply.into_parts();
        let (status, headers) = (head.status.as_u16(), head.headers);
        if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            return None;
        }
        let retry_after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after =
            retry_after.and_then(|it| classify::retry_after(it, self.clock.timestamp()));
        let body = Limited::new(body, self.limits.reply_bytes_max).collect().await.ok()?;
        self.pools.put_back(to, connection, self.clock.instant());
        let health = classify::status_health(status, retry_after);
        Some(Reply { raw: Raw { status, headers, body: body.to_bytes().to_vec() }, health })
    }

    /// Now, and until when a connection must be open if the call may take `limit`.
    fn opening(&self, limit: Duration) -> (Instant, tokio::time::Instant) {
        let now = self.clock.instant();
        (now, (now + limit.min(self.limits.connect)).into())
    }

    /// Sends a question, which may be sent again where a post may not, and reads the whole reply.
    async fn ask(
        &self,
        request: Request<Full<Bytes>>,
        to: &Destination,
        limit: Duration,
    ) -> Result<Reply, NoBid> {
        let times = self.opening(limit);
        let mut connection =
            self.pools.take(to, times, self.limits.keep).await.map_err(NoBid::new)?;
        let mut reply = connection.sender.send_request(request.clone()).await;
        if reply.is_err() && connection.is_kept() {
            // It may have closed just now, which is no fault of the buyer's.
            connection = self.pools.open(to, times).await.map_err(NoBid::new)?;
            reply = connection.sender.send_request(request).await;
        }
        let broken = || NoBid::new(Code::Unreadable).with_health(Health::Fault);
        let reply = reply.map_err(|fault| match tls::refused_certificate(&fault) {
            true => NoBid::new(Code::Tls),
            false => broken(),
        })?;
        self.read(to, connection, reply).await.ok_or_else(broken)
    }

    async fn send_ping(&self, ping: &Ping<'_>, call: &Call, url: &Url) -> Result<Bid, NoBid> {
        let mut request = compose::ping(call, url, ping).map_err(NoBid::new)?;
        request.headers_mut().insert("gavel-timeout-ms", millis(ping.time_left));
        let to = Destination::of(url, ping.campaign);
        let Reply { raw, health } = self.ask(request, &to, ping.time_left).await?;
        reply::bid(call, raw, ping.currency).map_err(|no_bid| no_bid.with_health(health))
    }

    /// Sends a post once. `sent` turns true the moment before the first byte may leave.
    async fn send_post(
        &self,
        request: Request<Full<Bytes>>,
        to: &Destination,
        times: (Instant, tokio::time::Instant),
        sent: &mut bool,
    ) -> Result<Option<Reply>, PostReply> {
        let not_sent = |code| PostReply::bare(PostClass::NotSent, code);
        let mut connection =
            self.pools.take(to, times, self.limits.post_freshness).await.map_err(not_sent)?;
        *sent = true;
        let mut fault = match connection.sender.try_send_request(request).await {
            Ok(reply) => return Ok(self.read(to, connection, reply).await),
            Err(fault) => fault,
        };
        // Handed back whole: the connection had closed before it took anything.
        if fault.take_message().is_some() {
            return Err(not_sent(Code::Connect));
        }
        if !connection.is_kept() && tls::refused_certificate(fault.error()) {
            return Err(not_sent(Code::Tls));
        }
        Ok(None)
    }
}

impl Buyers for HttpBuyers {
    fn refuses(&self, campaign: &Campaign) -> Vec<Defect> {
        let plain = campaign.delivery.urls().find(|url| !url.is_secure());
        let refused = plain.filter(|_| !self.pools.speak_plainly()).map(|url| Defect {
            path: Path::default().key("delivery"),
            issue: format!("must be https, found http to {}", url.host()),
            missing: false,
        });
        refused.into_iter().collect()
    }

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
        let limit = delivery.post.timeout;
        let times = self.opening(limit);
        let (to, mut sent) = (Destination::of(url, post.campaign), false);
        let sending = self.send_post(request, &to, times, &mut sent);
        match tokio::time::timeout_at((times.0 + limit).into(), sending).await {
            Ok(Ok(Some(Reply { mut raw, health }))) => {
                let judged = judge(raw.status, reply::post_answer(&delivery.post, &mut raw));
                // No verdict is a fault, whatever the status.
                match health {
                    Health::Fine => judged,
                    health => PostReply { health, ..judged },
                }
            }
            Ok(Err(reply)) => reply,
            Err(_) if !sent => PostReply::bare(PostClass::NotSent, Code::Connect),
            Ok(Ok(None)) | Err(_) => PostReply::bare(PostClass::Unknown, Code::Unknown),
        }
    }

    async fn status(&self, query: &StatusQuery<'_>) -> PostReply {
        let unknown = || PostReply::bare(PostClass::Unknown, Code::Unknown);
        // A test lead went to a sandbox, of which the status call knows nothing.
        let Some(call) = query.campaign.delivery.status.as_ref().filter(|_| !query.test) else {
            return unknown();
        };
        let Ok(request) = compose::status(call, query) else { return unknown() };
        let to = Destination::of(&call.url, query.campaign);
        let asking = self.ask(request, &to, call.timeout);
        match tokio::time::timeout(call.timeout, asking).await {
            Ok(Ok(Reply { mut raw, .. })) => {
                classify::second(raw.status, reply::post_answer(call, &mut raw))
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
