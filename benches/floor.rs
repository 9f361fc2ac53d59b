//! The bare floor: the least that a ping tree over hyper can cost. For each request it sends the body as it is
//! to some buyers at once over connections of its own, waits for all but no longer than one timer says, finds
//! the price in each answer by searching its bytes, sends the body to the best bidder again, and answers. It
//! parses, matches, stores and counts nothing.
//!
//! FROZEN: this is the measure of the engine, and its ratios are compared over time, so it must never change; a
//! better way of doing things belongs in the engine, where it shows against this.
//!
//! `floor PORT BUYER…` serves `POST /FIRST/COUNT`: the buyers from FIRST on, COUNT of them.

#![expect(clippy::unwrap_used, reason = "stops when it cannot go on")]

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const BUDGET: Duration = Duration::from_secs(2);
const PRICE: &[u8] = br#""price":""#;
const ANSWER: &[u8] = br#"{"status":"distributed"}"#;

/// One buyer and the connections to it that are free.
struct Pool {
    at: SocketAddr,
    host: String,
    free: Mutex<Vec<SendRequest<Full<Bytes>>>>,
}

struct Floor {
    pools: Vec<Pool>,
}

fn main() {
    let mut args = std::env::args().skip(1);
    let port = args.next().unwrap().parse().unwrap();
    let pool = |host: String| Pool { at: host.parse().unwrap(), host, free: Mutex::default() };
    let floor = Arc::new(Floor { pools: args.map(pool).collect() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(serve(floor, port));
}

async fn serve(floor: Arc<Floor>, port: u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let floor = Arc::clone(&floor);
        let service = service_fn(move |request| answer(Arc::clone(&floor), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    floor: Arc<Floor>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (first, count) = request.uri().path().trim_start_matches('/').split_once('/').unwrap();
    let (first, count): (usize, usize) = (first.parse().unwrap(), count.parse().unwrap());
    let asked = &floor.pools[first..first + count];
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let pings = join_all(asked.iter().map(|pool| pool.call("/ping", body.clone())));
    let bids = timeout(BUDGET, pings).await.unwrap();
    let (best, _) = asked.iter().zip(&bids).max_by_key(|(_, bid)| price(bid)).unwrap();
    best.call("/post", body).await;
    Ok(Response::new(Full::new(Bytes::from_static(ANSWER))))
}

/// The price in an answer, in cents.
fn price(bid: &[u8]) -> u64 {
    let at = bid.windows(PRICE.len()).position(|window| window == PRICE).unwrap() + PRICE.len();
    let text = bid[at..].iter().take_while(|byte| **byte != b'"');
    let digits = text.filter(|byte| byte.is_ascii_digit());
    digits.fold(0, |cents, digit| cents * 10 + u64::from(digit - b'0'))
}

impl Pool {
    async fn call(&self, path: &'static str, body: Bytes) -> Bytes {
        let free = self.free.lock().unwrap().pop();
        let mut sender = match free {
            Some(sender) => sender,
            None => self.open().await,
        };
        sender.ready().await.unwrap();
        let request = Request::post(path)
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .unwrap();
        let reply = sender.send_request(request).await.unwrap();
        assert!(reply.status().is_success());
        let reply = reply.into_body().collect().await.unwrap().to_bytes();
        self.free.lock().unwrap().push(sender);
        reply
    }

    async fn open(&self) -> SendRequest<Full<Bytes>> {
        let stream = TcpStream::connect(self.at).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }
}
