//! Operations that requests speak for: their state, and what they rest on.

mod explanation;
mod state;

pub(crate) use explanation::explanation;
pub(crate) use state::{Discovered, DiscoveredState};
