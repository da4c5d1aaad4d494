//! Upgraded connections: bytes in both directions until one side ends or nothing comes any more.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    time::{Instant, sleep_until},
};

use super::exchange::Exchange;

/// Bytes moved at once. 16 KiB: the most that a TLS record holds.
const BUFFER_BYTES: usize = 16 << 10;

/// Moves bytes until one direction ends or breaks, or both were silent for too long.
pub(crate) async fn run(client: OnUpgrade, origin: OnUpgrade, idle_max: Duration, mut exchange: Box<Exchange>) {
    let (Ok(client), Ok(origin)) = tokio::join!(client, origin) else { return };
    let (mut from_client, mut to_client) = split(TokioIo::new(client));
    let (mut from_origin, mut to_origin) = split(TokioIo::new(origin));
    let activity = Activity { begun: Instant::now(), last_ms: AtomicU64::new(0) };
    let sent = AtomicU64::new(0);
    let unused = AtomicU64::new(0);
    let both = async {
        tokio::join!(
            pass(&mut from_client, &mut to_origin, &activity, &unused),
            pass(&mut from_origin, &mut to_client, &activity, &sent)
        )
    };
    tokio::select! {
        _ = both => exchange.complete(),
        () = activity.silence(idle_max) => {}
    }
    exchange.sent(usize::try_from(sent.into_inner()).unwrap_or(usize::MAX));
}

/// When something was moved last.
struct Activity {
    begun: Instant,
    last_ms: AtomicU64,
}

impl Activity {
    fn note(&self) {
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(now, Ordering::Relaxed);
    }

    /// Ends when nothing was moved for a time.
    async fn silence(&self, time_max: Duration) {
        loop {
            let over = self.begun + Duration::from_millis(self.last_ms.load(Ordering::Relaxed)) + time_max;
            if over <= Instant::now() {
                return;
            }
            sleep_until(over).await;
        }
    }
}

async fn pass(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    activity: &Activity,
    count: &AtomicU64,
) {
    let mut buffer = vec![0; BUFFER_BYTES];
    while let Ok(read) = from.read(&mut buffer).await {
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() || to.flush().await.is_err() {
            break;
        }
        activity.note();
        count.fetch_add(read as u64, Ordering::Relaxed);
    }
    // The other side learns that no more comes, and may still have something to say.
    let _ = to.shutdown().await;
}
