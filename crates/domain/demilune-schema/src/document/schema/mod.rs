//! The schemas of a document, rewritten as JSON Schema 2020-12 so that they mean there what OpenAPI means by them.

mod compile;
mod cost;
mod discriminator;
mod format;
mod keyword;
mod library;
mod pattern;
mod read_only;
mod reference;
mod scan;
mod shape;
mod transform;
mod written;

pub(super) use compile::compile;
pub(crate) use format::integer_bounds;
pub(crate) use keyword::restricts;
pub(super) use library::Library;
pub(super) use reference::{Resolved, resolve};
pub(crate) use shape::{own_kinds, type_kinds};
