//! What the store did since it was opened.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Upper bounds of the latency buckets in seconds.
pub const LATENCY_BOUNDS_S: [f64; 10] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0];
/// Upper bounds of the buckets of requests in one batch.
pub const BATCH_SIZE_BOUNDS: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];

/// A moment's reading of the counters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoreStats {
    /// Time from the first statement of a batch of writes to its commit.
    pub write_seconds: HistogramSnapshot,
    /// Time of a read, without waiting for its turn.
    pub read_seconds: HistogramSnapshot,
    /// Requests in each committed batch.
    pub batch_requests: HistogramSnapshot,
    /// Calls that failed because the database was away or full.
    pub unavailable: u64,
    /// Calls refused because too many were waiting.
    pub overloaded: u64,
    /// Writes waiting now.
    pub writes_waiting: u64,
    /// Records of traffic.
    pub traffic: TrafficStats,
}

/// What became of records of traffic, and of samples of its sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrafficStats {
    /// Records that are kept, as of this process's last maintenance.
    pub rows: u64,
    /// Bytes they take, estimated, as of then.
    pub bytes: u64,
    /// Snapshots stored by this process.
    pub written: u64,
    /// Snapshots refused since they came too late.
    pub refused_late: u64,
    /// Records taken out: too old, of something that is gone, or more than there is room for.
    pub pruned: u64,
    /// Times that a record could not be read.
    pub damaged: u64,
    /// Samples of sessions that are kept, as of this process's last maintenance.
    pub session_rows: u64,
    /// Bytes they take, estimated, as of then.
    pub session_bytes: u64,
    /// Snapshots with a sample stored by this process.
    pub session_written: u64,
    /// Samples refused since they came too late.
    pub session_refused_late: u64,
    /// Samples taken out: too old, of something that is gone, or more than there is room for.
    pub session_pruned: u64,
    /// Times that a sample could not be read.
    pub session_damaged: u64,
    /// Rows of evidence of what callers send that are kept, as of this process's last maintenance.
    pub learning_rows: u64,
    /// Bytes they take, estimated, as of then.
    pub learning_bytes: u64,
    /// Snapshots of evidence stored by this process.
    pub learning_written: u64,
    /// Snapshots of evidence refused since they came too late.
    pub learning_refused_late: u64,
    /// Rows of evidence taken out: too old, of something that is gone, or more than there is room for.
    pub learning_pruned: u64,
    /// Times that evidence could not be read.
    pub learning_damaged: u64,
    /// Events that are kept, as of this process's last maintenance.
    pub events: u64,
    /// Events stored by this process.
    pub events_written: u64,
    /// Events taken out: too old, of a zone that is gone, or more than there is room for.
    pub events_pruned: u64,
    /// Times that an event could not be read.
    pub events_damaged: u64,
}

/// A histogram's reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistogramSnapshot {
    /// Values in each bucket, not cumulative; one more than there are bounds, for what is above the last.
    pub counts: Vec<u64>,
    /// Sum of all values.
    pub sum: f64,
}

/// A histogram with fixed bounds that many threads write to.
pub(crate) struct Histogram<const N: usize> {
    bounds: [f64; N],
    counts: [AtomicU64; N],
    above: AtomicU64,
    /// In millionths, so that adding is one instruction.
    sum_millionths: AtomicU64,
}

impl<const N: usize> Histogram<N> {
    pub(crate) fn new(bounds: [f64; N]) -> Self {
        let counts = std::array::from_fn(|_| AtomicU64::new(0));
        Self { bounds, counts, above: AtomicU64::new(0), sum_millionths: AtomicU64::new(0) }
    }

    /// Counts a value.
    pub(crate) fn observe(&self, value: f64) {
        let bucket = self.bounds.iter().position(|bound| value <= *bound);
        bucket.map_or(&self.above, |bucket| &self.counts[bucket]).fetch_add(1, Ordering::Relaxed);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a duration or a count: small and positive"
        )]
        self.sum_millionths.fetch_add((value * 1e6) as u64, Ordering::Relaxed);
    }

    /// Counts a duration in seconds.
    pub(crate) fn observe_duration(&self, duration: Duration) {
        self.observe(duration.as_secs_f64());
    }

    fn snapshot(&self) -> HistogramSnapshot {
        let counts = self.counts.iter().chain([&self.above]).map(|count| count.load(Ordering::Relaxed)).collect();
        #[expect(clippy::cast_precision_loss, reason = "a sum for graphs")]
        let sum = self.sum_millionths.load(Ordering::Relaxed) as f64 / 1e6;
        HistogramSnapshot { counts, sum }
    }
}

/// The counters themselves.
pub(crate) struct Counters {
    pub(crate) write_seconds: Histogram<10>,
    pub(crate) read_seconds: Histogram<10>,
    pub(crate) batch_requests: Histogram<8>,
    pub(crate) unavailable: AtomicU64,
    pub(crate) overloaded: AtomicU64,
    pub(crate) traffic: TrafficCounters,
}

/// Those of records of traffic.
#[derive(Default)]
pub(crate) struct TrafficCounters {
    pub(crate) rows: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) written: AtomicU64,
    pub(crate) refused_late: AtomicU64,
    pub(crate) pruned: AtomicU64,
    pub(crate) damaged: AtomicU64,
    pub(crate) session_rows: AtomicU64,
    pub(crate) session_bytes: AtomicU64,
    pub(crate) session_written: AtomicU64,
    pub(crate) session_refused_late: AtomicU64,
    pub(crate) session_pruned: AtomicU64,
    pub(crate) session_damaged: AtomicU64,
    pub(crate) learning_rows: AtomicU64,
    pub(crate) learning_bytes: AtomicU64,
    pub(crate) learning_written: AtomicU64,
    pub(crate) learning_refused_late: AtomicU64,
    pub(crate) learning_pruned: AtomicU64,
    pub(crate) learning_damaged: AtomicU64,
    pub(crate) events: AtomicU64,
    pub(crate) events_written: AtomicU64,
    pub(crate) events_pruned: AtomicU64,
    pub(crate) events_damaged: AtomicU64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            write_seconds: Histogram::new(LATENCY_BOUNDS_S),
            read_seconds: Histogram::new(LATENCY_BOUNDS_S),
            batch_requests: Histogram::new(BATCH_SIZE_BOUNDS),
            unavailable: AtomicU64::new(0),
            overloaded: AtomicU64::new(0),
            traffic: TrafficCounters::default(),
        }
    }
}

impl Counters {
    pub(crate) fn snapshot(&self, writes_waiting: usize) -> StoreStats {
        StoreStats {
            write_seconds: self.write_seconds.snapshot(),
            read_seconds: self.read_seconds.snapshot(),
            batch_requests: self.batch_requests.snapshot(),
            unavailable: self.unavailable.load(Ordering::Relaxed),
            overloaded: self.overloaded.load(Ordering::Relaxed),
            writes_waiting: writes_waiting as u64,
            traffic: self.traffic.snapshot(),
        }
    }
}

impl TrafficCounters {
    fn snapshot(&self) -> TrafficStats {
        TrafficStats {
            rows: self.rows.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            refused_late: self.refused_late.load(Ordering::Relaxed),
            pruned: self.pruned.load(Ordering::Relaxed),
            damaged: self.damaged.load(Ordering::Relaxed),
            session_rows: self.session_rows.load(Ordering::Relaxed),
            session_bytes: self.session_bytes.load(Ordering::Relaxed),
            session_written: self.session_written.load(Ordering::Relaxed),
            session_refused_late: self.session_refused_late.load(Ordering::Relaxed),
            session_pruned: self.session_pruned.load(Ordering::Relaxed),
            session_damaged: self.session_damaged.load(Ordering::Relaxed),
            learning_rows: self.learning_rows.load(Ordering::Relaxed),
            learning_bytes: self.learning_bytes.load(Ordering::Relaxed),
            learning_written: self.learning_written.load(Ordering::Relaxed),
            learning_refused_late: self.learning_refused_late.load(Ordering::Relaxed),
            learning_pruned: self.learning_pruned.load(Ordering::Relaxed),
            learning_damaged: self.learning_damaged.load(Ordering::Relaxed),
            events: self.events.load(Ordering::Relaxed),
            events_written: self.events_written.load(Ordering::Relaxed),
            events_pruned: self.events_pruned.load(Ordering::Relaxed),
            events_damaged: self.events_damaged.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_falls_into_the_first_bucket_that_holds_it() {
        let histogram = Histogram::new([1.0, 2.0]);
        for value in [0.5, 1.0, 1.5, 9.0] {
            histogram.observe(value);
        }
        assert_eq!(histogram.snapshot(), HistogramSnapshot { counts: vec![2, 1, 1], sum: 12.0 });
    }
}
