//! How connections come in: at once, not at all, or through a handshake; faults before a request are met
//! here, on listeners of their own. Must never read a call that such a fault has struck.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::draw::Draw;
use super::secure::Authority;
use super::server::connection;
use super::stream::{reset, until_left};
use super::{Kind, World};

/// Longest that a handshake takes.
const HANDSHAKE: Duration = Duration::from_secs(30);
/// A connection to this machine that has not come about by then will not.
const CONNECT: Duration = Duration::from_millis(100);
/// A queue is full long before so many.
const FILLERS_MAX: usize = 64;
const BACKLOG: u32 = 1024;

/// What connections meet before their first request.
pub(super) struct Entrance {
    /// What goes wrong with those that are struck.
    fault: Option<Kind>,
    per_mille: u16,
    /// Whose listener it is; empty: everybody's.
    name: String,
    tls: Option<Tls>,
}

struct Tls {
    sound: TlsAcceptor,
    bad: TlsAcceptor,
}

impl Entrance {
    /// Nothing goes wrong.
    pub(super) fn open() -> Self {
        Self { fault: None, per_mille: 0, name: String::new(), tls: None }
    }

    /// Serves one connection, the `number`-th.
    pub(super) async fn enter(
        &self,
        mut stream: TcpStream,
        number: u64,
        world: &Arc<World>,
        idle_close: Duration,
    ) {
        // Without it the answer may wait for the peer's delayed acknowledgement.
        drop(stream.set_nodelay(true));
        let mut draw = Draw::new(world.seed, &[&self.name, "connection", &number.to_string()]);
        let struck = self.fault.filter(|_| draw.happens(self.per_mille));
        match (struck, &self.tls) {
            (Some(Kind::HangAtAccept | Kind::TlsStalled), _) => until_left(&mut stream).await,
            (Some(Kind::ResetAtAccept), _) => reset(&stream),
            (_, None) => connection(stream, world, idle_close).await,
            (struck, Some(tls)) => {
                let acceptor = if struck.is_some() { &tls.bad } else { &tls.sound };
                if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await {
                    connection(stream, world, idle_close).await;
                }
            }
        }
    }
}

/// A place that a fault before the request needs.
pub(super) struct Place {
    /// What its calls' URLs begin with.
    pub(super) base: String,
    /// Whoever is served, is served here.
    pub(super) front: Option<(TcpListener, Entrance)>,
    /// What must stay open for the fault to last.
    pub(super) held: Held,
}

/// Sockets that are kept and never looked at.
#[derive(Debug, Default)]
pub(super) struct Held {
    _bound: Option<TcpSocket>,
    _listener: Option<TcpListener>,
    _fillers: Vec<TcpStream>,
}

/// Which fault strikes how much of whose calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bar<'a> {
    pub(super) name: &'a str,
    pub(super) fault: Kind,
    pub(super) per_mille: u16,
}

impl Place {
    /// Opens it on a port of its own at `ip`.
    pub(super) async fn open(
        ip: IpAddr,
        bar: Bar<'_>,
        authority: Option<&Authority>,
    ) -> io::Result<Self> {
        let Bar { name, fault, per_mille } = bar;
        let socket = if ip.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.bind(SocketAddr::new(ip, 0))?;
        let at = socket.local_addr()?;
        let mut held = Held::default();
        let mut front = None;
        match fault {
            // A port that is taken, and not listened at.
            Kind::Refused | Kind::Dns => held._bound = Some(socket),
            Kind::Unaccepted => held._listener = Some(socket.listen(BACKLOG)?),
            Kind::FullBacklog => {
                held._listener = Some(socket.listen(1)?);
                held._fillers = fill(at).await?;
            }
            fault => {
                let tls = match authority.filter(|_| is_of_tls(fault)) {
                    Some(authority) => Some(Tls {
                        sound: authority.acceptor(ip, None)?,
                        bad: authority.acceptor(ip, Some(fault))?,
                    }),
                    None => None,
                };
                let entrance =
                    Entrance { fault: Some(fault), per_mille, name: name.to_owned(), tls };
                front = Some((socket.listen(BACKLOG)?, entrance));
            }
        }
        let base = match fault {
            Kind::Dns => format!("http://{name}.invalid:{}", at.port()),
            fault if is_of_tls(fault) => format!("https://{at}"),
            _ => format!("http://{at}"),
        };
        Ok(Self { base, front, held })
    }
}

/// Whether its listener speaks TLS.
pub(super) fn is_of_tls(fault: Kind) -> bool {
    fault.phase() == super::Phase::Handshake
}

/// Connects until nobody can any more.
async fn fill(at: SocketAddr) -> io::Result<Vec<TcpStream>> {
    let mut fillers = Vec::new();
    while let Ok(connected) = timeout(CONNECT, TcpStream::connect(at)).await {
        fillers.push(connected?);
        if fillers.len() > FILLERS_MAX {
            return Err(io::Error::other("the queue of connections does not fill"));
        }
    }
    Ok(fillers)
}
