//! Documents are read one at a time: the largest take a quarter of a gigabyte while they are compiled.

use demilune_store::StoreFailure;
use tokio::{sync::Semaphore, task::spawn_blocking};

static READ: Semaphore = Semaphore::const_new(1);

/// Reads on a thread of its own, since it may take seconds, when nothing else is read.
pub(crate) async fn one_at_a_time<T: Send + 'static>(
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreFailure> {
    let turn = READ.acquire().await.map_err(|error| StoreFailure::Internal(Box::new(error)))?;
    let reading = spawn_blocking(move || {
        // Held to the end of reading, also when the caller goes away.
        let _turn = turn;
        read()
    });
    reading.await.map_err(|error| StoreFailure::Internal(Box::new(error)))
}
