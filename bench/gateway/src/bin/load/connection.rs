//! One kept connection to the proxy, with or without TLS, and the reading of answers.
//!
//! Its socket blocks, but is read only once each time it is known to have something, so that nothing waits; requests
//! are small enough for the kernel to take them at once.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    os::fd::{AsFd, BorrowedFd},
    sync::Arc,
};

use memchr::memmem;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// Makes connections.
pub(crate) struct Connector {
    target: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
}

impl Connector {
    pub(crate) fn new(target: SocketAddr, tls: bool) -> Self {
        Self { target, tls: tls.then(client_config) }
    }

    pub(crate) fn connect(&self) -> io::Result<Connection> {
        let mut socket = TcpStream::connect(self.target)?;
        socket.set_nodelay(true)?;
        let tls = self.tls.as_ref().map(|config| handshake(config, &mut socket)).transpose()?;
        Ok(Connection { socket, tls, buffer: vec![0; 16 << 10].into(), answer: Answer::default() })
    }
}

fn handshake(config: &Arc<ClientConfig>, socket: &mut TcpStream) -> io::Result<Box<ClientConnection>> {
    let name = ServerName::from(socket.peer_addr()?.ip());
    let mut tls = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    while tls.is_handshaking() {
        tls.complete_io(socket)?;
    }
    Ok(Box::new(tls))
}

/// One cipher, so that all proxies have the same work.
fn client_config() -> Arc<ClientConfig> {
    let provider = CryptoProvider {
        cipher_suites: vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256],
        ..ring::default_provider()
    };
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.3 has the cipher")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate))
        .with_no_client_auth();
    Arc::new(config)
}

/// An open connection.
pub(crate) struct Connection {
    socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
    buffer: Box<[u8]>,
    answer: Answer,
}

impl Connection {
    pub(crate) fn send(&mut self, request: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return self.socket.write_all(request) };
        tls.writer().write_all(request)?;
        while tls.wants_write() {
            tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> io::Result<()> {
        self.send(request)?;
        while !self.receive()? {}
        Ok(())
    }

    /// Reads what there is; whether the answer is complete.
    pub(crate) fn receive(&mut self) -> io::Result<bool> {
        let Some(tls) = &mut self.tls else {
            let length = self.socket.read(&mut self.buffer)?;
            return self.answer.feed(&self.buffer[..length]);
        };
        if tls.read_tls(&mut self.socket)? == 0 {
            return Err(closed());
        }
        tls.process_new_packets().map_err(io::Error::other)?;
        loop {
            match tls.reader().read(&mut self.buffer) {
                Ok(length) if self.answer.feed(&self.buffer[..length])? => return Ok(true),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// An answer on its way: its head until it is whole, then what is missing of its body.
#[derive(Default)]
struct Answer {
    head: Vec<u8>,
    missing: Option<usize>,
}

impl Answer {
    fn feed(&mut self, bytes: &[u8]) -> io::Result<bool> {
        if bytes.is_empty() {
            return Err(closed());
        }
        let missing = if let Some(missing) = self.missing {
            missing.checked_sub(bytes.len())
        } else {
            self.head.extend_from_slice(bytes);
            let Some(end) = memmem::find(&self.head, b"\r\n\r\n") else { return Ok(false) };
            body_length(&self.head[..end]).and_then(|length| (end + 4 + length).checked_sub(self.head.len()))
        };
        let missing = missing.ok_or_else(|| unexpected(if self.missing.is_some() { bytes } else { &self.head }))?;
        self.head.clear();
        self.missing = (missing > 0).then_some(missing);
        Ok(missing == 0)
    }
}

/// The length of a good answer's body.
fn body_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let lines = head.strip_prefix(b"HTTP/1.1 200 ")?.split(|byte| *byte == b'\n');
    let mut values = lines.filter(|line| line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME));
    std::str::from_utf8(&values.next()?[NAME.len()..]).ok()?.trim().parse().ok()
}

fn unexpected(head: &[u8]) -> io::Error {
    let head = String::from_utf8_lossy(&head[..head.len().min(1000)]).into_owned();
    io::Error::new(io::ErrorKind::InvalidData, format!("not an answer with status 200 and a length: {head}"))
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the proxy closed a connection")
}

/// Believes any certificate: the proxies make up their own.
#[derive(Debug)]
struct AnyCertificate;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\nDate: x\r\ncontent-LENGTH: 5\r\n\r\nhello";

    #[test]
    fn an_answer_is_complete_at_its_last_byte_however_it_is_cut() {
        for cut in 1..WHOLE.len() {
            let mut answer = Answer::default();
            assert!(!answer.feed(&WHOLE[..cut]).unwrap(), "{cut}");
            assert!(answer.feed(&WHOLE[cut..]).unwrap(), "{cut}");
            assert!(answer.feed(WHOLE).unwrap(), "the next one");
        }
    }

    #[test]
    fn other_answers_fail() {
        for bad in [
            "HTTP/1.1 502 Bad\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nx",
            "",
        ] {
            assert!(Answer::default().feed(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
