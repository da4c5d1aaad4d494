//! What can be asked of a manager, as types and as one line of JSON.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Settings to change; those that are absent stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SettingsText {
    /// What happens to requests that no operation fits: `pass`, `log` or `block`.
    pub unmatched: Option<String>,
    /// Which form of the path the origin gets: `normalized` or `raw`.
    pub forward_path: Option<String>,
    /// Whether HEAD is taken for GET where no HEAD operation fits.
    pub head_as_get: Option<bool>,
    /// Most bytes of a body that are held to be checked; 0 for what the gateway itself says.
    pub validated_bytes_max: Option<u32>,
    /// Most uploaded schemas.
    pub schemas_max: Option<u32>,
    /// Most bytes of them together.
    pub schemas_bytes_max: Option<u32>,
}

/// What to try on requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CandidateText {
    /// A document.
    Document {
        /// What to call it.
        name: String,
        /// `OpenAPI`, JSON or YAML.
        source: String,
    },
    /// What was learned about the operation with this id.
    Learned(String),
}

/// One management command. Texts are as people wrote them; the manager reads and checks them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Whether the store answers, and which server this is.
    Status {},
    /// Adds a zone.
    ZoneCreate {
        /// Its name, unique.
        name: String,
        /// Its id; a random one when absent.
        id: Option<String>,
    },
    /// Every zone, by name.
    ZoneList {},
    /// One zone.
    ZoneFind {
        /// Its id or name; may be absent when there is exactly one zone.
        zone: Option<String>,
    },
    /// Removes a zone with its operations and the grants on it.
    ZoneDelete {
        /// Its id or name.
        zone: String,
    },
    /// Adds a token.
    TokenCreate {
        /// A label for people; made from the groups when absent.
        name: Option<String>,
        /// Ids or names of the zones that `Domain …` groups cover; may be empty when there is exactly one zone.
        zones: Vec<String>,
        /// Names of permission groups, in any letter case.
        groups: Vec<String>,
        /// From this instant on it is refused: RFC 3339.
        expires: Option<String>,
    },
    /// Every token, by name.
    TokenList {},
    /// Removes a token.
    TokenDelete {
        /// Its id.
        id: String,
    },
    /// Adds a user.
    UserCreate {
        /// Their e-mail address.
        email: String,
    },
    /// Every user, by e-mail address.
    UserList {},
    /// Removes a user.
    UserDelete {
        /// Their e-mail address.
        email: String,
    },
    /// Adds operations to a zone, each for itself.
    OperationsAdd {
        /// The zone's id or name; may be absent when there is exactly one zone.
        zone: Option<String>,
        /// The operations.
        operations: Vec<OperationText>,
    },
    /// Adds an origin to a zone, or replaces the one of its host.
    OriginSet {
        /// The zone's id or name; may be absent when there is exactly one zone.
        zone: Option<String>,
        /// The host or host pattern.
        host: String,
        /// The server that its requests go to.
        url: String,
        /// The `Host` that the server gets; what the client sent when absent.
        host_header: Option<String>,
    },
    /// Every origin of a zone, by host.
    OriginList {
        /// The zone's id or name; may be absent when there is exactly one zone.
        zone: Option<String>,
    },
    /// Removes an origin.
    OriginDelete {
        /// The zone's id or name; may be absent when there is exactly one zone.
        zone: Option<String>,
        /// The host or host pattern.
        host: String,
    },
    /// A zone's settings.
    SettingsShow {
        /// The zone's id or name; may be absent when there is exactly one zone.
        zone: Option<String>,
    },
    /// Changes a zone's settings; those that are absent stay as they are.
    SettingsSet {
        /// The zone's id or name; may be absent when there is exactly one zone.
        zone: Option<String>,
        /// The settings to change; the others stay as they are.
        change: SettingsText,
    },
    /// Tries a document, or what was learned about an operation, on the requests of a zone.
    TrialBegin {
        /// The zone's id or name; may be absent when there is exactly one zone.
        zone: Option<String>,
        /// What to try.
        candidate: CandidateText,
    },
    /// What came of the trial of a zone so far.
    TrialShow {
        /// The zone's id or name; may be absent when there is exactly one zone.
        zone: Option<String>,
    },
    /// Ends the trial of a zone.
    TrialEnd {
        /// The zone's id or name; may be absent when there is exactly one zone.
        zone: Option<String>,
    },
    /// Says what the gateway would do with requests, and why; all by the same state of the rules.
    Explain {
        /// The zone's id or name; when absent, the zone that owns the host.
        zone: Option<String>,
        /// The requests.
        requests: Vec<RequestText>,
    },
    /// What requests that were served elsewhere are matched to a zone with.
    TrafficRules {
        /// The zone's id or name; may be absent when there is exactly one zone.
        zone: Option<String>,
    },
    /// Stores what was counted in a file of requests that were served elsewhere; one command for each part of it.
    TrafficStore {
        /// The zone's id or name.
        zone: String,
        /// Who counted: the file's content and everything that the counts depend on, as one name.
        source: String,
        /// The file's content: what another source of the same content stored is taken out before.
        content: String,
        /// The field of the log that told sessions apart; the zone's session identifiers when absent.
        session_by: Option<String>,
        /// The first part.
        first: bool,
        /// What was counted.
        rows: Vec<TrafficRowText>,
    },
    /// Stores what was learned from such a file, after its counts.
    LearningStore {
        /// The zone's id or name.
        zone: String,
        /// Who counted, as for `TrafficStore`.
        source: String,
        /// What was learned.
        rows: Vec<LearningRowText>,
    },
    /// Stores what such a file holds for discovery of one day, after its counts.
    SightingsStore {
        /// The zone's id or name.
        zone: String,
        /// Who counted, as for `TrafficStore`.
        source: String,
        /// What was seen.
        row: SightingsRowText,
    },
    /// Computes a zone's thresholds, learns its schemas and looks for its operations anew.
    Recompute {
        /// The zone's id or name; may be absent when there is exactly one zone.
        zone: Option<String>,
        /// The end of the hours that they are computed from, RFC 3339; the end of the last hour when absent.
        at: Option<String>,
        /// Whether thresholds and schemas of later hours stay as they are.
        keep_newer: bool,
    },
    /// Looks for operations among the requests of a zone that none matches, and lists what was found.
    Discover {
        /// The zone's id or name; may be absent when there is exactly one zone.
        zone: Option<String>,
    },
    /// Says where a document and the requests of a zone disagree.
    Drift {
        /// The zone's id or name; may be absent when there is exactly one zone.
        zone: Option<String>,
        /// The document, JSON or YAML.
        source: String,
    },
    /// Makes an OpenAPI document of a host's operations, with what was learned about them.
    SchemaExport {
        /// The zone's id or name; may be absent when there is exactly one zone.
        zone: Option<String>,
        /// The host or host pattern.
        host: String,
    },
    /// Puts what was learned about an operation in force.
    SchemaApplyLearned {
        /// The zone's id or name; may be absent when there is exactly one zone.
        zone: Option<String>,
        /// The operation's id.
        operation: String,
        /// Whether it blocks from the start, where it would log for its first 24 hours.
        now: bool,
    },
    /// How far the learning of thresholds and schemas has come.
    Learning {
        /// The zone's id or name; every zone when absent.
        zone: Option<String>,
    },
    /// Writes a consistent copy of the database to a new file.
    Backup {
        /// The file, as the server's machine names it: an absolute path.
        to: PathBuf,
    },
}

/// A request as people write it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestText {
    /// The request method.
    pub method: String,
    /// The URL, with the host that the client names.
    pub url: String,
    /// The header fields.
    pub headers: Vec<(String, String)>,
}

/// An operation as people write it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationText {
    /// The request method.
    pub method: String,
    /// The host or host pattern.
    pub host: String,
    /// The path template.
    pub endpoint: String,
}

/// What an operation's requests of an hour look like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearningRowText {
    /// The operation's id.
    pub operation: String,
    /// The start of the hour, in seconds since the epoch.
    pub hour: u64,
    /// How much was seen.
    pub sequence: u64,
    /// The encoded evidence, in Base64.
    pub evidence: String,
}

/// What was seen in a day of the requests that no operation matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SightingsRowText {
    /// The first second of the day in UTC, since the epoch.
    pub day: u64,
    /// How many requests were seen.
    pub sequence: u64,
    /// The encoded sightings, in Base64.
    pub sightings: String,
}

/// What was counted of one operation in one bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrafficRowText {
    /// The operation's id; absent for requests that no operation fits, and for CORS preflights.
    pub operation: Option<String>,
    /// The start of the five minutes, in seconds since the epoch.
    pub bucket: u64,
    /// How many requests were counted.
    pub sequence: u64,
    /// The encoded record, in Base64.
    pub record: String,
    /// The encoded sample of sessions, in Base64.
    pub sessions: String,
}
