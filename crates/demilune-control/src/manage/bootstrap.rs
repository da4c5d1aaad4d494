//! The first zone and token of a store that holds no credential yet.

use std::io;

use demilune_inventory::ZoneId;
use demilune_store::{Grant, PermissionGroup, StoreFailure, Token, Zone};

use super::{Manager, manager::random_id};
use crate::{Secret, clock, secret::random_bytes};

/// The name of the first zone when nobody chose one.
const ZONE_NAME: &str = "default";
/// The label of the first token.
const TOKEN_NAME: &str = "first token";
/// What the first token may do: everything.
const GROUPS: [PermissionGroup; 2] = [PermissionGroup::AccountApiGateway, PermissionGroup::DemiluneOperator];

/// A token that is made but opens nothing yet, so that its secret can be put in a safe place before it does.
#[derive(Debug)]
pub struct FirstCredential {
    zone: Zone,
    token: Token,
    secret: Secret,
}

/// Why a store has no first credential.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random(#[source] io::Error),
    /// The chosen zone clashes with one that is there.
    #[error("the first zone cannot be called {name:?}: the zone {id} has that name")]
    NameTaken {
        /// The name.
        name: String,
        /// Who has it.
        id: ZoneId,
    },
    /// The store could not answer.
    #[error("the first zone and token were not added")]
    Store(#[from] StoreFailure),
}

impl FirstCredential {
    /// The zone it comes with.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The token's secret.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }
}

impl Manager {
    /// Makes the first credential of a store that holds none; none if it holds one. `zone` and `secret` are made up
    /// when absent, except that a store with zones keeps to the first of them.
    pub async fn bootstrap_prepare(
        &self,
        zone: Option<(ZoneId, String)>,
        secret: Option<Secret>,
    ) -> Result<Option<FirstCredential>, BootstrapError> {
        if !self.store.token_list().await?.is_empty() || !self.store.user_list().await?.is_empty() {
            return Ok(None);
        }
        let now = clock::now();
        let zones = self.store.zone_list().await?;
        let zone = match (zone, zones.first()) {
            (Some((id, name)), _) => first_zone(&zones, Zone { id, name, created_at: now })?,
            (None, Some(first)) => first.clone(),
            (None, None) => Zone { id: random_zone_id()?, name: ZONE_NAME.to_owned(), created_at: now },
        };
        let token = Token {
            id: random_id().map_err(BootstrapError::Random)?,
            name: TOKEN_NAME.to_owned(),
            grants: GROUPS.map(|group| Grant { group, zone: None }).to_vec(),
            created_at: now,
            expires_at: None,
        };
        let secret = match secret {
            Some(secret) => secret,
            None => Secret::generate_token().map_err(BootstrapError::Random)?,
        };
        Ok(Some(FirstCredential { zone, token, secret }))
    }

    /// Makes it active; false if another process has given the store a credential meanwhile.
    pub async fn bootstrap_commit(&self, first: &FirstCredential) -> Result<bool, BootstrapError> {
        let added = self.store.bootstrap(first.zone.clone(), first.token.clone(), first.secret.hash()).await?;
        self.credentials.forget_all();
        Ok(added)
    }
}

/// The chosen zone, or the one that has its id.
fn first_zone(zones: &[Zone], chosen: Zone) -> Result<Zone, BootstrapError> {
    if let Some(there) = zones.iter().find(|zone| zone.id == chosen.id) {
        return Ok(there.clone());
    }
    match zones.iter().find(|zone| zone.name == chosen.name) {
        Some(other) => Err(BootstrapError::NameTaken { name: chosen.name, id: other.id.clone() }),
        None => Ok(chosen),
    }
}

fn random_zone_id() -> Result<ZoneId, BootstrapError> {
    random_bytes().map(ZoneId::from_random).map_err(BootstrapError::Random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manage::{Command, Reply, testing};

    #[tokio::test]
    async fn a_store_with_zones_keeps_to_the_first() {
        let (_folder, manager) = testing::manager(10).await;
        let first = manager.bootstrap_prepare(None, None).await.unwrap().unwrap();
        assert_eq!(first.zone().name, "default");
        assert_eq!(first.zone().id.as_str(), "z1");
        assert!(manager.bootstrap_commit(&first).await.unwrap());
    }

    #[tokio::test]
    async fn the_first_token_may_do_everything() {
        let (_folder, manager) = testing::manager(10).await;
        let first = manager.bootstrap_prepare(None, None).await.unwrap().unwrap();
        assert!(manager.bootstrap_commit(&first).await.unwrap());
        let Reply::Tokens(tokens) = manager.execute(Command::TokenList {}).await.unwrap() else { panic!() };
        let groups: Vec<_> = tokens[0].grants.iter().map(|grant| grant.group.as_str()).collect();
        assert_eq!(groups, ["Account API Gateway", "Demilune Operator"]);
    }

    #[tokio::test]
    async fn a_store_with_a_credential_is_left_alone() {
        let (_folder, manager) = testing::manager(10).await;
        let late = manager.bootstrap_prepare(None, None).await.unwrap().unwrap();
        manager.execute(Command::UserCreate { email: "ops@example.com".to_owned() }).await.unwrap();
        assert!(manager.bootstrap_prepare(None, None).await.unwrap().is_none());
        assert!(!manager.bootstrap_commit(&late).await.unwrap());
    }

    #[tokio::test]
    async fn a_chosen_zone_does_not_take_the_name_of_another() {
        let (_folder, manager) = testing::manager(10).await;
        let chosen = ("z2".parse().unwrap(), "default".to_owned());
        let result = manager.bootstrap_prepare(Some(chosen), None).await;
        assert!(matches!(result, Err(BootstrapError::NameTaken { .. })));
    }
}
