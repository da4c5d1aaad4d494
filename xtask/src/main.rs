//! Set-up, checks, tests and benches as one command each.
fn main() {}
