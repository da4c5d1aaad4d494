//! The body of a request on its way to the origin: counted, bounded, and given up on when the client stalls.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{
    learn::BodyCopy,
    validate::{Reservation, Unjudged},
};

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
    /// What came before it is passed on.
    held: Option<Held>,
}

/// The beginning of a body, or all of it.
struct Held {
    content: Bytes,
    trailers: Option<HeaderMap>,
    whole: bool,
    /// Kept until it is passed on.
    _room: Reservation,
}

/// What came of holding a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// All of it is here, and still to be passed on.
    Whole(Bytes),
    /// It is longer than was asked for; what is here will be passed on before the rest.
    TooLong,
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
        let streamed = Streamed { incoming, progress: Arc::clone(&progress), bytes_max, pause, copy, held: None };
        (Self::Streamed(Box::new(streamed)), Some(progress))
    }

    /// Reads up to so many bytes and keeps them in their room; they are passed on later, before what is left.
    pub(crate) async fn hold(&mut self, bytes_max: usize, room: Reservation) -> Result<Hold, Unjudged> {
        match self {
            Self::Empty => Ok(Hold::Whole(Bytes::new())),
            Self::Streamed(streamed) => streamed.hold(bytes_max, room).await,
        }
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
            Self::Streamed(streamed) => streamed.held.is_none() && streamed.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Streamed(streamed) => streamed.size_hint(),
        }
    }
}

impl Streamed {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFailure>>> {
        let polled = match self.next_held() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => self.receive(context),
        };
        let is_over = match &polled {
            Poll::Ready(None) => true,
            // hyper does not ask again behind the last byte of a known length.
            Poll::Ready(Some(Ok(_))) => self.held.is_none() && self.incoming.is_end_stream(),
            _ => false,
        };
        if is_over {
            self.progress.end(self.copy.take());
        }
        polled
    }

    /// What comes from the client: counted, copied and bounded.
    fn receive(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFailure>>> {
        let failure = match Pin::new(&mut self.incoming).poll_frame(context) {
            Poll::Pending if self.pause.is_over(context) => BodyFailure::Stalled,
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => return Poll::Ready(None),
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
                    return Poll::Ready(Some(Ok(frame)));
                }
                BodyFailure::TooLarge
            }
        };
        Poll::Ready(Some(Err(*self.progress.failure.get_or_init(|| failure))))
    }

    async fn hold(&mut self, bytes_max: usize, mut room: Reservation) -> Result<Hold, Unjudged> {
        let mut gathered = Gathered::default();
        let mut trailers = None;
        let outcome = loop {
            match poll_fn(|context| self.receive(context)).await {
                None => break Ok(true),
                Some(Err(failure)) => return Err(Unjudged::Body(failure)),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        if !gathered.add(data, &mut room) {
                            break Err(Unjudged::NoRoom);
                        }
                    }
                    Err(frame) => trailers = frame.into_trailers().ok(),
                },
            }
            if gathered.len() > bytes_max {
                break Ok(false);
            }
        };
        let (content, whole) = (gathered.finish(), outcome == Ok(true));
        self.held = Some(Held { content: content.clone(), trailers, whole, _room: room });
        outcome.map(|whole| if whole { Hold::Whole(content) } else { Hold::TooLong })
    }

    fn next_held(&mut self) -> Option<Frame<Bytes>> {
        let held = self.held.as_mut()?;
        let content = std::mem::take(&mut held.content);
        let trailers = if content.is_empty() { held.trailers.take() } else { None };
        if held.trailers.is_none() {
            self.held = None;
        }
        if content.is_empty() { trailers.map(Frame::trailers) } else { Some(Frame::data(content)) }
    }

    fn size_hint(&self) -> SizeHint {
        let Some(held) = &self.held else { return self.incoming.size_hint() };
        let length = held.content.len() as u64;
        let rest = if held.whole { SizeHint::with_exact(0) } else { self.incoming.size_hint() };
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + length);
        // Trailers need a body in chunks.
        if let Some(exact) = rest.exact().filter(|_| held.trailers.is_none()) {
            hint = SizeHint::with_exact(exact + length);
        }
        hint
    }
}

/// Bytes that came, as one piece: the first piece as it is, and a copy as soon as there are two.
#[derive(Default)]
struct Gathered {
    first: Bytes,
    all: Vec<u8>,
}

impl Gathered {
    fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    /// Adds a piece; where there is no room for it, it is added all the same, since it is here, and false is given.
    fn add(&mut self, piece: Bytes, room: &mut Reservation) -> bool {
        if self.len() == 0 {
            let grown = room.grow(piece.len());
            self.first = piece;
            return grown;
        }
        let length = self.len() + piece.len();
        let mut grown = true;
        if length > self.all.capacity() {
            let wanted = length.max(2 * self.all.capacity());
            grown = room.grow(wanted - self.all.capacity());
            self.all.reserve_exact(if grown { wanted } else { length } - self.all.len());
        }
        self.all.extend_from_slice(&std::mem::take(&mut self.first));
        self.all.extend_from_slice(&piece);
        grown
    }

    fn finish(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.into() }
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
