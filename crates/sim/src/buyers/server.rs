//! The buyers' HTTP/1.1 server. Must never hold an unbounded number of connections, an unbounded body,
//! or a hanging call for ever.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
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
use super::{Options, Stage, World};

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

async fn serve(
    world: Arc<World>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Dropped> {
    let Turn { delay, act } = turn(&world, request).await;
    if !delay.is_zero() {
        sleep(delay).await;
    }
    match act {
        Act::Reply { status, kind, body } => {
            let mut response = Response::new(Full::from(body));
            *response.status_mut() =
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            Ok(response)
        }
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
    let called = route(head.uri.path())
        .and_then(|(name, stage)| Some((name, stage, world.behaviour(name)?)));
    let Some((name, stage, behaviour)) = called else {
        return at_once(Act::error(404, "no such buyer; paths are /{name}/ping and /{name}/post"));
    };
    if head.method != Method::POST {
        return at_once(Act::error(405, "POST only"));
    }
    let body = match timeout(BODY_TIME, Limited::new(body, world.max_body).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return at_once(Act::error(413, "body too large"));
        }
        Ok(Err(_)) | Err(_) => return at_once(Act::Close),
    };
    let turn = match stage {
        Stage::Post => {
            let key = head.headers.get("idempotency-key").and_then(|key| key.to_str().ok());
            let key = key.map(|key| key.trim().trim_matches('"'));
            answer::post(world, name, behaviour, (key, &body))
        }
        Stage::Ping | Stage::Both => answer::ping(world, name, behaviour, &body),
    };
    turn.unwrap_or_else(|error| at_once(Act::error(500, &format!("journal: {error}"))))
}

fn route(path: &str) -> Option<(&str, Stage)> {
    let (name, call) = path.strip_prefix('/')?.split_once('/')?;
    match call {
        "ping" => Some((name, Stage::Ping)),
        "post" => Some((name, Stage::Post)),
        _ => None,
    }
}
