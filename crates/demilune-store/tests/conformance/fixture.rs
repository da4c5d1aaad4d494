//! A database for one case, and the short forms that the cases are written in.

use std::{
    fmt::Write as _,
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use demilune_inventory::{Operation, OperationId, OperationKey, Timestamp, ZoneId};
use demilune_policy::rule::{HostHeader, Origin, RouteTarget, SessionIdentifier, ZoneRules};
use demilune_store::{
    Database, OpenError, OperationOrder, OperationQuery, OperationUpsertError, Store, StoreFailure, StoreOptions,
    Upserted, Zone,
};
use demilune_test_postgres::TestPostgres;
use tempfile::TempDir;

/// Makes a test on each backend out of each case.
macro_rules! conformance {
    ($($case:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $case() { $crate::fixture::run(&$crate::fixture::Fixture::sqlite(), async |fixture| super::$case(fixture).await); })*
        }
        mod on_postgres {
            $(#[test] fn $case() { $crate::fixture::run(&$crate::fixture::Fixture::postgres(), async |fixture| super::$case(fixture).await); })*
        }
    };
}
pub(crate) use conformance;

/// One server for the whole run. It ends with the process.
fn server() -> &'static TestPostgres {
    static SERVER: OnceLock<TestPostgres> = OnceLock::new();
    SERVER.get_or_init(TestPostgres::start)
}

/// A database of its own.
pub(crate) struct Fixture {
    pub(crate) database: Database,
    pub(crate) folder: TempDir,
    backend: Backend,
}

enum Backend {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Fixture {
    /// A file that is not there yet.
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demilune.db");
        Self { database: Database::Sqlite(path.clone()), folder, backend: Backend::Sqlite(path) }
    }

    /// An empty database on the shared server.
    pub(crate) fn postgres() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("case_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        server().create_database(&name);
        let database = Database::Postgres(server().url(&name));
        Self { database, folder: tempfile::tempdir().unwrap(), backend: Backend::Postgres(name) }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.backend, Backend::Sqlite(_))
    }

    /// The SQLite file.
    pub(crate) fn path(&self) -> PathBuf {
        match &self.backend {
            Backend::Sqlite(path) => path.clone(),
            Backend::Postgres(_) => panic!("only SQLite has a file"),
        }
    }

    /// A store on this database, one of possibly several.
    pub(crate) async fn store(&self) -> Store {
        self.store_with_max(10_000).await
    }

    pub(crate) async fn store_with_max(&self, operations_per_zone_max: u32) -> Store {
        self.open(true, operations_per_zone_max).await.unwrap()
    }

    pub(crate) async fn open(&self, migrate: bool, operations_per_zone_max: u32) -> Result<Store, OpenError> {
        Store::open(&StoreOptions { database: self.database.clone(), migrate, operations_per_zone_max }).await
    }

    /// A store with one zone, `z`.
    pub(crate) async fn store_with_zone(&self) -> (Store, ZoneId) {
        let store = self.store().await;
        let zone = create_zone(&store, "z").await;
        (store, zone)
    }

    /// Runs statements behind the store's back.
    pub(crate) fn sql(&self, statements: &str) {
        match &self.backend {
            Backend::Sqlite(path) => rusqlite::Connection::open(path).unwrap().execute_batch(statements).unwrap(),
            Backend::Postgres(name) => server().sql(name, statements),
        }
    }

    /// One number, read behind the store's back.
    pub(crate) fn number(&self, query: &str) -> i64 {
        match &self.backend {
            Backend::Sqlite(path) => {
                rusqlite::Connection::open(path).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
            }
            Backend::Postgres(name) => server().query(name, query).parse().unwrap(),
        }
    }

    /// What must hold between the tables, whatever was done.
    fn check_invariants(&self) {
        if self.is_sqlite() && !self.path().exists() {
            return;
        }
        let exists = if self.is_sqlite() {
            "SELECT count(*) FROM sqlite_master WHERE name = 'operations'"
        } else {
            "SELECT count(*) FROM pg_tables WHERE tablename = 'operations'"
        };
        if self.number(exists) == 0 {
            return;
        }
        let check = |what: &str, query: &str| assert_eq!(self.number(query), 0, "{what}");
        check(
            "zones that miscount their operations",
            "SELECT count(*) FROM zones WHERE operation_count <> \
             (SELECT count(*) FROM operations WHERE operations.zone_id = zones.zone_id)",
        );
        check(
            "operations without a zone",
            "SELECT count(*) FROM operations WHERE zone_id NOT IN (SELECT zone_id FROM zones)",
        );
        check(
            "operations that are there twice",
            "SELECT count(*) - count(DISTINCT zone_id || ' ' || host || ' ' || endpoint || ' ' || method) FROM operations",
        );
        check(
            "origins, settings or notes of jobs without a zone",
            "SELECT (SELECT count(*) FROM origins WHERE zone_id NOT IN (SELECT zone_id FROM zones)) \
             + (SELECT count(*) FROM zone_settings WHERE zone_id NOT IN (SELECT zone_id FROM zones)) \
             + (SELECT count(*) FROM job_state WHERE zone_id NOT IN (SELECT zone_id FROM zones))",
        );
        check("hosts of two zones", "SELECT count(*) - count(DISTINCT host) FROM origins");
        check(
            "routes without their time, or times without a route",
            "SELECT count(*) FROM operations WHERE (route IS NULL) <> (route_updated_at IS NULL)",
        );
        check(
            "results without an operation",
            "SELECT count(*) FROM operation_thresholds t WHERE NOT EXISTS (SELECT 1 FROM operations \
             WHERE operations.zone_id = t.zone_id AND operations.operation_id = t.operation_id)",
        );
        check(
            "operations that do not say whether they have a result",
            "SELECT count(*) FROM operations WHERE has_thresholds <> (SELECT count(*) FROM operation_thresholds t \
             WHERE operations.zone_id = t.zone_id AND operations.operation_id = t.operation_id)",
        );
        check(
            "schemas without an operation",
            "SELECT count(*) FROM operation_schemas s WHERE NOT EXISTS (SELECT 1 FROM operations \
             WHERE operations.zone_id = s.zone_id AND operations.operation_id = s.operation_id)",
        );
        check(
            "operations that do not say whether they have a schema",
            "SELECT count(*) FROM operations WHERE has_parameter_schemas <> (SELECT count(*) FROM operation_schemas s \
             WHERE operations.zone_id = s.zone_id AND operations.operation_id = s.operation_id)",
        );
        check(
            "uploaded schemas or settings of validation without a zone",
            "SELECT (SELECT count(*) FROM user_schemas WHERE zone_id NOT IN (SELECT zone_id FROM zones)) \
             + (SELECT count(*) FROM validation_settings WHERE zone_id NOT IN (SELECT zone_id FROM zones))",
        );
        check(
            "what no schema describes",
            "SELECT count(*) FROM user_schema_operations u WHERE NOT EXISTS (SELECT 1 FROM user_schemas s \
             WHERE s.zone_id = u.zone_id AND s.schema_id = u.schema_id)",
        );
        check(
            "actions without an operation",
            "SELECT count(*) FROM operation_actions a WHERE NOT EXISTS (SELECT 1 FROM operations \
             WHERE operations.zone_id = a.zone_id AND operations.operation_id = a.operation_id)",
        );
        check(
            "grants on nothing or to nobody",
            "SELECT count(*) FROM grants WHERE token_id NOT IN (SELECT token_id FROM tokens) \
             OR (zone_id IS NOT NULL AND zone_id NOT IN (SELECT zone_id FROM zones))",
        );
    }
}

/// Runs a case, then checks the invariants.
pub(crate) fn run(fixture: &Fixture, case: impl AsyncFnOnce(&Fixture)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(case(fixture));
    fixture.check_invariants();
}

pub(crate) async fn create_zone(store: &Store, id: &str) -> ZoneId {
    let id: ZoneId = id.parse().unwrap();
    store.zone_create(Zone { id: id.clone(), name: format!("{id}.example"), created_at: at(1) }).await.unwrap();
    id
}

/// `GET /users/{var1} api.example.com`, as it is written on the wire but for the order.
pub(crate) fn key(text: &str) -> OperationKey {
    let mut words = text.split(' ');
    let mut word = || words.next().unwrap_or_else(|| panic!("{text}"));
    let (method, endpoint) = (word().parse().unwrap(), word().parse().unwrap());
    OperationKey { host: words.next().unwrap_or("example.com").parse().unwrap(), endpoint, method }
}

/// `GET /{number}` for each number.
pub(crate) fn keys(numbers: std::ops::Range<u32>) -> Vec<OperationKey> {
    numbers.map(|number| key(&format!("GET /{number}"))).collect()
}

/// Microseconds after some moment.
pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000 + micros).unwrap()
}

/// An id that no operation has.
pub(crate) fn unknown_id() -> OperationId {
    OperationId::from_time_and_random(at(0), [0xab; 16])
}

/// Adds one operation.
pub(crate) async fn add(store: &Store, zone: &ZoneId, text: &str, now: Timestamp) -> Upserted {
    let mut answers = store.operation_upsert(zone, vec![key(text)], now).await.unwrap();
    assert_eq!(answers.len(), 1);
    answers.remove(0)
}

pub(crate) async fn add_all(store: &Store, zone: &ZoneId, keys: Vec<OperationKey>) -> Vec<Upserted> {
    store.operation_upsert(zone, keys, at(0)).await.unwrap()
}

/// Everything in the default order.
pub(crate) fn all() -> OperationQuery {
    OperationQuery {
        hosts: vec![],
        methods: vec![],
        endpoint_contains: None,
        order: OperationOrder::Host,
        descending: false,
        offset: 0,
        limit: 100_000,
    }
}

/// A zone's operations, which must be as many as the answer says.
pub(crate) async fn stored(store: &Store, zone: &ZoneId) -> Vec<Operation> {
    let page = store.operation_list(zone, all()).await.unwrap().unwrap();
    assert_eq!(page.operations.len() as u64, page.total_count);
    page.operations.into_iter().map(|stored| stored.operation).collect()
}

pub(crate) async fn revision(store: &Store, zone: &ZoneId) -> u64 {
    store.zone_revision(zone).await.unwrap().unwrap()
}

/// An origin, with the client's `Host` field.
pub(crate) fn origin(host: &str, url: &str) -> Origin {
    Origin { host: host.parse().unwrap(), url: url.parse().unwrap(), host_header: HostHeader::Client }
}

/// A target for an operation with this endpoint.
pub(crate) fn target(text: &str, endpoint: &str) -> RouteTarget {
    RouteTarget::parse(text, &endpoint.parse().unwrap()).unwrap()
}

/// `header X-Api-Key`, `cookie sid`.
pub(crate) fn identifiers(texts: &[&str]) -> Vec<SessionIdentifier> {
    let parse = |text: &&str| {
        let (kind, name) = text.split_once(' ').unwrap();
        SessionIdentifier::parse(kind, name).unwrap()
    };
    texts.iter().map(parse).collect()
}

/// A zone's rules.
pub(crate) async fn rules(store: &Store, zone: &ZoneId) -> ZoneRules {
    store.zone_rules(zone).await.unwrap().unwrap()
}

/// Whether a failure names each of these parts of a damaged value.
pub(crate) fn assert_names(failure: &StoreFailure, parts: [&str; 3]) {
    assert!(matches!(failure, StoreFailure::Damaged { .. }), "{failure:?}");
    let text = chain(failure);
    assert!(parts.iter().all(|part| text.contains(part)), "{parts:?} are not all in: {text}");
}

pub(crate) fn is_limit(answer: &Result<Vec<Upserted>, OperationUpsertError>, max: u32) -> bool {
    matches!(answer, Err(OperationUpsertError::LimitReached { max: found }) if *found == max)
}

/// An error with its causes, as a log shows it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, ": {error}").unwrap();
        cause = error.source();
    }
    text
}
