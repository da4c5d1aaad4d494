//! Learning what callers send: requests are noted on the core that served them, and looked at by one thread beside.

mod batch;
mod body_copy;
mod budget;
mod choice;
mod learner;
mod lessons;
mod strays;
mod taken;

pub(crate) use batch::{Lesson, Stray};
pub(crate) use body_copy::BodyCopy;
pub use learner::Learner;
pub(crate) use learner::LearnerStats;
pub use lessons::{LearnedHour, PublishedByOperation};
pub use strays::SightedDay;
pub(crate) use taken::Taken;
