//! Accepts connections within limits, and drains them when asked to stop.

use std::{
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::Router;
use hyper::{Request, body::Incoming, service::Service};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};
use tokio_util::sync::CancellationToken;

use crate::{ControlOptions, http::Peer};

/// How long a client may take to send the head of a request, or leave a connection idle between two.
const HEAD_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a TLS handshake may take.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// How long to wait after a failed accept, which usually means that the process is out of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Serves until `stop` is cancelled, then waits for requests in flight as long as the options allow.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    router: Router,
    options: &ControlOptions,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(options.connections_max));
    let graceful = GracefulShutdown::new();
    let acceptor = Acceptor { tls: tls.map(TlsAcceptor::from), router, builder: Arc::new(builder()) };
    loop {
        let Some((stream, peer, place)) = next_connection(&listener, &places, &stop).await else { break };
        let watcher = graceful.watcher();
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            acceptor.connection(stream, peer, watcher).await;
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(options.drain_max, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests still in flight after the time to drain were cut off");
    }
}

async fn next_connection(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let accepting = async {
        // Nobody closes the semaphore, so the only outcome is a place.
        let place = Arc::clone(places).acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => return Some((stream, peer, place)),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                }
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => None,
        connection = accepting => connection,
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEAD_TIME_MAX).max_concurrent_streams(128);
    builder
}

#[derive(Clone)]
struct Acceptor {
    tls: Option<TlsAcceptor>,
    router: Router,
    builder: Arc<auto::Builder<TokioExecutor>>,
}

impl Acceptor {
    async fn connection(self, stream: TcpStream, peer: SocketAddr, watcher: hyper_util::server::graceful::Watcher) {
        // Answers are small and written whole, so waiting to fill a packet only adds latency.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else { return self.requests(stream, peer, watcher).await };
        match tokio::time::timeout(HANDSHAKE_TIME_MAX, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.requests(stream, peer, watcher).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
            Err(_elapsed) => tracing::debug!(%peer, "a TLS handshake took too long"),
        }
    }

    async fn requests<S>(self, stream: S, peer: SocketAddr, watcher: hyper_util::server::graceful::Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = TowerToHyperService::new(self.router.clone());
        let asked = Arc::new(AtomicBool::new(false));
        let asks = Arc::clone(&asked);
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            asks.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(Peer(peer));
            router.call(request.map(axum::body::Body::new))
        });
        let mut connection = pin!(watcher.watch(self.builder.serve_connection(TokioIo::new(stream), service)));
        // The builder's own limits start with the version of HTTP, which a client that says nothing never tells.
        let ended = match tokio::time::timeout(HEAD_TIME_MAX, &mut connection).await {
            Ok(ended) => ended,
            Err(_elapsed) if asked.load(Ordering::Relaxed) => connection.await,
            Err(_elapsed) => return tracing::debug!(%peer, "a connection made no request in time"),
        };
        if let Err(error) = ended {
            // Clients that leave in the middle are everyday.
            tracing::debug!(%peer, error, "a connection ended early");
        }
    }
}
