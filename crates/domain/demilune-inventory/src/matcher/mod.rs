//! Finds the operation that a request belongs to.
//!
//! The endpoints become a graph in which equal ends are there once (`graph`), and its edges one flat table (`statics`). A
//! search (`tree`) cuts the path as it goes (`segment`), takes the preferred edge at each node, and comes back where
//! that led to nothing. How often it may have to is known when the operations are compiled (`visits`); where it would
//! be often, a search remembers the nodes it has been at.

mod find;
mod fits;
mod graph;
mod hash;
mod host_table;
mod methods;
mod mixed;
mod mixes;
mod segment;
mod statics;
mod tree;
mod variables;
mod visits;

pub use find::{Match, Matcher, MatcherOptions};
pub use fits::{endpoint_fits, host_fits, hosts_overlap};
pub use host_table::HostTable;
pub use variables::Variables;
