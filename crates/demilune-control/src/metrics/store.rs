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
            ("store_traffic_written", "Snapshots of traffic stored", stats.traffic.written),
            ("store_traffic_refused_late", "Snapshots of traffic that came too late", stats.traffic.refused_late),
            (
                "store_traffic_pruned",
                "Records of traffic taken out: too old, too many, or of what was removed",
                stats.traffic.pruned,
            ),
            ("store_traffic_damaged", "Times that a record of traffic could not be read", stats.traffic.damaged),
            ("store_sessions_written", "Samples of sessions stored", stats.traffic.session_written),
            (
                "store_sessions_refused_late",
                "Samples of sessions that came too late",
                stats.traffic.session_refused_late,
            ),
            (
                "store_sessions_pruned",
                "Samples of sessions taken out: too old, too many, or of what was removed",
                stats.traffic.session_pruned,
            ),
            (
                "store_sessions_damaged",
                "Times that a sample of sessions could not be read",
                stats.traffic.session_damaged,
            ),
            ("store_events_written", "Events of requests that did not fit stored", stats.traffic.events_written),
            (
                "store_events_pruned",
                "Events taken out: too old, too many, or of a zone that was removed",
                stats.traffic.events_pruned,
            ),
            ("store_events_damaged", "Times that an event could not be read", stats.traffic.events_damaged),
        ];
        for (name, help, value) in counters {
            ConstCounter::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        let gauges = [
            ("store_writes_waiting", "Writes waiting now", stats.writes_waiting),
            ("store_traffic_records", "Records of traffic at the last maintenance", stats.traffic.rows),
            ("store_traffic_bytes", "Bytes that they take, estimated", stats.traffic.bytes),
            ("store_sessions_rows", "Samples of sessions at the last maintenance", stats.traffic.session_rows),
            ("store_sessions_bytes", "Bytes that they take, estimated", stats.traffic.session_bytes),
            ("store_events", "Events at the last maintenance", stats.traffic.events),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        Ok(())
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
