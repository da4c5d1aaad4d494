//! What a zone says of validation, in the current calls (contract 6.9).

mod change;
mod get;
mod replace;
mod update;
mod wire;

pub(super) use change::{Dialect, SettingsChange};
pub(crate) use get::*;
pub(crate) use replace::*;
pub(crate) use update::*;
