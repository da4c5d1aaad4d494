//! Why a management command was not executed.

use std::{io, ops::RangeInclusive};

use demilune_inventory::{Host, HostError, IdError, OperationId, TimestampError, ZoneId};
use demilune_policy::rule::{HostHeaderError, OriginUrlError, SettingError};
use demilune_store::{
    BackupError, OperationUpsertError, OriginSetError, PermissionGroupError, StoreFailure, TokenCreateError,
    UserCreateError, ZoneCreateError,
};
use demilune_traffic::SourceError;

/// Why a management command was not executed; `Display` is a sentence that says what to change.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    /// The text is no zone id.
    #[error("{0:?} cannot be a zone's id")]
    ZoneId(String, #[source] IdError),
    /// The text is no request method.
    #[error("{0:?} is no request method; write it as in GET")]
    RequestMethod(String),
    /// The text is no URL.
    #[error("{0:?} is no URL with a host; write it as https://api.example.com/users/7")]
    RequestUrl(String),
    /// A header field cannot be sent.
    #[error("the header field {0:?} cannot be sent; write it as 'Name: value', in one line")]
    RequestHeader(String),
    /// The process ends.
    #[error("the command was interrupted")]
    Interrupted,
    /// The text is no zone name.
    #[error("a zone's name has 1 to 253 characters, none of them a control character")]
    ZoneName,
    /// A zone's id is another zone's name, or the other way round, so that neither could be told apart later.
    #[error("another zone has {0:?} as its id or name")]
    ZoneAmbiguous(String),
    /// The store refused the zone.
    #[error("the zone was not added")]
    ZoneCreate(#[source] ZoneCreateError),
    /// Nothing has this id or name.
    #[error("there is no zone {0:?}")]
    ZoneNotFound(String),
    /// No zone was named, and there is none.
    #[error("there is no zone yet: add one with `demilune zone create NAME`")]
    ZoneNone,
    /// No zone was named, and there are several.
    #[error("there are {0} zones: name one with --zone")]
    ZoneUnclear(usize),
    /// A zone has gone while the command ran.
    #[error("there is no zone {0} any more")]
    ZoneGone(ZoneId),
    /// No permission group was named.
    #[error("a token needs a permission group")]
    GroupNone(#[source] PermissionGroupError),
    /// The text names no permission group.
    #[error("there is no permission group {0:?}")]
    GroupUnknown(String, #[source] PermissionGroupError),
    /// Zones were named beside groups that cover every zone.
    #[error("these groups cover every zone: leave --zone out, or use a group that starts with Domain")]
    GroupTakesNoZone,
    /// The text is no time.
    #[error("{0:?} cannot be the time a token expires")]
    Expires(String, #[source] TimestampError),
    /// The time has passed.
    #[error("a token cannot expire at {0}, which has passed")]
    ExpiresPast(String),
    /// The label is too long or not printable.
    #[error("a token's name has at most 200 characters, none of them a control character")]
    TokenName,
    /// The store refused the token.
    #[error("the token was not added")]
    TokenCreate(#[source] TokenCreateError),
    /// No token has this id.
    #[error("there is no token with the id {0:?}: `demilune token list` shows the ids")]
    TokenNotFound(String),
    /// The text is no e-mail address.
    #[error("{0:?} is no e-mail address that fits into a header: write one such as ops@example.com")]
    Email(String),
    /// The store refused the user.
    #[error("the user was not added")]
    UserCreate(#[source] UserCreateError),
    /// No user has this e-mail address.
    #[error("there is no user {0:?}")]
    UserNotFound(String),
    /// The store refused operations.
    #[error("the operations were not added")]
    OperationsAdd(#[source] OperationUpsertError),
    /// The text is no host.
    #[error("{0:?} cannot be the host of an origin")]
    OriginHost(String, #[source] HostError),
    /// The text is no URL of an origin.
    #[error("{0:?} cannot be the URL of an origin")]
    OriginUrl(String, #[source] OriginUrlError),
    /// The text is no value of a `Host` field.
    #[error("the host header cannot be used")]
    OriginHostHeader(#[source] HostHeaderError),
    /// The store refused the origin.
    #[error("the origin was not set")]
    OriginSet(#[source] OriginSetError),
    /// The zone has no origin for this host.
    #[error("the zone has no origin for {0}: `demilune origin list` shows the hosts")]
    OriginNotFound(Host),
    /// The word is no value of a setting.
    #[error("the setting {0} cannot be changed")]
    Setting(&'static str, #[source] SettingError),
    /// The number is out of the range of a setting.
    #[error("the setting {0} cannot be {1}; choose a number from {least} to {most}", least = .2.start(), most = .2.end())]
    Limit(&'static str, u32, RangeInclusive<u32>),
    /// Nothing is tried on the requests of the zone.
    #[error("nothing is tried on the requests of zone {0}; begin with `demilune schema trial FILE`")]
    TrialNone(ZoneId),
    /// Nothing that could be tried; the text says why.
    #[error("nothing is tried: {0}")]
    Trial(String),
    /// The document cannot be compared with requests; the text says why.
    #[error("nothing was compared: {0}")]
    Drift(String),
    /// No copy was made.
    #[error("no backup was made")]
    Backup(#[source] BackupError),
    /// The path would mean another file for the server than for the caller.
    #[error("the backup's path must be absolute")]
    BackupPath,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random(#[source] io::Error),
    /// The text is no time that thresholds can be computed for.
    #[error(
        "{0:?} is no time that thresholds can be computed for: write one as 2026-11-23T10:00:00Z, of the last 168 hours"
    )]
    RecomputeTime(String),
    /// Another process computes.
    #[error("another process is computing: try again in a minute")]
    RecomputeBusy,
    /// The text is no host.
    #[error("{0:?} cannot be the host of operations")]
    ExportHost(String, #[source] HostError),
    /// No operation has this host.
    #[error("the zone has no operation of the host {0}")]
    ExportNothing(Host),
    /// The document would be longer than it may be.
    #[error("{0}")]
    Export(String),
    /// The text is no id of an operation.
    #[error("{0:?} cannot be the id of an operation")]
    OperationId(String, #[source] IdError),
    /// The zone has no operation with this id.
    #[error("the zone has no operation with the id {0}")]
    OperationNotFound(OperationId),
    /// Nothing that was learned can be put in force.
    #[error("no schema was put in force: {0}")]
    NotLearned(String),
    /// The text names no source of counts.
    #[error("{0:?} cannot be who counted")]
    TrafficSource(String, #[source] SourceError),
    /// A row of counts is not what was encoded.
    #[error("a row of counts cannot be read: {0}")]
    TrafficRow(&'static str),
    /// The store could not answer.
    #[error("the command was not executed")]
    Store(#[from] StoreFailure),
}

impl ManageError {
    /// The sentence and its causes on one line.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut line = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }
}
