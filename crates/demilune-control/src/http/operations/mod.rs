//! The operations of a zone (contract 2 and 3).

mod add;
mod add_many;
mod feature;
mod get;
mod input;
mod list;
mod parameter_schemas;
mod remove;
mod remove_many;
mod schema_info;
mod thresholds;
mod wire;

pub(crate) use add::*;
pub(crate) use add_many::*;
pub(crate) use feature::{Feature, threshold_members};
pub(crate) use get::*;
pub(crate) use list::*;
pub(crate) use remove::*;
pub(crate) use remove_many::*;
pub(crate) use schema_info::SchemaInfos;
pub(crate) use wire::OperationBody;
