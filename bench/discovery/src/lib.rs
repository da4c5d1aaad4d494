//! Operations found in requests whose operations are known: read from elsewhere, or made here.

pub mod quick;
// One generator for both benchmarks.
#[path = "../../enforcement/src/random.rs"]
pub mod random;
pub mod read;
pub mod routes;
pub mod values;
pub mod visits;
