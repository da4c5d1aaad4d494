//! What requests are checked against, and what happens to those that do not fit (contract 6.4 to 6.6, 6.8 to 6.10).

pub(super) mod actions;
mod input;
pub(super) mod older;
pub(super) mod schemas;
pub(super) mod settings;
