//! Ctrl-C and SIGTERM: the first stops in order, the second at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What shells report for a process that a signal ended is this and the signal's number.
const EXIT_CODE_BASE: i32 = 128;
const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// Cancels `stop` at the first signal, ends the process at the second.
pub(crate) fn on_signal(stop: CancellationToken) -> io::Result<()> {
    let mut signals =
        Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? };
    tokio::spawn(async move {
        signals.next().await;
        tracing::info!("stopping: requests in flight finish first, a second signal ends at once");
        stop.cancel();
        let number = signals.next().await;
        std::process::exit(EXIT_CODE_BASE + number);
    });
    Ok(())
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => SIGINT,
            _ = self.terminate.recv() => SIGTERM,
        }
    }
}
