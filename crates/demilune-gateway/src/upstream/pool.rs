//! Connections to origins that wait to be used again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use demilune_policy::Destination;

use super::Sender;

/// Kept connections by destination, the one used last at the end.
pub(super) struct Pool {
    idle: Mutex<HashMap<Arc<Destination>, Vec<Idle>>>,
    idle_max: Duration,
    each_max: usize,
}

struct Idle {
    sender: Sender,
    since: Instant,
}

impl Pool {
    pub(super) fn new(idle_max: Duration, each_max: usize) -> Self {
        Self { idle: Mutex::default(), idle_max, each_max }
    }

    /// A connection that is open as far as is known. One that is given back is in the last steps of its answer at most,
    /// so waiting for it takes no time that matters.
    pub(super) async fn take(&self, destination: &Arc<Destination>) -> Option<Sender> {
        while let Some(mut idle) = self.pop(destination) {
            let usable = !idle.sender.is_closed() && idle.since.elapsed() < self.idle_max;
            if usable && idle.sender.ready().await.is_ok() {
                return Some(idle.sender);
            }
        }
        None
    }

    fn pop(&self, destination: &Arc<Destination>) -> Option<Idle> {
        self.lock().get_mut(destination)?.pop()
    }

    /// Keeps a connection, unless there are enough.
    pub(super) fn give_back(&self, destination: Arc<Destination>, sender: Sender) {
        if sender.is_closed() {
            return;
        }
        let mut idle = self.lock();
        let kept = idle.entry(destination).or_default();
        if kept.len() < self.each_max {
            kept.push(Idle { sender, since: Instant::now() });
        }
    }

    /// Closes what was not used for too long, and forgets destinations without connections.
    pub(super) fn sweep(&self) {
        self.lock().retain(|_, kept| {
            kept.retain(|idle| !idle.sender.is_closed() && idle.since.elapsed() < self.idle_max);
            !kept.is_empty()
        });
    }

    pub(super) fn idle_max(&self) -> Duration {
        self.idle_max
    }

    pub(super) fn len(&self) -> usize {
        self.lock().values().map(Vec::len).sum()
    }

    /// Nothing that holds the lock can stop half-way, so what a panic elsewhere left behind is whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<Destination>, Vec<Idle>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
