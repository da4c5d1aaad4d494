//! Takes something that a gateway gathers to the store, every so often and once more at the end.

use std::{error::Error, time::Duration};

use demilune_store::StoreFailure;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

/// How long the last of it is tried, since nobody will send it later, and with which pause. A store that is away makes a stop
/// hardly longer.
const LAST_TRIES_MAX: Duration = Duration::from_secs(2);
const LAST_TRIES_EVERY: Duration = Duration::from_millis(300);

/// Writes until it is told to stop, and once more then; `write` is told whether this is the end. What the store does not
/// take must be part of what is written next. `what` is a noun in the plural, for the log: a store that goes on refusing is
/// named once.
pub(super) async fn periodically(
    every: Duration,
    what: &str,
    stop: CancellationToken,
    mut write: impl AsyncFnMut(bool) -> Result<(), StoreFailure>,
) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut refused = false;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => break,
        }
        let written = write(false).await;
        if let Err(error) = &written
            && !refused
        {
            tracing::warn!(error = error as &dyn Error, "the store takes no {what}; they are kept and sent later");
        }
        refused = written.is_err();
    }
    let begun = Instant::now();
    while let Err(error) = write(true).await {
        if begun.elapsed() >= LAST_TRIES_MAX {
            tracing::warn!(error = &error as &dyn Error, "the store takes no {what}; the last ones are lost");
            return;
        }
        sleep(LAST_TRIES_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, io};

    use super::*;

    /// What was written: at the end or before, by a store that refuses so many.
    async fn written(refused: usize) -> Vec<bool> {
        let (stop, written) = (CancellationToken::new(), RefCell::new(Vec::new()));
        periodically(Duration::from_millis(1), "tests", stop.clone(), async |end| {
            written.borrow_mut().push(end);
            let written = written.borrow().len();
            if written == 2 {
                stop.cancel();
            }
            let at_the_end = written.saturating_sub(2);
            let is_refused = end && at_the_end <= refused;
            if is_refused { Err(StoreFailure::Unavailable(Box::new(io::Error::other("away")))) } else { Ok(()) }
        })
        .await;
        written.into_inner()
    }

    #[tokio::test]
    async fn the_last_is_written_at_the_end() {
        assert_eq!(written(0).await, [false, false, true]);
    }

    #[tokio::test]
    async fn the_last_is_tried_again_for_a_moment() {
        assert_eq!(written(2).await, [false, false, true, true, true]);
        let tries = written(usize::MAX).await.len() - 2;
        assert!((3..=8).contains(&tries), "{tries}");
    }
}
