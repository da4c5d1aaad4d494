//! Rows a second through the group-commit writer, in process: what the HTTP figures are measured against.
//!
//! `cargo bench -p demilune-store [-- sqlite|postgres] [SECONDS]`. Each caller waits for its answer before its next
//! call. "new" adds operations, "again" adds those that are there. The file lies in `TMPDIR`: point it at the disk in
//! question, since a RAM disk makes every commit free.
#![expect(clippy::print_stdout, reason = "the figures are the output")]
#![allow(clippy::unwrap_used, reason = "a bench")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use demilune_inventory::{OperationKey, Timestamp, ZoneId};
use demilune_store::{Database, Store, StoreOptions, StoreStats, Zone};
use demilune_test_postgres::TestPostgres;
use tokio::task::JoinSet;

const CALLERS: [u64; 4] = [1, 8, 32, 64];

fn main() {
    // Cargo says `--bench` when it benches; under `cargo test` the code only has to run.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let benching = arguments.iter().any(|argument| argument == "--bench");
    let seconds =
        arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(if benching { 3.0 } else { 0.05 });
    let wanted = |name: &str| {
        let named = |argument: &String| argument == "sqlite" || argument == "postgres";
        !arguments.iter().any(named) || arguments.iter().any(|argument| argument == name)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!("backend   callers  what    rows/s  requests/commit");
    if wanted("sqlite") {
        for callers in CALLERS {
            let folder = tempfile::tempdir().unwrap();
            let database = Database::Sqlite(folder.path().join("bench.db"));
            runtime.block_on(measure("sqlite", database, callers, Duration::from_secs_f64(seconds)));
        }
    }
    if wanted("postgres") {
        let server = TestPostgres::start();
        for callers in CALLERS {
            let name = format!("bench_{callers}");
            server.create_database(&name);
            let database = Database::Postgres(server.url(&name));
            runtime.block_on(measure("postgres", database, callers, Duration::from_secs_f64(seconds)));
        }
    }
}

async fn measure(backend: &str, database: Database, callers: u64, time: Duration) {
    let options = StoreOptions { database, migrate: true, operations_per_zone_max: u32::MAX };
    let store = Store::open(&options).await.unwrap();
    let id: ZoneId = "023e105f4ecef8ad9ca31a8372d0c353".parse().unwrap();
    store.zone_create(Zone { id: id.clone(), name: "bench.example".to_owned(), created_at: now(0) }).await.unwrap();
    let next = Arc::new(AtomicU64::new(0));
    let new = rows_per_second(&store, &id, callers, time, move || next.fetch_add(1, Ordering::Relaxed)).await;
    report(backend, callers, "new", new);
    let next = Arc::new(AtomicU64::new(0));
    // A thousand rows, far enough apart that callers of one batch rarely fold.
    let again = rows_per_second(&store, &id, callers, time, move || next.fetch_add(7, Ordering::Relaxed) % 1_000).await;
    report(backend, callers, "again", again);
    store.close().await;
}

fn report(backend: &str, callers: u64, what: &str, (rows, batch): (f64, f64)) {
    println!("{backend:<9} {callers:>7}  {what:<5} {rows:>8.0}  {batch:>15.1}");
}

async fn rows_per_second(
    store: &Store,
    zone: &ZoneId,
    callers: u64,
    time: Duration,
    next: impl Fn() -> u64 + Clone + Send + 'static,
) -> (f64, f64) {
    let before = committed(&store.stats());
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (store, zone, next) = (store.clone(), zone.clone(), next.clone());
        tasks.spawn(async move {
            let mut rows = 0_u32;
            while started.elapsed() < time {
                let number = next();
                store.operation_upsert(&zone, vec![key(number)], now(number)).await.unwrap();
                rows += 1;
            }
            rows
        });
    }
    let rows: u32 = tasks.join_all().await.into_iter().sum();
    let rate = f64::from(rows) / started.elapsed().as_secs_f64();
    let after = committed(&store.stats());
    (rate, (after.1 - before.1) / (after.0 - before.0))
}

/// Commits, and requests in them.
fn committed(stats: &StoreStats) -> (f64, f64) {
    let commits: u64 = stats.batch_requests.counts.iter().sum();
    (f64::from(u32::try_from(commits).unwrap()), stats.batch_requests.sum)
}

fn key(number: u64) -> OperationKey {
    OperationKey {
        host: format!("api{}.example.com", number % 7).parse().unwrap(),
        endpoint: format!("/v1/accounts/{{id}}/resource{number}/items/{{item}}").parse().unwrap(),
        method: "GET".parse().unwrap(),
    }
}

fn now(number: u64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000 + i64::try_from(number).unwrap()).unwrap()
}
