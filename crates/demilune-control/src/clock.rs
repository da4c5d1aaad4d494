//! The only place of this crate that reads the clock, and how times are printed.

use std::time::{SystemTime, UNIX_EPOCH};

use demilune_inventory::Timestamp;
use demilune_traffic::Hour;

/// The current instant, cut to microseconds.
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX);
    // A clock beyond the year 9999 is as good as none; the epoch keeps every comparison defined.
    Timestamp::from_micros(micros).unwrap_or_else(epoch)
}

/// Whole seconds since the epoch.
pub(crate) fn unix_seconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_micros() / 1_000_000).unwrap_or(0)
}

/// The start of an hour; the epoch for one beyond the year 9999.
pub(crate) fn hour_time(hour: Hour) -> Timestamp {
    let micros = i64::try_from(hour.start()).ok().and_then(|seconds| seconds.checked_mul(1_000_000));
    micros.and_then(Timestamp::from_micros).unwrap_or_else(epoch)
}

/// The start of an hour as it is printed.
pub(crate) fn hour_text(hour: Hour) -> String {
    hour_time(hour).to_string()
}

fn epoch() -> Timestamp {
    #[expect(clippy::expect_used, reason = "0 is the year 1970, inside the years 0 to 9999 that a timestamp holds")]
    Timestamp::from_micros(0).expect("the epoch is a timestamp")
}
