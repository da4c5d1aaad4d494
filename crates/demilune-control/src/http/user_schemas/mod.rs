//! Uploaded schemas as the older calls show them (contract 6.7), and what both families share of uploads.

mod add;
mod details;
mod document;
mod get;
mod hosts;
mod list;
mod operations;
mod remove;
mod update;
mod wire;

pub(crate) use add::*;
pub(crate) use details::UploadDetails;
pub(crate) use document::{Permit, Upload, check_kind, check_name};
pub(crate) use get::*;
pub(crate) use hosts::*;
pub(crate) use list::*;
pub(crate) use operations::*;
pub(crate) use remove::*;
pub(crate) use update::*;
pub(crate) use wire::{SchemaAnswer, SchemaBody, SchemaPageAnswer};
