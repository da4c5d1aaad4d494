//! Who waits for changes, and who tells them.

use std::future;

use tokio::sync::{Notify, watch};

/// Tells when some zone's revision may have advanced. It may tell once too often or miss a change: whoever must know
/// asks for the revisions from time to time as well.
#[derive(Debug)]
pub struct Changes(watch::Receiver<()>);

impl Changes {
    /// Waits until some revision may have advanced since the last call, or since this was made. Never returns again
    /// once the store is gone. Cancel-safe.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            future::pending::<()>().await;
        }
    }
}

/// Wakes those who wait in this process, and keeps in mind that other processes should be told.
#[derive(Debug, Default)]
pub(crate) struct Announcer {
    waiting: watch::Sender<()>,
    untold: Notify,
}

impl Announcer {
    /// For one who waits.
    pub(crate) fn subscribe(&self) -> Changes {
        Changes(self.waiting.subscribe())
    }

    /// A commit of this process advanced a revision.
    pub(crate) fn announce(&self) {
        self.hear();
        self.untold.notify_one();
    }

    /// A revision may have advanced, here or elsewhere.
    pub(crate) fn hear(&self) {
        self.waiting.send_replace(());
    }

    /// Waits until there is something to tell other processes; many announcements are one.
    pub(crate) async fn untold(&self) {
        self.untold.notified().await;
    }
}
