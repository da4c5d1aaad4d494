//! A manager over a store of its own, for tests.

use demilune_inventory::Timestamp;
use demilune_store::{Database, Store, StoreOptions, Zone};
use tempfile::TempDir;

use super::Manager;
use crate::CredentialCache;

/// A manager with one zone, in a folder that goes when it is dropped.
pub(super) async fn manager(operations_per_zone_max: u32) -> (TempDir, Manager) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::Sqlite(folder.path().join("test.db"));
    let store = Store::open(&StoreOptions { database, migrate: true, operations_per_zone_max }).await.unwrap();
    let created_at = Timestamp::from_micros(0).unwrap();
    store.zone_create(Zone { id: "z1".parse().unwrap(), name: "default".to_owned(), created_at }).await.unwrap();
    (folder, Manager::new(store, CredentialCache::default()))
}
