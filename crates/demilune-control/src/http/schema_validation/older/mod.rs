//! The older calls about actions and settings (contract 6.4 to 6.6). Some clients look for the answer's members in
//! `result`, others beside it, so that they stand in both places.

mod action_get;
mod action_set;
mod actions_update;
mod settings_get;
mod settings_replace;
mod settings_update;
mod wire;

pub(crate) use action_get::*;
pub(crate) use action_set::*;
pub(crate) use actions_update::*;
pub(crate) use settings_get::*;
pub(crate) use settings_replace::*;
pub(crate) use settings_update::*;
