//! What the guard of a connection and its service tell each other.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use http::StatusCode;

use crate::listen::framing::Defect;

/// Shared by the guard of one connection and the service that answers its requests.
///
/// hyper hands the service one request after the other, so that counting says which is which: the service calls
/// [`next_request`](Self::next_request) exactly once for each, first of all.
#[derive(Debug, Default)]
pub struct ConnectionState {
    /// How many requests the service has seen.
    requests: AtomicU64,
    refusal: OnceLock<(u64, Refusal)>,
    body_defect: OnceLock<(u64, Defect)>,
    /// The number of the request whose upgrade is not decided; zero for none.
    upgrade: AtomicU64,
    tunnel: AtomicBool,
    busy: AtomicUsize,
    waker: AtomicWaker,
}

/// Why a request has no head that could be served. Its text is one sentence for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The head is malformed.
    #[error(transparent)]
    Malformed(Defect),
    /// The head was not complete in time.
    #[error("the request head took too long to arrive")]
    HeadLate,
}

/// While it lives, the connection does not count as idle.
#[derive(Debug)]
pub struct Busy {
    state: Arc<ConnectionState>,
    request: u64,
}

impl Refusal {
    /// The status of the answer.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed(defect) => defect.status(),
            Self::HeadLate => StatusCode::REQUEST_TIMEOUT,
        }
    }
}

impl ConnectionState {
    /// Counts a request. `Some` says that it only stands in for one that was refused: it must be answered with that
    /// status and nothing else.
    pub fn next_request(&self) -> Option<Refusal> {
        let request = self.requests.fetch_add(1, Ordering::AcqRel) + 1;
        self.refusal.get().filter(|(refused, _)| *refused == request).map(|(_, refusal)| *refusal)
    }

    /// Keeps the connection from counting as idle until the value is dropped; best in the answer's body. When it goes,
    /// an upgrade that was asked for and not granted counts as declined.
    #[must_use]
    pub fn busy(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::AcqRel);
        Busy { state: Arc::clone(self), request: self.request() }
    }

    /// Why the body of the current request ended in an error, if the client's framing was the reason.
    #[must_use]
    pub fn body_defect(&self) -> Option<Defect> {
        self.body_defect.get().filter(|(request, _)| *request == self.request()).map(|(_, defect)| *defect)
    }

    /// The current request is answered with 101: all further bytes belong to the other protocol. False if it did not
    /// ask for that, and nothing changes.
    #[must_use]
    pub fn tunnel(&self) -> bool {
        let request = self.request();
        let asked = request > 0 && self.upgrade.load(Ordering::Acquire) == request;
        if asked {
            self.tunnel.store(true, Ordering::Release);
            self.waker.wake();
        }
        asked
    }

    /// Whether the connection speaks another protocol by now.
    pub fn is_tunnel(&self) -> bool {
        self.tunnel.load(Ordering::Acquire)
    }

    /// The current request is not answered with 101: another may follow. No matter if it did not ask for that.
    pub fn no_tunnel(&self) {
        self.decline_upgrade(self.request());
    }

    /// The request with this number is one that stands in for a refused head.
    pub(super) fn refuse(&self, request: u64, refusal: Refusal) {
        // Nothing is read behind a refusal, so there is no second.
        let _ = self.refusal.set((request, refusal));
    }

    /// The body of the request with this number cannot be read on.
    pub(super) fn refuse_body(&self, request: u64, defect: Defect) {
        // The same error is given as often as it is read.
        let _ = self.body_defect.set((request, defect));
    }

    /// The request with this number asks for an upgrade.
    pub(super) fn upgrade_asked(&self, request: u64) {
        self.upgrade.store(request, Ordering::Release);
    }

    /// Ready with whether the upgrade was granted.
    pub(super) fn poll_upgrade(&self, cx: &Context<'_>) -> Poll<bool> {
        self.waker.register(cx.waker());
        if self.tunnel.load(Ordering::Acquire) {
            Poll::Ready(true)
        } else if self.upgrade.load(Ordering::Acquire) == 0 {
            Poll::Ready(false)
        } else {
            Poll::Pending
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire) > 0
    }

    fn request(&self) -> u64 {
        self.requests.load(Ordering::Acquire)
    }

    fn decline_upgrade(&self, request: u64) {
        if self.upgrade.compare_exchange(request, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            self.waker.wake();
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.state.busy.fetch_sub(1, Ordering::AcqRel);
        self.state.decline_upgrade(self.request);
    }
}
