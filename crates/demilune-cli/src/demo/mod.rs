//! The demo: a sample API behind a gateway, its operations, and traffic that fills what Demilune says about them.

mod client;
mod day;
mod sample_api;
mod schema;
mod story;
mod traffic;
mod unsaved;

pub(crate) use sample_api::SampleApi;
pub(crate) use story::Story;
