//! How long the client has been awaited; one timer for a connection's whole life.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// What is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// The first byte of a request.
    Request,
    /// The rest of a head.
    Head,
}

/// A time limit that is put off far more often than it is reached: the timer is set again only when it fires early or
/// would fire late.
#[derive(Debug, Default)]
pub(super) struct Deadline {
    since: Option<(Wait, Instant)>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// Ready once `wait` has lasted for `max`, counted from the first call after the last restart or other wait.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, wait: Wait, max: Duration) -> Poll<()> {
        let since = match self.since {
            Some((same, since)) if same == wait => since,
            _ => Instant::now(),
        };
        self.since = Some((wait, since));
        let end = since + max;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
        if timer.deadline() > end {
            timer.as_mut().reset(end);
        }
        loop {
            ready!(timer.as_mut().poll(cx));
            if timer.deadline() >= end {
                return Poll::Ready(());
            }
            timer.as_mut().reset(end);
        }
    }

    /// The client did its part: the next wait counts from its own begin.
    pub(super) fn restart(&mut self) {
        self.since = None;
    }

    /// Something is written: whoever is to read it is not idle. It does not complete a head.
    pub(super) fn note_written(&mut self) {
        // Counted from now, not from the next call: hyper may not read again before something arrives.
        if let Some((Wait::Request, since)) = &mut self.since {
            *since = Instant::now();
        }
    }
}
