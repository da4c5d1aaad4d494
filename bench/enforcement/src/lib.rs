//! Tomorrow's traffic: schemas that are learned from one week of requests, and what they block in the next.

pub mod operations;
pub mod random;
pub mod run;
