//! What was acknowledged is there after `kill -9`.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

use demilune_store::{Database, Store, StoreOptions};

use crate::fixture::{Fixture, add, at, conformance, create_zone, stored};

conformance![an_acknowledged_write_survives_a_kill];

const DATABASE: &str = "DEMILUNE_TEST_DATABASE";

/// Run by the case below in a process of its own, which is then killed.
#[test]
#[ignore = "writes until it is killed"]
fn writes_until_killed() {
    let database: Database = std::env::var(DATABASE).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store =
            Store::open(&StoreOptions { database, migrate: false, operations_per_zone_max: 1_000_000 }).await.unwrap();
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..8 {
            let store = store.clone();
            writers.spawn(async move {
                for step in 0..1_000_000 {
                    let path = format!("/{writer}/{step}");
                    add(&store, &"z".parse().unwrap(), &format!("GET {path}"), at(0)).await;
                    // One call, one line: what is printed was acknowledged.
                    std::io::stderr().write_all(format!("stored {path}\n").as_bytes()).unwrap();
                }
            });
        }
        writers.join_all().await;
    });
}

async fn an_acknowledged_write_survives_a_kill(fixture: &Fixture) {
    let store = fixture.store().await;
    let zone = create_zone(&store, "z").await;
    store.close().await;
    let database = match &fixture.database {
        Database::Sqlite(path) => format!("sqlite:{}", path.display()),
        Database::Postgres(url) => url.clone(),
    };
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "durability::writes_until_killed", "--nocapture"])
        .env(DATABASE, database)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let stored_path = |line: String| line.strip_prefix("stored ").map(str::to_owned);
    let mut acknowledged: Vec<String> =
        lines.by_ref().map_while(Result::ok).filter_map(stored_path).take(500).collect();
    child.kill().unwrap();
    acknowledged.extend(lines.map_while(Result::ok).filter_map(stored_path));
    child.wait().unwrap();
    assert!(acknowledged.len() >= 500);
    let reopened = fixture.store().await;
    let found: std::collections::BTreeSet<String> =
        stored(&reopened, &zone).await.into_iter().map(|operation| operation.key.endpoint.to_string()).collect();
    let lost: Vec<&String> = acknowledged.iter().filter(|path| !found.contains(*path)).collect();
    assert!(lost.is_empty(), "{lost:?}");
}
