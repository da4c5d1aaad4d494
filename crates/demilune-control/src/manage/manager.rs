//! Takes a command to the method that executes it.

use std::{io, time::Duration};

use demilune_policy::SessionKey;
use demilune_store::Store;
use tokio::time::timeout;

use super::{Command, ManageError, Reply, ServerStatus, StatusView, traffic::Import};
use crate::{CredentialCache, secret::random_bytes};

/// How long the store may take to say that it is there, for those who ask for the status.
const PING_TIME_MAX: Duration = Duration::from_secs(2);

/// Executes management commands on a store.
#[derive(Clone)]
pub struct Manager {
    pub(super) store: Store,
    pub(super) credentials: CredentialCache,
    pub(super) session_key: Option<SessionKey>,
    pub(super) server: Option<ServerStatus>,
}

impl Manager {
    /// Wires the executor; `credentials` is emptied after each change to credentials or zones.
    #[must_use]
    pub fn new(store: Store, credentials: CredentialCache) -> Self {
        Self { store, credentials, session_key: None, server: None }
    }

    /// The same executor, which tells those who ask for the status about this server.
    #[must_use]
    pub fn serving(self, server: ServerStatus) -> Self {
        Self { server: Some(server), ..self }
    }

    /// The same executor, which can hash sessions as this gateway does.
    #[must_use]
    pub fn hashing_with(self, key: SessionKey) -> Self {
        Self { session_key: Some(key), ..self }
    }

    /// Executes one command.
    pub async fn execute(&self, command: Command) -> Result<Reply, ManageError> {
        match command {
            Command::Status {} => Ok(Reply::Status(self.status().await)),
            Command::ZoneCreate { name, id } => self.zone_create(name, id).await,
            Command::ZoneList {} => self.zone_list().await,
            Command::ZoneFind { zone } => self.zone_find(zone.as_deref()).await.map(|zone| Reply::Zone((&zone).into())),
            Command::ZoneDelete { zone } => self.zone_delete(&zone).await,
            Command::TokenCreate { name, zones, groups, expires } => {
                self.token_create(name, &zones, &groups, expires.as_deref()).await
            }
            Command::TokenList {} => self.token_list().await,
            Command::TokenDelete { id } => self.token_delete(&id).await,
            Command::UserCreate { email } => self.user_create(&email).await,
            Command::UserList {} => self.user_list().await,
            Command::UserDelete { email } => self.user_delete(&email).await,
            Command::OperationsAdd { zone, operations } => self.operations_add(zone.as_deref(), &operations).await,
            Command::OriginSet { zone, host, url, host_header } => {
                self.origin_set(zone.as_deref(), &host, &url, host_header.as_deref()).await
            }
            Command::OriginList { zone } => self.origin_list(zone.as_deref()).await,
            Command::OriginDelete { zone, host } => self.origin_delete(zone.as_deref(), &host).await,
            Command::SettingsShow { zone } => self.settings_show(zone.as_deref()).await,
            Command::SettingsSet { zone, change } => self.settings_set(zone.as_deref(), change).await,
            Command::Explain { zone, requests } => self.explain(zone.as_deref(), &requests).await,
            Command::Recompute { zone, at, keep_newer } => {
                // On the heap: what it waits for is large.
                Box::pin(self.recompute(zone.as_deref(), at.as_deref(), keep_newer)).await
            }
            Command::Drift { zone, source } => Box::pin(self.drift(zone.as_deref(), source)).await,
            Command::Discover { zone } => Box::pin(self.discover(zone.as_deref())).await,
            Command::TrialBegin { zone, candidate } => self.trial_begin(zone.as_deref(), candidate).await,
            Command::TrialShow { zone } => self.trial_show(zone.as_deref()).await,
            Command::TrialEnd { zone } => self.trial_end(zone.as_deref()).await,
            Command::SchemaExport { zone, host } => self.schema_export(zone.as_deref(), &host).await,
            Command::SchemaApplyLearned { zone, operation, now } => {
                self.schema_apply_learned(zone.as_deref(), &operation, now).await
            }
            Command::Learning { zone } => self.learning(zone.as_deref()).await,
            Command::TrafficRules { zone } => self.traffic_rules(zone.as_deref()).await,
            Command::TrafficStore { zone, source, content, session_by, first, rows } => {
                let import = Import { source, content, session_by };
                self.traffic_store(&zone, import, first, &rows).await
            }
            Command::LearningStore { zone, source, rows } => self.learning_store(&zone, &source, &rows).await,
            Command::SightingsStore { zone, source, row } => self.sightings_store(&zone, &source, row).await,
            Command::Backup { to } => {
                if !to.is_absolute() {
                    return Err(ManageError::BackupPath);
                }
                self.store.backup(to.clone()).await.map_err(ManageError::Backup)?;
                Ok(Reply::BackedUp(to))
            }
        }
    }

    async fn status(&self) -> StatusView {
        let answered = timeout(PING_TIME_MAX, self.store.ping()).await;
        StatusView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            process_id: std::process::id(),
            store_answers: matches!(answered, Ok(Ok(()))),
            server: self.server.clone(),
        }
    }
}

/// 32 lower-case hex digits from the system's random source.
pub(super) fn random_id() -> io::Result<String> {
    Ok(format!("{:032x}", u128::from_be_bytes(random_bytes::<16>()?)))
}
