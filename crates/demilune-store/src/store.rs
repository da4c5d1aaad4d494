//! The store: one method per question, on either backend.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use demilune_inventory::{OperationId, OperationKey, Timestamp, ZoneId};
use tokio::sync::oneshot;

use crate::{
    changes::{Announcer, Changes},
    connection::Connection,
    database::{Database, StoreOptions},
    error::{
        BackupError, OpenError, OperationUpsertError, QueryError, StoreFailure, TokenCreateError, UserCreateError,
        ZoneCreateError,
    },
    migrations::{self, PendingMigration},
    operation::{self, OperationPage, OperationQuery, StoredOperation, UpsertRequest, Upserted},
    postgres::{self, Postgres},
    sqlite::{Sqlite, SqliteConnection, ready},
    stats::{Counters, StoreStats},
    token::{self, SecretHash, Token},
    user::{self, User},
    writer::{Batches, TRIES_MAX, WriteRequest, transaction},
    zone::{self, Zone},
};

/// The store. Cheap to clone; all clones share one writer.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    backend: Backend,
    counters: Arc<Counters>,
    announcer: Arc<Announcer>,
}

enum Backend {
    /// Two files: what must be on the disk, and what may be lost for a few seconds.
    Sqlite {
        inventory: Sqlite,
        traffic: TrafficFile,
    },
    Postgres(Postgres),
}

/// Runs a question on a connection that reads; one of several statements that belong together is a `transaction`.
macro_rules! read {
    ($store:ident, |$connection:ident| $question:expr) => {
        read!($store, connection, |$connection| $question)
    };
    ($store:ident, $lent:ident, |$connection:ident| $question:expr) => {{
        let outcome = match &$store.inner.backend {
            Backend::Sqlite { inventory: sqlite, .. } => {
                let work = move |held: &mut SqliteConnection| {
                    let $connection = &mut Connection::Sqlite(held);
                    ready($question)
                };
                sqlite.read(work).await.and_then(|outcome| outcome)
            }
            Backend::Postgres(postgres) => match postgres.acquire().await {
                Ok(mut held) => {
                    let $connection = &mut held.$lent();
                    let outcome = $question.await;
                    held.ended();
                    outcome
                }
                Err(failure) => Err(failure),
            },
        };
        outcome.map_err(|failure| $store.counted(failure))
    }};
}

/// Runs something rare in a transaction of its own.
macro_rules! write_alone {
    ($store:ident, |$connection:ident| $work:expr) => {
        match &$store.inner.backend {
            Backend::Sqlite { inventory: sqlite, .. } => {
                let work = move |held: &mut SqliteConnection| {
                    let $connection = &mut Connection::Sqlite(held);
                    ready(async { transaction!($connection, $work.await) })
                };
                match sqlite.write_alone(work).await {
                    Ok(outcome) => outcome,
                    Err(failure) => Err($store.counted(failure).into()),
                }
            }
            Backend::Postgres(postgres) => match postgres.acquire().await {
                Ok(mut held) => {
                    let $connection = &mut held.transaction();
                    let outcome = transaction!($connection, $work.await);
                    held.ended();
                    outcome
                }
                Err(failure) => Err($store.counted(failure).into()),
            },
        }
    };
}

/// Changes what a zone's ruleset is made from: like `write_tried`, and announced.
macro_rules! change {
    ($store:ident, ($($name:ident),*), |$connection:ident| $work:expr) => {
        write_tried!($store, ($($name),*), |$connection| $work).inspect(|_| $store.inner.announcer.announce())
    };
}

/// Changes what is in a zone: like `write_alone`, tried again when another process is in its way. The names in
/// parentheses are cloned for each try.
macro_rules! write_tried {
    ($store:ident, ($($name:ident),*), |$connection:ident| $work:expr) => {{
        let mut tries = 0;
        loop {
            tries += 1;
            $(let $name = $name.clone();)*
            let outcome: Result<_, QueryError> = write_alone!($store, |$connection| $work);
            match outcome {
                Err(QueryError::Conflict(_)) if tries < TRIES_MAX => {}
                Ok(done) => break Ok(done),
                Err(error) => break Err(StoreFailure::from(error)),
            }
        }
    }};
}

mod discovered;
mod jobs;
mod learned_schemas;
mod rules;
mod schema_validation;
mod thresholds;
mod traffic_records;
mod trials;
mod user_schemas;

use traffic_records::TrafficFile;

impl Store {
    /// Opens the store, creating and migrating it as the options say.
    pub async fn open(options: &StoreOptions) -> Result<Self, OpenError> {
        let counters = Arc::new(Counters::default());
        let announcer = Arc::new(Announcer::default());
        let batches = Batches::new(options.operations_per_zone_max, Arc::clone(&counters), Arc::clone(&announcer));
        let migrate = options.migrate;
        let backend = match &options.database {
            Database::Sqlite(path) => {
                let (path, counters) = (path.clone(), Arc::clone(&counters));
                let opened = tokio::task::spawn_blocking(move || {
                    if !migrate && is_missing(&path) {
                        return Err(migrations::needed_on_nothing());
                    }
                    let mut writer =
                        if migrate { SqliteConnection::create(&path)? } else { SqliteConnection::open(&path)? };
                    ready(migrations::migrate(&mut Connection::Sqlite(&mut writer), migrate))?;
                    let traffic = TrafficFile::open_beside(&path, &counters);
                    Ok(Backend::Sqlite { inventory: Sqlite::start(&path, writer, batches, counters)?, traffic })
                });
                opened.await.map_err(|error| StoreFailure::Internal(Box::new(error)))??
            }
            Database::Postgres(url) => {
                let mut connection = postgres::connect(url).await?;
                migrations::migrate(&mut Connection::Postgres(&mut connection), migrate).await?;
                Backend::Postgres(Postgres::start(url, batches, Arc::clone(&counters), &announcer)?)
            }
        };
        Ok(Self { inner: Arc::new(Inner { backend, counters, announcer }) })
    }

    /// Which migrations `open` would apply, oldest first. Changes nothing, creates nothing.
    pub async fn migrations_pending(database: &Database) -> Result<Vec<PendingMigration>, OpenError> {
        match database {
            Database::Sqlite(path) => {
                let path = path.clone();
                let pending = tokio::task::spawn_blocking(move || {
                    if std::fs::metadata(&path).map_or(true, |file| file.len() == 0) {
                        return Ok(migrations::pending_on_nothing());
                    }
                    let mut connection = SqliteConnection::open(&path)?;
                    ready(migrations::pending(&mut Connection::Sqlite(&mut connection)))
                });
                pending.await.map_err(|error| StoreFailure::Internal(Box::new(error)))?
            }
            Database::Postgres(url) => {
                let mut connection = postgres::connect(url).await?;
                migrations::pending(&mut Connection::Postgres(&mut connection)).await
            }
        }
    }

    /// Waits for every accepted write, then closes. Later calls fail with `Unavailable`.
    pub async fn close(&self) {
        match &self.inner.backend {
            Backend::Sqlite { inventory, traffic } => {
                traffic.close().await;
                inventory.close().await;
            }
            Backend::Postgres(postgres) => postgres.close().await,
        }
    }

    /// One round trip to the store.
    pub async fn ping(&self) -> Result<(), StoreFailure> {
        read!(self, |connection| ping(connection))
    }

    /// Writes a consistent copy of a SQLite store to a new file (0600), while it is in use.
    pub async fn backup(&self, to: PathBuf) -> Result<(), BackupError> {
        match &self.inner.backend {
            Backend::Sqlite { inventory: sqlite, .. } => sqlite.backup(to).await,
            Backend::Postgres(_) => Err(BackupError::Postgres),
        }
    }

    /// What the store did since it was opened, for metrics.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        let writes_waiting = match &self.inner.backend {
            Backend::Sqlite { inventory: sqlite, .. } => sqlite.writes_waiting(),
            Backend::Postgres(postgres) => postgres.writes_waiting(),
        };
        self.inner.counters.snapshot(writes_waiting)
    }

    /// Adds operations to a zone, all or nothing; each that is already there keeps its id and gets a later
    /// `last_updated`: max(now, old + 1 µs). Answers in input order, one result per input element; an element that
    /// repeats an earlier one of the same call answers like it. Durable when it returns. What was learned about an
    /// operation is only read for a call with one key.
    pub async fn operation_upsert(
        &self,
        zone: &ZoneId,
        keys: Vec<OperationKey>,
        now: Timestamp,
    ) -> Result<Vec<Upserted>, OperationUpsertError> {
        let (answer, answered) = oneshot::channel();
        let request = UpsertRequest { zone: zone.clone(), keys, now };
        self.write(WriteRequest::Upsert { request, answer })?;
        match answered.await {
            Ok(Err(OperationUpsertError::Store(failure))) => Err(self.counted(failure).into()),
            Ok(outcome) => outcome,
            Err(_) => Err(self.counted(StoreFailure::closed()).into()),
        }
    }

    /// One operation of this zone.
    pub async fn operation_get(&self, zone: &ZoneId, id: OperationId) -> Result<Option<StoredOperation>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| operation::get(connection, &zone, id))
    }

    /// One page of a zone's operations and the number of all that pass the filter; none if there is no such zone. What
    /// was learned about them is not read.
    pub async fn operation_list(
        &self,
        zone: &ZoneId,
        query: OperationQuery,
    ) -> Result<Option<OperationPage>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| operation::list(connection, &zone, &query, false))
    }

    /// Like `operation_list`, with what was learned about each operation of the page, which is some kilobytes each.
    pub async fn operation_list_with_schemas(
        &self,
        zone: &ZoneId,
        query: OperationQuery,
    ) -> Result<Option<OperationPage>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| operation::list(connection, &zone, &query, true))
    }

    /// Removes operations; unknown ids are left out of the answer, which holds the ids that were removed.
    pub async fn operation_delete(
        &self,
        zone: &ZoneId,
        ids: Vec<OperationId>,
    ) -> Result<Vec<OperationId>, StoreFailure> {
        let (answer, answered) = oneshot::channel();
        self.write(WriteRequest::Delete { zone: zone.clone(), ids, answer })?;
        let outcome = answered.await.unwrap_or_else(|_| Err(StoreFailure::closed()));
        let removed = outcome.map_err(|failure| self.counted(failure))?;
        self.traffic_forget(zone, removed.clone()).await;
        Ok(removed)
    }

    /// Adds a zone.
    pub async fn zone_create(&self, zone: Zone) -> Result<(), ZoneCreateError> {
        let created: Result<_, ZoneCreateError> = write_alone!(self, |connection| zone::create(connection, &zone));
        created.inspect(|()| self.inner.announcer.announce())
    }

    /// One zone.
    pub async fn zone_get(&self, zone: &ZoneId) -> Result<Option<Zone>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| zone::get(connection, &zone))
    }

    /// Every zone, by name.
    pub async fn zone_list(&self) -> Result<Vec<Zone>, StoreFailure> {
        read!(self, |connection| zone::list(connection))
    }

    /// A number that advances with every change of what the zone's ruleset is made from; none if there is no such zone.
    /// A zone that is made again under its id starts above any revision of the one before, unless the clock went back.
    pub async fn zone_revision(&self, zone: &ZoneId) -> Result<Option<u64>, StoreFailure> {
        let zone = zone.clone();
        read!(self, |connection| zone::revision(connection, &zone))
    }

    /// Removes a zone with all that is in it and the grants on it; false if there was none.
    pub async fn zone_delete(&self, zone: &ZoneId) -> Result<bool, StoreFailure> {
        // It locks the zone before the operations, everyone else the other way round, so that they may collide.
        let removed: Result<_, StoreFailure> = change!(self, (zone), |connection| zone::delete(connection, &zone));
        if let Ok(true) = removed {
            self.traffic_forget_zone(zone).await;
        }
        removed
    }

    /// Adds a token.
    pub async fn token_create(&self, token: Token, secret: SecretHash) -> Result<(), TokenCreateError> {
        write_alone!(self, |connection| token::create(connection, &token, &secret))
    }

    /// The token with this secret.
    pub async fn token_by_secret(&self, secret: &SecretHash) -> Result<Option<Token>, StoreFailure> {
        let secret = *secret;
        read!(self, |connection| token::by_secret(connection, &secret))
    }

    /// Every token, by name.
    pub async fn token_list(&self) -> Result<Vec<Token>, StoreFailure> {
        read!(self, |connection| token::list(connection))
    }

    /// Removes a token by its id; false if there was none.
    pub async fn token_delete(&self, id: &str) -> Result<bool, StoreFailure> {
        let id = id.to_owned();
        let deleted: Result<_, QueryError> = write_alone!(self, |connection| token::delete(connection, &id));
        deleted.map_err(StoreFailure::from)
    }

    /// Adds a user.
    pub async fn user_create(&self, user: User, key: SecretHash) -> Result<(), UserCreateError> {
        write_alone!(self, |connection| user::create(connection, &user, &key))
    }

    /// The user with this e-mail address and the hash of their key.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<(User, SecretHash)>, StoreFailure> {
        let email = email.to_owned();
        read!(self, |connection| user::by_email(connection, &email))
    }

    /// Every user, by e-mail address.
    pub async fn user_list(&self) -> Result<Vec<User>, StoreFailure> {
        read!(self, |connection| user::list(connection))
    }

    /// Removes a user by e-mail address; false if there was none.
    pub async fn user_delete(&self, email: &str) -> Result<bool, StoreFailure> {
        let email = email.to_owned();
        let deleted: Result<_, QueryError> = write_alone!(self, |connection| user::delete(connection, &email));
        deleted.map_err(StoreFailure::from)
    }

    /// In one transaction, and only on a store that holds no credential yet: adds the zone (unless its id or its
    /// name is there already) and the token. False when nothing was done because a credential exists.
    pub async fn bootstrap(&self, zone: Zone, token: Token, secret: SecretHash) -> Result<bool, StoreFailure> {
        let done: Result<_, QueryError> =
            write_alone!(self, |connection| bootstrap(connection, &zone, &token, &secret));
        done.inspect(|_| self.inner.announcer.announce()).map_err(StoreFailure::from)
    }

    fn write(&self, request: WriteRequest) -> Result<(), StoreFailure> {
        let accepted = match &self.inner.backend {
            Backend::Sqlite { inventory: sqlite, .. } => sqlite.write(request),
            Backend::Postgres(postgres) => postgres.write(request),
        };
        accepted.map_err(|failure| self.counted(failure))
    }

    fn counted(&self, failure: StoreFailure) -> StoreFailure {
        match &failure {
            StoreFailure::Overloaded => self.inner.counters.overloaded.fetch_add(1, Ordering::Relaxed),
            StoreFailure::Unavailable(_) => self.inner.counters.unavailable.fetch_add(1, Ordering::Relaxed),
            StoreFailure::Internal(_) | StoreFailure::Damaged { .. } => 0,
        };
        failure
    }
}

async fn ping(connection: &mut Connection<'_>) -> Result<(), StoreFailure> {
    // Reads a page of the file, which a closed or damaged one does not survive.
    connection.query("SELECT count(*) FROM demilune_schema", Vec::new()).await?;
    Ok(())
}

async fn bootstrap(
    connection: &mut Connection<'_>,
    zone: &Zone,
    token: &Token,
    secret: &SecretHash,
) -> Result<bool, QueryError> {
    migrations::lock(connection).await?;
    if user::credential_exists(connection).await? {
        return Ok(false);
    }
    let zones = zone::list(connection).await?;
    if !zones.iter().any(|there| there.id == zone.id || there.name == zone.name) {
        zone::create(connection, zone).await.map_err(|error| StoreFailure::Internal(Box::new(error)))?;
    }
    token::create(connection, token, secret).await.map_err(|error| StoreFailure::Internal(Box::new(error)))?;
    Ok(true)
}

/// Whether a SQLite file is not there, while the folder for it is.
fn is_missing(path: &Path) -> bool {
    let in_folder = std::path::absolute(path).is_ok_and(|path| path.parent().is_some_and(Path::is_dir));
    in_folder && path.try_exists().is_ok_and(|exists| !exists)
}
