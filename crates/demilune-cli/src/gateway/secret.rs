//! The key of session hashes: kept outside of the database, so that a dump of it cannot be reversed.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use demilune_policy::SessionKey;
use sha2::{Digest, Sha256};

use crate::data_folder::FILE_MODE;

/// The key's file in the data folder.
const FILE_NAME: &str = "secret.key";
/// Fewer bytes than this can be guessed.
const BYTES_MIN: usize = 16;
/// A key is a line, not a file of another kind that was named by mistake.
const BYTES_MAX: u64 = 4096;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    /// It cannot be read.
    #[error("the file with the key of session hashes, {0}, cannot be read")]
    Read(PathBuf, #[source] io::Error),
    /// It cannot be made.
    #[error("the file with the key of session hashes, {0}, cannot be made")]
    Write(PathBuf, #[source] io::Error),
    /// It is too short or too long.
    #[error("{0} holds no key: write 16 to 4096 bytes into it, such as `openssl rand -hex 32` gives")]
    Length(PathBuf),
}

/// The key from the named file, or from the data folder, where it is made when it is missing; blocks.
pub(crate) fn session_key(named: Option<&Path>, data: &Path) -> Result<SessionKey, SecretError> {
    let own = data.join(FILE_NAME);
    let path = named.unwrap_or(&own);
    if named.is_none() && !path.exists() {
        make(path).map_err(|error| SecretError::Write(path.to_owned(), error))?;
    }
    let length = fs::metadata(path).map_err(|error| SecretError::Read(path.to_owned(), error))?.len();
    if length > BYTES_MAX {
        return Err(SecretError::Length(path.to_owned()));
    }
    let content = fs::read(path).map_err(|error| SecretError::Read(path.to_owned(), error))?;
    let content = content.trim_ascii();
    if content.len() < BYTES_MIN {
        return Err(SecretError::Length(path.to_owned()));
    }
    let mut key = [0; 16];
    key.copy_from_slice(&Sha256::digest(content)[..16]);
    Ok(SessionKey::new(key))
}

/// The key in the data folder, for commands that run without the server; none where no gateway ever ran; blocks.
pub(crate) fn made_key(data: &Path) -> Option<SessionKey> {
    data.join(FILE_NAME).exists().then(|| session_key(None, data).ok()).flatten()
}

/// Writes a random key under another name first: a start that is cut short leaves no half of one.
fn make(path: &Path) -> io::Result<()> {
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let text = hex(&random);
    let unfinished = path.with_extension("new");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(FILE_MODE).open(&unfinished)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}

/// Lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner() {
        let data = tempfile::tempdir().unwrap();
        session_key(None, data.path()).unwrap();
        let path = data.path().join(FILE_NAME);
        let (first, mode) = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().permissions().mode());
        assert_eq!((first.len(), mode & 0o777), (65, 0o600));
        session_key(None, data.path()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), first);
    }

    #[test]
    fn a_named_file_must_be_there_and_hold_a_key() {
        let data = tempfile::tempdir().unwrap();
        let named = data.path().join("mine");
        assert!(matches!(session_key(Some(&named), data.path()), Err(SecretError::Read(..))));
        fs::write(&named, "short\n").unwrap();
        assert!(matches!(session_key(Some(&named), data.path()), Err(SecretError::Length(_))));
        fs::write(&named, "0123456789abcdef\n").unwrap();
        assert!(session_key(Some(&named), data.path()).is_ok());
    }
}
