//! The data folder: made for its owner alone, and locked by whoever works on its database.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::task::spawn_blocking;

/// The lock's file name. The file stays when the lock goes: removing it would let two owners in.
const LOCK_NAME: &str = "lock";
/// Only the owner may enter.
pub(crate) const FOLDER_MODE: u32 = 0o700;
/// Only the owner may read.
pub(crate) const FILE_MODE: u32 = 0o600;
/// How often to look whether the lock is free.
const LOCK_RETRY: Duration = Duration::from_millis(50);

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataFolderError {
    /// It cannot be made.
    #[error("the data folder {0} cannot be created; name another one with --data")]
    Create(PathBuf, #[source] io::Error),
    /// Something else has its name.
    #[error("{0} is no folder; name another data folder with --data")]
    NotAFolder(PathBuf),
    /// A file in it cannot be written.
    #[error("the data folder cannot be written: {0}")]
    Write(PathBuf, #[source] io::Error),
    /// Somebody else has the lock.
    #[error("another demilune process works on the data folder {0}; stop it, or name another folder with --data")]
    Locked(PathBuf),
    /// The program is ending.
    #[error("interrupted")]
    Interrupted,
}

/// Makes the folder, for its owner alone, unless it is there.
pub(crate) async fn create(data: &Path) -> Result<(), DataFolderError> {
    let data = data.to_owned();
    blocking(move || {
        if data.is_dir() {
            warn_if_open(&data);
            return Ok(());
        }
        if data.exists() {
            return Err(DataFolderError::NotAFolder(data));
        }
        let created = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&data);
        created.map_err(|error| DataFolderError::Create(data, error))
    })
    .await
}

fn warn_if_open(data: &Path) {
    let mode = fs::metadata(data).map_or(FOLDER_MODE, |metadata| metadata.permissions().mode());
    if mode & 0o077 != 0 {
        tracing::warn!(data = %data.display(), mode = format!("{:o}", mode & 0o777), "other users may enter the data folder; chmod 700 keeps them out");
    }
}

/// Sole use of a data folder, until it is dropped or the process ends.
pub(crate) struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

/// Takes the lock if it is free.
pub(crate) async fn try_lock(data: &Path) -> Result<Option<Lock>, DataFolderError> {
    let path = data.join(LOCK_NAME);
    blocking(move || {
        let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(FILE_MODE).open(&path);
        let file = opened.map_err(|error| DataFolderError::Write(path.clone(), error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(DataFolderError::Write(path, error)),
        }
    })
    .await
}

/// Takes the lock, waiting for commands that hold it for a moment.
pub(crate) async fn lock(data: &Path, wait_max: Duration) -> Result<Lock, DataFolderError> {
    let give_up = Instant::now() + wait_max;
    loop {
        if let Some(lock) = try_lock(data).await? {
            return Ok(lock);
        }
        if Instant::now() >= give_up {
            return Err(DataFolderError::Locked(data.to_owned()));
        }
        tokio::time::sleep(LOCK_RETRY).await;
    }
}

/// Whether there is something at a path.
pub(crate) async fn exists(path: PathBuf) -> Result<bool, DataFolderError> {
    blocking(move || Ok(path.exists())).await
}

/// Runs file work where it may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DataFolderError> + Send + 'static,
) -> Result<T, DataFolderError> {
    spawn_blocking(work).await.map_err(|_| DataFolderError::Interrupted)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lock_is_held_once_and_free_again_when_dropped() {
        let data = tempfile::tempdir().unwrap();
        let first = try_lock(data.path()).await.unwrap();
        assert!(first.is_some());
        assert!(try_lock(data.path()).await.unwrap().is_none());
        assert!(matches!(lock(data.path(), Duration::ZERO).await, Err(DataFolderError::Locked(_))));
        drop(first);
        assert!(try_lock(data.path()).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_file_is_no_data_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(create(file.path()).await, Err(DataFolderError::NotAFolder(_))));
    }
}
