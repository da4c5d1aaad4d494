//! Measures the rule behind suggested thresholds on traffic of which it is known who abused the operation.

pub mod candidate;
pub mod coverage;
pub mod day;
pub mod gate;
mod normal;
pub mod parallel;
pub mod poisoning;
pub mod random;
pub mod reference;
pub mod report;
pub mod sample;
pub mod scenario;
pub mod table;
