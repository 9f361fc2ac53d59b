//! A connection as bytes, encrypted or not, and the steps of a fault played on it. Must never outlast
//! the caller by more than a write.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::server::TlsStream;

use super::faulty::Step;

/// Nobody waits longer for a caller that stays.
const HANG_MAX: Duration = Duration::from_secs(600);
const CHUNK: usize = 64 * 1024;

/// What calls come in on.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {
    /// What is below it.
    fn tcp(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Stream for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Does what is to be done and closes the connection; errors are the caller's leaving.
pub(super) async fn play<S: Stream>(steps: Vec<Step>, stream: &mut S) {
    for step in steps {
        let played = match step {
            Step::Send(bytes) => stream.write_all(&bytes).await,
            Step::Pour(count) => pour(stream, count).await,
            Step::Drip(bytes) => drip(stream, &bytes).await,
            Step::Wait => {
                until_left(stream).await;
                return;
            }
            Step::Reset => {
                reset(stream);
                return;
            }
        };
        if played.is_err() {
            return;
        }
    }
    drop(stream.shutdown().await);
}

/// Whoever drops the connection now resets it.
pub(super) fn reset<S: Stream>(stream: &S) {
    drop(stream.tcp().set_zero_linger());
}

/// Takes whatever comes and says nothing, until the caller closes.
pub(super) async fn until_left<S: Stream>(stream: &mut S) {
    let mut unheeded = vec![0; 4096];
    let leaving = async { while stream.read(&mut unheeded).await.is_ok_and(|count| count > 0) {} };
    drop(timeout(HANG_MAX, leaving).await);
}

async fn pour<S: Stream>(stream: &mut S, mut left: u64) -> io::Result<()> {
    let filling = vec![b'a'; CHUNK];
    while left > 0 {
        let part = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        stream.write_all(filling.get(..part).unwrap_or(&filling)).await?;
        left -= part as u64;
    }
    Ok(())
}

async fn drip<S: Stream>(stream: &mut S, bytes: &[u8]) -> io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        stream.flush().await?;
        sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}
