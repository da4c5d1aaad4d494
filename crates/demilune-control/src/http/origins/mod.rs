//! Where a zone's traffic is sent when no route says otherwise, and with that, which traffic is the zone's.

mod list;
mod remove;
mod set;
mod wire;

pub(crate) use list::*;
pub(crate) use remove::*;
pub(crate) use set::*;
