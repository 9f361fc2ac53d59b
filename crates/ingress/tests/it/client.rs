//! A client that writes bytes as they stand and reads one reply at a time. Knows no door.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Longer than any limit that a test sets: to reach it is to fail.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// One connection.
pub(crate) struct Client(BufReader<TcpStream>);

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The body, which must be JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a reply's body is JSON")
    }

    /// Whether it says that the connection ends here.
    pub(crate) fn closes(&self) -> bool {
        self.headers.get("connection").map(String::as_str) == Some("close")
    }
}

impl Client {
    /// Connects.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    /// Writes; the other side may have hung up already.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes.as_ref())
    }

    /// Writes to a side that listens.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).unwrap();
    }

    /// Says that nothing more will be sent.
    pub(crate) fn half_close(&self) {
        let writing = std::net::Shutdown::Write;
        self.0.get_ref().shutdown(writing).unwrap();
    }

    /// Sets how long one read waits.
    pub(crate) fn wait_at_most(&self, wait: Duration) {
        self.0.get_ref().set_read_timeout(Some(wait)).unwrap();
    }

    /// The next reply; `None` if the connection is over.
    pub(crate) fn reply(&mut self) -> Option<Reply> {
        let line = self.line()?;
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = BTreeMap::new();
        while let Some((name, value)) = self.line()?.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").map(|l| l.parse().unwrap());
        let mut body = vec![0; length.unwrap_or(0)];
        self.0.read_exact(&mut body).unwrap();
        Some(Reply { status, headers, body })
    }

    /// Whether the other side has closed, waiting for it; a byte or silence is a no.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.line().is_none()
    }

    /// Whether the other side has closed; `None` if nothing came within the read timeout.
    pub(crate) fn ended(&mut self) -> Option<bool> {
        match self.0.fill_buf() {
            Ok(bytes) => Some(bytes.is_empty()),
            Err(fault) if is_silence(&fault) => None,
            Err(_) => Some(true),
        }
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(line.trim_end().to_owned()),
            Err(fault) if is_silence(&fault) => panic!("nothing came within {PATIENCE:?}"),
            Err(_) => None,
        }
    }
}

fn is_silence(fault: &std::io::Error) -> bool {
    matches!(fault.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
