//! The document that is tried on the requests of a zone.

mod begin;
mod end;
mod show;
mod wire;

pub(crate) use begin::*;
pub(crate) use end::*;
pub(crate) use show::*;
