//! Who is connected to whom: the runtime, and the parts of a running server.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use demilune_control::{
    Companion, Control, ControlOptions, DiscoveryJob, SchemasJob, ThresholdsJob,
    manage::{self, BootstrapError, Manager, ServerStatus, SocketError},
    probes,
};
use demilune_store::{Database, OpenError, Store, StoreOptions, Zone};
use tokio::{
    net::{TcpListener, UnixListener},
    runtime::{Builder, Runtime},
};
use tokio_rustls::rustls;
use tokio_util::sync::CancellationToken;

use crate::{
    access,
    config::{Bootstrap, Role, ServeConfig, TlsFiles},
    data_folder::{self, DataFolderError, Lock},
    first_token,
    gateway::{GatewayError, RunningGateway},
    stop,
    tls::{self, TlsError},
};

/// How long requests in flight may take after a stop was asked for: shorter than the ten seconds that service managers
/// and container engines give before they kill.
const DRAIN_MAX: Duration = Duration::from_secs(8);
/// How often a gateway asks for a store that is away.
const OPEN_RETRY: Duration = Duration::from_secs(1);
/// How long to wait for a management command that holds the lock, or for a server that is stopping.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(10);

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// The operating system gives no threads or signals.
    #[error("the runtime cannot be started")]
    Runtime(#[source] io::Error),
    /// A server runs already.
    #[error(
        "another server runs on the data folder {data} and listens on {address}: stop it, or name another folder with --data"
    )]
    SecondServer { data: PathBuf, address: String },
    /// There is no schema yet, and none may be made.
    #[error("there is no database {0}: run `demilune migrate`, or start without --no-migrate")]
    NoDatabase(PathBuf),
    /// The address is taken or not ours.
    #[error("cannot listen on {0}; choose another address with --listen")]
    Listen(SocketAddr, #[source] io::Error),
    /// The gateway cannot run.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] DataFolderError),
    /// The certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The store could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store has no first credential.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    /// The management socket cannot be made.
    #[error(transparent)]
    Socket(#[from] SocketError),
}

/// A runtime for one command.
pub(crate) fn runtime() -> Result<Runtime, io::Error> {
    Builder::new_multi_thread().enable_all().build()
}

/// A runtime for a server.
pub(crate) fn server_runtime(workers: Option<usize>) -> Result<Runtime, io::Error> {
    let mut builder = Builder::new_multi_thread();
    if let Some(workers) = workers {
        builder.worker_threads(workers);
    }
    builder.enable_all().build()
}

/// A server that is ready to serve.
pub(crate) struct Server {
    control: Control,
    manager: Manager,
    store: Store,
    http: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    socket: UnixListener,
    gateway: Option<RunningGateway>,
    stop: CancellationToken,
    lock: Lock,
    /// What there is to say about it.
    pub(crate) started: Started,
}

/// What people want to know about a server that has just started.
#[derive(Debug)]
pub(crate) struct Started {
    /// What it says about itself.
    pub(crate) status: ServerStatus,
    /// Where the gateway takes live traffic, if this process has one.
    pub(crate) gateway: Option<String>,
    /// The zone and token, if this start made them.
    pub(crate) first: Option<FirstStart>,
    /// The data folder.
    pub(crate) data: PathBuf,
}

/// What a first start made.
#[derive(Debug)]
pub(crate) struct FirstStart {
    /// The zone.
    pub(crate) zone: Zone,
    /// Where the token is.
    pub(crate) token: FirstToken,
}

/// Where the operator finds the first token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FirstToken {
    /// In the file that this start wrote.
    Written(PathBuf),
    /// In the variable that it came from.
    Variable,
    /// In the file that it came from.
    Supplied(PathBuf),
}

impl Server {
    /// Takes everything a server needs, or says what is missing.
    pub(crate) async fn start(config: ServeConfig) -> Result<Self, ServeError> {
        let allow_private_targets = config.gateway.allow_private_targets;
        let stop = CancellationToken::new();
        stop::on_signal(stop.clone()).map_err(ServeError::Runtime)?;
        let tls = load_tls(config.tls.as_ref(), tls::CONTROL_PROTOCOLS).await?;
        check_may_be_made(&config).await?;
        data_folder::create(&config.store.data).await?;
        let lock = sole_use(&config).await?;
        let http = TcpListener::bind(config.listen).await.map_err(|error| ServeError::Listen(config.listen, error))?;
        let address = http.local_addr().map_err(|error| ServeError::Listen(config.listen, error))?;
        let mut gateway = match config.role {
            Role::Control => None,
            Role::All | Role::Gateway => Some(RunningGateway::start(config.gateway, &config.store.data).await?),
        };
        let store = Store::open(&config.store.options(config.migrate)).await?;
        if let Some(gateway) = &mut gateway {
            gateway.catch_up(&store).await;
        }

        let public_url = config.public_url.unwrap_or_else(|| url_of(address, tls.is_some()));
        let control = Control::new(
            store.clone(),
            ControlOptions {
                public_url: public_url.clone(),
                body_bytes_max: config.body_bytes_max,
                connections_max: config.connections_max,
                drain_max: DRAIN_MAX,
                allow_private_targets,
            },
            gateway.as_ref().map_or_else(Companion::none, RunningGateway::companion),
        );
        let status =
            ServerStatus { address: address.to_string(), public_url, database: config.store.database.to_string() };
        let manager = control.manager().serving(status.clone());
        let manager = match &gateway {
            Some(gateway) => manager.hashing_with(gateway.session_key()),
            None => manager,
        };
        let first = first_start(&manager, config.bootstrap, &config.store.data).await?;
        let socket = manage::bind(&config.store.data).await?;
        let started =
            Started { status, gateway: gateway.as_ref().map(RunningGateway::url), first, data: config.store.data };
        Ok(Self { control, manager, store, http, tls, socket, gateway, stop, lock, started })
    }

    /// What stops it: a signal cancels this, and others may.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Serves until it is told to stop and everything in flight is done.
    pub(crate) async fn serve(self) {
        let managing = manage::listen(self.manager, self.socket, self.stop.clone());
        let serving = self.control.serve(self.http, self.tls, self.stop.clone());
        let computing = ThresholdsJob::new(self.store.clone()).run(self.stop.clone());
        let learning = SchemasJob::new(self.store.clone()).run(self.stop.clone());
        let discovering = DiscoveryJob::new(self.store.clone()).run(self.stop.clone());
        let forwarding = async {
            if let Some(gateway) = self.gateway {
                // On the heap: what a gateway waits for is large.
                Box::pin(gateway.serve(std::future::ready(Some(self.store.clone())), self.stop)).await;
            }
        };
        tokio::join!(managing, serving, computing, learning, discovering, forwarding);
        self.store.close().await;
        let socket = self.started.data.join(manage::SOCKET_NAME);
        // The next server replaces it in any case.
        let _ = tokio::fs::remove_file(socket).await;
        drop(self.lock);
    }
}

/// A gateway without the API, on a database that it shares with a control process.
pub(crate) struct GatewayServer {
    gateway: RunningGateway,
    probes: TcpListener,
    store: StoreOptions,
    stop: CancellationToken,
    lock: Lock,
    /// Where live traffic goes.
    pub(crate) gateway_url: String,
    /// Where the probes are answered.
    pub(crate) probes_url: String,
}

impl GatewayServer {
    /// Takes everything a gateway needs but the store, which may be away.
    pub(crate) async fn start(config: ServeConfig) -> Result<Self, ServeError> {
        let stop = CancellationToken::new();
        stop::on_signal(stop.clone()).map_err(ServeError::Runtime)?;
        data_folder::create(&config.store.data).await?;
        let lock = sole_use(&config).await?;
        let (probes, probes_url) = listen_on(config.listen, false).await?;
        let store = config.store.options(false);
        let gateway = RunningGateway::start(config.gateway, &config.store.data).await?;
        let gateway_url = gateway.url();
        Ok(Self { gateway, probes, store, stop, lock, gateway_url, probes_url })
    }

    /// Serves until a signal comes and everything in flight is done.
    pub(crate) async fn serve(self) {
        let probing = probes::serve(self.probes, self.gateway.companion(), self.stop.clone());
        let forwarding = self.gateway.serve(open_patiently(&self.store), self.stop);
        let ((), store) = tokio::join!(probing, forwarding);
        if let Some(store) = store {
            store.close().await;
        }
        drop(self.lock);
    }
}

/// Opens the store as soon as it can be.
async fn open_patiently(options: &StoreOptions) -> Option<Store> {
    let mut said = None;
    loop {
        match Store::open(options).await {
            Ok(store) => return Some(store),
            Err(error) => {
                let sentence = error.to_string();
                if said.as_ref() != Some(&sentence) {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "the store cannot be opened yet; the rules that were saved are in force");
                }
                said = Some(sentence);
            }
        }
        tokio::time::sleep(OPEN_RETRY).await;
    }
}

async fn listen_on(listen: SocketAddr, tls: bool) -> Result<(TcpListener, String), ServeError> {
    let failed = |error| ServeError::Listen(listen, error);
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, url_of(address, tls)))
}

/// Reads a certificate and its key, where they are named.
pub(crate) async fn load_tls(
    files: Option<&TlsFiles>,
    protocols: &'static [&'static str],
) -> Result<Option<Arc<rustls::ServerConfig>>, TlsError> {
    let Some(files) = files.cloned() else { return Ok(None) };
    let loaded = tokio::task::spawn_blocking(move || tls::load(&files, protocols)).await;
    loaded.map_err(|_| TlsError::Interrupted)?.map(Some)
}

/// With migrations held back, an empty folder is a mistake rather than a beginning.
async fn check_may_be_made(config: &ServeConfig) -> Result<(), ServeError> {
    let Database::Sqlite(file) = config.store.database.clone() else { return Ok(()) };
    if config.migrate || data_folder::exists(file.clone()).await? { Ok(()) } else { Err(ServeError::NoDatabase(file)) }
}

/// The lock of the data folder. It is taken on PostgreSQL too: the socket and the first token are one server's.
async fn sole_use(config: &ServeConfig) -> Result<Lock, ServeError> {
    let data = &config.store.data;
    if let Some(lock) = data_folder::try_lock(data).await? {
        return Ok(lock);
    }
    if let Some(address) = access::server_address(data).await {
        return Err(ServeError::SecondServer { data: data.clone(), address });
    }
    Ok(data_folder::lock(data, LOCK_WAIT_MAX).await?)
}

/// Where this machine reaches a server that listens on `address`.
pub(crate) fn url_of(address: SocketAddr, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    let mut reachable = address;
    if address.ip().is_unspecified() {
        reachable.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("{scheme}://{reachable}")
}

/// Makes the first zone and token of a store without credentials. The token reaches its file before it opens anything:
/// a start that is cut short in between leaves a file that the next start overwrites, never a token that nobody knows.
async fn first_start(
    manager: &Manager,
    bootstrap: Bootstrap,
    data: &std::path::Path,
) -> Result<Option<FirstStart>, ServeError> {
    let (secret, supplied) = match bootstrap.token {
        Some(token) => (Some(token.secret), Some(token.file.map_or(FirstToken::Variable, FirstToken::Supplied))),
        None => (None, None),
    };
    let Some(first) = manager.bootstrap_prepare(bootstrap.zone, secret).await? else { return Ok(None) };
    let token = match supplied {
        // The operator keeps it already: another copy on the disk is one more to lose.
        Some(supplied) => supplied,
        None => FirstToken::Written(first_token::write(data, first.secret()).await?),
    };
    if manager.bootstrap_commit(&first).await? {
        return Ok(Some(FirstStart { zone: first.zone().clone(), token }));
    }
    if let FirstToken::Written(_) = token {
        first_token::remove(data).await?;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_every_address_is_reached_on_this_machine() {
        let check =
            |address: &str, tls: bool, expected: &str| assert_eq!(url_of(address.parse().unwrap(), tls), expected);
        check("127.0.0.1:8787", false, "http://127.0.0.1:8787");
        check("0.0.0.0:443", true, "https://127.0.0.1:443");
        check("[::]:80", false, "http://[::1]:80");
        check("10.0.0.7:80", false, "http://10.0.0.7:80");
    }
}
