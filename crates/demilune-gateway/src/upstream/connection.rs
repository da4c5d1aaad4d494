//! One connection to an origin.

use hyper::client::conn::http1;
use tokio_util::task::AbortOnDropHandle;

use crate::proxy::RequestBody;

/// A connection to an origin. When it is dropped it ends at once, whatever is under way on it: hyper alone would go on
/// with an exchange that nobody waits for any more, for as long as the origin leaves it in the middle of something.
pub(super) struct Connection {
    pub(super) sender: http1::SendRequest<RequestBody>,
    task: AbortOnDropHandle<()>,
}

impl Connection {
    pub(super) fn new(
        sender: http1::SendRequest<RequestBody>,
        driver: impl Future<Output = hyper::Result<()>> + Send + 'static,
    ) -> Self {
        // Whoever waits for an answer gets the error, too.
        let task = tokio::spawn(async move { drop(driver.await) });
        Self { sender, task: AbortOnDropHandle::new(task) }
    }

    /// Lets it end by itself, in good order: nothing is under way on it, or it is another protocol's by now.
    pub(super) fn let_go(self) {
        drop(self.task.detach());
    }
}
