//! What the store did, read from it when metrics are asked for.

use std::fmt;

use demilune_store::{BATCH_SIZE_BOUNDS, HistogramSnapshot, LATENCY_BOUNDS_S, Store};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

/// Shows the store's own counters under `demilune_store_…`.
pub(super) struct StoreCollector(pub(super) Store);

impl fmt::Debug for StoreCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreCollector")
    }
}

impl Collector for StoreCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let stats = self.0.stats();
        let histograms = [
            (
                "store_write_seconds",
                "Time of a batch of writes, with its commit",
                &stats.write_seconds,
                &LATENCY_BOUNDS_S[..],
            ),
            ("store_read_seconds", "Time of a read", &stats.read_seconds, &LATENCY_BOUNDS_S[..]),
            ("store_batch_requests", "Writes that shared a commit", &stats.batch_requests, &BATCH_SIZE_BOUNDS[..]),
        ];
        for (name, help, snapshot, bounds) in histograms {
            encode_histogram(&mut encoder, name, help, snapshot, bounds)?;
        }
        let counters = [
            ("store_unavailable", "Calls that failed because the database was away", stats.unavailable),
            ("store_overloaded", "Calls refused because too many were waiting", stats.overloaded),
        ];
        for (name, help, value) in counters {
            ConstCounter::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        let waiting = ConstGauge::new(i64::try_from(stats.writes_waiting).unwrap_or(i64::MAX));
        let descriptor =
            encoder.encode_descriptor("store_writes_waiting", "Writes waiting now", None, MetricType::Gauge)?;
        waiting.encode(descriptor)
    }
}

fn encode_histogram(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    snapshot: &HistogramSnapshot,
    bounds: &[f64],
) -> Result<(), fmt::Error> {
    let bounds = bounds.iter().copied().chain([f64::MAX]);
    let buckets: Vec<_> = bounds.zip(snapshot.counts.iter().copied()).collect();
    let count = snapshot.counts.iter().sum();
    let mut descriptor = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
    descriptor.encode_histogram::<prometheus_client::encoding::NoLabelSet>(snapshot.sum, count, &buckets, None)
}
