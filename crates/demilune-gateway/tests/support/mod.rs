//! A gateway on a free port, origins that do as a test says, and clients that send raw bytes: all over real sockets.
#![allow(dead_code, reason = "each test file uses its part")]

mod message;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use demilune_gateway::{AccessLog, Gateway, GatewayOptions, Learner, Limits, NodeName, OriginTrust};
use demilune_policy::{
    Check, InForce, Ruleset, SessionKey,
    rule::{
        HostHeader, MitigationAction, OperationRule, Origin, RouteTarget, SessionIdentifier, ZoneRules, ZoneSettings,
    },
};
use demilune_schema::{
    document::{Document, Options},
    validate::Validator,
};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

pub(crate) use message::Message;

/// Longest time a test waits for bytes: far more than anything takes, so that a hang is a failure and not a hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What schemas are called that requests are checked against.
pub(crate) const SCHEMA_ID: &str = "0f05e4fc-1c36-4bd2-a5e7-b29d32d3dc8e";

/// What was received, by connection.
type Log = Arc<Mutex<Vec<Vec<u8>>>>;

/// An origin: what it received, and what it does with a connection is the test's.
pub(crate) struct TestOrigin {
    pub(crate) address: SocketAddr,
    received: Log,
}

impl TestOrigin {
    /// Each connection is given to `serve` with its number, in a thread of its own.
    pub(crate) fn start(serve: impl Fn(&mut Exchange, usize) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Log::default();
        let (log, serve) = (Arc::clone(&received), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, serve) = (Arc::clone(&log), Arc::clone(&serve));
                let number = {
                    let mut log = log.lock().unwrap();
                    log.push(Vec::new());
                    log.len()
                };
                let stream = stream.unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.set_nodelay(true).unwrap();
                thread::spawn(move || serve(&mut Exchange { stream, number, log, unread: Vec::new() }, number));
            }
        });
        Self { address, received }
    }

    /// Answers every request with this, whatever it is.
    pub(crate) fn answering(answer: &'static str) -> Self {
        Self::start(move |exchange, _| while exchange.request().is_some() && exchange.send(answer) {})
    }

    /// All bytes received so far, as text.
    pub(crate) fn received(&self) -> String {
        String::from_utf8_lossy(&self.received.lock().unwrap().concat()).into_owned()
    }

    /// The bytes received so far, by connection.
    pub(crate) fn received_by_connection(&self) -> Vec<Vec<u8>> {
        self.received.lock().unwrap().clone()
    }

    /// How many request heads arrived, by the line that only heads have.
    pub(crate) fn requests(&self) -> usize {
        self.received().matches("\r\nvia: ").count()
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.received.lock().unwrap().len()
    }
}

/// A connection at the origin's end.
pub(crate) struct Exchange {
    pub(crate) stream: TcpStream,
    number: usize,
    log: Log,
    unread: Vec<u8>,
}

impl Exchange {
    /// Reads one request to the end of its body; none when the connection ends first.
    pub(crate) fn request(&mut self) -> Option<String> {
        let head = self.until(|bytes| find(bytes, b"\r\n\r\n").map(|at| at + 4))?;
        let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let body = if text.contains("transfer-encoding: chunked") {
            self.until(|bytes| {
                find(bytes, b"0\r\n").and_then(|at| find(&bytes[at..], b"\r\n\r\n").map(|end| at + end + 4))
            })?
        } else {
            self.until(|bytes| (bytes.len() >= length.unwrap_or(0)).then(|| length.unwrap_or(0)))?
        };
        Some(String::from_utf8_lossy(&[head, body].concat()).into_owned())
    }

    /// Reads one request strictly; none when the connection ends first.
    pub(crate) fn message(&mut self) -> Option<Message> {
        loop {
            if let Some((request, length)) = Message::request(&self.unread) {
                self.unread.drain(..length);
                return Some(request);
            }
            self.read()?;
        }
    }

    /// Reads a head alone.
    pub(crate) fn head(&mut self) -> Option<String> {
        let head = self.until(|bytes| find(bytes, b"\r\n\r\n").map(|at| at + 4))?;
        Some(String::from_utf8_lossy(&head).into_owned())
    }

    fn until(&mut self, end: impl Fn(&[u8]) -> Option<usize>) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = end(&self.unread) {
                return Some(self.unread.drain(..end).collect());
            }
            self.read()?;
        }
    }

    fn read(&mut self) -> Option<()> {
        let mut buffer = [0; 16 << 10];
        let read = self.stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        self.log.lock().unwrap()[self.number - 1].extend_from_slice(&buffer[..read]);
        self.unread.extend_from_slice(&buffer[..read]);
        Some(())
    }

    /// Reads so many bytes and forgets them; false when the connection ends first.
    pub(crate) fn discard(&mut self, length: usize) -> bool {
        let unread = self.unread.len().min(length);
        self.unread.drain(..unread);
        let left = (length - unread) as u64;
        std::io::copy(&mut (&self.stream).take(left), &mut std::io::sink()).is_ok_and(|read| read == left)
    }

    /// Sends bytes; false when the other side is gone.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Ends the connection with a reset instead of an orderly close.
    pub(crate) fn reset(&mut self) {
        let socket = socket2::SockRef::from(&self.stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// Rules for one zone, as tests write them.
#[derive(Clone)]
pub(crate) struct Rules(pub(crate) ZoneRules);

impl Rules {
    /// `api.test` is sent to this origin.
    pub(crate) fn to(origin: SocketAddr) -> Self {
        Self(ZoneRules {
            zone: "z".parse().unwrap(),
            revision: 1,
            operations: Vec::new(),
            origins: vec![Origin {
                host: "api.test".parse().unwrap(),
                url: format!("http://{origin}").parse().unwrap(),
                host_header: HostHeader::Client,
            }],
            session_identifiers: vec![SessionIdentifier::parse("header", "x-key").unwrap()],
            settings: ZoneSettings::default(),
        })
    }

    /// Adds an operation of `api.test`.
    pub(crate) fn operation(self, method: &str, endpoint: &str) -> Self {
        self.routed(method, endpoint, None)
    }

    /// Adds an operation of `api.test` with a route.
    pub(crate) fn routed(mut self, method: &str, endpoint: &str, route: Option<&str>) -> Self {
        let endpoint = endpoint.parse().unwrap();
        let route = route.map(|route| RouteTarget::parse(route, &endpoint).unwrap());
        let id = format!("00000000-0000-7000-8000-{:012}", self.0.operations.len()).parse().unwrap();
        let key = demilune_inventory::OperationKey {
            method: method.parse().unwrap(),
            host: "api.test".parse().unwrap(),
            endpoint,
        };
        self.0.operations.push(OperationRule { id, key, route });
        self
    }

    /// Adds operations that [`ANY_PATH`] describes.
    fn with_any_path(self) -> Self {
        ["/", "/{a}", "/{a}/{b}"].into_iter().fold(self, |rules, endpoint| {
            ["GET", "POST", "PUT"].into_iter().fold(rules, |rules, method| rules.operation(method, endpoint))
        })
    }

    pub(crate) fn settings(mut self, change: impl FnOnce(&mut ZoneSettings)) -> Self {
        change(&mut self.0.settings);
        self
    }
}

/// Whether these tests run for the second time, with requests that are checked: `faults_validated.rs` says so by its name.
fn is_validated() -> bool {
    module_path!().starts_with("faults_validated")
}

/// A document that takes JSON, and has nothing against anything else that is not.
const ANY_PATH: &str = r##"{"openapi":"3.1.0","info":{"title":"any","version":"1"},"servers":[{"url":"https://api.test"}],
    "components":{"pathItems":{"any":{
        "get":{"requestBody":{"content":{"application/json":{"schema":{}},"*/*":{}}}},
        "put":{"requestBody":{"content":{"application/json":{"schema":{}},"*/*":{}}}},
        "post":{"requestBody":{"content":{"application/json":{"schema":{}},"*/*":{}}}}}}},
    "paths":{
        "/":{"$ref":"#/components/pathItems/any"},
        "/{a}":{"$ref":"#/components/pathItems/any"},
        "/{a}/{b}":{"$ref":"#/components/pathItems/any"}}}"##;

/// What a gateway is started with.
pub(crate) struct Setup {
    pub(crate) options: GatewayOptions,
    pub(crate) trust: OriginTrust,
    pub(crate) access_log: Option<AccessLog>,
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) learning: bool,
}

impl Default for Setup {
    fn default() -> Self {
        let options = GatewayOptions {
            limits: Limits::default(),
            trusted_networks: Vec::new(),
            allow_private_targets: true,
            session_key: SessionKey::new([7; 16]),
            name_violations: true,
            node: NodeName::new(42),
        };
        Self { options, trust: OriginTrust::default(), access_log: None, tls: None, learning: true }
    }
}

/// A gateway that serves.
pub(crate) struct TestGateway {
    pub(crate) address: SocketAddr,
    pub(crate) gateway: Gateway,
    stop: CancellationToken,
    serving: Option<tokio::task::JoinHandle<()>>,
    runtime: Option<Runtime>,
}

impl TestGateway {
    pub(crate) fn start(rules: Rules) -> Self {
        Self::start_with(rules, |_| {})
    }

    /// With options of the test's own; private targets are allowed unless it says otherwise.
    pub(crate) fn start_with(rules: Rules, change: impl FnOnce(&mut GatewayOptions)) -> Self {
        Self::start_as(rules, |setup| change(&mut setup.options))
    }

    /// With whatever a gateway is started with.
    pub(crate) fn start_as(rules: Rules, change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup::default();
        change(&mut setup);
        let Setup { options, trust, access_log, tls, learning } = setup;
        let learner = learning.then(|| Learner::start(options.session_key.clone()).unwrap());
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let gateway = Gateway::new(options, 42, trust, access_log, learner);
        gateway.board().publish(vec![Arc::new(Ruleset::compile(rules.0.clone()))]);
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = {
            let (gateway, stop) = (gateway.clone(), stop.clone());
            runtime.spawn(async move { gateway.serve(listener, tls, stop).await })
        };
        let started = Self { address, gateway, stop, serving: Some(serving), runtime: Some(runtime) };
        if is_validated() {
            started.check(rules.with_any_path(), ANY_PATH, MitigationAction::Log);
        }
        started
    }

    /// Puts these rules in force, with checks against a document.
    pub(crate) fn check(&self, rules: Rules, document: &str, action: MitigationAction) {
        self.check_with(rules, document, |validator| {
            let (log_until, is_learned, schema) = (None, false, SCHEMA_ID.into());
            InForce { action, log_until, is_learned, schema, validator }
        });
    }

    /// Puts these rules in force, with checks against a document as it says.
    pub(crate) fn check_with(&self, rules: Rules, document: &str, in_force: impl Fn(Validator) -> InForce) {
        let document = Document::read(document.as_bytes(), &Options::default()).document.unwrap();
        let check = |rule: &OperationRule| {
            let described = document.operations.iter().find(|described| described.key == rule.key)?;
            Some(Check { in_force: Some(in_force(described.validator.clone())), on_trial: None })
        };
        self.gateway.board().publish(vec![Arc::new(Ruleset::with_checks(rules.0, check))]);
    }

    /// A client's connection.
    pub(crate) fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream }
    }

    /// Sends bytes on a connection of their own and reads until the gateway closes it.
    pub(crate) fn raw(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut client = self.connect();
        client.send(bytes);
        client.rest()
    }

    /// Asks for one thing, and for the connection to be closed behind it.
    pub(crate) fn ask(&self, line: &str, fields: &str) -> String {
        self.raw(format!("{line} HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n{fields}\r\n"))
    }

    /// All metrics, as they are shown.
    pub(crate) fn metrics(&self) -> String {
        let mut registry = prometheus_client::registry::Registry::default();
        self.gateway.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text
    }

    /// A metric that has no labels.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let metrics = self.metrics();
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name}: {metrics}")).parse().unwrap()
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(&mut self) {
        self.stop.cancel();
        if let (Some(serving), Some(runtime)) = (self.serving.take(), &self.runtime) {
            runtime.block_on(serving).unwrap();
        }
    }

    /// Asks it to stop and goes on.
    pub(crate) fn begin_stop(&self) {
        self.stop.cancel();
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A client that sends and reads bytes.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
}

impl Client {
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // The gateway may have refused and closed already; what it said is what counts.
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Reads until the gateway closes the connection.
    pub(crate) fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        let mut buffer = [0; 16 << 10];
        while let Ok(read) = self.stream.read(&mut buffer) {
            if read == 0 {
                break;
            }
            bytes.extend_from_slice(&buffer[..read]);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Reads one answer whose length is declared.
    pub(crate) fn answer(&mut self) -> String {
        let mut bytes = Vec::new();
        let mut byte = [0];
        while find(&bytes, b"\r\n\r\n").is_none() && self.stream.read(&mut byte).is_ok_and(|read| read == 1) {
            bytes.push(byte[0]);
        }
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        let _ = self.stream.read_exact(&mut body);
        bytes.extend_from_slice(&body);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The status of an answer.
pub(crate) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// Waits until something holds.
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}
