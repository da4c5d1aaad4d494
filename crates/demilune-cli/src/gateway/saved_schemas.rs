//! The sources of schemas on disk, a file for each: so that a gateway that starts while the store is gone has them.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use demilune_store::SchemaId;
use sha2::{Digest, Sha256};

use super::secret::hex;
use crate::data_folder::{FILE_MODE, FOLDER_MODE};

/// The folder in the data folder.
const FOLDER: &str = "schemas";

/// The folder of sources. All of this blocks.
#[derive(Clone)]
pub(super) struct SavedSchemas {
    folder: PathBuf,
}

impl SavedSchemas {
    pub(super) fn new(data: &Path) -> Self {
        Self { folder: data.join(FOLDER) }
    }

    /// Keeps a source. A schema never changes, so that what is there stays.
    pub(super) fn keep(&self, id: SchemaId, source: &str) -> io::Result<()> {
        let path = self.path(id);
        if path.exists() {
            return Ok(());
        }
        fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&self.folder)?;
        write_whole(&path, &sealed(MARK, source))
    }

    /// The source that was kept.
    pub(super) fn read(&self, id: SchemaId) -> Result<String, String> {
        let text = fs::read_to_string(self.path(id)).map_err(|error| format!("schema {id}: {error}"))?;
        unsealed(MARK, &text).map(str::to_owned).map_err(|error| format!("schema {id}: {error}"))
    }

    /// Removes all but these.
    pub(super) fn retain(&self, kept: &BTreeSet<SchemaId>) -> io::Result<()> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let id = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if id.is_none_or(|id| !kept.contains(&id)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn path(&self, id: SchemaId) -> PathBuf {
        self.folder.join(id.to_string())
    }
}

/// The first line of a file says this, and the hash of all that follows.
const MARK: &str = "demilune schema 1 sha256 ";

/// A text behind a line that says what it is and which hash it has.
pub(super) fn sealed(mark: &str, body: &str) -> String {
    format!("{mark}{}\n{body}", hash(body))
}

/// The text of a file that is whole.
pub(super) fn unsealed<'t>(mark: &str, text: &'t str) -> Result<&'t str, String> {
    let (head, body) = text.split_once('\n').ok_or("it has no first line")?;
    let expected = head.strip_prefix(mark).ok_or("its first line does not say what it is")?;
    if hash(body) == expected {
        Ok(body)
    } else {
        Err("its content does not have the hash that its first line says".to_owned())
    }
}

/// Writes a file so that it is there as a whole or not at all.
pub(super) fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    let opened = OpenOptions::new().create(true).truncate(true).write(true).mode(FILE_MODE).open(&unfinished);
    let mut file = opened?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}

fn hash(body: &str) -> String {
    hex(&Sha256::digest(body.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0f05e4fc-1c36-4bd2-a5e7-b29d32d3dc8e";

    #[test]
    fn a_source_is_read_as_it_was_kept_until_nobody_needs_it() {
        let data = tempfile::tempdir().unwrap();
        let (saved, id) = (SavedSchemas::new(data.path()), ID.parse().unwrap());
        assert!(saved.read(id).is_err() && saved.retain(&BTreeSet::new()).is_ok());
        saved.keep(id, "a: 1\n").unwrap();
        saved.keep(id, "another").unwrap();
        saved.retain(&BTreeSet::from([id])).unwrap();
        assert_eq!(saved.read(id), Ok("a: 1\n".to_owned()));
        saved.retain(&BTreeSet::new()).unwrap();
        assert!(saved.read(id).is_err());
    }

    #[test]
    fn a_source_that_was_changed_is_not_used() {
        let data = tempfile::tempdir().unwrap();
        let (saved, id) = (SavedSchemas::new(data.path()), ID.parse().unwrap());
        saved.keep(id, "maximum: 1").unwrap();
        let file = data.path().join(FOLDER).join(ID);
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("maximum: 1", "maximum: 9")).unwrap();
        assert!(saved.read(id).unwrap_err().contains("hash"));
    }
}
