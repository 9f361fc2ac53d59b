//! The buyers' HTTP/1.1 server. Must never hold an unbounded number of connections, an unbounded body,
//! or a hanging call for ever.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::answer::{self, Act, Turn};
use super::{Options, World};

/// A call that hangs is dropped after this.
const HANG_MAX: Duration = Duration::from_secs(600);
/// A body must be complete within this.
const BODY_TIME: Duration = Duration::from_secs(30);
/// After a failed accept, for example for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The connection is to be dropped without an answer.
#[derive(Debug, thiserror::Error)]
#[error("dropped on purpose")]
struct Dropped;

/// A reply's body, which may promise more than it holds.
struct Reply {
    held: Option<Bytes>,
    promised: u64,
}

impl Reply {
    fn whole(body: Bytes) -> Self {
        Self { promised: body.len() as u64, held: Some(body) }
    }

    fn half(body: &Bytes) -> Self {
        Self { promised: body.len() as u64, held: Some(body.slice(..body.len() / 2)) }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        Poll::Ready(match self.held.take() {
            Some(held) => {
                self.promised -= held.len() as u64;
                Some(Ok(Frame::data(held)))
            }
            None => (self.promised > 0).then_some(Err(Dropped)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_none() && self.promised == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}

/// Accepts until `stopped` loses its sender, then drops every connection.
pub(super) async fn run(
    listener: TcpListener,
    world: Arc<World>,
    options: Options,
    mut stopped: watch::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < options.max_connections => {
                match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(connection(stream, Arc::clone(&world), options.idle_close));
                    }
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                }
            }
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, world: Arc<World>, idle_close: Duration) {
    // Without it the answer may wait for the peer's delayed acknowledgement.
    drop(stream.set_nodelay(true));
    let service = service_fn(move |request| serve(Arc::clone(&world), request));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(idle_close)
        .serve_connection(TokioIo::new(stream), service);
    // How a connection ends is the peer's business, or a fault's.
    drop(serving.await);
}

async fn serve(world: Arc<World>, request: Request<Incoming>) -> Result<Response<Reply>, Dropped> {
    let Turn { delay, act } = turn(&world, request).await;
    if !delay.is_zero() {
        sleep(delay).await;
    }
    match act {
        Act::Reply { status, kind, body } => {
            let mut response = Response::new(Reply::whole(body.into()));
            *response.status_mut() =
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            Ok(response)
        }
        Act::Cut { body } => Ok(Response::new(Reply::half(&body.into()))),
        Act::Hang => {
            sleep(HANG_MAX).await;
            Err(Dropped)
        }
        Act::Close => Err(Dropped),
    }
}

async fn turn(world: &World, request: Request<Incoming>) -> Turn {
    let at_once = |act| Turn { delay: Duration::ZERO, act };
    let (head, body) = request.into_parts();
    let called =
        route(head.uri.path()).and_then(|(name, call)| Some((name, call, world.behaviour(name)?)));
    let Some((name, call, behaviour)) = called else {
        return at_once(Act::error(
            404,
            "no such buyer; paths are /{name}/ping, /post and /status",
        ));
    };
    if head.method != Method::POST && !(call == Call::Status && head.method == Method::GET) {
        return at_once(Act::error(405, "POST only, and GET for a status"));
    }
    let body = match timeout(BODY_TIME, Limited::new(body, world.max_body).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return at_once(Act::error(413, "body too large"));
        }
        Ok(Err(_)) | Err(_) => return at_once(Act::Close),
    };
    let turn = match call {
        Call::Status => {
            let read: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            let asked = head.uri.query().and_then(lead_of).or(read["lead_id"].as_str());
            Ok(answer::status(world, name, asked.unwrap_or_default()))
        }
        Call::Post => {
            let key = head.headers.get("idempotency-key").and_then(|key| key.to_str().ok());
            let key = key.map(|key| key.trim().trim_matches('"'));
            answer::post(world, name, behaviour, (key, &body))
        }
        Call::Ping => answer::ping(world, name, behaviour, &body),
    };
    turn.unwrap_or_else(|error| at_once(Act::error(500, &format!("journal: {error}"))))
}

/// What is asked of a buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Ping,
    Post,
    Status,
}

fn route(path: &str) -> Option<(&str, Call)> {
    let (name, call) = path.strip_prefix('/')?.split_once('/')?;
    match call {
        "ping" => Some((name, Call::Ping)),
        "post" => Some((name, Call::Post)),
        "status" => Some((name, Call::Status)),
        _ => None,
    }
}

/// The lead that a query names.
fn lead_of(query: &str) -> Option<&str> {
    query.split('&').find_map(|pair| pair.strip_prefix("lead_id="))
}
