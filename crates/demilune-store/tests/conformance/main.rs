//! One suite for both backends: each case is written once, and [`fixture::conformance`] makes a test of it on SQLite
//! and one on a real PostgreSQL. Every case ends with a check of what must hold between the tables.
//!
//! A case that is written but not listed is dead code, which the compiler reports.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod changes;
mod concurrency;
mod credentials;
mod discovery;
mod durability;
mod events;
mod fixture;
mod imports;
mod jobs;
mod learned_schemas;
mod learning;
mod lists;
mod migrations;
mod operations;
mod origins;
mod postgres;
mod routes;
mod rules;
mod schema_validation;
mod sessions;
mod sessions_upkeep;
mod sqlite;
mod thresholds;
mod traffic;
mod traffic_file;
mod traffic_upkeep;
mod trials;
mod user_schemas;
mod zones;
