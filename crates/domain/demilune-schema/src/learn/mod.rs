//! Schemas learned from what callers send.
//!
//! [`Evidence`] gathers what was seen of one operation's requests, in bounded room, and merges exactly. [`Learned`] says
//! what such requests look like, as far as enough of them, of enough different callers, allow to say it.

mod body;
mod class;
mod encoding;
mod evidence;
mod field;
mod fields;
mod key;
mod name;
mod published;
mod rules;
mod spread;
mod supporter;
mod tally;
mod values;

pub use body::learns_body;
pub(crate) use class::Class;
pub use evidence::Evidence;
pub(crate) use field::{Field, Step};
pub(crate) use key::FieldHash;
pub use key::LearnKey;
pub(crate) use name::{is_literal, is_name};
pub use published::Published;
pub use rules::{Learned, Profile};
pub(crate) use rules::{Said, Shown};
pub(crate) use spread::{Bounds, Spread};
pub use supporter::Supporter;
pub(crate) use tally::Tally;
pub(crate) use values::{Value as SeenValue, Values};
