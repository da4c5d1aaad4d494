//! The commands about API tokens.

use demilune_inventory::{Timestamp, ZoneId};
use demilune_store::{PermissionGroup, Token};

use super::{ManageError, Manager, Reply, ShownSecret, TokenCreated, group, manager::random_id, zones};
use crate::{Secret, clock};

/// Longest label in characters: one line of a terminal, with room to spare.
const NAME_CHARS_MAX: usize = 200;

impl Manager {
    pub(super) async fn token_create(
        &self,
        name: Option<String>,
        zones: &[String],
        groups: &[String],
        expires: Option<&str>,
    ) -> Result<Reply, ManageError> {
        let now = clock::now();
        let groups = group::parse_all(groups)?;
        let expires_at = expires.map(|text| parse_expiry(text, now)).transpose()?;
        let name = name.unwrap_or_else(|| label(&groups));
        check_name(&name)?;
        let zones = self.granted_zones(&groups, zones).await?;
        let token = Token {
            id: random_id().map_err(ManageError::Random)?,
            name,
            grants: group::grants(&groups, &zones),
            created_at: now,
            expires_at,
        };
        let secret = Secret::generate_token().map_err(ManageError::Random)?;
        self.store.token_create(token.clone(), secret.hash()).await.map_err(ManageError::TokenCreate)?;
        self.credentials.forget_all();
        Ok(Reply::TokenCreated(TokenCreated { token: ShownSecret(secret.reveal().to_owned()), view: (&token).into() }))
    }

    /// The zones that the `Domain …` groups among `groups` cover; none if there is no such group.
    async fn granted_zones(&self, groups: &[PermissionGroup], wanted: &[String]) -> Result<Vec<ZoneId>, ManageError> {
        if !groups.iter().any(|group| group.is_zone_scoped()) {
            return if wanted.is_empty() { Ok(Vec::new()) } else { Err(ManageError::GroupTakesNoZone) };
        }
        let known = self.store.zone_list().await?;
        if wanted.is_empty() {
            return Ok(vec![zones::pick(&known, None)?.id.clone()]);
        }
        wanted.iter().map(|zone| Ok(zones::pick(&known, Some(zone))?.id.clone())).collect()
    }

    pub(super) async fn token_list(&self) -> Result<Reply, ManageError> {
        Ok(Reply::Tokens(self.store.token_list().await?.iter().map(Into::into).collect()))
    }

    pub(super) async fn token_delete(&self, id: &str) -> Result<Reply, ManageError> {
        let not_found = || ManageError::TokenNotFound(id.to_owned());
        let token = self.store.token_list().await?.into_iter().find(|token| token.id == id).ok_or_else(not_found)?;
        if !self.store.token_delete(id).await? {
            return Err(not_found());
        }
        self.credentials.forget_all();
        Ok(Reply::TokenDeleted((&token).into()))
    }
}

fn parse_expiry(text: &str, now: Timestamp) -> Result<Timestamp, ManageError> {
    let expires_at: Timestamp = text.parse().map_err(|error| ManageError::Expires(text.to_owned(), error))?;
    if expires_at <= now { Err(ManageError::ExpiresPast(expires_at.to_string())) } else { Ok(expires_at) }
}

fn label(groups: &[PermissionGroup]) -> String {
    let mut names: Vec<_> = groups.iter().map(|group| group.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

fn check_name(name: &str) -> Result<(), ManageError> {
    let fits = name.chars().count() <= NAME_CHARS_MAX && !name.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(ManageError::TokenName) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_lies_in_the_future() {
        let now: Timestamp = "2026-01-31T09:30:00Z".parse().unwrap();
        assert!(parse_expiry("2026-01-31T09:30:01Z", now).is_ok());
        assert!(matches!(parse_expiry("2026-01-31T10:30:00+01:00", now), Err(ManageError::ExpiresPast(_))));
        assert!(matches!(parse_expiry("tomorrow", now), Err(ManageError::Expires(..))));
    }

    #[test]
    fn a_token_without_a_name_is_called_by_its_groups() {
        let groups = [PermissionGroup::DomainApiGatewayRead, PermissionGroup::AccountApiGateway];
        assert_eq!(label(&groups), "Account API Gateway, Domain API Gateway Read");
    }
}
