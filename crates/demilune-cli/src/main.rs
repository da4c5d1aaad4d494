//! The `demilune` binary.
fn main() {}
