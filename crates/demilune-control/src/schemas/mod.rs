//! What is learned about requests: the evidence for it, how far it has come, and what is stored of it.

mod evidence;
mod learned;
mod progress;

pub(crate) use evidence::{EvidenceWindow, sum};
pub(crate) use learned::{LearnedSchema, explanation};
pub(crate) use progress::Progress;
