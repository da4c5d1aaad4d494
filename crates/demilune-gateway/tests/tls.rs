//! TLS towards clients and origins.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    sync::Arc,
    thread,
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use support::{PATIENCE, Rules, Setup, TestGateway, TestOrigin, eventually, status};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer},
};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const REQUEST: &str = "GET / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n";

/// An authority of the test's own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn certificate(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A server with a certificate for this name.
    fn server(&self, name: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth();
        Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }
}

/// An origin that speaks TLS and answers each connection once.
fn tls_origin(config: Arc<ServerConfig>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream.unwrap());
            thread::spawn(move || {
                if stream.read(&mut [0; 4096]).is_ok() {
                    let _ = stream.write_all(OK.as_bytes());
                }
            });
        }
    });
    address
}

/// A gateway whose origin is `https://localhost` at the port of this address.
fn before_tls(origin: SocketAddr, change: impl FnOnce(&mut Setup)) -> TestGateway {
    let mut rules = Rules::to(origin);
    rules.0.origins[0].url = format!("https://localhost:{}", origin.port()).parse().unwrap();
    TestGateway::start_as(rules, change)
}

#[test]
fn clients_may_speak_tls() {
    let authority = Authority::new();
    let origin = TestOrigin::answering(OK);
    let gateway =
        TestGateway::start_as(Rules::to(origin.address), |setup| setup.tls = Some(authority.server("api.test")));
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate()).unwrap();
    let config = Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
    let client = ClientConnection::new(config, "api.test".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(client, gateway.connect().stream);
    stream.write_all(REQUEST.as_bytes()).unwrap();
    let mut answer = String::new();
    // An end without a word of TLS about it would be an error.
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(status(&answer), 200, "{answer}");
    let request = origin.received();
    assert!(request.contains("x-forwarded-proto: https\r\n") && request.contains(";proto=https\r\n"), "{request}");
}

#[test]
fn a_client_that_does_not_shake_hands_is_cut_off() {
    let authority = Authority::new();
    let origin = TestOrigin::answering(OK);
    let gateway = TestGateway::start_as(Rules::to(origin.address), |setup| {
        setup.tls = Some(authority.server("api.test"));
        setup.options.limits.head_time_max = Duration::from_millis(200);
    });
    assert_eq!(gateway.connect().rest(), "");
    gateway.raw(REQUEST);
    eventually("both are counted", || gateway.metric("gateway_connections_failed_total") == 2);
    assert_eq!(origin.connections(), 0);
}

#[test]
fn an_origin_with_a_certificate_of_a_trusted_authority_is_believed() {
    let authority = Authority::new();
    let origin = tls_origin(authority.server("localhost"));
    let gateway = before_tls(origin, |setup| setup.trust.more.push(authority.certificate()));
    let answer = gateway.ask("GET /", "");
    assert_eq!(status(&answer), 200, "{answer}");
}

#[test]
fn an_origin_with_another_certificate_is_502() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    for config in [stranger.server("localhost"), authority.server("other.test")] {
        let gateway = before_tls(tls_origin(config), |setup| setup.trust.more.push(authority.certificate()));
        let answer = gateway.ask("GET /", "");
        assert!(status(&answer) == 502 && answer.contains("origin_unreachable"), "{answer}");
    }
}

#[test]
fn an_origin_that_does_not_shake_hands_is_504() {
    let origin = TestOrigin::start(|exchange, _| drop(exchange.head()));
    let gateway =
        before_tls(origin.address, |setup| setup.options.limits.origin_connect_max = Duration::from_millis(200));
    let answer = gateway.ask("GET /", "");
    assert!(status(&answer) == 504 && answer.contains("origin_connect_timeout"), "{answer}");
}

fn localhost_has(address: &str) -> bool {
    let mut addresses = ("localhost", 80).to_socket_addrs().unwrap();
    addresses.any(|known| known.ip().to_string() == address)
}

#[test]
fn each_address_of_a_name_is_tried_at_each_new_connection() {
    let listen = |ip: &str, port: u16| {
        let listener = TcpListener::bind((ip, port)).ok()?;
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let _ = TcpStream::read(&mut stream, &mut [0; 4096]);
            let ip = address.ip().to_string();
            let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", ip.len());
            let _ = stream.write_all(format!("{head}{ip}").as_bytes());
        });
        Some(address)
    };
    let first = listen("127.0.0.1", 0).unwrap();
    let mut rules = Rules::to(first);
    rules.0.origins[0].url = format!("http://localhost:{}", first.port()).parse().unwrap();
    let gateway = TestGateway::start(rules);
    let answer = gateway.ask("GET /", "");
    assert!(answer.ends_with("127.0.0.1"), "{answer}");
    // Not every machine has a second address for this name.
    let two = localhost_has("::1") && listen("::1", first.port()).is_some();
    if two {
        let answer = gateway.ask("GET /", "");
        assert!(answer.ends_with("::1"), "{answer}");
    }
}
