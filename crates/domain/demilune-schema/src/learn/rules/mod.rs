//! What evidence allows to say: which parameters and members there are, and what their values look like.

mod bounds;
mod enumeration;
mod explain;
mod learned;
mod number;
mod object;
mod parameter;
mod shown;
mod terms;
mod text;
mod value;

pub(crate) use explain::Said;
pub use learned::Learned;
pub(crate) use shown::Shown;
pub use terms::Profile;
