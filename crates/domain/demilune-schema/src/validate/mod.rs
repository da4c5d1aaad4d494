//! Whether a request fits what a document says of its operation, and where it does not.
//!
//! A [`Validator`] is made once for an operation, by [`Document::read`](crate::document::Document::read), and shared.
//! Nothing that a request holds is in a [`Verdict`]: it names keywords and places.

mod body;
mod cookies;
mod form;
pub(crate) mod json;
mod media_type;
mod parameter;
pub(crate) mod percent;
mod place;
pub(crate) mod query;
mod reading;
mod request;
mod schemas;
mod shape;
mod split;
mod validator;
mod verdict;

pub(crate) use body::{Body, Media};
pub(crate) use form::{Field, FieldCoding, Form};
pub(crate) use media_type::{MediaRange, is_form, is_json};
pub(crate) use parameter::{Coding, Parameter, Source};
pub(crate) use percent::decode as percent_decode;
pub(crate) use place::{RequestPlace, push_token};
pub use request::{Content, RequestParts};
pub(crate) use schemas::{Moved, SchemaUse, Schemas};
pub(crate) use shape::{Kinds, Shape};
pub(crate) use split::Style;
pub(crate) use validator::Rules;
pub use validator::Validator;
pub use verdict::{Verdict, Violation};
