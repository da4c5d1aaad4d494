//! Samples of sessions and distributions: what is accepted is the one encoding, and can be summed up.
#![no_main]

use demilune_traffic::{Bucket, Distribution, Hour, HourSessions, SessionSample, SessionWindow};
use libfuzzer_sys::fuzz_target;

const END: Hour = Hour::of(1_767_312_000);

fuzz_target!(|bytes: &[u8]| {
    let mut window = SessionWindow::ending_at(END);
    if let Ok(sample) = SessionSample::decode(bytes) {
        assert_eq!(sample.encode(), bytes, "a sample has another encoding");
        let mut twice = sample.clone();
        twice.merge(&sample);
        assert_eq!(SessionSample::decode(&twice.encode()), Ok(twice), "a sum does not read back");
        let mut hour = HourSessions::default();
        assert!(hour.put(Bucket::of(END.start() - 600), 1, &sample));
        assert_eq!(HourSessions::decode(&hour.encode()), Ok(hour), "an hour does not read back");
        window.add(Bucket::of(END.start() - 300), &sample);
    }
    if let Ok(hour) = HourSessions::decode(bytes) {
        assert_eq!(hour.encode(), bytes, "an hour has another encoding");
        window.add_hour(Hour::of(END.start() - 7_200), &hour);
    }
    let maxima = window.finish().maxima;
    assert!(maxima.sessions() <= SessionSample::SESSIONS_MAX as u64);
    assert_eq!(Distribution::decode(&maxima.encode()), Ok(maxima), "a distribution does not read back");
    if let Ok(distribution) = Distribution::decode(bytes) {
        assert_eq!(distribution.encode(), bytes, "a distribution has another encoding");
    }
});
