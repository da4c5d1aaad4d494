//! New connections: names resolved each time, addresses checked, TLS with the name that the operator wrote.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use demilune_policy::{
    Destination, DestinationKind,
    rule::{AddressRefusal, Scheme, Server, check_address},
};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    sync::OnceCell,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, InvalidDnsNameError, ServerName},
    },
};

use super::connection::Connection;
use crate::options::{GatewayOptions, Limits};

/// Which certificates of https origins are believed.
#[derive(Clone, Debug, Default)]
pub struct OriginTrust {
    /// Authorities besides the system's.
    pub more: Vec<CertificateDer<'static>>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// The name has no address.
    #[error("the name cannot be resolved")]
    Resolve(#[source] io::Error),
    /// A route leads where none may.
    #[error(transparent)]
    Address(#[from] AddressRefusal),
    /// No address accepts a connection.
    #[error("no connection is accepted")]
    Refused(#[source] io::Error),
    /// It took too long.
    #[error("no connection within the time for it")]
    Timeout,
    /// No name for a certificate.
    #[error("the server's name is none that a certificate can have")]
    Name(#[source] InvalidDnsNameError),
    /// The handshake failed.
    #[error("the TLS handshake failed")]
    Tls(#[source] io::Error),
    /// The connection ended before it was used.
    #[error("the connection ended before it was used")]
    Ended(#[source] hyper::Error),
}

pub(super) struct Connector {
    time_max: Duration,
    head_bytes_max: usize,
    allow_private_routes: bool,
    trust: OriginTrust,
    /// Made when the first https origin is called: reading the system's certificates takes longer than all else of a start.
    tls: OnceCell<TlsConnector>,
}

impl Connector {
    pub(super) fn new(options: &GatewayOptions, trust: OriginTrust) -> Self {
        let Limits { origin_connect_max, head_bytes_max, .. } = options.limits;
        Self {
            time_max: origin_connect_max,
            head_bytes_max,
            allow_private_routes: options.allow_private_targets,
            trust,
            tls: OnceCell::new(),
        }
    }

    pub(super) async fn connect(&self, destination: &Destination) -> Result<Connection, ConnectError> {
        let connecting = timeout(self.time_max, self.connect_in_time(destination));
        connecting.await.map_err(|_| ConnectError::Timeout)?
    }

    async fn connect_in_time(&self, destination: &Destination) -> Result<Connection, ConnectError> {
        let server = destination.server();
        let addresses = self.addresses(server, destination.kind()).await?;
        let stream = connect_any(&addresses).await.map_err(ConnectError::Refused)?;
        // Small writes of a head and a body should not wait for each other; a failure costs time, nothing else.
        let _ = stream.set_nodelay(true);
        match server.scheme() {
            Scheme::Http => self.handshake(stream).await,
            Scheme::Https => {
                let name = server.name().trim_start_matches('[').trim_end_matches(']').to_owned();
                let name = ServerName::try_from(name).map_err(ConnectError::Name)?;
                let tls = self.tls.get_or_init(|| tls_connector(self.trust.clone())).await;
                self.handshake(tls.connect(name, stream).await.map_err(ConnectError::Tls)?).await
            }
        }
    }

    async fn handshake<I>(&self, io: I) -> Result<Connection, ConnectError>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = http1::Builder::new();
        // hyper's floor for a buffer is 8 KiB.
        builder.max_buf_size(self.head_bytes_max.max(8 << 10));
        let (sender, connection) = builder.handshake(TokioIo::new(io)).await.map_err(ConnectError::Ended)?;
        Ok(Connection::new(sender, connection.with_upgrades()))
    }

    /// Where a server is now. Every address that a route's name resolves to is checked here, when it is used: what a
    /// name meant when the route was set may have changed since.
    async fn addresses(&self, server: &Server, kind: DestinationKind) -> Result<Vec<SocketAddr>, ConnectError> {
        let all: Vec<SocketAddr> = match server.address() {
            Some(ip) => vec![SocketAddr::new(ip, server.port())],
            None => lookup_host((server.name(), server.port())).await.map_err(ConnectError::Resolve)?.collect(),
        };
        if kind == DestinationKind::Origin {
            return Ok(all);
        }
        let mut allowed = Vec::new();
        let mut refused = None;
        for address in all {
            match check_address(address.ip(), self.allow_private_routes) {
                Ok(()) => allowed.push(address),
                Err(refusal) => refused = Some(refusal),
            }
        }
        match refused {
            Some(refusal) if allowed.is_empty() => Err(refusal.into()),
            _ => Ok(allowed),
        }
    }
}

/// The first address that accepts.
async fn connect_any(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

async fn tls_connector(trust: OriginTrust) -> TlsConnector {
    let loaded = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await.unwrap_or_default();
    for error in &loaded.errors {
        tracing::warn!(%error, "some of the system's certificate authorities cannot be read");
    }
    let mut roots = RootCertStore::empty();
    let (_, unusable) = roots.add_parsable_certificates(loaded.certs.into_iter().chain(trust.more));
    if roots.is_empty() {
        tracing::warn!(unusable, "no certificate authorities; https origins cannot be verified and will be refused");
    }
    let mut config = ClientConfig::builder().with_root_certificates(Arc::new(roots)).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config))
}
