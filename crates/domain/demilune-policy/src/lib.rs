//! What to do with one request, and why: rules compiled once, decisions with their reasons as values.
//!
//! [`rule`] holds what an operator may ask for, each value checked when it was parsed. A zone's rules become a
//! [`Ruleset`], the zones together [`Rulesets`], and [`decide`] takes the facts of one request to a [`Decision`].
//! [`recognize()`] does the part of it that needs no owner of the host, for requests that were served elsewhere.
//! No I/O, clock or randomness.

mod check;
mod decision;
mod destination;
mod explain;
mod facts;
mod fallback;
mod recognize;
pub mod rule;
mod ruleset;
mod session;

pub use check::{Check, InForce, OnTrial};
pub use decision::{Decision, Refusal, Verdict, decide};
pub use destination::{Destination, DestinationKind};
pub use explain::{Candidate, Explanation, Standing, explain};
pub use facts::{Facts, canonical_host};
pub use fallback::{Fallbacks, Footing, LearnedSchema};
pub use recognize::{Recognized, recognize};
pub use ruleset::{Ruleset, Rulesets};
pub use session::{Session, SessionKey};
