//! What is learned about requests: the evidence for it, how far it has come, what is stored of it, and how it is put in
//! force.

mod apply;
mod evidence;
mod learned;
mod progress;

pub(crate) use apply::{ApplyError, Blocks, apply, learned_source};
pub(crate) use evidence::{EvidenceWindow, sum};
pub(crate) use learned::{LearnedSchema, explanation};
pub(crate) use progress::Progress;
