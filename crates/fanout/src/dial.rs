//! Opening a connection: resolve once, check every address, dial those very addresses, shake hands. The
//! only place that dials. It must never dial what the guard does not admit, or send a request.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};
use lead::Code;
use market::{Campaign, Url};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{timeout, timeout_at};
use tokio_rustls::client::TlsStream;

use crate::guard::Guard;
use crate::metrics::Metrics;
use crate::resolve::{self, Lookup, Resolver};
use crate::tls::Tls;

/// An address has so long before the next one of the same name is tried beside it.
const HEADSTART: Duration = Duration::from_millis(150);
/// Addresses of one name that are tried.
const TRIES_MAX: usize = 4;

/// Where to, how, and as whom: what calls must have in common to share a connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Destination {
    secure: bool,
    host: String,
    address: Option<IpAddr>,
    port: u16,
    certificate: Option<Arc<str>>,
}

impl Destination {
    pub(crate) fn of(url: &Url, campaign: &Campaign) -> Self {
        Self {
            secure: url.is_secure(),
            host: url.host().to_owned(),
            address: url.address(),
            port: url.port(),
            certificate: campaign.client_certificate.clone(),
        }
    }
}

/// Opens one TCP connection.
pub(crate) type Connect = Arc<dyn Fn(SocketAddr) -> Connecting + Send + Sync>;
type Connecting = Pin<Box<dyn Future<Output = std::io::Result<TcpStream>> + Send>>;

/// An open connection, not yet used.
pub(crate) enum Opened {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

/// Opens connections.
pub(crate) struct Dialler {
    guard: Guard,
    tls: Tls,
    resolver: Resolver,
    connect: Connect,
    metrics: Metrics,
}

impl Dialler {
    pub(crate) fn new(guard: Guard, tls: Tls) -> Self {
        let connect: Connect = Arc::new(|to| Box::pin(TcpStream::connect(to)));
        Self::with(guard, tls, (resolve::system(), connect))
    }

    pub(crate) fn with(guard: Guard, tls: Tls, (lookup, connect): (Lookup, Connect)) -> Self {
        Self { guard, tls, resolver: Resolver::new(lookup), connect, metrics: Metrics::new() }
    }

    /// Whether it may open connections without TLS.
    pub(crate) fn speaks_plainly(&self) -> bool {
        self.guard.plain_http
    }

    /// A connection, ready for a request; the code says at which step that failed. No byte of a request
    /// has left.
    pub(crate) async fn open(
        &self,
        to: &Destination,
        now: Instant,
        until: tokio::time::Instant,
    ) -> Result<Opened, Code> {
        if !to.secure && !self.guard.plain_http {
            self.metrics.refused.increment(1);
            return Err(Code::Connect);
        }
        let reached = timeout_at(until, self.reach(to, now)).await.ok().flatten();
        let stream = reached.ok_or(Code::Connect)?;
        stream.set_nodelay(true).map_err(|_| Code::Connect)?;
        if !to.secure {
            return Ok(Opened::Plain(stream));
        }
        let connector = self.tls.connector(to.certificate.as_deref()).ok_or(Code::Tls)?;
        let name = server_name(to).ok_or(Code::Tls)?;
        let secured = timeout_at(until, connector.connect(name, stream)).await;
        let secured = secured.ok().and_then(Result::ok).ok_or(Code::Tls)?;
        self.metrics.shaken(secured.get_ref().1.handshake_kind());
        Ok(Opened::Secure(Box::new(secured)))
    }

    /// Connects to the first address that takes it. One that hangs does not hold up the others.
    async fn reach(&self, to: &Destination, now: Instant) -> Option<TcpStream> {
        let addresses = match to.address {
            Some(address) => Arc::from([address]),
            None => self.resolver.addresses(&to.host, now).await?,
        };
        let mut admitted = addresses.iter().filter_map(|address| self.admit(*address, to.port));
        let mut tries = FuturesUnordered::new();
        for _ in 0..TRIES_MAX {
            let Some(address) = admitted.next() else { break };
            tries.push((self.connect)(address));
            if let Ok(Some(Ok(stream))) = timeout(HEADSTART, tries.next()).await {
                return Some(stream);
            }
        }
        while let Some(tried) = tries.next().await {
            if let Ok(stream) = tried {
                return Some(stream);
            }
        }
        None
    }

    fn admit(&self, address: IpAddr, port: u16) -> Option<SocketAddr> {
        let admitted = self.guard.admit(SocketAddr::new(address, port));
        if admitted.is_none() {
            self.metrics.refused.increment(1);
        }
        admitted
    }
}

impl std::fmt::Debug for Dialler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialler").field("guard", &self.guard).finish_non_exhaustive()
    }
}

/// Whose certificate the host must show.
fn server_name(to: &Destination) -> Option<ServerName<'static>> {
    match to.address {
        Some(address) => Some(address.into()),
        None => {
            let name = to.host.strip_suffix('.').unwrap_or(&to.host);
            name.to_owned().try_into().ok()
        }
    }
}
