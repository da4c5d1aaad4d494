//! API tokens and what they may do.

use std::{collections::BTreeMap, fmt, str::FromStr};

use demilune_inventory::{Timestamp, ZoneId};

use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure, TokenCreateError},
    row::{Row, Value, columns},
    zone,
};

/// A permission group: four of the contract (1.3) and one of our own. The text is the group's name on the wire and in
/// the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PermissionGroup {
    /// `Account API Gateway`: read and write, every zone.
    AccountApiGateway,
    /// `Account API Gateway Read`: read, every zone.
    AccountApiGatewayRead,
    /// `Domain API Gateway`: read and write, one zone a grant.
    DomainApiGateway,
    /// `Domain API Gateway Read`: read, one zone a grant.
    DomainApiGatewayRead,
    /// `Demilune Operator`: what the contract has no call for, such as zones, credentials and origins; every zone.
    DemiluneOperator,
}

impl PermissionGroup {
    /// Every group.
    pub const ALL: [Self; 5] = [
        Self::AccountApiGateway,
        Self::AccountApiGatewayRead,
        Self::DomainApiGateway,
        Self::DomainApiGatewayRead,
        Self::DemiluneOperator,
    ];

    /// The group's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountApiGateway => "Account API Gateway",
            Self::AccountApiGatewayRead => "Account API Gateway Read",
            Self::DomainApiGateway => "Domain API Gateway",
            Self::DomainApiGatewayRead => "Domain API Gateway Read",
            Self::DemiluneOperator => "Demilune Operator",
        }
    }

    /// Whether a grant of this group names a zone.
    #[must_use]
    pub const fn is_zone_scoped(self) -> bool {
        matches!(self, Self::DomainApiGateway | Self::DomainApiGatewayRead)
    }
}

impl FromStr for PermissionGroup {
    type Err = PermissionGroupError;

    /// Accepts any letter case.
    fn from_str(text: &str) -> Result<Self, PermissionGroupError> {
        Self::ALL.into_iter().find(|group| group.as_str().eq_ignore_ascii_case(text)).ok_or(PermissionGroupError)
    }
}

impl fmt::Display for PermissionGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no permission group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a permission group is one of `Account API Gateway`, `Account API Gateway Read`, `Domain API Gateway`, \
     `Domain API Gateway Read` and `Demilune Operator`"
)]
pub struct PermissionGroupError;

/// One permission of a token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// What it allows.
    pub group: PermissionGroup,
    /// The zone of a `Domain …` group; none for the others.
    pub zone: Option<ZoneId>,
}

/// An API token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// 32 lower-case hex digits.
    pub id: String,
    /// A label for people; need not be unique.
    pub name: String,
    /// What it may do, sorted, without repetition.
    pub grants: Vec<Grant>,
    /// When it was added.
    pub created_at: Timestamp,
    /// From this instant on it is refused.
    pub expires_at: Option<Timestamp>,
}

/// SHA-256 of a secret; the secret itself is never stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretHash(pub [u8; 32]);

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

columns! { "tokens":
    TOKEN_ID = 0 "token_id",
    NAME = 1 "name",
    CREATED_AT = 2 "created_at",
    EXPIRES_AT = 3 "expires_at",
    GRANT_GROUP = 4 "permission_group",
    GRANT_ZONE = 5 "zone_id",
}

/// Each token once for every grant, and once without if it has none.
const SELECT: &str = "SELECT t.token_id, t.name, t.created_at, t.expires_at, g.permission_group, g.zone_id \
                      FROM tokens t LEFT JOIN grants g ON g.token_id = t.token_id";

/// Puts the rows of `SELECT` together again, in the order of the tokens.
fn tokens(rows: &[Row]) -> Result<Vec<Token>, StoreFailure> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut tokens: Vec<Token> = Vec::new();
    for row in rows {
        let id: String = row.parse(TOKEN_ID)?;
        let place = *places.entry(id.clone()).or_insert(tokens.len());
        if place == tokens.len() {
            let (name, created_at) = (row.parse(NAME)?, row.time(CREATED_AT)?);
            tokens.push(Token { id, name, grants: Vec::new(), created_at, expires_at: row.time_or_null(EXPIRES_AT)? });
        }
        if let Some(group) = row.parse_or_null(GRANT_GROUP)? {
            tokens[place].grants.push(Grant { group, zone: row.parse_or_null(GRANT_ZONE)? });
        }
    }
    for token in &mut tokens {
        token.grants.sort();
        token.grants.dedup();
    }
    Ok(tokens)
}

/// Adds a token, in the transaction that is open.
pub(crate) async fn create(
    connection: &mut Connection<'_>,
    token: &Token,
    secret: &SecretHash,
) -> Result<(), TokenCreateError> {
    const INSERT: &str = "INSERT INTO tokens (token_id, name, secret_hash, created_at, expires_at) \
                          VALUES ($1, $2, $3, $4, $5)";
    const INSERT_GRANT: &str = "INSERT INTO grants (token_id, permission_group, zone_id) VALUES ($1, $2, $3)";
    let id = || Value::from(token.id.as_str());
    let parameters = vec![
        id(),
        token.name.as_str().into(),
        Value::Blob(secret.0.to_vec()),
        token.created_at.into(),
        Value::IntegerOrNull(token.expires_at.map(Timestamp::as_micros)),
    ];
    match connection.query(INSERT, parameters).await {
        Ok(_) => {}
        Err(QueryError::Unique(_)) => return Err(TokenCreateError::Taken),
        Err(error) => return Err(error.into()),
    }
    for grant in &token.grants {
        if let Some(granted) = &grant.zone
            && zone::get(connection, granted).await?.is_none()
        {
            return Err(TokenCreateError::ZoneNotFound(granted.clone()));
        }
        let zone = Value::TextOrNull(grant.zone.as_ref().map(ToString::to_string));
        let parameters = vec![id(), grant.group.as_str().into(), zone];
        connection.query(INSERT_GRANT, parameters).await?;
    }
    Ok(())
}

/// The token with this secret.
pub(crate) async fn by_secret(
    connection: &mut Connection<'_>,
    secret: &SecretHash,
) -> Result<Option<Token>, StoreFailure> {
    let sql = [SELECT, " WHERE t.secret_hash = $1"].concat();
    let rows = connection.query(sql, vec![Value::Blob(secret.0.to_vec())]).await?;
    Ok(tokens(&rows)?.pop())
}

/// Every token, by name.
pub(crate) async fn list(connection: &mut Connection<'_>) -> Result<Vec<Token>, StoreFailure> {
    let sql = [SELECT, " ORDER BY t.name, t.token_id"].concat();
    tokens(&connection.query(sql, Vec::new()).await?)
}

/// Removes a token by its id, in the transaction that is open; false if there was none.
pub(crate) async fn delete(connection: &mut Connection<'_>, id: &str) -> Result<bool, QueryError> {
    if id.contains('\0') {
        // Nobody's, and PostgreSQL refuses it in a text.
        return Ok(false);
    }
    connection.query("DELETE FROM grants WHERE token_id = $1", vec![id.into()]).await?;
    let found = connection.query("DELETE FROM tokens WHERE token_id = $1 RETURNING token_id", vec![id.into()]).await?;
    Ok(!found.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_is_read_by_its_name_in_any_letter_case() {
        for group in PermissionGroup::ALL {
            assert_eq!(group.to_string().to_uppercase().parse(), Ok(group));
            assert!(PermissionGroupError.to_string().contains(group.as_str()));
        }
    }

    #[test]
    fn the_domain_groups_alone_name_a_zone() {
        for group in PermissionGroup::ALL {
            assert_eq!(group.is_zone_scoped(), group.as_str().starts_with("Domain"));
        }
    }
}
