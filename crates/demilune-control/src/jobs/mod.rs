//! What is done by the clock, by one process for all.

pub(crate) mod discovery;
pub(crate) mod hourly;
pub(crate) mod schemas;
pub(crate) mod thresholds;

pub use discovery::DiscoveryJob;
pub use schemas::SchemasJob;
pub use thresholds::ThresholdsJob;
