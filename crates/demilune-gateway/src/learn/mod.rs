//! Learning what callers send: requests are noted on the core that served them, and looked at by one thread beside.

mod batch;
mod body_copy;
mod budget;
mod choice;
mod learner;
mod lessons;
mod taken;

pub(crate) use batch::Lesson;
pub(crate) use body_copy::BodyCopy;
pub use learner::Learner;
pub(crate) use learner::LearnerStats;
pub use lessons::{LearnedHour, PublishedByOperation};
pub(crate) use taken::Taken;
