//! Counts and estimates about requests: small summaries that merge exactly, each with its error stated.
//!
//! A [`Record`] is what one operation saw in one [`Bucket`] of five minutes. Two things are done with records:
//!
//! - *sum*, over what is disjoint: the cores of a process, the sources, the buckets of an hour. It is associative and
//!   commutative.
//! - *join*, over copies of what one source has seen so far ([`Snapshot`]): the later one wins. It is associative,
//!   commutative and idempotent, so that a snapshot may arrive twice, late or out of order.
//!
//! Besides, a [`SessionSample`] tells how many requests each of a sample of sessions made; over a day they are summed up
//! in a [`SessionWindow`], and make [`Thresholds`].
//!
//! Whatever way the requests are split over cores, flushes and nodes, the same requests end in the same bytes.
//!
//! ```
//! use demilune_traffic::{Accumulator, Bucket, Ledger, Observation, Record};
//!
//! let mut core = Accumulator::new(1_000, 1 << 20);
//! let bucket = Bucket::of(1_767_225_842);
//! core.observe(7_u128, bucket, &Observation { status: Some(200), duration_us: 1_200, ..Observation::default() });
//!
//! let mut ledger = Ledger::new(10_000, 1 << 20);
//! ledger.absorb(&mut core);
//! let (key, bucket, snapshot) = ledger.changed().next().ok_or("nothing changed")?;
//! let stored = snapshot.record.encode();
//! ledger.acknowledge(&[(key, bucket, snapshot.sequence)]);
//!
//! assert_eq!(Record::decode(&stored)?.requests(), 1);
//! assert_eq!(ledger.changed().count(), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accumulator;
mod bucket;
pub mod bytes;
mod encoding;
mod histogram;
mod ledger;
mod record;
mod sessions;
mod snapshot;
mod threshold;

pub use accumulator::{Accumulator, Summary};
pub use bucket::{Bucket, Hour};
pub use bytes::DecodeError;
pub use histogram::LatencyHistogram;
pub use ledger::Ledger;
pub use record::{Observation, Record, StatusClass};
pub use sessions::{HourSessions, SessionHash, SessionSample, SessionWindow, WindowTotals};
pub use snapshot::{Snapshot, Source, SourceError};
pub use threshold::{
    Confidence, ConfidenceLabel, ConfidenceReason, Context, Decisive, Distribution, Interval, Intervals, Rule,
    Thresholds, margin,
};
