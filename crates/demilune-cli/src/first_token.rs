//! The file that a first start leaves the made-up token in.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use demilune_control::Secret;

use crate::data_folder::{DataFolderError, FILE_MODE, blocking};

/// The file's name in the data folder.
const NAME: &str = "first-token";
/// Its name until it is whole.
const NAME_UNFINISHED: &str = "first-token.new";
/// A token is far shorter.
const BYTES_MAX: u64 = 4096;

/// Where the file is.
pub(crate) fn path(data: &Path) -> PathBuf {
    data.join(NAME)
}

/// Writes the token to the disk for good, before it becomes active. The caller holds the folder's lock.
///
/// A file that is there already belongs to a start that was cut short before its token became active, or to a database
/// that was replaced; its token opens nothing here and is overwritten.
pub(crate) async fn write(data: &Path, secret: &Secret) -> Result<PathBuf, DataFolderError> {
    let text = format!("{}\n", secret.reveal());
    let (data, unfinished, target) = (data.to_owned(), data.join(NAME_UNFINISHED), path(data));
    blocking(move || {
        write_blocking(&data, &unfinished, &target, &text)
            .map_err(|error| DataFolderError::Write(target.clone(), error))?;
        Ok(target)
    })
    .await
}

fn write_blocking(data: &Path, unfinished: &Path, target: &Path, text: &str) -> io::Result<()> {
    remove_if_there(unfinished)?;
    let mut file = OpenOptions::new().create_new(true).write(true).mode(FILE_MODE).open(unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(unfinished, target)?;
    File::open(data)?.sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Takes the file away again, because its token did not become active.
pub(crate) async fn remove(data: &Path) -> Result<(), DataFolderError> {
    let path = path(data);
    blocking(move || remove_if_there(&path).map_err(|error| DataFolderError::Write(path, error))).await
}

/// The token in the file.
pub(crate) fn read(data: &Path) -> io::Result<Secret> {
    let mut text = String::new();
    File::open(path(data))?.take(BYTES_MAX).read_to_string(&mut text)?;
    Secret::supplied(text.trim().to_owned()).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_token_is_written_for_its_owner_and_reads_back() {
        let data = tempfile::tempdir().unwrap();
        let secret = Secret::generate_token().unwrap();
        let path = write(data.path(), &secret).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read(data.path()).unwrap().reveal(), secret.reveal());
    }

    #[tokio::test]
    async fn what_a_start_that_was_cut_short_left_is_overwritten() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join(NAME_UNFINISHED), "half").unwrap();
        fs::write(path(data.path()), "0123456789abcdef\n").unwrap();
        let secret = Secret::generate_token().unwrap();
        write(data.path(), &secret).await.unwrap();
        assert_eq!(read(data.path()).unwrap().reveal(), secret.reveal());
        assert!(!data.path().join(NAME_UNFINISHED).exists());
    }
}
