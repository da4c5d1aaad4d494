//! Gateways under test: origins behind them, clients in front that notice every failed request, and nodes by themselves.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{PATIENCE, Server, demilune};

/// The host that the tests' operations and origins have.
pub(crate) const HOST: &str = "api.example.com";
/// How soon a change must be in force.
pub(crate) const IN_FORCE_MAX: Duration = Duration::from_secs(1);
/// How long a client waits for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// The pause between two requests of a client under load: eight of them leave a small machine room to work.
const PACE: Duration = Duration::from_millis(4);

/// A server that answers with 200 and its name, and paths under `/missing` with 404. Its threads end with the test's
/// process.
pub(crate) struct Origin {
    port: u16,
}

impl Origin {
    pub(crate) fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || serve(stream, name));
            }
        });
        Self { port }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Answers request after request, until the connection ends.
fn serve(stream: TcpStream, name: &str) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut connection = BufReader::new(stream);
    while let Some(head) = read_head(&mut connection)? {
        io::copy(&mut (&mut connection).take(head.number("content-length").unwrap_or(0)), &mut io::sink())?;
        let body = if head.first.starts_with("HEAD ") { "" } else { name };
        let status = if head.first.contains(" /missing") { "404 Not Found" } else { "200 OK" };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", name.len());
        connection.get_mut().write_all(answer.as_bytes())?;
    }
    Ok(())
}

/// The first line and the fields of a message.
struct Head {
    first: String,
    fields: Vec<(String, String)>,
}

impl Head {
    fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.value(name)?.parse().ok()
    }
}

/// None where the connection ends before the head begins.
fn read_head(connection: &mut BufReader<TcpStream>) -> io::Result<Option<Head>> {
    let Some(first) = read_line(connection)? else { return Ok(None) };
    let mut fields = Vec::new();
    loop {
        let line = read_line(connection)?.ok_or(io::ErrorKind::InvalidData)?;
        if line.is_empty() {
            return Ok(Some(Head { first, fields }));
        }
        let (name, value) = line.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
        fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn read_line(connection: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = String::new();
    match connection.read_line(&mut line)? {
        0 => Ok(None),
        _ if line.ends_with("\r\n") => Ok(Some(line.trim_end().to_owned())),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// An answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// A client that keeps its connection open, unless an answer says that it ends.
pub(crate) struct Client {
    address: String,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    pub(crate) fn new(address: &str) -> Self {
        Self { address: address.to_owned(), connection: None }
    }

    /// One request, which must be answered.
    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", HOST, path, "").unwrap()
    }

    /// One request; `fields` are whole lines. `ConnectionRefused` means that nobody listens.
    pub(crate) fn send(&mut self, method: &str, host: &str, path: &str, fields: &str) -> io::Result<Answer> {
        self.send_body(method, host, path, fields, "")
    }

    /// The same with a body, whose fields are among the others.
    pub(crate) fn send_body(
        &mut self,
        method: &str,
        host: &str,
        path: &str,
        fields: &str,
        body: &str,
    ) -> io::Result<Answer> {
        let exchanged = self.exchange(&format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n{body}"));
        if exchanged.is_err() {
            self.connection = None;
        }
        exchanged
    }

    fn exchange(&mut self, request: &str) -> io::Result<Answer> {
        if self.connection.is_none() {
            let stream = TcpStream::connect(&self.address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(ANSWER_MAX))?;
            self.connection = Some(BufReader::new(stream));
        }
        let connection = self.connection.as_mut().unwrap();
        connection.get_mut().write_all(request.as_bytes())?;
        let head = read_head(connection)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let length = if request.starts_with("HEAD ") { 0 } else { head.number("content-length").unwrap() };
        let mut body = vec![0; usize::try_from(length).unwrap()];
        connection.read_exact(&mut body)?;
        if head.value("connection") == Some("close") {
            self.connection = None;
        }
        let status = head.first.split(' ').nth(1).unwrap().parse().unwrap();
        Ok(Answer { status, body: String::from_utf8(body).unwrap() })
    }
}

/// Clients that send the same request again and again.
pub(crate) struct Traffic {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Tally>>,
}

/// What became of the requests.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Requests answered with 200.
    pub(crate) answered: u64,
    /// Each other answer, and each that did not come.
    pub(crate) failed: Vec<String>,
    /// Clients that found nobody listening any more, and gave up.
    pub(crate) turned_away: usize,
}

impl Traffic {
    pub(crate) fn start(address: &str, clients: usize, path: &'static str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let clients = (0..clients).map(|_| {
            let (client, stop) = (Client::new(address), Arc::clone(&stop));
            thread::spawn(move || send_until(client, path, &stop))
        });
        Self { clients: clients.collect(), stop }
    }

    pub(crate) fn finish(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Tally::default();
        for client in self.clients {
            let tally = client.join().unwrap();
            all.answered += tally.answered;
            all.failed.extend(tally.failed);
            all.turned_away += tally.turned_away;
        }
        all
    }
}

impl Tally {
    /// Checks that there were requests, and that every one was answered by a gateway that was there all the time.
    pub(crate) fn check_served(&self) {
        assert_eq!((&self.failed[..], self.turned_away), (&[][..], 0), "of {} requests", self.answered);
        assert!(self.answered > 0);
    }
}

fn send_until(mut client: Client, path: &str, stop: &AtomicBool) -> Tally {
    let mut tally = Tally::default();
    while !stop.load(Ordering::Relaxed) {
        match client.send("GET", HOST, path, "") {
            Ok(answer) if answer.status == 200 => tally.answered += 1,
            Ok(answer) => tally.failed.push(format!("{answer:?}")),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                tally.turned_away = 1;
                break;
            }
            Err(error) => tally.failed.push(format!("{error:?}")),
        }
        thread::sleep(PACE);
    }
    tally
}

/// A gateway by itself. Dropping it kills the process.
pub(crate) struct Node {
    child: Child,
    folder: TempDir,
    args: Vec<String>,
    listening: Value,
}

impl Node {
    /// Starts a gateway on a database, on a data folder that does not exist yet, and waits until it listens.
    pub(crate) fn start(database: &str, args: &[&str]) -> Self {
        let own = ["--role", "gateway", "--listen", "127.0.0.1:0", "--allow-private-targets", "--database", database];
        let args: Vec<_> = own.iter().chain(args).map(|arg| (*arg).to_owned()).collect();
        let folder = tempfile::tempdir().unwrap();
        let child = spawn(folder.path(), &args);
        let mut node = Self { child, folder, args, listening: Value::Null };
        node.wait_until_it_listens(0);
        node
    }

    /// Starts the process again after it has ended, on the same data and other ports.
    pub(crate) fn start_again(&mut self) {
        let before = listening(&self.log()).len();
        self.child = spawn(self.folder.path(), &self.args);
        self.wait_until_it_listens(before);
    }

    fn wait_until_it_listens(&mut self, before: usize) {
        let waiting = Instant::now();
        while listening(&self.log()).len() == before {
            assert!(waiting.elapsed() < PATIENCE, "the gateway does not listen: {}", self.log());
            assert!(self.child.try_wait().unwrap().is_none(), "the gateway ended: {}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
        self.listening = listening(&self.log()).pop().unwrap();
    }

    /// Where it takes traffic: `127.0.0.1:PORT`.
    pub(crate) fn gateway(&self) -> &str {
        address(&self.listening, "gateway")
    }

    /// The status of its readiness probe.
    pub(crate) fn readiness(&self) -> u16 {
        Client::new(address(&self.listening, "probes")).get("/readyz").status
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the process as a crash does.
    pub(crate) fn kill9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the process to end and waits until it has.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(folder: &Path, args: &[String]) -> Child {
    let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let mut command = demilune();
    command.arg("serve").arg("--data").arg(folder.join("data")).args(args).stdin(Stdio::null());
    command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

/// The lines of a log that say where a process listens.
fn listening(log: &str) -> Vec<Value> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["message"] == "listening").collect()
}

fn address<'a>(listening: &'a Value, member: &str) -> &'a str {
    listening[member].as_str().unwrap().strip_prefix("http://").unwrap()
}

impl Server {
    /// A server whose routes may lead to this machine, as those of tests do.
    pub(crate) fn start_local(args: &[&str]) -> Self {
        Self::start(&[&["--allow-private-targets"], args].concat())
    }

    /// Where its gateway takes traffic: `127.0.0.1:PORT`.
    pub(crate) fn gateway(&self) -> String {
        address(listening(&self.log()).last().unwrap(), "gateway").to_owned()
    }

    /// A client of its gateway.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.gateway())
    }

    /// A call on the zone's part of the API that must work; its result.
    pub(crate) fn zone_call(&self, method: &str, path: &str, body: &Value) -> Value {
        let path = format!("/zones/{}/api_gateway{path}", self.zone());
        let (status, mut answer) = self.call(method, &path, (!body.is_null()).then_some(body));
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer["result"].take()
    }

    /// Adds an operation of [`HOST`]; its id.
    pub(crate) fn add(&self, method: &str, endpoint: &str) -> String {
        let operation = self.zone_call("POST", "/operations/item", &super::operation(method, HOST, endpoint));
        operation["operation_id"].as_str().unwrap().to_owned()
    }

    /// Sends an operation somewhere.
    pub(crate) fn route(&self, operation: &str, target: &str) {
        self.zone_call("PUT", &format!("/operations/{operation}/route"), &json!({ "route": target }));
    }

    /// Sends the requests of [`HOST`] to an origin.
    pub(crate) fn set_origin(&self, origin: &Origin) {
        self.run_ok(&["origin", "set", "--host", HOST, &origin.url()]);
    }
}

/// Waits until something is so; the time it took.
pub(crate) fn wait_for(what: &str, patience: Duration, mut is_so: impl FnMut() -> bool) -> Duration {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < patience, "not within {patience:?}: {what}");
        thread::sleep(Duration::from_millis(5));
    }
    begin.elapsed()
}

/// What a process holds in memory, in MiB.
pub(crate) fn resident_mib(process_id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process_id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}
