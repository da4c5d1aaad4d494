//! Management commands: what they are, their execution, and the socket in the data folder that takes them.

mod bootstrap;
mod client;
mod command;
mod discovery;
mod drift;
mod error;
mod explain;
mod group;
mod manager;
mod operations;
mod origins;
mod reply;
mod schemas;
mod server;
mod settings;
mod socket;
#[cfg(test)]
mod testing;
mod thresholds;
mod tokens;
mod traffic;
mod trial;
mod users;
mod zones;

pub use crate::drift::{DriftCounts, DriftFinding, DriftKind, DriftReport, NotComparedLine};
pub use crate::trial::{FoundMisfit, KeywordLine, ProblemLine, TrialReport, TriedOperation};
pub use bootstrap::{BootstrapError, FirstCredential};
pub use client::{CallError, Client, ConnectError};
pub use command::{
    CandidateText, Command, LearningRowText, OperationText, RequestText, SettingsText, SightingsRowText, TrafficRowText,
};
pub use error::ManageError;
pub use explain::{CandidateView, DestinationView, ExplanationView, OperationView, RefusalView, SessionView};
pub use manager::Manager;
pub use reply::{
    AppliedSchemaView, DiscoveredView, GrantView, LearningOperationView, LearningView, OriginView, Outcome,
    RecomputedView, Reply, RowsStoredView, SchemaLearningView, SchemaView, ServerStatus, SessionIdentifierView,
    SettingsView, ShownSecret, StatusView, TokenCreated, TokenView, TrafficRulesView, TrafficStoredView, TrialView,
    UserCreated, UserView, ZoneView,
};
pub use server::listen;
pub use socket::{SOCKET_NAME, SocketError, bind};
