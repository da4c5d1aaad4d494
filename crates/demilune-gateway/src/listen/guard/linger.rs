//! A close that lets the client read the last answer.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Enough for what a client has under way when it learns of a refusal; more is not worth reading.
const BYTES_MAX: usize = 256 * 1024;
/// A few round trips.
const TIME_MAX: Duration = Duration::from_secs(1);

/// Ends what is written, then reads and drops what still comes, up to 256 KiB within a second: a socket that is closed
/// with unread input resets the connection, and the client may lose an answer that it has not read yet.
pub async fn linger<I: AsyncRead + AsyncWrite + Unpin>(mut io: I) -> io::Result<()> {
    let mut linger = Linger::new();
    poll_fn(|cx| linger.poll(&mut io, cx)).await
}

/// See [`linger`].
#[derive(Debug)]
pub(super) struct Linger {
    shut_down: bool,
    bytes_left: usize,
    timer: Pin<Box<Sleep>>,
}

impl Linger {
    pub(super) fn new() -> Self {
        Self { shut_down: false, bytes_left: BYTES_MAX, timer: Box::pin(sleep(TIME_MAX)) }
    }

    pub(super) fn poll<I: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut I,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        if !self.shut_down {
            ready!(Pin::new(&mut *io).poll_shutdown(cx))?;
            self.shut_down = true;
        }
        self.poll_drain(io, cx).map(Ok)
    }

    fn poll_drain<I: AsyncRead + Unpin>(&mut self, io: &mut I, cx: &mut Context<'_>) -> Poll<()> {
        let mut dropped = [0; 4096];
        while self.bytes_left > 0 {
            let mut buf = ReadBuf::new(&mut dropped);
            let read = ready!(Pin::new(&mut *io).poll_read(cx, &mut buf));
            let bytes = buf.filled().len();
            if read.is_err() || bytes == 0 {
                break;
            }
            self.bytes_left = self.bytes_left.saturating_sub(bytes);
        }
        Poll::Ready(())
    }
}
