//! The commands about users, who act with an e-mail address and a global key.

use demilune_store::User;

use super::{ManageError, Manager, Reply, ShownSecret, UserCreated, manager::random_id};
use crate::{Secret, clock};

/// Longest e-mail address in characters (RFC 5321 section 4.5.3.1.3, less the angle brackets).
const EMAIL_CHARS_MAX: usize = 254;

impl Manager {
    pub(super) async fn user_create(&self, email: &str) -> Result<Reply, ManageError> {
        let user = User {
            id: random_id().map_err(ManageError::Random)?,
            email: parse_email(email)?,
            created_at: clock::now(),
        };
        let key = Secret::generate_key().map_err(ManageError::Random)?;
        self.store.user_create(user.clone(), key.hash()).await.map_err(ManageError::UserCreate)?;
        self.credentials.forget_all();
        Ok(Reply::UserCreated(UserCreated { key: ShownSecret(key.reveal().to_owned()), view: (&user).into() }))
    }

    pub(super) async fn user_list(&self) -> Result<Reply, ManageError> {
        Ok(Reply::Users(self.store.user_list().await?.iter().map(Into::into).collect()))
    }

    pub(super) async fn user_delete(&self, email: &str) -> Result<Reply, ManageError> {
        let email = email.trim().to_lowercase();
        let Some((user, _key)) = self.store.user_by_email(&email).await? else {
            return Err(ManageError::UserNotFound(email));
        };
        if !self.store.user_delete(&email).await? {
            return Err(ManageError::UserNotFound(email));
        }
        self.credentials.forget_all();
        Ok(Reply::UserDeleted((&user).into()))
    }
}

/// Lower-cases an address and checks that it can be one: whether it exists is for its owner to know.
fn parse_email(text: &str) -> Result<String, ManageError> {
    let email = text.trim().to_lowercase();
    let refused = || ManageError::Email(text.to_owned());
    let (local, domain) = email.split_once('@').ok_or_else(refused)?;
    let domain_legal = domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
        && domain.split('.').all(|label| !label.is_empty());
    let local_legal = !local.is_empty() && local.bytes().all(|byte| byte.is_ascii_graphic());
    if email.len() <= EMAIL_CHARS_MAX && local_legal && domain_legal { Ok(email) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_lower_cased() {
        assert_eq!(parse_email(" Ops+API@Example.COM ").unwrap(), "ops+api@example.com");
        assert_eq!(parse_email("root@localhost").unwrap(), "root@localhost");
    }

    #[test]
    fn other_texts_are_no_addresses() {
        let long = format!("{}@example.com", "a".repeat(250));
        for text in [
            "",
            "ops",
            "@example.com",
            "ops@",
            "ops@a..b",
            "o ps@example.com",
            "a@b@c",
            "é@example.com",
            "a\n@b.c",
            &long,
        ] {
            assert!(matches!(parse_email(text), Err(ManageError::Email(_))), "{text}");
        }
    }
}
