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
pub use evidence::Evidence;
pub use key::LearnKey;
pub use published::Published;
pub use rules::{Learned, Profile};
pub use supporter::Supporter;
