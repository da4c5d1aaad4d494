//! What is done by the clock, by one process for all.

pub(crate) mod hourly;
pub(crate) mod thresholds;

pub use thresholds::ThresholdsJob;
