//! The API as callers see it, one file per resource, through the real router.

mod analytics;
mod configuration;
mod credentials;
mod discovery;
mod drift;
mod events;
mod fallthrough;
mod learned_schema;
mod operations;
mod origins;
mod routes;
mod schema_validation;
mod schemas;
mod service;
mod settings;
mod thresholds;
mod user_schemas;
mod zones;
