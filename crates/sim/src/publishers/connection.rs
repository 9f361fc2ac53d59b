//! One keep-alive connection to the target. Must never send a request twice.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderValue};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Larger replies count as failed.
const REPLY_MAX: usize = 1 << 20;

/// What keeps a request from being answered.
type Failure = &'static str;

struct Open {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

pub(crate) struct Connection {
    target: SocketAddr,
    open: Option<Open>,
}

impl Connection {
    pub(crate) fn new(target: SocketAddr) -> Self {
        Self { target, open: None }
    }

    pub(crate) fn close(&mut self) {
        self.open = None;
    }

    /// Sends the request and reads the whole reply. A connection that turns out to be closed before
    /// the request was written is replaced, once.
    pub(crate) async fn exchange(
        &mut self,
        request: Request<Bytes>,
    ) -> Result<(u16, Bytes), Failure> {
        let mut request = request.map(Full::new);
        if !request.headers().contains_key(HOST)
            && let Ok(host) = HeaderValue::from_str(&self.target.to_string())
        {
            request.headers_mut().insert(HOST, host);
        }
        let mut again = self.open.is_some();
        loop {
            let open = self.ready().await?;
            match open.sender.try_send_request(request).await {
                Ok(response) => {
                    let reply = read(response).await;
                    if reply.is_err() {
                        self.close();
                    }
                    return reply;
                }
                Err(mut error) => {
                    self.close();
                    match error.take_message() {
                        Some(unsent) if again => request = unsent,
                        _ => return Err("closed"),
                    }
                    again = false;
                }
            }
        }
    }

    async fn ready(&mut self) -> Result<&mut Open, Failure> {
        let usable = match &mut self.open {
            Some(open) => open.sender.ready().await.is_ok(),
            None => false,
        };
        if !usable {
            self.open = None;
        }
        let open = match self.open.take() {
            Some(open) => open,
            None => connect(self.target).await?,
        };
        Ok(self.open.insert(open))
    }
}

async fn connect(target: SocketAddr) -> Result<Open, Failure> {
    let stream = TcpStream::connect(target).await.map_err(|_| "connect")?;
    drop(stream.set_nodelay(true));
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|_| "connect")?;
    let driver = tokio::spawn(async move { drop(connection.await) });
    Ok(Open { sender, driver })
}

async fn read(response: hyper::Response<Incoming>) -> Result<(u16, Bytes), Failure> {
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), REPLY_MAX).collect().await;
    Ok((status, body.map_err(|_| "body")?.to_bytes()))
}
