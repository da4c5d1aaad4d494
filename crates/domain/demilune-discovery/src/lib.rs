//! Operations that nobody wrote down: what requests that no saved operation matches have in common.
//!
//! [`Sightings`] gathers such requests in bounded room and merges exactly: any order, any split over gateways and days
//! gives the same sightings. [`candidates`] folds them into operations, and says why each part of a path is, or is not,
//! a variable.

#![expect(clippy::cast_precision_loss, reason = "shares of counts need no more than 52 bits")]

mod candidate;
mod data;
mod encoding;
mod fold;
mod hosts;
mod page;
mod pattern;
mod profile;
mod shape;
mod siblings;
mod sightings;
mod tree;

pub use candidate::{Candidate, DiscoveryOptions, Origin, Part, Reason, candidates};
pub use page::is_page;
pub use shape::Shape;
pub use sightings::{Sighting, Sightings};
