//! Counts and estimates about requests: small summaries that merge exactly, each with its error stated.
//!
//! A [`Record`] is what one operation saw in one [`Bucket`] of five minutes. Two things are done with records:
//!
//! - *sum*, over what is disjoint: the cores of a process, the sources, the buckets of an hour. It is associative and
//!   commutative.
//! - *join*, over copies of what one source has seen so far ([`Snapshot`]): the later one wins. It is associative,
//!   commutative and idempotent, so that a snapshot may arrive twice, late or out of order.
//!
//! Whatever way the requests are split over cores, flushes and nodes, the same requests end in the same bytes.
//!
//! ```
//! use demilune_traffic::{Accumulator, Bucket, Ledger, Observation, Record};
//!
//! let mut core = Accumulator::new(1_000);
//! let bucket = Bucket::of(1_767_225_842);
//! core.observe(7_u128, bucket, &Observation { status: Some(200), duration_us: 1_200, ..Observation::default() });
//!
//! let mut ledger = Ledger::new(10_000);
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
mod encoding;
mod histogram;
mod ledger;
mod record;
mod snapshot;

pub use accumulator::Accumulator;
pub use bucket::{Bucket, Hour};
pub use encoding::DecodeError;
pub use histogram::LatencyHistogram;
pub use ledger::Ledger;
pub use record::{Observation, Record, StatusClass};
pub use snapshot::{Snapshot, Source, SourceError};
