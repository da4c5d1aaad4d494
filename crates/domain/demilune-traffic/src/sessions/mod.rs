//! How many requests each session made: samples of sessions that merge exactly.
//!
//! A [`SessionSample`] knows the sessions with the smallest hashes, and how many requests each of them made. Hashes are
//! as good as random, so the sessions with small ones are a fair sample; and a session that is in the sample of a whole
//! is in the sample of each of its parts, so that no count of it is ever missing (bottom-k sampling: Cohen and Kaplan,
//! "Summarizing data using bottom-k sketches", 2007).

mod encoding;
mod hash;
mod hour;
mod sample;
mod window;

pub use hash::SessionHash;
pub use hour::HourSessions;
pub use sample::SessionSample;
pub use window::{SessionWindow, WindowTotals};

pub(crate) use sample::Room;
