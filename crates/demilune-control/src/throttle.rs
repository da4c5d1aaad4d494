//! Slows down whoever keeps sending bad credentials.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use moka::sync::Cache;
use tokio::sync::Semaphore;

/// Failures within the window that cost nothing: a person fixing a script.
const FREE_FAILURES: u32 = 10;
/// What each further failure adds to the delay of its answer.
const DELAY_STEP: Duration = Duration::from_millis(100);
/// The longest delay; clients give up after tens of seconds, and an answer must come before.
const DELAY_MAX: Duration = Duration::from_secs(2);
/// An address is forgotten this long after its last failure.
const WINDOW: Duration = Duration::from_mins(1);
/// Most addresses remembered.
const ADDRESSES_MAX: u64 = 10_000;
/// Most answers held back at once, so that a flood of bad credentials does not pile up tasks; beyond it they are
/// answered at once.
const DELAYED_MAX: usize = 256;

/// Failures by address. Good credentials are never slowed, whatever else comes from their address.
pub(crate) struct Throttle {
    failures: Cache<IpAddr, Arc<AtomicU32>>,
    delayed: Semaphore,
}

impl Throttle {
    /// Counts a failure and waits as long as the address deserves.
    pub(crate) async fn failed(&self, address: IpAddr) {
        let counter = self.failures.get_with(network(address), || Arc::new(AtomicU32::new(0)));
        let failures = counter.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let delay = delay(failures);
        if delay.is_zero() {
            return;
        }
        if let Ok(_permit) = self.delayed.try_acquire() {
            tokio::time::sleep(delay).await;
        }
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            failures: Cache::builder().max_capacity(ADDRESSES_MAX).time_to_idle(WINDOW).build(),
            delayed: Semaphore::new(DELAYED_MAX),
        }
    }
}

fn delay(failures: u32) -> Duration {
    DELAY_STEP.saturating_mul(failures.saturating_sub(FREE_FAILURES)).min(DELAY_MAX)
}

/// One subscriber usually holds a whole /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_after_the_free_failures_up_to_its_bound() {
        let check =
            |failures, expected_ms| assert_eq!(delay(failures), Duration::from_millis(expected_ms), "{failures}");
        check(1, 0);
        check(10, 0);
        check(11, 100);
        check(20, 1_000);
        check(1_000_000, 2_000);
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_together() {
        let check = |a: &str, b: &str, same: bool| {
            assert_eq!(network(a.parse().unwrap()) == network(b.parse().unwrap()), same, "{a} {b}");
        };
        check("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true);
        check("2001:db8:1:2::1", "2001:db8:1:3::1", false);
        check("192.0.2.1", "::ffff:192.0.2.1", true);
        check("192.0.2.1", "192.0.2.2", false);
    }
}
