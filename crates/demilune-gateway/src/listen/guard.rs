//! The client's connection as hyper sees it: only bytes that [`framing`](super::framing) accepted.

mod deadline;
mod linger;
mod state;
#[cfg(test)]
mod tests;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::deadline::{Deadline, Wait};
use self::linger::Linger;
use super::framing::{FramingLimits, Passed, RequestStream, Stop};

pub use self::linger::linger;
pub use self::state::{Busy, ConnectionState, Refusal};

/// What hyper reads in place of a refused head, so that the refusal is answered after the answers to the requests
/// before it.
const SUBSTITUTE: &[u8] = b"GET / HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n";

/// How much is read of what follows a request for an upgrade before it is decided. Clients that wait for the answer send
/// nothing.
const READ_AHEAD_BYTES_MAX: usize = 16 * 1024;

/// How much a client may send, and how long it may take, before a request stands.
#[derive(Clone, Copy, Debug)]
pub struct GuardLimits {
    /// Bounds of heads, chunk lines and trailers.
    pub framing: FramingLimits,
    /// Without the first byte of a next request, the connection ends after this time.
    pub idle_max: Duration,
    /// From its first byte on, a head must be complete within this time, or it is refused with 408.
    pub head_max: Duration,
}

/// A client's connection, read strictly.
///
/// A refused head, or one that is late, reaches hyper as a harmless request that closes the connection; the service
/// learns of it from [`ConnectionState::next_request`]. A refused body ends in an error of the kind
/// [`InvalidData`](io::ErrorKind::InvalidData), and [`ConnectionState::body_defect`] says why.
///
/// hyper must not have limits below these: its `max_headers` is to be [`FramingLimits::headers_max`], and its
/// `header_read_timeout` none.
///
/// Shutting it down lingers where input is left unread, so that an answer given early stays readable.
#[derive(Debug)]
pub struct Guarded<I> {
    io: I,
    state: Arc<ConnectionState>,
    limits: GuardLimits,
    requests: RequestStream,
    /// What was read and has not gone on. Empty, and without memory, unless a read ended within a head.
    held: BytesMut,
    /// So many leading bytes of it may go on.
    sound: usize,
    /// The number of the last head that asked for an upgrade.
    upgrade_head: u64,
    deadline: Deadline,
    end: Option<End>,
    linger: Option<Linger>,
}

/// Why nothing is read any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Refused,
    Idle,
    Closed,
}

impl<I> Guarded<I> {
    /// Guards a new connection; `state` is shared with its service.
    pub fn new(io: I, state: Arc<ConnectionState>, limits: GuardLimits) -> Self {
        Self {
            io,
            state,
            limits,
            requests: RequestStream::new(limits.framing),
            held: BytesMut::new(),
            sound: 0,
            upgrade_head: 0,
            deadline: Deadline::default(),
            end: None,
            linger: None,
        }
    }

    fn deliver(&mut self, buf: &mut ReadBuf<'_>) {
        let bytes = self.sound.min(buf.remaining());
        buf.put_slice(&self.held.split_to(bytes));
        self.sound -= bytes;
        if self.held.is_empty() {
            self.held = BytesMut::new();
        }
        self.deadline.restart();
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.state.refuse(self.requests.heads() + 1, refusal);
        self.held = BytesMut::from(SUBSTITUTE);
        self.sound = SUBSTITUTE.len();
        self.end = Some(End::Refused);
    }

    /// Ready once the client let a time limit pass, and the consequence is drawn.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let head_begun = self.requests.awaits_head() && !self.held.is_empty();
        if head_begun {
            ready!(self.deadline.poll(cx, Wait::Head, self.limits.head_max));
            self.refuse(Refusal::HeadLate);
        } else if self.requests.is_between() {
            ready!(self.deadline.poll(cx, Wait::Request, self.limits.idle_max));
            if self.state.is_busy() {
                self.deadline.restart();
            } else {
                self.end = Some(End::Idle);
            }
        } else {
            // A body's pace is the service's matter, another protocol's nobody's.
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Whether a close could make the kernel throw the last answer away: it does so when input is left unread.
    fn may_leave_input(&self) -> bool {
        match self.end {
            Some(End::Idle | End::Closed) => false,
            Some(End::Refused) => true,
            None => !(self.requests.is_upgraded() || self.requests.awaits_head() && self.held.is_empty()),
        }
    }
}

/// What of `window` may go on; a request for an upgrade is announced before it does.
fn pass(requests: &mut RequestStream, window: &[u8], upgrade_head: &mut u64, state: &ConnectionState) -> Passed {
    let passed = requests.pass(window);
    if requests.awaits_upgrade() && *upgrade_head != requests.heads() {
        *upgrade_head = requests.heads();
        state.upgrade_asked(requests.heads());
    }
    passed
}

impl<I: AsyncRead + Unpin> Guarded<I> {
    /// Ready with true once the caller's buffer holds bytes or the input ended; with false once there is more to judge.
    fn poll_fill(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        let before = buf.filled().len();
        if Pin::new(&mut self.io).poll_read(cx, buf)?.is_pending() {
            return self.poll_overdue(cx).map(|()| Ok(false));
        }
        let fresh = &buf.filled()[before..];
        if fresh.is_empty() {
            self.end = Some(End::Closed);
            return Poll::Ready(Ok(true));
        }
        let bytes = if self.held.is_empty() {
            pass(&mut self.requests, fresh, &mut self.upgrade_head, &self.state).bytes
        } else {
            0
        };
        self.held.extend_from_slice(&fresh[bytes..]);
        buf.set_filled(before + bytes);
        if bytes > 0 {
            self.deadline.restart();
        }
        Poll::Ready(Ok(bytes > 0))
    }

    /// One step towards more sound bytes; ready with true when the caller is to be answered.
    fn poll_step(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        let passed = pass(&mut self.requests, &self.held, &mut self.upgrade_head, &self.state);
        self.sound = passed.bytes;
        match passed.stop {
            _ if self.sound > 0 => {}
            Stop::Hungry => return self.poll_fill(cx, buf),
            Stop::EmptyLine => {
                self.held.advance(2);
                self.requests.line_dropped();
            }
            Stop::Upgrade => match self.state.poll_upgrade(cx) {
                Poll::Ready(true) => self.requests.upgraded(),
                Poll::Ready(false) => self.requests.not_upgraded(),
                // Whether the client is still there shows only in reading on.
                Poll::Pending if self.held.len() < READ_AHEAD_BYTES_MAX => return self.poll_fill(cx, buf),
                Poll::Pending => ready!(self.poll_overdue(cx)),
            },
            Stop::Head(defect) => self.refuse(Refusal::Malformed(defect)),
            Stop::Body(defect) => {
                self.state.refuse_body(self.requests.heads(), defect);
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, defect)));
            }
        }
        Poll::Ready(Ok(false))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Guarded<I> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Without room nothing can be told from an end of input.
        while buf.remaining() > 0 {
            if this.sound > 0 {
                this.deliver(buf);
                break;
            }
            match this.end {
                // Not an end of input: that would let hyper abandon the requests whose answers are still to come.
                Some(End::Refused) => return Poll::Pending,
                Some(End::Idle | End::Closed) => break,
                None => {}
            }
            if ready!(this.poll_step(cx, buf))? {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<I> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.deadline.note_written();
        Pin::new(&mut this.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.deadline.note_written();
        Pin::new(&mut this.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() && !this.may_leave_input() {
            return Pin::new(&mut this.io).poll_shutdown(cx);
        }
        this.linger.get_or_insert_with(Linger::new).poll(&mut this.io, cx)
    }
}
