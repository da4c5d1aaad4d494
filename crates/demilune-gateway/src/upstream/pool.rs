//! Connections to origins that wait to be used again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use demilune_policy::Destination;

use super::connection::Connection;

/// Kept connections by destination, the one used last at the end.
pub(super) struct Pool {
    idle: Mutex<HashMap<Arc<Destination>, Vec<Idle>>>,
    idle_max: Duration,
    each_max: usize,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Idle {
    fn is_usable(&self, idle_max: Duration) -> bool {
        !self.connection.sender.is_closed() && self.since.elapsed() < idle_max
    }
}

impl Pool {
    pub(super) fn new(idle_max: Duration, each_max: usize) -> Self {
        Self { idle: Mutex::default(), idle_max, each_max }
    }

    /// A connection that is open as far as is known. One that is given back is in the last steps of its answer at most,
    /// so waiting for it takes no time that matters.
    pub(super) async fn take(&self, destination: &Arc<Destination>) -> Option<Connection> {
        while let Some(mut idle) = self.pop(destination) {
            if idle.is_usable(self.idle_max) && idle.connection.sender.ready().await.is_ok() {
                return Some(idle.connection);
            }
            idle.connection.let_go();
        }
        None
    }

    fn pop(&self, destination: &Arc<Destination>) -> Option<Idle> {
        self.lock().get_mut(destination)?.pop()
    }

    /// Keeps a connection, unless there are enough.
    pub(super) fn give_back(&self, destination: Arc<Destination>, connection: Connection) {
        if connection.sender.is_closed() {
            return connection.let_go();
        }
        let mut idle = self.lock();
        let kept = idle.entry(destination).or_default();
        if kept.len() < self.each_max {
            kept.push(Idle { connection, since: Instant::now() });
        } else {
            connection.let_go();
        }
    }

    /// Closes what was not used for too long, and forgets destinations without connections.
    pub(super) fn sweep(&self) {
        self.lock().retain(|_, kept| {
            for idle in kept.extract_if(.., |idle| !idle.is_usable(self.idle_max)) {
                idle.connection.let_go();
            }
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
