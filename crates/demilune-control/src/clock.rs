//! The only place of this crate that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use demilune_inventory::Timestamp;

/// The current instant, cut to microseconds.
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX);
    // A clock beyond the year 9999 is as good as none; the epoch keeps every comparison defined.
    Timestamp::from_micros(micros).unwrap_or_else(epoch)
}

fn epoch() -> Timestamp {
    #[expect(clippy::expect_used, reason = "0 is the year 1970, inside the years 0 to 9999 that a timestamp holds")]
    Timestamp::from_micros(0).expect("the epoch is a timestamp")
}
