//! Secrets that are handed out once: API tokens and global keys.

use std::{fmt, io};

use demilune_store::SecretHash;
use sha2::{Digest, Sha256};

/// A secret as it is handed out once, and its hash; `Debug` masks it.
pub struct Secret(String);

/// Sixty-four characters, so that each takes six random bits without bias.
const TOKEN_ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// The length that the reference's sample tokens have, and that Terraform's provider checks.
const TOKEN_CHARS: usize = 40;
/// The length that Terraform's provider checks before it sends a key.
const KEY_CHARS: usize = 37;
/// Below this a supplied token is too easily guessed: 22 characters of the alphabet hold 128 bits, and a text that
/// people chose holds less, so this bound only stops the careless.
const SUPPLIED_CHARS_MIN: usize = 16;
/// Longer texts do not fit comfortably into a header line.
const SUPPLIED_CHARS_MAX: usize = 256;

impl Secret {
    /// 40 characters of `[A-Za-z0-9_-]` from the system's random source (240 bits): an API token.
    pub fn generate_token() -> io::Result<Self> {
        let random = random_bytes::<TOKEN_CHARS>()?;
        Ok(Self(random.iter().map(|byte| char::from(TOKEN_ALPHABET[usize::from(byte & 63)])).collect()))
    }

    /// 37 characters of `[0-9a-f]` (148 bits): a global key.
    pub fn generate_key() -> io::Result<Self> {
        let random = random_bytes::<KEY_CHARS>()?;
        Ok(Self(random.iter().map(|byte| char::from(b"0123456789abcdef"[usize::from(byte & 15)])).collect()))
    }

    /// A supplied token: 16 to 256 visible ASCII characters.
    pub fn supplied(text: String) -> Result<Self, SecretError> {
        let fits = (SUPPLIED_CHARS_MIN..=SUPPLIED_CHARS_MAX).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) { Ok(Self(text)) } else { Err(SecretError) }
    }

    /// The text, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the text.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        hash_secret(self.0.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The text cannot be a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token has 16 to 256 visible ASCII characters")]
pub struct SecretError;

/// SHA-256 of a secret as it came in. Not a slow hash: the secrets are random, so there is no dictionary to slow down,
/// and this runs on the request path.
pub(crate) fn hash_secret(secret: &[u8]) -> SecretHash {
    SecretHash(Sha256::digest(secret).into())
}

/// Random bytes from the operating system.
pub(crate) fn random_bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_token_has_forty_characters_of_its_alphabet() {
        let token = Secret::generate_token().unwrap();
        assert_eq!(token.reveal().len(), 40);
        assert!(token.reveal().bytes().all(|byte| TOKEN_ALPHABET.contains(&byte)));
    }

    #[test]
    fn a_generated_key_has_thirty_seven_hex_digits() {
        let key = Secret::generate_key().unwrap();
        assert_eq!(key.reveal().len(), 37);
        assert!(key.reveal().bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)));
    }

    #[test]
    fn two_generated_tokens_differ() {
        assert_ne!(Secret::generate_token().unwrap().reveal(), Secret::generate_token().unwrap().reveal());
    }

    #[test]
    fn a_supplied_token_is_bounded_and_visible() {
        let check =
            |text: &str, accepted: bool| assert_eq!(Secret::supplied(text.to_owned()).is_ok(), accepted, "{text:?}");
        check("0123456789abcdef", true);
        check("0123456789abcde", false);
        check("0123456789 abcdef", false);
        check("0123456789abcdéf", false);
        check(&"x".repeat(256), true);
        check(&"x".repeat(257), false);
    }

    #[test]
    fn debug_output_masks_the_secret() {
        let secret = Secret::supplied("correct-horse-battery".to_owned()).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
