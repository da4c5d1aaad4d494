//! Zones, their operations and rules, records of traffic, and credentials on SQLite or PostgreSQL: the only crate that speaks SQL.
//!
//! An acknowledged write is on the disk. Both backends run the same statements through `connection`, so that each
//! is written once; what differs lives in `sqlite` and `postgres`.

mod beside;
mod changes;
mod connection;
mod database;
mod discovered;
mod error;
mod job;
mod learned_schema;
mod migrations;
mod operation;
mod origin;
mod postgres;
mod route;
mod row;
mod rules;
mod schema_validation;
mod settings;
mod sqlite;
mod stats;
mod store;
mod thresholds;
mod token;
mod traffic;
mod trial;
mod user;
mod user_schema;
mod writer;
mod zone;

pub use changes::Changes;
pub use database::{Database, DatabaseError, StoreOptions};
pub use discovered::{DiscoveredId, DiscoveredIdError, DiscoveredOperation, Discovery, FoundOperation};
pub use error::{
    ActionsChangeError, BackupError, OpenError, OperationUpsertError, OriginSetError, StoreFailure, TokenCreateError,
    UserCreateError, UserSchemaAddError, ZoneCreateError,
};
pub use learned_schema::StoredSchema;
pub use migrations::PendingMigration;
pub use operation::{Features, OperationOrder, OperationPage, OperationQuery, StoredOperation, Upserted};
pub use origin::{ORIGINS_PER_ZONE_MAX, OriginRecord};
pub use route::Route;
pub use rules::GatewayRules;
pub use schema_validation::{
    ActionChange, ActiveSchema, MitigationAction, MitigationActionError, OperationAction, OperationActionPage,
    SchemaInfo, ValidationSettings, ZoneValidation,
};
pub use stats::{BATCH_SIZE_BOUNDS, HistogramSnapshot, LATENCY_BOUNDS_S, StoreStats, TrafficStats};
pub use store::Store;
pub use thresholds::{StoredThresholds, ThresholdKey};
pub use token::{Grant, PermissionGroup, PermissionGroupError, SecretHash, Token};
pub use traffic::{
    EventFilter, EventPage, EventViolation, ImportBegun, LearningRow, LearningWritten, SightingsRow, StoredEvidence,
    SummariesMaintained, TrafficKey, TrafficLimits, TrafficMaintained, TrafficPoint, TrafficRow, TrafficScope,
    TrafficSeries, TrafficWritten, ValidationEvent,
};
pub use trial::{NewTrial, Trial, TrialRow};
pub use user::User;
pub use user_schema::{
    NewUserSchema, SchemaHosts, SchemaHostsPage, SchemaId, SchemaIdError, SchemaOperation, SchemaOperationPage,
    SchemaOperationQuery, USER_SCHEMA_BYTES_MAX, UserSchema, UserSchemaPage, UserSchemaQuery,
};
pub use zone::Zone;
