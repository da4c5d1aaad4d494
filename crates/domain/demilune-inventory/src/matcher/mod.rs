//! Finds the operation that a request belongs to.

mod fits;
mod hash;
mod host_table;
mod mixed;

pub use fits::{endpoint_fits, host_fits, hosts_overlap};
pub use host_table::HostTable;
