//! Just enough HTTP/1.1 over blocking sockets to play publishers and buyers cheaply: whole messages with a
//! `content-length`. Must never be used on a server that faces strangers.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// The largest message.
const MESSAGE_MAX: usize = 16 * 1024;

/// One end of a kept connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Box<[u8]>,
    /// How much of the buffer was read.
    filled: usize,
    /// How much of that was given out.
    given: usize,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn open(at: SocketAddr) -> io::Result<Self> {
        Self::new(TcpStream::connect(at)?)
    }

    /// Either end of an open stream.
    ///
    /// # Errors
    /// The socket refuses its options.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; MESSAGE_MAX].into(), filled: 0, given: 0 })
    }

    /// Sends bytes that hold whole messages.
    ///
    /// # Errors
    /// The connection broke.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next whole message, head and body; `None` if the peer closed first or the message is too large.
    ///
    /// # Errors
    /// The connection broke.
    pub fn receive(&mut self) -> io::Result<Option<&[u8]>> {
        self.buffer.copy_within(self.given..self.filled, 0);
        self.filled -= self.given;
        self.given = 0;
        loop {
            let length =
                length(&self.buffer[..self.filled]).filter(|length| *length <= self.filled);
            if let Some(length) = length {
                self.given = length;
                return Ok(Some(&self.buffer[..length]));
            }
            match self.stream.read(&mut self.buffer[self.filled..])? {
                0 => return Ok(None),
                read => self.filled += read,
            }
        }
    }
}

/// How long the message is that begins these bytes, once its head is complete.
fn length(bytes: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let named =
        |line: &&[u8]| line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME));
    let value = bytes[..head].split(|byte| *byte == b'\n').find(named)?;
    let digits = std::str::from_utf8(&value[NAME.len()..]).ok()?;
    Some(head + digits.trim().parse::<usize>().ok()?)
}
