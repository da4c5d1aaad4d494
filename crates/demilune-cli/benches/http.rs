//! `POST operations/item` over HTTP at several numbers of clients, on both backends, each beside its anchor in the same
//! run: on SQLite the store's own writer called in process, on PostgreSQL `pgbench` with the plainest upsert there is.
//! Then get and list in a zone of 10,000 operations. Prints the tables of `docs/performance.md`.
//!
//! `cargo bench --package demilune-cli --bench http`; `DEMILUNE_BENCH_SECONDS` is the length of each measurement (3).
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on has failed")]

use std::{
    env,
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant, SystemTime},
};

use demilune_inventory::{OperationKey, Timestamp, ZoneId};
use demilune_store::{Database, Store, StoreOptions, Zone};
use demilune_test_postgres::TestPostgres;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const ZONE: &str = "023e105f4ecef8ad9ca31a8372d0c353";
const TOKEN: &str = "bench-token-0123456789-0123456789-012345";
const CLIENTS: [usize; 4] = [1, 8, 32, 64];
/// What pgbench is run with: the clients of the target.
const PGBENCH_CLIENTS: usize = 32;

/// No two operations of a run are the same.
static NEXT: AtomicU64 = AtomicU64::new(0);

fn main() {
    let seconds: f64 = env::var("DEMILUNE_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3.0);
    let length = Duration::from_secs_f64(seconds);
    // One thread makes the load, so that most of the machine is left to what is measured.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();

    println!("SQLite, new operations a second ({seconds} s each)\n");
    println!("| clients | writer in process | POST over HTTP | ratio | p50 ms | p99 ms |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
    for clients in CLIENTS {
        let anchor = in_process(clients, length);
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), None);
        let measured = runtime.block_on(load(server.port, clients, length, new_operation));
        print_row(clients, anchor, &measured);
    }

    let postgres = TestPostgres::start();
    println!("\nPostgreSQL, new operations a second ({seconds} s each)\n");
    println!("| clients | pgbench upsert, {PGBENCH_CLIENTS} clients | POST over HTTP | ratio | p50 ms | p99 ms |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
    for clients in CLIENTS {
        let database = format!("bench_{clients}");
        postgres.create_database(&database);
        let url = postgres.url(&database);
        let anchor = pgbench(postgres.programs(), &url, length);
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), Some(&url));
        let measured = runtime.block_on(load(server.port, clients, length, new_operation));
        print_row(clients, anchor, &measured);
    }

    println!("\nA zone of 10,000 operations, calls a second at 8 clients\n");
    println!("| call | SQLite | p50 ms | p99 ms | PostgreSQL | p50 ms | p99 ms |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Server::start(folder.path(), None);
    postgres.create_database("bench_read");
    let url = postgres.url("bench_read");
    let folder_of_postgres = tempfile::tempdir().unwrap();
    let on_postgres = Server::start(folder_of_postgres.path(), Some(&url));
    let ids = [&sqlite, &on_postgres].map(|server| runtime.block_on(fill(server.port)));
    let calls: [(&str, &str); 5] = [
        ("health (the floor of HTTP)", "/healthz"),
        ("get", "operations/{id}"),
        ("list, first page", "operations?per_page=50"),
        ("list, last page", "operations?per_page=50&page=200"),
        ("list, endpoint=99", "operations?per_page=50&endpoint=99"),
    ];
    for (name, call) in calls {
        let [a, b] = [(&sqlite, &ids[0]), (&on_postgres, &ids[1])].map(|(server, id)| {
            let path = if call.starts_with('/') {
                call.to_owned()
            } else {
                format!("/client/v4/zones/{ZONE}/api_gateway/{}", call.replace("{id}", id))
            };
            runtime.block_on(load(server.port, 8, length, move || get(&path)))
        });
        println!(
            "| {name} | {:.0} | {:.2} | {:.2} | {:.0} | {:.2} | {:.2} |",
            a.per_second, a.p50_ms, a.p99_ms, b.per_second, b.p50_ms, b.p99_ms
        );
    }
}

fn print_row(clients: usize, anchor: f64, measured: &Measured) {
    let Measured { per_second, p50_ms, p99_ms } = measured;
    println!("| {clients} | {anchor:.0} | {per_second:.0} | {:.2} | {p50_ms:.2} | {p99_ms:.2} |", per_second / anchor);
}

/// The binary, serving.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(data: &Path, database: Option<&str>) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_demilune"));
        command.args([
            "serve",
            "--role",
            "control",
            "--listen",
            &format!("127.0.0.1:{port}"),
            "--operations-per-zone-max",
            "100000000",
        ]);
        command.arg("--data").arg(data.join("data"));
        command.env("DEMILUNE_BOOTSTRAP_ZONE", format!("{ZONE}:example.com")).env("DEMILUNE_BOOTSTRAP_TOKEN", TOKEN);
        if let Some(url) = database {
            command.args(["--database", url]);
        }
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(20), "the server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Measured {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// As many connections as clients, each sending its next request when the last was answered.
async fn load<R>(port: u16, clients: usize, length: Duration, request: R) -> Measured
where
    R: Fn() -> Vec<u8> + Clone + 'static,
{
    let tasks = tokio::task::LocalSet::new();
    let started = Instant::now();
    let running: Vec<_> = (0..clients)
        .map(|_| {
            let request = request.clone();
            tasks.spawn_local(async move {
                let mut client = Client::connect(port).await;
                let mut times = Vec::new();
                while started.elapsed() < length {
                    let sent = Instant::now();
                    client.call(&request()).await;
                    times.push(sent.elapsed());
                }
                times
            })
        })
        .collect();
    tasks.await;
    let elapsed = started.elapsed().as_secs_f64();
    let mut times = Vec::new();
    for task in running {
        times.extend(task.await.unwrap());
    }
    times.sort();
    let quantile = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let per_second = times.len() as f64 / elapsed;
    Measured { per_second, p50_ms: quantile(50), p99_ms: quantile(99) }
}

/// A keep-alive connection that reads just enough of HTTP to find the end of an answer.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    async fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::with_capacity(64 * 1024) }
    }

    async fn call(&mut self, request: &[u8]) -> &[u8] {
        self.stream.write_all(request).await.unwrap();
        self.buffer.clear();
        loop {
            assert_ne!(self.stream.read_buf(&mut self.buffer).await.unwrap(), 0, "the server hung up");
            let Some(head) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
            let text = std::str::from_utf8(&self.buffer[..head]).unwrap();
            assert!(text.starts_with("HTTP/1.1 200"), "{text}");
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let end = head + 4 + length.parse::<usize>().unwrap();
            if self.buffer.len() >= end {
                return &self.buffer[head + 4..end];
            }
        }
    }
}

fn next_endpoint() -> String {
    format!("/api/v1/users/{{id}}/items/{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn new_operation() -> Vec<u8> {
    let endpoint = next_endpoint();
    let body = format!(r#"{{"method":"GET","host":"www.example.com","endpoint":"{endpoint}"}}"#);
    let head = format!(
        "POST /client/v4/zones/{ZONE}/api_gateway/operations/item HTTP/1.1\r\nhost: localhost\r\n\
         authorization: Bearer {TOKEN}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\n\r\n").into_bytes()
}

/// Adds 10,000 operations and answers with the id of one.
async fn fill(port: u16) -> String {
    let mut client = Client::connect(port).await;
    let mut id = String::new();
    for _ in 0..500 {
        let operations: Vec<_> = (0..20)
            .map(|_| format!(r#"{{"method":"GET","host":"www.example.com","endpoint":"{}"}}"#, next_endpoint()))
            .collect();
        let body = format!("[{}]", operations.join(","));
        let head = format!(
            "POST /client/v4/zones/{ZONE}/api_gateway/operations HTTP/1.1\r\nhost: localhost\r\n\
             authorization: Bearer {TOKEN}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let answer = client.call((head + &body).as_bytes()).await;
        let answer = std::str::from_utf8(answer).unwrap();
        id = answer.split_once(r#""operation_id":""#).unwrap().1[..36].to_owned();
    }
    id
}

/// The store's writer, called by as many tasks as there are clients.
fn in_process(clients: usize, length: Duration) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let database = Database::Sqlite(folder.path().join("bench.db"));
        let options = StoreOptions { database, migrate: true, operations_per_zone_max: u32::MAX };
        let store = Store::open(&options).await.unwrap();
        let zone: ZoneId = ZONE.parse().unwrap();
        store.zone_create(Zone { id: zone.clone(), name: "example.com".to_owned(), created_at: now() }).await.unwrap();
        let started = Instant::now();
        let tasks: Vec<_> = (0..clients)
            .map(|_| {
                let (store, zone) = (store.clone(), zone.clone());
                tokio::spawn(async move {
                    let mut count = 0_u32;
                    while started.elapsed() < length {
                        let key = OperationKey {
                            host: "www.example.com".parse().unwrap(),
                            endpoint: next_endpoint().parse().unwrap(),
                            method: "GET".parse().unwrap(),
                        };
                        store.operation_upsert(&zone, vec![key], now()).await.unwrap();
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        let mut count = 0;
        for task in tasks {
            count += task.await.unwrap();
        }
        f64::from(count) / started.elapsed().as_secs_f64()
    })
}

fn now() -> Timestamp {
    let micros = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros();
    Timestamp::from_micros(i64::try_from(micros).unwrap()).unwrap()
}

/// The plainest upsert there is: one row, one transaction, in the driver's own load generator.
fn pgbench(programs: &Path, url: &str, length: Duration) -> f64 {
    const TABLE: &str = "CREATE TABLE IF NOT EXISTS anchor (zone TEXT COLLATE \"C\", key BIGINT, \
                         endpoint TEXT COLLATE \"C\", moved BIGINT, PRIMARY KEY (zone, key))";
    const SCRIPT: &str = "\\set key random(1, 2000000000)\n\
        INSERT INTO anchor VALUES ('z', :key, '/api/v1/users/{var1}/items/' || :key, 1) \
        ON CONFLICT (zone, key) DO UPDATE SET moved = anchor.moved + 1 RETURNING moved;\n";
    assert!(Command::new(programs.join("psql")).args([url, "-qc", TABLE]).status().unwrap().success());
    let mut script = tempfile::NamedTempFile::new().unwrap();
    script.write_all(SCRIPT.as_bytes()).unwrap();
    let seconds = length.as_secs().max(1).to_string();
    let clients = PGBENCH_CLIENTS.to_string();
    let mut command = Command::new(programs.join("pgbench"));
    command.args(["-n", "-M", "prepared", "-c", &clients, "-j", "1", "-T", &seconds, "-f"]).arg(script.path()).arg(url);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let tps = text.lines().find_map(|line| line.strip_prefix("tps = ")).unwrap_or_else(|| panic!("{output:?}"));
    tps.split(' ').next().unwrap().parse().unwrap()
}
