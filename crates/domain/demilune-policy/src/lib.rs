//! What to do with one request, and why: rules compiled once, decisions with their reasons as values.
//!
//! [`rule`] holds what an operator may ask for, each value checked when it was parsed. No I/O, clock or randomness.

pub mod rule;
