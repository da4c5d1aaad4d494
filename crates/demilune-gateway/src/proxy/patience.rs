//! How long an answer may take, with one timer for all requests of a connection.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

use super::request_body::Progress;

/// The timer of a connection. It is moved when it fires rather than at each request: setting a timer costs more than
/// finding, once in a while, that it went off too early.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    timer: Mutex<Option<Pin<Box<Sleep>>>>,
}

/// It took too long.
#[derive(Debug)]
pub(crate) struct Exhausted;

impl Patience {
    /// Waits for an answer. The time for it begins anew as long as the request's body moves: how long a body may take is
    /// the client's matter.
    pub(crate) async fn wait<T>(
        &self,
        sending: impl Future<Output = T>,
        time_max: Duration,
        body: Option<&Progress>,
    ) -> Result<T, Exhausted> {
        let mut sending = pin!(sending);
        let mut timer = self.take();
        let mut deadline = Instant::now() + time_max;
        let mut passed_on = 0;
        let outcome = poll_fn(|context| {
            if let Poll::Ready(answer) = sending.as_mut().poll(context) {
                return Poll::Ready(Ok(answer));
            }
            while poll_until(&mut timer, deadline, context).is_ready() {
                let now = body.map_or(0, Progress::bytes);
                if now == passed_on {
                    return Poll::Ready(Err(Exhausted));
                }
                passed_on = now;
                deadline = Instant::now() + time_max;
            }
            Poll::Pending
        })
        .await;
        self.put_back(timer);
        outcome
    }

    fn take(&self) -> Option<Pin<Box<Sleep>>> {
        self.timer.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put_back(&self, timer: Option<Pin<Box<Sleep>>>) {
        *self.timer.lock().unwrap_or_else(PoisonError::into_inner) = timer;
    }
}

/// Ready when the deadline has passed.
fn poll_until(timer: &mut Option<Pin<Box<Sleep>>>, deadline: Instant, context: &mut Context<'_>) -> Poll<()> {
    let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
    // One that was set by a request with a later deadline would fire too late.
    if timer.deadline() > deadline {
        timer.as_mut().reset(deadline);
    }
    while timer.as_mut().poll(context).is_ready() {
        if Instant::now() >= deadline {
            return Poll::Ready(());
        }
        timer.as_mut().reset(deadline);
    }
    Poll::Pending
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::time::sleep;

    use super::*;

    const TIME_MAX: Duration = Duration::from_millis(100);

    #[tokio::test(start_paused = true)]
    async fn an_answer_in_time_is_given_and_a_late_one_is_not() {
        let patience = Patience::default();
        assert_eq!(patience.wait(ready(7), TIME_MAX, None).await.ok(), Some(7));
        assert_eq!(patience.wait(async { sleep(TIME_MAX / 2).await }, TIME_MAX, None).await.ok(), Some(()));
        let begun = Instant::now();
        assert!(patience.wait(pending::<()>(), TIME_MAX, None).await.is_err());
        assert_eq!(begun.elapsed().as_millis(), TIME_MAX.as_millis());
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_is_left_from_before_fires_for_nobody_else() {
        let patience = Patience::default();
        for _ in 0..5 {
            let nearly = Duration::from_millis(99);
            assert!(patience.wait(async { sleep(nearly).await }, TIME_MAX, None).await.is_ok());
        }
    }
}
