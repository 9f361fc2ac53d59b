//! A connection that tells when an answer leaves for somebody who is still there: it looks one byte ahead,
//! which the next reader gets. It looks before it writes: afterwards, who is gone may have gone with the
//! answer. Must never hold a byte back, or wait.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream, and who hears of what was written to it.
pub(crate) struct Watched<S, H> {
    stream: S,
    /// Called before anything is written, if the other side has neither closed nor broken off.
    leaves: H,
    writing: bool,
    ahead: Option<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin, H: Fn() + Unpin> Watched<S, H> {
    pub(crate) fn new(stream: S, leaves: H) -> Self {
        Self { stream, leaves, writing: false, ahead: None }
    }

    /// All until the next flush is one answer.
    fn write(&mut self, context: &mut Context<'_>) {
        if !std::mem::replace(&mut self.writing, true) && self.is_there(context) {
            (self.leaves)();
        }
    }

    fn is_there(&mut self, context: &mut Context<'_>) -> bool {
        if self.ahead.is_some() {
            return true;
        }
        let mut byte = [0];
        let mut look = ReadBuf::new(&mut byte);
        match Pin::new(&mut self.stream).poll_read(context, &mut look) {
            Poll::Pending => true,
            Poll::Ready(Ok(())) => {
                self.ahead = look.filled().first().copied();
                self.ahead.is_some()
            }
            Poll::Ready(Err(_)) => false,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, H: Fn() + Unpin> AsyncRead for Watched<S, H> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.ahead.take_if(|_| into.remaining() > 0) {
            Some(byte) => {
                into.put_slice(&[byte]);
                Poll::Ready(Ok(()))
            }
            None => Pin::new(&mut self.stream).poll_read(context, into),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, H: Fn() + Unpin> AsyncWrite for Watched<S, H> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(context);
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(context);
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.writing = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn an_answer_leaves_once_and_only_for_somebody_who_is_there_and_no_byte_is_lost() {
        let left = AtomicUsize::new(0);
        let (ours, mut theirs) = tokio::io::duplex(64);
        let mut watched = Watched::new(ours, || {
            left.fetch_add(1, Ordering::Relaxed);
        });

        watched.flush().await.unwrap();
        assert_eq!(left.load(Ordering::Relaxed), 0, "nothing was written");
        watched.write_all(b"on").await.unwrap();
        watched.write_all(b"e").await.unwrap();
        watched.flush().await.unwrap();
        assert_eq!(left.load(Ordering::Relaxed), 1);
        theirs.write_all(b"next").await.unwrap();
        watched.write_all(b"two").await.unwrap();
        watched.flush().await.unwrap();
        assert_eq!(left.load(Ordering::Relaxed), 2);
        let mut next = [0; 4];
        watched.read_exact(&mut next).await.unwrap();
        assert_eq!(&next, b"next");

        theirs.shutdown().await.unwrap();
        watched.write_all(b"three").await.unwrap();
        watched.flush().await.unwrap();
        assert_eq!(left.load(Ordering::Relaxed), 2, "nobody is there any more");
        assert_eq!(watched.read(&mut next).await.unwrap(), 0);
    }
}
