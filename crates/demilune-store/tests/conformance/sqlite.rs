//! What only a file can do: be copied, be missing, be somebody else's.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use demilune_store::{BackupError, Database, OpenError, Store, StoreOptions};
use rusqlite::Connection;
use tokio::task::JoinSet;

use crate::fixture::{Fixture, add_all, at, keys, run, stored};

async fn open(path: &Path, migrate: bool) -> Result<Store, OpenError> {
    let database = Database::Sqlite(path.to_owned());
    Store::open(&StoreOptions { database, migrate, operations_per_zone_max: 10_000 }).await
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The names and contents of a folder's files.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_new_file_is_its_owners_alone() {
    run(&Fixture::sqlite(), async |fixture| {
        let (store, zone) = fixture.store_with_zone().await;
        add_all(&store, &zone, keys(0..1)).await;
        for (path, _) in contents(fixture.folder.path()) {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    });
}

#[test]
fn a_closed_store_is_a_file_and_one_of_traffic() {
    run(&Fixture::sqlite(), async |fixture| {
        let (store, zone) = fixture.store_with_zone().await;
        add_all(&store, &zone, keys(0..10)).await;
        store.close().await;
        let left: Vec<PathBuf> = contents(fixture.folder.path()).into_iter().map(|(path, _)| path).collect();
        assert_eq!(left, [fixture.path().with_file_name("demilune-traffic.db"), fixture.path()]);
    });
}

#[test]
fn what_is_pending_is_found_without_a_trace() {
    run(&Fixture::sqlite(), async |fixture| {
        fixture.store().await.close().await;
        let before = contents(fixture.folder.path());
        assert_eq!(Store::migrations_pending(&fixture.database).await.unwrap(), []);
        assert_eq!(contents(fixture.folder.path()), before);
    });
}

#[test]
fn another_programs_file_is_refused_and_left_alone() {
    run(&Fixture::sqlite(), async |fixture| {
        let path = fixture.folder.path().join("other.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (n); INSERT INTO t VALUES (1)").unwrap();
        let before = contents(fixture.folder.path());
        for migrate in [true, false] {
            let error = open(&path, migrate).await.err().unwrap();
            let text = crate::fixture::chain(&error);
            assert!(text.contains("other.db") && text.contains("another program"), "{text}");
        }
        assert!(Store::migrations_pending(&Database::Sqlite(path)).await.is_err());
        assert_eq!(contents(fixture.folder.path()), before, "refused, yet changed");
    });
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    run(&Fixture::sqlite(), async |fixture| {
        let path = fixture.folder.path().join("notes.txt");
        fs::write(&path, "a text of more than a hundred bytes, ".repeat(50)).unwrap();
        let before = contents(fixture.folder.path());
        for error in [
            open(&path, true).await.err().unwrap(),
            Store::migrations_pending(&Database::Sqlite(path.clone())).await.unwrap_err(),
        ] {
            assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
            assert!(error.to_string().contains("notes.txt"), "{error}");
        }
        assert_eq!(contents(fixture.folder.path()), before);
    });
}

#[test]
fn a_missing_folder_is_named_and_not_made() {
    run(&Fixture::sqlite(), async |fixture| {
        let folder = fixture.folder.path().join("missing");
        for migrate in [true, false] {
            let error = open(&folder.join("demilune.db"), migrate).await.err().unwrap();
            let text = error.to_string();
            assert!(text.contains("missing") && text.contains("folder"), "{text}");
        }
        assert!(!folder.exists());
    });
}

#[test]
fn an_empty_file_is_a_new_store() {
    run(&Fixture::sqlite(), async |fixture| {
        fs::write(fixture.path(), "").unwrap();
        assert!(matches!(fixture.open(false, 1).await, Err(OpenError::MigrationNeeded { found: 0, .. })));
        fixture.store().await.ping().await.unwrap();
    });
}

#[test]
fn a_path_may_hold_any_character() {
    run(&Fixture::sqlite(), async |fixture| {
        for name in [":memory:", "a b%20?#é.db", "file:x", "'"] {
            let path = fixture.folder.path().join(name);
            open(&path, true).await.unwrap().close().await;
            assert!(path.exists(), "{name}");
            assert_eq!(Store::migrations_pending(&Database::Sqlite(path)).await.unwrap(), [], "{name}");
        }
    });
}

#[test]
fn a_backup_taken_while_writing_is_whole() {
    run(&Fixture::sqlite(), async |fixture| {
        let (store, zone) = fixture.store_with_zone().await;
        add_all(&store, &zone, keys(0..2_000)).await;
        let mut writers = JoinSet::new();
        for writer in 0..8_u32 {
            let (store, zone) = (store.clone(), zone.clone());
            writers.spawn(async move {
                for step in 0..100 {
                    let number = 10_000 * (writer + 1) + step;
                    // Two rows in one request: a copy holds both or neither.
                    let pair =
                        keys(number..number + 1).into_iter().chain(keys(number + 1_000..number + 1_001)).collect();
                    store.operation_upsert(&zone, pair, at(0)).await.unwrap();
                }
            });
        }
        let to = fixture.folder.path().join("copy.db");
        store.backup(to.clone()).await.unwrap();
        writers.join_all().await;
        assert_eq!(mode(&to), 0o600);
        let check: String =
            Connection::open(&to).unwrap().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
        let copied = stored(&open(&to, false).await.unwrap(), &zone).await.len();
        assert!((2_000..=3_600).contains(&copied) && copied.is_multiple_of(2), "{copied}");
        assert_eq!(stored(&store, &zone).await.len(), 3_600);
    });
}

#[test]
fn a_backup_replaces_nothing() {
    run(&Fixture::sqlite(), async |fixture| {
        let store = fixture.store().await;
        let to = fixture.folder.path().join("precious");
        fs::write(&to, "data").unwrap();
        let error = store.backup(to.clone()).await.unwrap_err();
        assert!(matches!(error, BackupError::Target { .. }), "{error:?}");
        assert_eq!(fs::read(&to).unwrap(), b"data");
        let error = store.backup(fixture.path()).await.unwrap_err();
        assert!(matches!(error, BackupError::Target { .. }), "{error:?}");
        let error = store.backup(fixture.folder.path().join("missing/copy.db")).await.unwrap_err();
        assert!(matches!(error, BackupError::Target { .. }), "{error:?}");
    });
}
