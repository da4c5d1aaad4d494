//! The least that a proxy on hyper does: what the gateway is compared with.
//!
//! It takes the fields of the connection out (RFC 9110 section 7.6.1), adds `Via`, and passes bodies on as they come. It
//! matches, checks, counts and logs nothing, and sets no timer.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use bytes::Bytes;
use clap::Parser;
use http_body_util::{Either, Empty};
use hyper::{
    HeaderMap, Request, Response, StatusCode, Uri,
    body::Incoming,
    header::{self, HeaderName, HeaderValue},
    http::uri::{Authority, PathAndQuery, Scheme},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// A bare proxy on hyper
#[derive(Parser)]
struct Bare {
    /// The address to listen on
    #[arg(long)]
    listen: SocketAddr,
    /// The server's address
    #[arg(long)]
    origin: Authority,
    /// Threads that serve
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// The certificate chain in PEM form; clients speak TLS with it
    #[arg(long, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key in PEM form
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bare = Bare::parse();
    let tls = bare.tls_cert.zip(bare.tls_key).map(|(cert, key)| acceptor(cert, key)).transpose()?;
    let proxy = Arc::new(Proxy { origin: bare.origin, client: client() });
    demilune_bench_gateway::serve(bare.listen, bare.workers, move |stream| {
        let (proxy, tls) = (Arc::clone(&proxy), tls.clone());
        async move {
            let Some(tls) = tls else { return proxy.connection(stream).await };
            if let Ok(stream) = tls.accept(stream).await {
                proxy.connection(stream).await;
            }
        }
    })?;
    Ok(())
}

fn acceptor(cert: PathBuf, key: PathBuf) -> Result<TlsAcceptor, Box<dyn std::error::Error>> {
    let chain = CertificateDer::pem_file_iter(cert)?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn client() -> Client<HttpConnector, Incoming> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

struct Proxy {
    origin: Authority,
    client: Client<HttpConnector, Incoming>,
}

type Answer = Response<Either<Incoming, Empty<Bytes>>>;

impl Proxy {
    async fn connection<I>(self: Arc<Self>, io: I)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(move |request| {
            let proxy = Arc::clone(&self);
            async move { proxy.forward(request).await }
        });
        let mut http = http1::Builder::new();
        // A connection that breaks is the load generator's to report.
        let _ = http.header_read_timeout(None).serve_connection(TokioIo::new(io), service).await;
    }

    async fn forward(&self, mut request: Request<Incoming>) -> Result<Answer, hyper::http::Error> {
        *request.uri_mut() = self.target(request.uri())?;
        for_next_hop(request.headers_mut());
        let Ok(mut response) = self.client.request(request).await else {
            return Response::builder().status(StatusCode::BAD_GATEWAY).body(Either::Right(Empty::new()));
        };
        for_next_hop(response.headers_mut());
        Ok(response.map(Either::Left))
    }

    fn target(&self, uri: &Uri) -> Result<Uri, hyper::http::Error> {
        let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Uri::builder().scheme(Scheme::HTTP).authority(self.origin.clone()).path_and_query(path).build()
    }
}

/// Fields of one connection that need no mention in `Connection`.
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::PROXY_AUTHORIZATION,
];

fn for_next_hop(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        let named = headers.get_all(header::CONNECTION).into_iter().filter_map(|value| value.to_str().ok());
        let named: Vec<_> =
            named.flat_map(|line| line.split(',')).filter_map(|name| name.trim().parse().ok()).collect();
        for name in named {
            headers.remove::<HeaderName>(name);
        }
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
    headers.append(header::VIA, HeaderValue::from_static("1.1 bare"));
}
