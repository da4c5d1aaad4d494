//! How the store fails, in its own kinds; what the drivers say stays in `source()`.

use std::error::Error;

use demilune_inventory::{Host, OperationId, ZoneId};

use crate::origin::ORIGINS_PER_ZONE_MAX;

/// What a driver said. It goes to the log, never to a client.
pub(crate) type Cause = Box<dyn Error + Send + Sync>;

/// The store could not answer, whatever was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreFailure {
    /// The database is away, restarting or full; the same call may succeed later.
    #[error("the store is not available")]
    Unavailable(#[source] Cause),
    /// The bounded queue of writes is full; the same call may succeed later.
    #[error("the store has more calls waiting than it accepts")]
    Overloaded,
    /// A statement failed in a way that a working store does not.
    #[error("the store failed")]
    Internal(#[source] Cause),
    /// A stored value is not what was written.
    #[error("the value of {table}.{column} in row {row} cannot be read")]
    Damaged {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What names the row.
        row: String,
    },
}

impl StoreFailure {
    /// The store was closed, or its thread is gone.
    pub(crate) fn closed() -> Self {
        Self::Unavailable("the store is closed".into())
    }

    /// The word for this kind in metrics.
    pub(crate) fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// A driver's failure in our kinds, beside what some callers act on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    /// A row with the same unique value is there already.
    #[error("a unique value is taken")]
    Unique(#[source] Cause),
    /// Two transactions were in each other's way; trying again is right.
    #[error("two transactions were in each other's way")]
    Conflict(#[source] Cause),
    /// The store could not answer.
    #[error(transparent)]
    Failed(#[from] StoreFailure),
}

impl From<QueryError> for StoreFailure {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Failed(failure) => failure,
            QueryError::Conflict(cause) => Self::Unavailable(cause),
            QueryError::Unique(cause) => Self::Internal(cause),
        }
    }
}

/// Failures of a transaction's frame reach the callers of a few methods in the types of those methods.
macro_rules! from_query_error {
    ($($error:ty),*) => {
        $(impl From<QueryError> for $error {
            fn from(error: QueryError) -> Self {
                StoreFailure::from(error).into()
            }
        })*
    };
}
from_query_error!(ZoneCreateError, TokenCreateError, UserCreateError, OriginSetError);

/// Why a store could not be opened. `Display` is a sentence for the operator, without secrets.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be created, read or written.
    #[error("cannot open the database file {path}; check that its folder exists and may be written")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        cause: Cause,
    },
    /// The file is there, but SQLite cannot read it.
    #[error("{path} is not a database, or it is damaged; restore it from a backup, or move it away to start afresh")]
    NotADatabase {
        /// The file.
        path: String,
        /// What SQLite said.
        #[source]
        cause: Cause,
    },
    /// PostgreSQL does not answer, or refuses the user.
    #[error("cannot connect to {database}")]
    Connect {
        /// Host, port and name.
        database: String,
        /// What the driver said.
        #[source]
        cause: Cause,
    },
    /// A newer release has changed the schema in a way that this one does not understand.
    #[error(
        "the database has schema {found}, which serves releases from schema {oldest} on; this release knows {known}: upgrade it"
    )]
    TooNew {
        /// The schema's version.
        found: u32,
        /// The oldest release it serves.
        oldest: u32,
        /// The newest version that this release knows.
        known: u32,
    },
    /// Migrations are pending and were not asked for.
    #[error(
        "the database has schema {found} and this release needs {known}; run `demilune migrate`, or start without --no-migrate"
    )]
    MigrationNeeded {
        /// The schema's version.
        found: u32,
        /// The version that this release needs.
        known: u32,
    },
    /// A migration failed; nothing of it was kept.
    #[error("the migration to schema {version} failed and was taken back")]
    Migration {
        /// The version it leads to.
        version: u32,
        /// What the driver said.
        #[source]
        cause: Cause,
    },
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

/// Why operations were not added.
#[derive(Debug, thiserror::Error)]
pub enum OperationUpsertError {
    /// There is no such zone.
    #[error("there is no zone {0}")]
    ZoneNotFound(ZoneId),
    /// The zone would hold more than it may.
    #[error("the zone may hold {max} operations")]
    LimitReached {
        /// The cap in force.
        max: u32,
    },
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

/// Why a zone was not added.
#[derive(Debug, thiserror::Error)]
pub enum ZoneCreateError {
    /// Its id is in use.
    #[error("there is already a zone with this id")]
    IdTaken,
    /// Its name is in use.
    #[error("there is already a zone with this name")]
    NameTaken,
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

/// Why a token was not added.
#[derive(Debug, thiserror::Error)]
pub enum TokenCreateError {
    /// Another token has this id or secret.
    #[error("there is already such a token")]
    Taken,
    /// A grant names a zone that does not exist.
    #[error("there is no zone {0}")]
    ZoneNotFound(ZoneId),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

/// Why a user was not added.
#[derive(Debug, thiserror::Error)]
pub enum UserCreateError {
    /// The e-mail address is in use.
    #[error("there is already a user with this e-mail address")]
    EmailTaken,
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

/// Why an origin was not set.
#[derive(Debug, thiserror::Error)]
pub enum OriginSetError {
    /// There is no such zone.
    #[error("there is no such zone")]
    ZoneUnknown,
    /// Another zone owns a pattern that some host fits as well, so that its requests would belong to two zones.
    #[error("the zone {zone} already receives the requests for {host}; a host belongs to one zone")]
    Overlap {
        /// The other zone.
        zone: ZoneId,
        /// Its pattern.
        host: Host,
    },
    /// The zone has [`ORIGINS_PER_ZONE_MAX`] origins, and this would be one more.
    #[error("the zone may have {ORIGINS_PER_ZONE_MAX} origins")]
    TooMany,
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

/// Why a schema was not added.
#[derive(Debug, thiserror::Error)]
pub enum UserSchemaAddError {
    /// There is no such zone.
    #[error("there is no such zone")]
    ZoneUnknown,
    /// There is no operation that it could have been learned from.
    #[error("there is no such operation")]
    OperationUnknown,
    /// The zone has as many uploaded schemas as it may, and this would be one more.
    #[error("the zone may have {0} schemas")]
    TooMany(u32),
    /// The uploaded schemas of the zone would have more bytes together than they may.
    #[error("the schemas of the zone may have {0} bytes together")]
    TooLarge(u32),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

/// Why actions of operations were not changed; none was.
#[derive(Debug, thiserror::Error)]
pub enum ActionsChangeError {
    /// The zone has no operations with these ids.
    #[error("there are no such operations")]
    OperationsUnknown(Vec<OperationId>),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

/// Why no backup was made.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Backups of PostgreSQL are made with its own tools.
    #[error("this store is on PostgreSQL: back it up with pg_dump")]
    Postgres,
    /// The target exists or cannot be written.
    #[error("cannot write the backup to {path}; name a file that does not exist, in a folder that does")]
    Target {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}
