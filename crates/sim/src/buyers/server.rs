//! The buyers' HTTP/1.1 server. Must never hold an unbounded number of connections, an unbounded body,
//! or a hanging call for ever.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::answer::{self, Act, Turn};
use super::entrance::Entrance;
use super::faulty::Step;
use super::stream::{Stream, play};
use super::{Options, World};

/// A body must be complete within this.
const BODY_TIME: Duration = Duration::from_secs(30);
/// After a failed accept, for example for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The connection is to be dropped without an answer.
#[derive(Debug, thiserror::Error)]
#[error("dropped on purpose")]
struct Dropped;

/// A listener and what it serves.
pub(super) struct Front {
    pub(super) listener: TcpListener,
    pub(super) world: Arc<World>,
    pub(super) options: Options,
    pub(super) entrance: Entrance,
}

/// Accepts until `stopped` loses its sender, then drops every connection.
pub(super) async fn run(front: Front, mut stopped: watch::Receiver<()>) {
    let Front { listener, world, options, entrance } = front;
    let entrance = Arc::new(entrance);
    let mut connections = JoinSet::new();
    let mut accepted_so_far = 0_u64;
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < options.max_connections => {
                match accepted {
                    Ok((stream, _)) => {
                        accepted_so_far += 1;
                        let (world, entrance) = (Arc::clone(&world), Arc::clone(&entrance));
                        let (number, idle_close) = (accepted_so_far, options.idle_close);
                        connections.spawn(async move {
                            entrance.enter(stream, number, &world, idle_close).await;
                        });
                    }
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                }
            }
        }
    }
    drop(listener);
    connections.shutdown().await;
}

/// Serves calls on a connection until one of the two ends it.
pub(super) async fn connection<S: Stream>(mut stream: S, world: &Arc<World>, idle_close: Duration) {
    let raw = Mutex::new(None);
    let service = service_fn(|request| serve(world, &raw, request));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(idle_close)
        .serve_connection(TokioIo::new(&mut stream), service);
    // How a connection ends is the peer's business, or a fault's.
    drop(serving.await);
    let steps = raw.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(steps) = steps {
        play(steps, &mut stream).await;
    }
}

/// One call. What HTTP cannot say is left in `raw`, for when HTTP has let the connection go.
async fn serve(
    world: &World,
    raw: &Mutex<Option<Vec<Step>>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Dropped> {
    let Turn { delay, act } = turn(world, request).await;
    if !delay.is_zero() {
        sleep(delay).await;
    }
    match act {
        Act::Reply { status, kind, location, body } => {
            let mut response = Response::new(Full::from(body));
            *response.status_mut() =
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            if let Some(location) = location {
                headers.insert(LOCATION, HeaderValue::from_static(location));
            }
            Ok(response)
        }
        Act::Raw(steps) => {
            *raw.lock().unwrap_or_else(PoisonError::into_inner) = Some(steps);
            Err(Dropped)
        }
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
        Ok(Err(_)) | Err(_) => return at_once(Act::Raw(Vec::new())),
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
