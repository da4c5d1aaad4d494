//! Records: what is accepted is the one encoding of what some requests could have left, and sums stay so.
#![no_main]

use demilune_traffic::{LatencyHistogram, Record};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(record) = Record::decode(bytes) {
        assert_eq!(record.encode(), bytes, "there is another encoding");
        check_durations(record.durations());
        let twice: Record = [&record, &record].into_iter().sum();
        assert_eq!(Record::decode(&twice.encode()), Ok(twice), "a sum does not read back");
    }
});

fn check_durations(durations: &LatencyHistogram) {
    let quantiles = [0.0, 0.5, 0.99, 1.0].map(|p| durations.quantile(p));
    assert!(quantiles.is_sorted(), "{quantiles:?} fall");
    assert_eq!(quantiles[0].is_none(), durations.count() == 0, "nothing has no quantile");
    if durations.count() >= 1 << 53 {
        // Ranks are no longer exact.
        return;
    }
    let (highest, max_us) = (quantiles[3].unwrap_or_default(), durations.max_us());
    assert!(highest <= max_us && max_us - highest <= max_us / 16, "{highest} for {max_us}");
}
