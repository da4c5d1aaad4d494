//! Origins and clients that fail, with requests that are checked against a schema: nothing else comes of it.

#[path = "faults.rs"]
mod faults;
