//! What was acknowledged stays: crashes of the server, restarts of PostgreSQL and races, under load, on real processes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use demilune_test_postgres::TestPostgres;
use serde_json::Value;
use support::{Server, operation};

/// Callers at once.
const WRITERS: u64 = 32;
/// How long an answer may take while the database is away: the store waits 3 s for a connection.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Where a server is, and how to call it.
#[derive(Clone)]
struct Target {
    address: String,
    token: String,
    zone: String,
}

impl Target {
    fn of(server: &Server) -> Self {
        Self { address: server.address().to_owned(), token: server.token(), zone: server.zone() }
    }
}

/// One answer, as far as the tests look at it.
struct Answer {
    status: u16,
    retry_after: bool,
    body: Value,
}

/// A connection that is kept open, and opened again after it broke.
struct Client {
    target: Target,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    fn new(target: &Target) -> Self {
        Self { target: target.clone(), connection: None }
    }

    /// Adds an operation; an error means that no whole answer came, and `InvalidData` that a part of one did.
    fn add(&mut self, endpoint: &str) -> io::Result<Answer> {
        let body = operation("GET", "www.example.com", endpoint).to_string();
        let Target { token, zone, .. } = &self.target;
        let request = format!(
            "POST /client/v4/zones/{zone}/api_gateway/operations/item HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = self.exchange(&request);
        if answer.is_err() {
            self.connection = None;
        }
        answer
    }

    fn exchange(&mut self, request: &str) -> io::Result<Answer> {
        if self.connection.is_none() {
            let stream = TcpStream::connect(&self.target.address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(ANSWER_MAX))?;
            self.connection = Some(BufReader::new(stream));
        }
        let connection = self.connection.as_mut().unwrap();
        connection.get_mut().write_all(request.as_bytes())?;
        let (mut status, mut length, mut retry_after) = (0, 0, false);
        loop {
            let mut line = String::new();
            match connection.read_line(&mut line) {
                Ok(_) if line.ends_with('\n') => {}
                // It broke off within the head.
                Ok(_) | Err(_) if status != 0 || !line.is_empty() => return Err(io::ErrorKind::InvalidData.into()),
                Ok(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) => return Err(error),
            }
            let line = line.trim_end();
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            } else if line.starts_with("retry-after: ") {
                retry_after = true;
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        connection.read_exact(&mut body).map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(Answer { status, retry_after, body: serde_json::from_slice(&body).unwrap() })
    }
}

/// What callers were told: the id of each endpoint that was acknowledged, and the endpoints sent without an answer.
#[derive(Default)]
struct Acknowledged(BTreeMap<String, String>, BTreeSet<String>);

impl Acknowledged {
    fn note(&mut self, endpoint: String, id: &str) {
        let noted = self.0.entry(endpoint).or_insert_with(|| id.to_owned());
        assert_eq!(noted, id, "an operation changed its id");
    }

    fn take(&mut self, others: Acknowledged) {
        for (endpoint, id) in others.0 {
            self.note(endpoint, &id);
        }
        self.1.extend(others.1);
    }
}

/// Writers that add an operation, half of them new ones and half of them again, until told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    writers: Vec<thread::JoinHandle<Acknowledged>>,
}

impl Load {
    /// `next` numbers the new operations; each writer looks at everything that comes back and is no 200.
    fn start(
        target: &Target,
        next: &Arc<AtomicU64>,
        look: impl Fn(&io::Result<Answer>) + Copy + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let writers = (0..WRITERS).map(|writer| {
            let (target, next, stop) = (target.clone(), Arc::clone(next), Arc::clone(&stop));
            thread::spawn(move || {
                let mut client = Client::new(&target);
                let mut acknowledged = Acknowledged::default();
                let mut calls = writer;
                while !stop.load(Ordering::Relaxed) {
                    calls += 1;
                    let number = if calls.is_multiple_of(2) {
                        next.fetch_add(1, Ordering::Relaxed)
                    } else {
                        next.load(Ordering::Relaxed).saturating_sub(calls % 64)
                    };
                    let endpoint = format!("/items/{number}");
                    match client.add(&endpoint) {
                        Ok(answer) if answer.status == 200 => {
                            let id = answer.body["result"]["operation_id"].as_str().unwrap();
                            acknowledged.note(endpoint, id);
                        }
                        other => {
                            look(&other);
                            if other.is_err() {
                                acknowledged.1.insert(endpoint);
                            }
                            // The server, its database or the connection is gone.
                            thread::sleep(Duration::from_millis(10));
                        }
                    }
                }
                acknowledged
            })
        });
        Self { writers: writers.collect(), stop }
    }

    fn finish(self) -> Acknowledged {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Acknowledged::default();
        for writer in self.writers {
            all.take(writer.join().unwrap());
        }
        all
    }
}

/// Every operation of the zone: endpoint and id. No endpoint may be there twice.
fn stored(server: &Server) -> BTreeMap<String, String> {
    let zone = server.zone();
    let mut stored = BTreeMap::new();
    for page in 1.. {
        let path = format!("/zones/{zone}/api_gateway/operations?per_page=50&page={page}");
        let (status, body) = server.call("GET", &path, None);
        assert_eq!(status, 200, "{body}");
        let operations = body["result"].as_array().unwrap();
        if operations.is_empty() {
            break;
        }
        for operation in operations {
            let text = |name: &str| operation[name].as_str().unwrap().to_owned();
            let before = stored.insert(text("endpoint"), text("operation_id"));
            assert_eq!(before, None, "{} is there twice", text("endpoint"));
        }
    }
    stored
}

fn check_all_there(server: &Server, acknowledged: &Acknowledged) {
    let stored = stored(server);
    for (endpoint, id) in &acknowledged.0 {
        assert_eq!(stored.get(endpoint), Some(id), "{endpoint} was acknowledged");
    }
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// What a writer may see when its server dies: a connection that breaks, but no answer other than a 200.
fn only_silence(other: &io::Result<Answer>) {
    if let Ok(answer) = other {
        panic!("{}: {}", answer.status, answer.body);
    }
}

/// What a writer may see while the database is away: 503 in the envelope, in time and on a connection that holds.
fn only_unavailable(other: &io::Result<Answer>) {
    let answer = other.as_ref().unwrap_or_else(|error| panic!("no answer within {ANSWER_MAX:?}: {error}"));
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(answer.body["success"], false);
    assert_eq!(answer.body["errors"][0]["code"], 10503, "{}", answer.body);
    assert!(answer.retry_after);
}

#[test]
fn twenty_crashes_under_load_lose_nothing_that_was_acknowledged() {
    let mut server = Server::start(&["--operations-per-zone-max", "1000000"]);
    let next = Arc::new(AtomicU64::new(0));
    let mut acknowledged = Acknowledged::default();
    for round in 0..20 {
        let load = Load::start(&Target::of(&server), &next, only_silence);
        thread::sleep(Duration::from_millis(150 + round * 10));
        server.kill9();
        let told = load.finish();
        assert!(!told.0.is_empty(), "nothing was written in round {round}");
        acknowledged.take(told);
        server.start_again();
    }
    check_all_there(&server, &acknowledged);
}

#[test]
fn postgres_may_crash_and_come_back_under_load() {
    let postgres = TestPostgres::start();
    postgres.create_database("crash");
    let url = postgres.url("crash");
    let server = Server::start(&["--database", &url, "--operations-per-zone-max", "1000000"]);
    let target = Target::of(&server);
    let next = Arc::new(AtomicU64::new(0));
    let mut acknowledged = Acknowledged::default();
    for _ in 0..3 {
        let load = Load::start(&target, &next, only_unavailable);
        thread::sleep(Duration::from_millis(400));
        postgres.kill();
        thread::sleep(Duration::from_millis(300));
        let asked = Instant::now();
        only_unavailable(&Client::new(&target).add("/while/away"));
        assert!(asked.elapsed() < ANSWER_MAX);
        postgres.restart();
        let back = Instant::now();
        loop {
            let answer = Client::new(&target).add("/when/back");
            if answer.as_ref().is_ok_and(|answer| answer.status == 200) {
                break;
            }
            only_unavailable(&answer);
            assert!(back.elapsed() < ANSWER_MAX, "the server does not recover");
            thread::sleep(Duration::from_millis(50));
        }
        thread::sleep(Duration::from_millis(200));
        acknowledged.take(load.finish());
    }
    assert!(!acknowledged.0.is_empty());
    check_all_there(&server, &acknowledged);
}

/// As many clients as there are targets in all insert the same new operation at the same moment.
fn race(targets: &[Target]) {
    for round in 0..5 {
        let start = Arc::new(Barrier::new(targets.len()));
        let racers: Vec<_> = targets
            .iter()
            .map(|target| {
                let (mut client, start) = (Client::new(target), Arc::clone(&start));
                thread::spawn(move || {
                    start.wait();
                    let answer = client.add(&format!("/race/{round}/{{id}}")).unwrap();
                    assert_eq!(answer.status, 200, "{}", answer.body);
                    answer.body["result"]["operation_id"].as_str().unwrap().to_owned()
                })
            })
            .collect();
        let ids: BTreeSet<_> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
    }
}

#[test]
fn sixty_four_first_inserts_at_once_make_one_operation() {
    let server = Server::start(&[]);
    race(&vec![Target::of(&server); 64]);
    assert_eq!(stored(&server).len(), 5);
}

#[test]
fn sixty_four_first_inserts_at_once_make_one_operation_on_postgres() {
    let postgres = TestPostgres::start();
    postgres.create_database("race");
    let server = Server::start(&["--database", &postgres.url("race")]);
    race(&vec![Target::of(&server); 64]);
    assert_eq!(stored(&server).len(), 5);
}

#[test]
fn two_processes_on_one_postgres_make_one_operation_of_sixty_four_inserts() {
    let postgres = TestPostgres::start();
    postgres.create_database("race");
    let url = postgres.url("race");
    let first = Server::start(&["--database", &url]);
    let second = Server::start(&["--database", &url]);
    let here = Target::of(&first);
    let there = Target { address: second.address().to_owned(), ..here.clone() };
    race(&[vec![here; 32], vec![there; 32]].concat());
    assert_eq!(stored(&first).len(), 5);
}

#[test]
fn two_processes_together_never_fill_a_zone_beyond_its_cap() {
    const CAP: u64 = 50;
    let postgres = TestPostgres::start();
    postgres.create_database("cap");
    let url = postgres.url("cap");
    let cap = CAP.to_string();
    let args = ["--database", url.as_str(), "--operations-per-zone-max", &cap];
    let first = Server::start(&args);
    let second = Server::start(&args);
    let here = Target::of(&first);
    let there = Target { address: second.address().to_owned(), ..here.clone() };
    let next = Arc::new(AtomicU64::new(0));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (target, next) = (if writer % 2 == 0 { &here } else { &there }, Arc::clone(&next));
            let mut client = Client::new(target);
            thread::spawn(move || {
                let mut added = 0;
                for _ in 0..4 {
                    let answer = client.add(&format!("/items/{}", next.fetch_add(1, Ordering::Relaxed))).unwrap();
                    match answer.status {
                        200 => added += 1,
                        status => {
                            assert_eq!((status, &answer.body["errors"][0]["code"]), (400, &Value::from(10430)));
                        }
                    }
                }
                added
            })
        })
        .collect();
    let added: u64 = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
    assert_eq!(added, CAP);
    assert_eq!(stored(&first).len() as u64, CAP);
}

#[test]
fn a_stop_under_load_answers_what_it_took_and_exits_cleanly() {
    let mut server = Server::start(&["--operations-per-zone-max", "1000000"]);
    let next = Arc::new(AtomicU64::new(0));
    let load = Load::start(&Target::of(&server), &next, |other| {
        only_silence(other);
        let broke_off = other.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::InvalidData);
        assert!(!broke_off, "an answer broke off");
    });
    thread::sleep(Duration::from_millis(300));
    let status = server.stop();
    let acknowledged = load.finish();
    assert_eq!(status.code(), Some(0), "{}", server.log());
    server.start_again();
    check_all_there(&server, &acknowledged);
    // What was written was also answered.
    let stored = stored(&server);
    for endpoint in &acknowledged.1 {
        let silently = stored.contains_key(endpoint) && !acknowledged.0.contains_key(endpoint);
        assert!(!silently, "{endpoint} was written without an answer");
    }
}
