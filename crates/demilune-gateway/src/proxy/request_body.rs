//! The body of a request on its way to the origin: counted, bounded, and given up on when the client stalls.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::learn::BodyCopy;

/// The body of a request.
pub(crate) enum RequestBody {
    /// There is none.
    Empty,
    /// It is passed on as it comes.
    Streamed(Box<Streamed>),
}

/// A body that comes from the client.
pub(crate) struct Streamed {
    incoming: Incoming,
    progress: Arc<Progress>,
    bytes_max: u64,
    pause: Pause,
    /// What came so far, while it may be learned from.
    copy: Option<BodyCopy>,
}

/// How far a body has come; shared with whoever answers the request.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    bytes: AtomicU64,
    ended: AtomicBool,
    failure: OnceLock<BodyFailure>,
    /// All of it, where it is learned from.
    copy: Mutex<Option<BodyCopy>>,
}

/// Why a body was not passed on to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyFailure {
    /// Longer than is allowed.
    #[error("the body is too long")]
    TooLarge,
    /// The client paused for too long.
    #[error("the client paused for too long within the body")]
    Stalled,
    /// The client went away, or its framing broke.
    #[error("the body ended before its time")]
    Broken,
}

impl Progress {
    /// Bytes received so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether all of it was passed on.
    pub(crate) fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// The copy of all of it, once, if one was made.
    pub(crate) fn take_copy(&self) -> Option<BodyCopy> {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn end(&self, copy: Option<BodyCopy>) {
        if copy.is_some() {
            *self.copy.lock().unwrap_or_else(PoisonError::into_inner) = copy;
        }
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Why it failed, if it did.
    pub(crate) fn failure(&self) -> Option<BodyFailure> {
        self.failure.get().copied()
    }
}

impl RequestBody {
    /// Passes on what comes, up to a length, with pauses up to a time, and copies it if there is a copy to be made.
    pub(crate) fn new(
        incoming: Incoming,
        bytes_max: u64,
        pause_max: Duration,
        copy: Option<BodyCopy>,
    ) -> (Self, Option<Arc<Progress>>) {
        if incoming.is_end_stream() {
            return (Self::Empty, None);
        }
        let progress = Arc::new(Progress::default());
        let pause = Pause::new(pause_max);
        let streamed = Streamed { incoming, progress: Arc::clone(&progress), bytes_max, pause, copy };
        (Self::Streamed(Box::new(streamed)), Some(progress))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyFailure;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFailure>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Streamed(streamed) => streamed.poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Streamed(streamed) => streamed.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Streamed(streamed) => streamed.incoming.size_hint(),
        }
    }
}

impl Streamed {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFailure>>> {
        let failure = match Pin::new(&mut self.incoming).poll_frame(context) {
            Poll::Pending if self.pause.is_over(context) => BodyFailure::Stalled,
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => {
                self.progress.end(self.copy.take());
                return Poll::Ready(None);
            }
            Poll::Ready(Some(Err(_))) => BodyFailure::Broken,
            Poll::Ready(Some(Ok(frame))) => {
                self.pause.end();
                let bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
                let total = self.progress.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
                if let (Some(copy), Some(data)) = (&mut self.copy, frame.data_ref())
                    && !copy.add(data)
                {
                    self.copy = None;
                }
                if total <= self.bytes_max {
                    // hyper does not ask again behind the last byte of a known length.
                    if self.incoming.is_end_stream() {
                        self.progress.end(self.copy.take());
                    }
                    return Poll::Ready(Some(Ok(frame)));
                }
                BodyFailure::TooLarge
            }
        };
        Poll::Ready(Some(Err(*self.progress.failure.get_or_init(|| failure))))
    }
}

/// The time that may pass while nothing comes. The timer is made at the first pause: most bodies have none.
#[derive(Debug)]
pub(crate) struct Pause {
    time_max: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    running: bool,
}

impl Pause {
    pub(crate) fn new(time_max: Duration) -> Self {
        Self { time_max, timer: None, running: false }
    }

    /// Whether nothing came for too long; to be asked each time that nothing comes.
    pub(crate) fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let deadline = || Instant::now() + self.time_max;
        let timer = match &mut self.timer {
            Some(timer) => {
                if !self.running {
                    timer.as_mut().reset(deadline());
                }
                timer
            }
            none => none.insert(Box::pin(sleep_until(deadline()))),
        };
        self.running = true;
        timer.as_mut().poll(context).is_ready()
    }

    /// Something came.
    pub(crate) fn end(&mut self) {
        self.running = false;
    }
}
