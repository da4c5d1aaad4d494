//! Finds the operation that a request belongs to.
//!
//! Every operation whose method, host and endpoint fit the request is a candidate, so neither a host nor a template
//! that lacks the method hides a broader one that has it. Of the candidates, the first in this order is taken:
//!
//! 1. by method: the request's own, before GET for a HEAD request;
//! 2. by host: without variables, then more literal labels, then those literal further left;
//! 3. by endpoint, segment for segment from the left: text, then text mixed with variables (more literal characters
//!    first, then more of them before the first variable, then by text), then a variable alone.
//!
//! A variable takes some text of one segment: the shortest before the next literal, the last one all that is left. A
//! trailing slash counts.
//!
//! The templates become a graph (`graph`) whose edges are looked up in one flat table (`statics`); a search (`tree`)
//! goes along the preferred edges first and back where they lead to nothing. How long that can take is known when the
//! templates are compiled (`visits`).

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
