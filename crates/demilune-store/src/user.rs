//! People with a global key.

use demilune_inventory::Timestamp;

use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure, UserCreateError},
    row::{Row, Value, columns},
    token::SecretHash,
};

/// A person with a global key, which acts with every group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// 32 lower-case hex digits.
    pub id: String,
    /// Lower-case, unique.
    pub email: String,
    /// When they were added.
    pub created_at: Timestamp,
}

columns! { "users": USER_ID = 0 "user_id", EMAIL = 1 "email", CREATED_AT = 2 "created_at", KEY_HASH = 3 "key_hash" }

fn user(row: &Row) -> Result<User, StoreFailure> {
    Ok(User { id: row.parse(USER_ID)?, email: row.parse(EMAIL)?, created_at: row.time(CREATED_AT)? })
}

/// Adds a user.
pub(crate) async fn create(
    connection: &mut Connection<'_>,
    user: &User,
    key: &SecretHash,
) -> Result<(), UserCreateError> {
    const SQL: &str = "INSERT INTO users (user_id, email, created_at, key_hash) VALUES ($1, $2, $3, $4)";
    let key = Value::Blob(key.0.to_vec());
    let parameters = vec![user.id.as_str().into(), user.email.as_str().into(), user.created_at.into(), key];
    match connection.query(SQL, parameters).await {
        Ok(_) => Ok(()),
        Err(QueryError::Unique(_)) => Err(UserCreateError::EmailTaken),
        Err(error) => Err(error.into()),
    }
}

/// The user with this e-mail address and the hash of their key.
pub(crate) async fn by_email(
    connection: &mut Connection<'_>,
    email: &str,
) -> Result<Option<(User, SecretHash)>, StoreFailure> {
    const SQL: &str = "SELECT user_id, email, created_at, key_hash FROM users WHERE email = $1";
    if email.contains('\0') {
        // Nobody's, and PostgreSQL refuses it in a text.
        return Ok(None);
    }
    let rows = connection.query(SQL, vec![email.into()]).await?;
    rows.first().map(|row| Ok((user(row)?, SecretHash(row.bytes(KEY_HASH)?)))).transpose()
}

/// Every user, by e-mail address.
pub(crate) async fn list(connection: &mut Connection<'_>) -> Result<Vec<User>, StoreFailure> {
    const SQL: &str = "SELECT user_id, email, created_at FROM users ORDER BY email";
    connection.query(SQL, Vec::new()).await?.iter().map(user).collect()
}

/// Removes a user by e-mail address; false if there was none.
pub(crate) async fn delete(connection: &mut Connection<'_>, email: &str) -> Result<bool, QueryError> {
    if email.contains('\0') {
        return Ok(false);
    }
    let found = connection.query("DELETE FROM users WHERE email = $1 RETURNING user_id", vec![email.into()]).await?;
    Ok(!found.is_empty())
}

/// Whether any credential exists, of either kind.
pub(crate) async fn credential_exists(connection: &mut Connection<'_>) -> Result<bool, QueryError> {
    const SQL: &str = "SELECT token_id FROM tokens UNION ALL SELECT user_id FROM users LIMIT 1";
    Ok(!connection.query(SQL, Vec::new()).await?.is_empty())
}
