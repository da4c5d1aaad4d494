//! What evidence allows to say: which parameters and members there are, and what their values look like.

mod bounds;
mod enumeration;
mod explain;
mod learned;
mod number;
mod object;
mod parameter;
mod terms;
mod text;
mod value;

pub use learned::Learned;
pub use terms::Profile;
