//! One endpoint, called over one connection as long as it lasts. Must never follow a redirect, send a
//! call twice, or read more than a caller of the contract would.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::Plan;

/// The most that is read of a reply: what engines read by default.
pub(super) const REPLY_MAX: usize = 64 * 1024;
const CONNECT: Duration = Duration::from_secs(5);
/// An answer that is late is still waited for so long, to say how late it is.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// An address, header or authority that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {text:?} cannot be used: expected {expected}")]
pub struct BadAddress {
    what: &'static str,
    text: String,
    expected: &'static str,
}

fn bad(what: &'static str, text: &str, expected: &'static str) -> BadAddress {
    BadAddress { what, text: text.to_owned(), expected }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// No connection, or no handshake.
    Connect(String),
    /// None came, however long it was waited for.
    Silent,
    /// The reply is larger than may be read.
    TooLong,
    /// The connection ended, or what came is not HTTP.
    Broken(String),
}

impl Trouble {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Connect(why) => why.clone(),
            Self::Silent => "no answer".to_owned(),
            Self::TooLong => "a longer one".to_owned(),
            Self::Broken(why) => why.clone(),
        }
    }
}

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
    pub(super) took: Duration,
    /// On a connection that had served a call before.
    pub(super) was_kept: bool,
}

struct Open {
    sender: SendRequest<Full<Bytes>>,
    driver: tokio::task::JoinHandle<()>,
    served: bool,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// An endpoint.
pub(super) struct Client {
    host: String,
    port: u16,
    /// For https.
    tls: Option<(TlsConnector, ServerName<'static>)>,
    target: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    open: Option<Open>,
}

impl Client {
    pub(super) fn new(url: &str, plan: &Plan) -> Result<Self, BadAddress> {
        let refuse = || bad("the address", url, "http:// or https://, a host and a path");
        let uri: Uri = url.parse().map_err(|_| refuse())?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(refuse)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let (tls, default_port) = match uri.scheme_str() {
            Some("http") => (None, 80),
            Some("https") => {
                let name = ServerName::try_from(bare.clone()).map_err(|_| refuse())?;
                (Some((connector(&plan.authorities)?, name)), 443)
            }
            _ => return Err(refuse()),
        };
        let target = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let authority = uri.authority().ok_or_else(refuse)?.as_str();
        let mut headers = headers(plan)?;
        let host_header = HeaderValue::from_str(authority).map_err(|_| refuse())?;
        headers.push((HOST, host_header));
        let port = uri.port_u16().unwrap_or(default_port);
        Ok(Self { host: bare, port, tls, target, headers, open: None })
    }

    /// The next call opens a connection of its own.
    pub(super) fn close(&mut self) {
        self.open = None;
    }

    /// A JSON post of `body` with further headers.
    pub(super) fn request(
        &self,
        body: Bytes,
        more: &[(&'static str, String)],
    ) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.target.parse().unwrap_or_default();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        for (name, value) in more {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(*name, value);
            }
        }
        request
    }

    /// Sends a request once and reads its reply, for as long as `limit` and some patience last.
    pub(super) async fn call(
        &mut self,
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Result<Answer, Trouble> {
        let mut open = match self.usable().await {
            Some(open) => open,
            None => self.connect().await?,
        };
        let (began, was_kept) = (Instant::now(), open.served);
        let exchange = async {
            let reply = open.sender.send_request(request).await.map_err(|fault| broken(&fault))?;
            read(reply).await
        };
        let (status, body) =
            timeout(limit + PATIENCE, exchange).await.map_err(|_| Trouble::Silent)??;
        open.served = true;
        self.open = Some(open);
        Ok(Answer { status, body, took: began.elapsed(), was_kept })
    }

    /// The connection of the last call, unless it has ended.
    async fn usable(&mut self) -> Option<Open> {
        let mut open = self.open.take()?;
        open.sender.ready().await.is_ok().then_some(open)
    }

    async fn connect(&self) -> Result<Open, Trouble> {
        let failed = |why: String| Trouble::Connect(why);
        let connected = timeout(CONNECT, TcpStream::connect((self.host.as_str(), self.port))).await;
        let stream = match connected {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(failed(format!("no connection: {error}"))),
            Err(_) => return Err(failed(format!("no connection within {CONNECT:?}"))),
        };
        drop(stream.set_nodelay(true));
        let Some((connector, name)) = &self.tls else { return open(stream).await };
        match timeout(CONNECT, connector.connect(name.clone(), stream)).await {
            Ok(Ok(stream)) => open(stream).await,
            Ok(Err(error)) => Err(failed(format!("no TLS handshake: {error}"))),
            Err(_) => Err(failed(format!("no TLS handshake within {CONNECT:?}"))),
        }
    }
}

async fn open<S>(stream: S) -> Result<Open, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) =
        handshake(TokioIo::new(stream)).await.map_err(|fault| broken(&fault))?;
    let driver = tokio::spawn(async move { drop(connection.await) });
    Ok(Open { sender, driver, served: false })
}

/// What ended an exchange, with its cause, which tells a reset from an end.
fn broken(fault: &hyper::Error) -> Trouble {
    let cause = std::error::Error::source(fault).map(|cause| format!(": {cause}"));
    Trouble::Broken(format!("{fault}{}", cause.unwrap_or_default()))
}

async fn read(reply: Response<Incoming>) -> Result<(u16, Bytes), Trouble> {
    let status = reply.status().as_u16();
    match Limited::new(reply.into_body(), REPLY_MAX).collect().await {
        Ok(body) => Ok((status, body.to_bytes())),
        Err(fault) if fault.is::<LengthLimitError>() => Err(Trouble::TooLong),
        Err(fault) => Err(Trouble::Broken(format!("a body that does not end: {fault}"))),
    }
}

fn headers(plan: &Plan) -> Result<Vec<(HeaderName, HeaderValue)>, BadAddress> {
    let read = |(name, value): &(String, String)| {
        let refuse = || bad("the header", name, "a header's name and printable text");
        let name: HeaderName = name.parse().map_err(|_| refuse())?;
        Ok((name, HeaderValue::from_str(value).map_err(|_| refuse())?))
    };
    plan.headers.iter().map(read).collect()
}

fn connector(authorities: &[u8]) -> Result<TlsConnector, BadAddress> {
    let refuse = || bad("the file of authorities", "", "certificates as PEM");
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in CertificateDer::pem_slice_iter(authorities) {
        roots.add(certificate.map_err(|_| refuse())?).map_err(|_| refuse())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| refuse())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
