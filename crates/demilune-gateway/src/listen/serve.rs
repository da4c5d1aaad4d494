//! The loop that accepts connections, and what becomes of one.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{interval, sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    guard::{ConnectionState, Guarded},
    taken::Taken,
};
use crate::{
    Gateway,
    proxy::{Client, ClientConnection, Proxy},
};

/// How long to wait when the system gives no descriptor: connections that end in the meantime free theirs.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long connections stay open for one more request after a stop was asked for. Busy clients learn from its answer
/// that the connection ends, so that they lose no request to it.
const FAREWELL: Duration = Duration::from_secs(1);
/// The room for heads that hyper keeps; its own default.
const HEADERS_ON_STACK: usize = 100;

impl Gateway {
    /// Serves until `stop` is cancelled and what is in flight is done, or the time for that is over.
    pub async fn serve(&self, listener: TcpListener, tls: Option<Arc<ServerConfig>>, stop: CancellationToken) {
        let door = Door {
            proxy: Arc::clone(&self.proxy),
            tls: tls.map(TlsAcceptor::from),
            stop: stop.clone(),
            farewell_over: CancellationToken::new(),
            room: Arc::new(Semaphore::new(self.proxy.limits().connections_max)),
            metrics: self.observer.metrics.clone(),
        };
        let connections = TaskTracker::new();
        let sweeping = async {
            let mut every = interval(self.proxy.upstream().sweep_every());
            loop {
                every.tick().await;
                self.proxy.upstream().sweep();
            }
        };
        tokio::select! {
            () = door.accept_all(&listener, &connections) => {}
            () = sweeping => {}
        }
        door.close(listener, &connections).await;
        door.drain(connections).await;
    }
}

/// What every connection gets.
#[derive(Clone)]
struct Door {
    proxy: Arc<Proxy>,
    tls: Option<TlsAcceptor>,
    stop: CancellationToken,
    farewell_over: CancellationToken,
    /// Places for connections.
    room: Arc<Semaphore>,
    metrics: crate::observe::GatewayMetrics,
}

impl Door {
    async fn accept_all(&self, listener: &TcpListener, connections: &TaskTracker) {
        loop {
            let permit = tokio::select! {
                permit = Arc::clone(&self.room).acquire_owned() => permit,
                () = self.stop.cancelled() => break,
            };
            // The semaphore is never closed.
            let Ok(permit) = permit else { break };
            tokio::select! {
                accepted = listener.accept() => self.admit(accepted, permit, connections).await,
                () = self.stop.cancelled() => break,
            }
        }
    }

    /// Takes whoever is in the kernel's queue, since they have connected as far as they know, and closes the listener.
    /// The kernel itself is asked: the runtime learns of connections some time after they have come. One that comes in
    /// the instant between the last answer and the close is reset, for which Linux has no remedy.
    async fn close(&self, listener: TcpListener, connections: &TaskTracker) {
        let Ok(listener) = listener.into_std() else { return };
        while let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() {
            match listener.accept() {
                Ok(accepted) => self.admit(into_tokio(accepted), permit, connections).await,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                // The queue is empty, or there is no descriptor for more.
                Err(_) => break,
            }
        }
    }

    async fn admit(
        &self,
        accepted: io::Result<(TcpStream, SocketAddr)>,
        permit: OwnedSemaphorePermit,
        connections: &TaskTracker,
    ) {
        match accepted {
            Ok((stream, address)) => {
                let door = self.clone();
                connections.spawn(async move {
                    door.metrics.connections.inc();
                    door.connection(stream, address).await;
                    door.metrics.connections.dec();
                    drop(permit);
                });
            }
            Err(error) => {
                self.metrics.connections_failed.inc();
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    async fn connection(&self, stream: TcpStream, address: SocketAddr) {
        // Heads and bodies are written as they are ready; a failure costs time, nothing else.
        let _ = stream.set_nodelay(true);
        let client = self.proxy.client(address, self.tls.is_some());
        let Some(tls) = &self.tls else { return self.http(stream, client).await };
        match timeout(self.proxy.limits().head_time_max, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.http(stream, client).await,
            Ok(Err(error)) => {
                self.metrics.connections_failed.inc();
                tracing::debug!(%error, "a TLS handshake failed");
            }
            Err(_) => {
                self.metrics.connections_failed.inc();
            }
        }
    }

    async fn http<I>(&self, io: I, client: Client)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let state = Arc::new(ConnectionState::default());
        let io = Guarded::new(io, Arc::clone(&state), self.proxy.guard_limits());
        let io = Taken::new(io, Arc::clone(&state), self.proxy.limits().client_stall_max);
        let connection = Arc::new(ClientConnection::new(client, state));
        let proxy = Arc::clone(&self.proxy);
        let service = service_fn(move |request| {
            let (proxy, connection) = (Arc::clone(&proxy), Arc::clone(&connection));
            async move { Ok::<_, Infallible>(proxy.handle(&connection, request).await) }
        });
        let serving = self.http1().serve_connection(TokioIo::new(io), service).with_upgrades();
        let mut serving = pin!(serving);
        let outcome = tokio::select! {
            outcome = serving.as_mut() => outcome,
            () = self.farewell_over.cancelled() => {
                serving.as_mut().graceful_shutdown();
                serving.await
            }
        };
        if let Err(error) = outcome {
            tracing::debug!(%error, "a client connection ended early");
        }
    }

    fn http1(&self) -> http1::Builder {
        let limits = self.proxy.limits();
        let mut http = http1::Builder::new();
        // The guard keeps the times, and bounds heads before hyper sees them.
        http.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(limits.head_bytes_max.max(64 << 10) * 2);
        if limits.headers_max > HEADERS_ON_STACK {
            http.max_headers(limits.headers_max);
        }
        http
    }

    /// Lets what is in flight come to its end, but no longer than the limit.
    async fn drain(&self, connections: TaskTracker) {
        // Only now that nobody listens: clients that learn that their connection ends come back at once, and would be
        // lost in the queue of a listener that is just being closed.
        self.proxy.stop_keeping_connections();
        connections.close();
        self.proxy.tunnels().close();
        let done = async {
            let farewell = timeout(FAREWELL, connections.wait()).await;
            self.farewell_over.cancel();
            if farewell.is_err() {
                connections.wait().await;
            }
            self.proxy.tunnels().wait().await;
        };
        if timeout(self.proxy.limits().drain_max, done).await.is_err() {
            tracing::warn!(
                connections = connections.len(),
                tunnels = self.proxy.tunnels().len(),
                "stopping with requests in flight: the time for them is over"
            );
        }
    }
}

fn into_tokio((stream, address): (std::net::TcpStream, SocketAddr)) -> io::Result<(TcpStream, SocketAddr)> {
    stream.set_nonblocking(true)?;
    Ok((TcpStream::from_std(stream)?, address))
}
