//! What a manager answers, as types and as JSON.

use std::{fmt, path::PathBuf};

use demilune_inventory::Timestamp;
use demilune_policy::rule::{HostHeader, ZoneSettings};
use demilune_store::{OriginRecord, Token, User, Zone};
use serde::{Deserialize, Serialize};

use super::{DriftReport, ExplanationView, OperationView, TrialReport};

/// The answer to a [`Command`](super::Command) that worked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Who answers.
    Status(StatusView),
    /// A zone was added or found.
    Zone(ZoneView),
    /// Every zone.
    Zones(Vec<ZoneView>),
    /// A zone was removed.
    ZoneDeleted(ZoneView),
    /// A token was added.
    TokenCreated(TokenCreated),
    /// Every token.
    Tokens(Vec<TokenView>),
    /// A token was removed.
    TokenDeleted(TokenView),
    /// A user was added.
    UserCreated(UserCreated),
    /// Every user.
    Users(Vec<UserView>),
    /// A user was removed.
    UserDeleted(UserView),
    /// What became of each operation, in the order of the command.
    Operations(Vec<Outcome>),
    /// An origin was set.
    Origin(OriginView),
    /// Every origin of a zone.
    Origins(Vec<OriginView>),
    /// An origin was removed.
    OriginDeleted(OriginView),
    /// A zone's settings as they are now.
    Settings(SettingsView),
    /// What the gateway would do with each request, in the order of the command.
    Explained(Vec<ExplanationView>),
    /// A zone's thresholds, schemas and discovered operations were computed anew.
    Recomputed(RecomputedView),
    /// What was found among requests that no operation matches.
    Discovered(Vec<DiscoveredView>),
    /// Where a document and requests disagree.
    Drift(Box<DriftReport>),
    /// A host's operations as a document.
    SchemaExported(SchemaView),
    /// What was learned about an operation is in force.
    SchemaApplied(AppliedSchemaView),
    /// The trial of a zone.
    Trial(TrialView),
    /// The trial of a zone was ended.
    TrialEnded {},
    /// How far the learning of thresholds and schemas has come, by zone.
    Learning(Vec<LearningView>),
    /// What requests that were served elsewhere are matched with.
    TrafficRules(TrafficRulesView),
    /// A part of a file's counts was stored.
    TrafficStored(TrafficStoredView),
    /// What became of evidence.
    LearningStored(RowsStoredView),
    /// What became of sightings.
    SightingsStored(RowsStoredView),
    /// The copy was written.
    BackedUp(PathBuf),
}

/// A process that executes commands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusView {
    /// The version of the program.
    pub version: String,
    /// Its process id.
    pub process_id: u32,
    /// Whether its store answers.
    pub store_answers: bool,
    /// What it serves; absent when no server runs and a command works on the store itself.
    pub server: Option<ServerStatus>,
}

/// A running server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerStatus {
    /// The address it listens on, with the actual port.
    pub address: String,
    /// Where people reach it, without a trailing slash.
    pub public_url: String,
    /// Which database it works on, without credentials.
    pub database: String,
}

/// A zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was added.
    pub created_at: String,
}

impl From<&Zone> for ZoneView {
    fn from(zone: &Zone) -> Self {
        Self { id: zone.id.to_string(), name: zone.name.clone(), created_at: zone.created_at.to_string() }
    }
}

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenView {
    /// Its id.
    pub id: String,
    /// Its label.
    pub name: String,
    /// What it may do.
    pub grants: Vec<GrantView>,
    /// When it was added.
    pub created_at: String,
    /// From when on it is refused.
    pub expires_at: Option<String>,
}

/// One permission of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantView {
    /// The permission group's name.
    pub group: String,
    /// The zone's id; absent for a group that covers every zone.
    pub zone: Option<String>,
}

impl From<&Token> for TokenView {
    fn from(token: &Token) -> Self {
        let grants = token.grants.iter().map(|grant| GrantView {
            group: grant.group.to_string(),
            zone: grant.zone.as_ref().map(ToString::to_string),
        });
        Self {
            id: token.id.clone(),
            name: token.name.clone(),
            grants: grants.collect(),
            created_at: token.created_at.to_string(),
            expires_at: token.expires_at.as_ref().map(Timestamp::to_string),
        }
    }
}

/// A token with the secret that is shown only now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCreated {
    /// The secret, for `Authorization: Bearer`.
    pub token: ShownSecret,
    /// The rest.
    #[serde(flatten)]
    pub view: TokenView,
}

/// A user, without their key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserView {
    /// Their id.
    pub id: String,
    /// Their e-mail address.
    pub email: String,
    /// When they were added.
    pub created_at: String,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self { id: user.id.clone(), email: user.email.clone(), created_at: user.created_at.to_string() }
    }
}

/// A user with the global key that is shown only now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCreated {
    /// The key, for `X-Auth-Key`.
    pub key: ShownSecret,
    /// The rest.
    #[serde(flatten)]
    pub view: UserView,
}

/// An origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginView {
    /// The host or host pattern.
    pub host: String,
    /// The server that its requests go to.
    pub url: String,
    /// The `Host` that the server gets; absent for what the client sent.
    pub host_header: Option<String>,
    /// When it was last set.
    pub last_updated: String,
}

impl From<&OriginRecord> for OriginView {
    fn from(record: &OriginRecord) -> Self {
        let host_header = match &record.origin.host_header {
            HostHeader::Client => None,
            HostHeader::Fixed(text) => Some(text.to_string()),
        };
        Self {
            host: record.origin.host.to_string(),
            url: record.origin.url.to_string(),
            host_header,
            last_updated: record.last_updated.to_string(),
        }
    }
}

/// The trial of a zone, and what came of it so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialView {
    /// The zone's id.
    pub zone: String,
    /// Names the trial.
    pub trial_id: String,
    /// What its owner calls it.
    pub name: String,
    /// When it began.
    pub started_at: String,
    /// Operations of the document that the zone does not have, so that their requests are not looked at.
    pub not_saved: u64,
    /// What came of it.
    pub report: TrialReport,
}

/// A zone's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsView {
    /// What happens to requests that no operation fits: `pass`, `log` or `block`.
    pub unmatched: String,
    /// Which form of the path the origin gets: `normalized` or `raw`.
    pub forward_path: String,
    /// Whether HEAD is taken for GET where no HEAD operation fits.
    pub head_as_get: bool,
    /// Most bytes of a body that are held to be checked; none for what the gateway itself says.
    pub validated_bytes_max: Option<u32>,
    /// Most uploaded schemas.
    pub schemas_max: u32,
    /// Most bytes of them together.
    pub schemas_bytes_max: u32,
}

impl From<ZoneSettings> for SettingsView {
    fn from(settings: ZoneSettings) -> Self {
        Self {
            unmatched: settings.unmatched.to_string(),
            forward_path: settings.forward_path.to_string(),
            head_as_get: settings.head_as_get,
            validated_bytes_max: settings.limits.validated_bytes_max,
            schemas_max: settings.limits.schemas_max,
            schemas_bytes_max: settings.limits.schemas_bytes_max,
        }
    }
}

/// What requests that were served elsewhere are matched to a zone with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficRulesView {
    /// The zone.
    pub zone: ZoneView,
    /// Its operations.
    pub operations: Vec<OperationView>,
    /// The hosts and host patterns of its origins, whose requests are the zone's whether or not an operation fits.
    pub origin_hosts: Vec<String>,
    /// What tells clients apart, in the order in which it is looked for.
    pub session_identifiers: Vec<SessionIdentifierView>,
    /// Whether HEAD is taken for GET where no HEAD operation fits.
    pub head_as_get: bool,
    /// What the server's key makes of [`Self::KEY_CHECK`]; absent when no server runs, or one without a gateway.
    pub key_check: Option<String>,
}

impl TrafficRulesView {
    /// The text whose hash says whether two processes hash sessions with one key.
    pub const KEY_CHECK: &str = "key check";
}

/// What tells clients apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionIdentifierView {
    /// `header` or `cookie`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// What became of a part of a file's counts, in rows: one for each operation and bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficStoredView {
    /// Rows that are new, or hold more than what was there.
    pub stored: u64,
    /// Rows that were there already.
    pub already_there: u64,
    /// Rows whose time is over a week ago.
    pub refused_late: u64,
    /// The same content had been stored as another source, and what that had counted is gone.
    pub replaced: bool,
}

impl TrafficStoredView {
    /// Adds what became of another part.
    pub fn add(&mut self, other: Self) {
        self.stored += other.stored;
        self.already_there += other.already_there;
        self.refused_late += other.refused_late;
        self.replaced |= other.replaced;
    }
}

/// What became of rows of evidence of what requests look like, one for each operation and hour, or of sightings, one for
/// each day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsStoredView {
    /// Rows that are stored.
    pub stored: u64,
    /// Rows whose time is too long ago.
    pub refused_late: u64,
}

impl RowsStoredView {
    /// Adds what became of another part.
    pub fn add(&mut self, other: Self) {
        self.stored += other.stored;
        self.refused_late += other.refused_late;
    }
}

/// A zone's thresholds, schemas and discovered operations, computed anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecomputedView {
    /// The zone's id.
    pub zone: String,
    /// The end of the hours that they were computed from.
    pub window_end: String,
    /// How many operations were looked at for thresholds: those with sessions.
    pub operations: u64,
    /// How many of them have thresholds now.
    pub with_thresholds: u64,
    /// How many of the operations with evidence of what requests look like have a learned schema now.
    pub with_schemas: u64,
    /// How many operations that nobody saved wait for review.
    pub in_review: u64,
}

/// An operation that was found among requests that no saved one matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscoveredView {
    /// Names it.
    pub id: String,
    /// Its method.
    pub method: String,
    /// Its host.
    pub host: String,
    /// Its endpoint.
    pub endpoint: String,
    /// `review`, `ignored` or `saved`.
    pub state: String,
    /// What speaks for it.
    pub origin: Vec<String>,
    /// Requests with success in the period.
    pub requests: u64,
    /// The length of the period in seconds.
    pub period_seconds: u64,
}

/// A host's operations as a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaView {
    /// The zone's id.
    pub zone: String,
    /// The host or host pattern in canonical form.
    pub host: String,
    /// OpenAPI 3.0.0.
    pub document: serde_json::Value,
}

/// A learned schema that was put in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedSchemaView {
    /// The zone's id.
    pub zone: String,
    /// The operation's id.
    pub operation: String,
    /// The schema's id.
    pub schema_id: String,
    /// What it is called.
    pub name: String,
    /// When it was added.
    pub created_at: String,
    /// Until when it logs what it would block; absent where it blocks from the start.
    pub log_until: Option<String>,
}

/// How far the learning of a zone's thresholds and schemas has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearningView {
    /// The zone.
    pub zone: ZoneView,
    /// How many operations it has.
    pub operations: u64,
    /// How many of them have thresholds.
    pub with_thresholds: u64,
    /// Those that have none, but had requests in the last 24 hours: most sessions first.
    pub learning: Vec<LearningOperationView>,
    /// How many more of those there are.
    pub more: u64,
    /// How many operations have a learned schema.
    pub with_schemas: u64,
    /// Those that have none, but had requests in the last three days: most requests first.
    pub learning_schemas: Vec<SchemaLearningView>,
    /// How many more of those there are.
    pub more_schemas: u64,
}

/// How far the learning of an operation's schema has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaLearningView {
    /// The operation.
    #[serde(flatten)]
    pub operation: OperationView,
    /// Requests in the last three days that were answered with 2xx.
    pub requests: u64,
    /// Requests that are needed.
    pub requests_needed: u64,
    /// The same in a sentence.
    pub summary: String,
}

/// How far the learning of an operation's thresholds has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearningOperationView {
    /// The operation.
    #[serde(flatten)]
    pub operation: OperationView,
    /// Sessions in the last 24 hours.
    pub sessions: u64,
    /// Sessions that are needed.
    pub sessions_needed: u64,
    /// The same in a sentence.
    pub summary: String,
}

/// A secret on its one way to the person who asked for it. `Debug` masks it, JSON does not.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShownSecret(pub String);

impl fmt::Debug for ShownSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShownSecret(…)")
    }
}

/// What became of one operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is new.
    Added,
    /// It was there before, or stands twice in the command.
    Present,
    /// It was not stored.
    Refused(String),
}
